"""Our own model file: a safetensors file whose metadata carries architecture, encoder, threshold and record as JSON,
and the rule where the network decides by one.

A safetensors file is a JSON header and plain numbers: reading one never runs code. Everything in it is checked against
everything else, since it may come from a stranger.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fairneuron_core.errors import ModelError
from fairneuron_core.models.files.rule_json import rule_json, rule_of
from fairneuron_core.models.layers import LinearLayer, linear_layers, network_of
from fairneuron_core.types import Classifier, EncodedColumn, Encoder, ModelRecord

_FORMAT = "fairneuron-classifier-1"
_MAX_HEADER = 4_000_000


def to_safetensors(classifier: Classifier) -> bytes:
    """Return the classifier as one file; equal classifiers give equal bytes."""
    layers = linear_layers(classifier.network)
    tensors = {
        f"layer{i}.{part}": getattr(layer, part) for i, layer in enumerate(layers) for part in ("weight", "bias")
    }
    tensors |= {f"mean{i}": mean for i, mean in enumerate(classifier.means)}
    tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}
    # One entry only: the library writes several in an order that changes from call to call.
    return save(tensors, {_FORMAT: description_of(classifier)})


def description_of(classifier: Classifier) -> str:
    """Return as JSON what belongs to a classifier beside its weights: activations, encoder, threshold, record, rule."""
    described = {
        "activations": [layer.activation for layer in linear_layers(classifier.network)],
        "encoder": dataclasses.asdict(classifier.encoder),
        "threshold": classifier.threshold,
        "record": dataclasses.asdict(classifier.record),
    }
    if classifier.rule is not None:
        described["rule"] = rule_json(classifier.rule)
    return json.dumps(described, sort_keys=True)


def from_safetensors(content: bytes) -> Classifier:
    """Read what `to_safetensors` wrote; raises ModelError with the reason for anything else."""
    described = _metadata(content)
    try:
        tensors = load(content)
        layers = [
            LinearLayer(tensors[f"layer{i}.weight"], tensors[f"layer{i}.bias"], activation)
            for i, activation in enumerate(described["activations"])
        ]
        means = tuple(tensors[f"mean{i}"] for i in range(len(layers))) if "mean0" in tensors else ()
        encoder = Encoder(tuple(EncodedColumn(**_tuples(c)) for c in described["encoder"]["columns"]))
        record = ModelRecord(**_tuples(described["record"]))
        threshold = float(described["threshold"])
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ModelError(f"The model file is damaged or incomplete ({type(error).__name__}: {error}).") from error
    _check(layers, means, encoder, threshold)
    rule = rule_of(described["rule"], width=encoder.width) if "rule" in described else None
    return Classifier(network_of(layers), encoder, threshold, record, means, rule)


def is_safetensors(content: bytes) -> bool:
    """Say whether the content, whatever its name, starts like a safetensors file."""
    if len(content) < 10:
        return False
    (length,) = struct.unpack("<Q", content[:8])
    return 2 <= length <= len(content) - 8 and content[8:9] == b"{"


def _metadata(content: bytes) -> dict[str, Any]:
    """The JSON this product put into the file's header."""
    (length,) = struct.unpack("<Q", content[:8])
    if length > _MAX_HEADER:
        raise ModelError(f"The model file's header has {length} bytes, more than {_MAX_HEADER}: it is not one of ours.")
    try:
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        if _FORMAT not in metadata:
            raise ModelError(
                "This safetensors file carries no architecture, encoder and threshold: only files that were downloaded "
                "here or written by `fairneuron train` can be opened."
            )
        described = json.loads(metadata[_FORMAT])
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError("The model file's header cannot be read: the file is damaged.") from error
    if not isinstance(described, dict):
        raise ModelError("The model file's header cannot be read: the file is damaged.")
    return described


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def _check(layers: list[LinearLayer], means: tuple[np.ndarray, ...], encoder: Encoder, threshold: float) -> None:
    """Raise ModelError unless shapes fit one another and every number is finite."""
    widths = [encoder.width, *(len(layer.weight) for layer in layers)]
    for i, layer in enumerate(layers):
        if layer.weight.ndim != 2 or layer.weight.shape[1] != widths[i] or layer.bias.shape != (widths[i + 1],):
            raise ModelError(
                f"Layer {i + 1} of the model file has shape {layer.weight.shape} where {widths[i]} inputs arrive: "
                "the file does not fit together."
            )
    if means and [mean.shape for mean in means] != [(width,) for width in widths[:-1]]:
        raise ModelError("The training profile in the model file does not fit its layers: the file is damaged.")
    numbers = [layer.weight for layer in layers] + [layer.bias for layer in layers] + list(means)
    if not all(np.isfinite(values).all() for values in numbers):
        raise ModelError("The model file holds weights that are not finite numbers: the training that made it failed.")
    if not 0 <= threshold <= 1:
        raise ModelError(f"The decision threshold in the model file is {threshold}: it must lie between 0 and 1.")
