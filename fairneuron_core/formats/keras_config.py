"""Keras networks from their JSON description: a chain of layers, each turned into steps of a stack of dense layers.

Layers are known by name only; nothing the description names is imported. A further layer is one function and one row
in _LAYERS.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.keras_chain import KerasLayer, chain_of
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.stacking import Activation, Affine, Dense, Step, batch_norm, stacked

_ACTIVATIONS = {
    "linear": "identity",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "log_softmax": "softmax",
}
_EPSILON = 1e-7
_FAILURES = (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError, RecursionError)


@dataclass(frozen=True)
class _Layer:
    """A layer with its weights in the order of Keras, and the shape of a row that enters (None: not said)."""

    layer: KerasLayer
    weights: Sequence[np.ndarray]
    shape: tuple[int, ...] | None

    def refused(self, why: str) -> RefusedFile:
        return RefusedFile(f"The layer '{shown(self.layer.name)}' ({shown(self.layer.kind)}) {why}.")

    def setting(self, name: str, usual: Any = None) -> Any:
        return self.layer.config.get(name, usual)

    def need(self, count: int) -> None:
        if len(self.weights) != count:
            raise self.refused(f"has {len(self.weights)} weight tensors where {count} are expected: it cannot be read")
        if self.shape is not None and len(self.shape) != 1:
            raise self.refused(f"reads rows of shape {self.shape}: put a Flatten layer before it")


def parse_config(
    form: str, description: str, weights_of: Callable[[Sequence[KerasLayer]], list[list[np.ndarray]]]
) -> NetworkFile:
    """Return the network that the JSON describes.

    weights_of   gives the weights of each of all layers of the network, in the order of the description

    Raises RefusedFile for other layers, other activations, and networks that are no chain.
    """
    try:
        described = json.loads(description)
        layers, order = chain_of(described)
        weights = weights_of(layers)
        return _network(form, [layers[i] for i in order], [weights[i] for i in order])
    except _FAILURES as error:
        raise RefusedFile("The description of the network in the file cannot be read: the file is damaged.") from error


def _network(form: str, layers: Sequence[KerasLayer], weights: Sequence[Sequence[np.ndarray]]) -> NetworkFile:
    shape: tuple[int, ...] | None = None
    steps: list[Step] = []
    for layer, own in zip(layers, weights, strict=True):
        here = _Layer(layer, own, _shape_of(layer) or shape)
        if layer.kind not in _LAYERS:
            raise here.refused(_why_not(layer.kind))
        steps += _LAYERS[layer.kind](here)
        shape = _left_by(here)
    stack = stacked(steps)
    return NetworkFile(form, stack.layers, stack.head, warnings=stack.warnings)


def _why_not(kind: str) -> str:
    if kind == "Lambda":
        return "is code inside the file, which is never run: replace it by layers, or export the network as ONNX"
    if kind in ("Sequential", "Functional", "Model"):
        return "is a network inside the network: only one chain of layers can be read; export the network as ONNX"
    known = "Dense, Activation, ReLU, Softmax, BatchNormalization, Normalization, Rescaling, Dropout and Flatten"
    return f"is not known here: networks of {known} can be read; export others as ONNX"


def _dense(here: _Layer) -> list[Step]:
    if here.setting("quantization_config") is not None or here.setting("lora_rank") is not None:
        raise here.refused("is quantised or has low-rank weights beside its own: save it merged, in float32")
    with_bias = bool(here.setting("use_bias", True))
    here.need(1 + with_bias)
    kernel = here.weights[0]
    bias = here.weights[1] if with_bias else np.zeros(kernel.shape[-1])
    return [Dense(kernel.T, bias), _activation(here, here.setting("activation", "linear"))]


def _activation(here: _Layer, described: Any) -> Activation:
    """The activation of that name; Keras writes a name, or a function or layer object that carries one."""
    if isinstance(described, dict):
        function = described.get("class_name") == "function"
        if described.get("registered_name") not in (None, "function") or not function:
            raise here.refused(f"uses the custom activation '{shown(str(described.get('class_name')))}', which is code")
        described = described.get("config")
    if described is None or described in _ACTIVATIONS:
        return Activation(_ACTIVATIONS["linear" if described is None else described])
    raise here.refused(
        f"uses the activation '{shown(str(described))}', which is not known here: {', '.join(_ACTIVATIONS)} are"
    )


def _relu(here: _Layer) -> list[Step]:
    if any(here.setting(name) for name in ("max_value", "negative_slope", "alpha", "threshold")):
        raise here.refused("is not the plain ReLU: only max(0, x) is known here")
    return [Activation("relu")]


def _softmax(here: _Layer) -> list[Step]:
    if here.setting("axis", -1) not in (-1, 1, [-1], [1]):
        raise here.refused("is not a softmax over the classes")
    return [Activation("softmax")]


def _batch_norm(here: _Layer) -> list[Step]:
    if here.setting("axis", -1) not in (-1, 1, [-1], [1]) or here.setting("renorm"):
        raise here.refused("does not normalise the last axis in the usual way: it cannot be read")
    scaled, centred = bool(here.setting("scale", True)), bool(here.setting("center", True))
    here.need(2 + scaled + centred)
    left = list(here.weights)
    gamma = left.pop(0) if scaled else np.ones(left[-1].shape)
    beta = left.pop(0) if centred else np.zeros(left[-1].shape)
    return [batch_norm(gamma, beta, *left, epsilon=float(here.setting("epsilon", 1e-3)))]


def _normalization(here: _Layer) -> list[Step]:
    """(x - mean) / max(sqrt(variance), epsilon); or, inverted, mean + x * max(sqrt(variance), epsilon)."""
    given = here.setting("mean")
    if given is None:
        here.need(3)
    if here.setting("axis", -1) not in (-1, 1, [-1], [1]):
        raise here.refused("does not normalise every input by its own numbers: it cannot be read")
    stored = here.weights[:2] if given is None else (given, here.setting("variance"))
    mean, variance = (np.asarray(part, np.float64).ravel() for part in stored)
    if not np.all(variance >= 0):
        raise here.refused("has a negative variance: the file is damaged")
    deviation = np.maximum(np.sqrt(variance), _EPSILON)
    return [Affine(deviation, mean) if here.setting("invert") else Affine(1 / deviation, -mean / deviation)]


def _rescaling(here: _Layer) -> list[Step]:
    parts = [np.asarray(here.setting(name, usual), np.float64) for name, usual in (("scale", 1.0), ("offset", 0.0))]
    if any(part.ndim > 1 or (part.ndim == 1 and here.shape and len(here.shape) > 1) for part in parts):
        raise here.refused("scales an image by more than one number: it cannot be read")
    return [Affine(parts[0], parts[1])]


def _flatten(here: _Layer) -> list[Step]:
    if here.setting("data_format") == "channels_first" and here.shape is not None and len(here.shape) > 1:
        raise here.refused("reorders the values (channels_first) before it flattens them: it cannot be read")
    return []


def _shape_of(layer: KerasLayer) -> tuple[int, ...] | None:
    """The shape of a row where the layer says it: an input layer, or the first layer of an older file."""
    for name in ("batch_shape", "batch_input_shape"):
        found = layer.config.get(name)
        if found:
            return tuple(int(size) for size in found[1:]) if all(found[1:]) else None
    return None


def _left_by(here: _Layer) -> tuple[int, ...] | None:
    if here.layer.kind == "Dense":
        return (int(here.weights[0].shape[-1]),)
    if here.layer.kind == "Flatten" and here.shape is not None:
        return (math.prod(here.shape),)
    return here.shape


def _nothing(here: _Layer) -> list[Step]:
    return []


_ONLY_IN_TRAINING = (
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "SpatialDropout1D",
    "ActivityRegularization",
    "InputLayer",
    "Identity",
)
_LAYERS: dict[str, Callable[[_Layer], list[Step]]] = {
    "Dense": _dense,
    "Activation": lambda here: [_activation(here, here.setting("activation"))],
    "ReLU": _relu,
    "Softmax": _softmax,
    "BatchNormalization": _batch_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Flatten": _flatten,
    **dict.fromkeys(_ONLY_IN_TRAINING, _nothing),
}
