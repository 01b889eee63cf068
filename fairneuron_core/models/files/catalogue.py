"""The formats a network is written in: one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fairneuron_core.models.files.onnx_file import to_onnx
from fairneuron_core.models.files.safetensors_file import from_safetensors, is_safetensors, to_safetensors
from fairneuron_core.models.files.state_dict_file import to_state_dict
from fairneuron_core.types import Classifier


@dataclass(frozen=True)
class ModelFormat:
    """One format that is written.

    recognise, read   for formats whose files of our own are read in this process; None where only the door reads them
    parsed_as         key in NETWORK_FORMATS of the parser that reads the written file back
    describes         whether the file carries encoder, threshold, record and rule
    note              what another tool sees of it, in one sentence
    """

    title: str
    suffix: str
    write: Callable[[Classifier], bytes]
    parsed_as: str
    describes: bool
    note: str
    recognise: Callable[[bytes], bool] | None = None
    read: Callable[[bytes], Classifier] | None = None


MODEL_FORMATS: dict[str, ModelFormat] = {
    "safetensors": ModelFormat(
        "safetensors",
        ".safetensors",
        to_safetensors,
        "safetensors",
        describes=True,
        note="Carries everything: weights, encoder, threshold, decision rule, training profile and history.",
        recognise=is_safetensors,
        read=from_safetensors,
    ),
    "onnx": ModelFormat(
        "ONNX",
        ".onnx",
        to_onnx,
        "onnx",
        describes=True,
        note="Other tools see the scores; encoder, threshold and decision rule travel along as metadata for this one.",
    ),
    "state_dict": ModelFormat(
        "PyTorch state_dict",
        ".pt",
        to_state_dict,
        "torch",
        describes=False,
        note="Weights only: activations, encoder, threshold and decision rule are not in it.",
    ),
}
