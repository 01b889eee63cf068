"""Networks: their layers, their training, their files, and what they decide."""

from fairneuron_core.models.checkpoint import Checkpoint
from fairneuron_core.models.classify import logits, profile, scores
from fairneuron_core.models.decision import ALWAYS, NEVER, decide, decisions, draws, pick, row_thresholds
from fairneuron_core.models.device import device_words, resolve_device
from fairneuron_core.models.files import MAX_MODEL_MB, MODEL_FORMATS, from_safetensors, read_model, to_safetensors
from fairneuron_core.models.layers import build_network, layer_sizes, linear_layers, network_of
from fairneuron_core.models.plan import Trained, TrainingPlan
from fairneuron_core.models.planted import planted_network
from fairneuron_core.models.trainer import train

__all__ = [
    "ALWAYS",
    "MAX_MODEL_MB",
    "MODEL_FORMATS",
    "NEVER",
    "Checkpoint",
    "Trained",
    "TrainingPlan",
    "build_network",
    "decide",
    "decisions",
    "device_words",
    "draws",
    "from_safetensors",
    "layer_sizes",
    "linear_layers",
    "logits",
    "network_of",
    "pick",
    "planted_network",
    "profile",
    "read_model",
    "resolve_device",
    "row_thresholds",
    "scores",
    "to_safetensors",
    "train",
]
