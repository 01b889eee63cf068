"""From the steps a parser finds in a file to the plain stack: dense layers with one activation behind each.

    Dense       a layer of the file
    Affine      batch norm, a scaler, a bias that is added later: folded into the layer before it, or after it
    Mix         a linear map that is no layer of its own (average pooling, a reordering): composed with its neighbour
    Activation  relu, tanh, sigmoid or identity behind a layer; sigmoid or softmax at the end becomes the head

What computes nothing when a network is used (dropout, identity, a change of shape) is no step: parsers leave it out.
Everything is folded in float64 and rounded to float32 once, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.formats.network_file import HIDDEN_ACTIVATIONS, RefusedFile
from fairneuron_core.types import LinearLayer

MAX_WEIGHTS = 50_000_000
SCALES_ITSELF = (
    "The network scales its inputs itself (the scaling was folded into its first layer): "
    "give it the columns as they are, without scaling them again."
)
TAKEN_AS_LOG_ODDS = (
    "The network ends without sigmoid or softmax: what it puts out is taken as log-odds, 0 means a probability of 0.5."
)


@dataclass(frozen=True)
class Dense:
    """z = weight @ a + bias; weight (out, in), bias (out,), any float type."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Mix:
    """weight @ a + bias like Dense, but composed with a neighbouring layer wherever one can take it in."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Affine:
    """a * scale + shift, value by value; each (n,), or one number for all values."""

    scale: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True)
class Activation:
    """One of relu, tanh, sigmoid, identity; or softmax, at the end only."""

    name: str


Step = Dense | Mix | Affine | Activation


@dataclass(frozen=True)
class Stacked:
    """What `stacked` makes of the steps: layers, head and warnings as NetworkFile wants them."""

    layers: tuple[LinearLayer, ...]
    head: str
    warnings: tuple[str, ...]


def batch_norm(
    gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray, *, epsilon: float
) -> Affine:
    """Return batch norm in use (not in training): (a - mean) / sqrt(variance + epsilon) * gamma + beta, each (n,)."""
    gamma, beta, mean, variance = (np.asarray(part, np.float64) for part in (gamma, beta, mean, variance))
    if not np.all(variance + epsilon > 0):
        raise RefusedFile("A batch norm layer of the network has a variance of 0 or less: the file is damaged.")
    scale = gamma / np.sqrt(variance + epsilon)
    return Affine(scale, beta - mean * scale)


def stacked(steps: Sequence[Step]) -> Stacked:
    """Return the plain stack that computes what the steps do, its closing sigmoid or softmax taken off.

    The last layer has 1 output (a logit) or 2 (logits of class 0 and class 1). Raises RefusedFile for steps that do
    not fit together, for numbers that are not finite, and for networks with more than two outputs.
    """
    steps, head = _without_head(steps)
    stack = _Stack()
    # What is not finite is found and named at the end; on the way there it may meet 0.
    with np.errstate(all="ignore"):
        for step in steps:
            stack.add(step)
        stack.settle()
    layers = tuple(_rounded(layer, i) for i, layer in enumerate(stack.layers))
    _check_outputs(layers, head)
    warnings = tuple(dict.fromkeys(stack.warnings)) + ((TAKEN_AS_LOG_ODDS,) if head == "logits" else ())
    return Stacked(layers, head, warnings)


def check_weights(outputs: int, inputs: int, *, so_far: int = 0) -> None:
    """Raise RefusedFile when a dense layer of that size, with the weights so far, would pass MAX_WEIGHTS."""
    if so_far + outputs * inputs > MAX_WEIGHTS:
        raise RefusedFile(
            f"A layer of the network has {outputs} x {inputs} weights when it is written as a dense layer; the "
            f"limit for a whole network is {MAX_WEIGHTS // 1_000_000} million: bring a smaller network."
        )


def _without_head(steps: Sequence[Step]) -> tuple[list[Step], str]:
    kept = [step for step in steps if step != Activation("identity")]
    last = kept[-1] if kept else None
    if not isinstance(last, Activation):
        return kept, "logits"
    if last.name not in ("sigmoid", "softmax"):
        raise RefusedFile(
            f"The network ends in {last.name}: its values are neither probabilities nor log-odds. Bring a network that "
            "ends in one sigmoid output, in a softmax over two classes, or in a plain layer."
        )
    return kept[:-1], last.name


class _Stack:
    """The layers so far, and the linear steps that wait for a layer to go into."""

    def __init__(self) -> None:
        self.layers: list[LinearLayer] = []
        self.waiting: list[Affine | Mix] = []
        self.warnings: list[str] = []

    def add(self, step: Step) -> None:
        if isinstance(step, Activation):
            self._activate(step.name)
        elif isinstance(step, Dense):
            self._dense(step)
        elif self.layers and not self.waiting and self.layers[-1].activation == "identity":
            self.layers[-1] = _behind(self.layers[-1], step)
        else:
            if not self.layers and isinstance(step, Affine):
                self.warnings.append(SCALES_ITSELF)
            self.waiting.append(step)

    def settle(self) -> None:
        """Write waiting steps as a layer of their own: nothing that could take them in follows."""
        waiting, self.waiting = self.waiting, []
        for i, step in enumerate(waiting):
            if isinstance(step, Mix):
                self._dense(Dense(step.weight, step.bias))
                for later in waiting[i + 1 :]:
                    self.add(later)
                return
            self.waiting.append(step)
        if self.waiting:
            widths = [max(np.size(step.scale), np.size(step.shift)) for step in waiting if isinstance(step, Affine)]
            self._dense(_passing_on(len(self.layers[-1].bias) if self.layers else max(widths)))

    def _dense(self, step: Dense) -> None:
        weight, bias = np.asarray(step.weight, np.float64), np.asarray(step.bias, np.float64)
        _check_shape(weight, bias)
        for waiting in reversed(self.waiting):
            weight, bias = _in_front(weight, bias, waiting)
        self.waiting.clear()
        if self.layers and len(self.layers[-1].bias) != weight.shape[1]:
            raise RefusedFile(
                f"Layer {len(self.layers) + 1} of the network reads {weight.shape[1]} values where "
                f"{len(self.layers[-1].bias)} arrive: the file does not fit together."
            )
        check_weights(*weight.shape, so_far=sum(layer.weight.size for layer in self.layers))
        self.layers.append(LinearLayer(weight, bias, "identity"))

    def _activate(self, name: str) -> None:
        if name == "identity":
            return
        if name == "softmax":
            raise RefusedFile("The network has a softmax before its last layer: only one at the very end can be read.")
        if name not in HIDDEN_ACTIVATIONS:
            raise RefusedFile(f"The activation '{name}' is not known: {', '.join(HIDDEN_ACTIVATIONS)} are.")
        self.settle()
        if not self.layers:
            raise RefusedFile(f"The network starts with {name} before any layer with weights: it cannot be read.")
        last = self.layers[-1]
        if last.activation == name == "relu":
            return
        if last.activation != "identity":
            self.warnings.append(
                f"{name} follows {last.activation} directly: a layer of {len(last.bias)} neurons that pass their value "
                "on was put between the two."
            )
            self._dense(_passing_on(len(last.bias)))
            last = self.layers[-1]
        self.layers[-1] = LinearLayer(last.weight, last.bias, name)


def _passing_on(width: int) -> Dense:
    check_weights(width, width)
    return Dense(np.eye(width), np.zeros(width))


def _behind(layer: LinearLayer, step: Affine | Mix) -> LinearLayer:
    """The layer with the linear step applied to what it puts out."""
    outputs = len(layer.bias)
    if isinstance(step, Mix):
        _check_shape(step.weight, step.bias)
        _check_width(step.weight.shape[1], outputs)
        check_weights(len(step.bias), layer.weight.shape[1])
        weight = step.weight.astype(np.float64)
        return LinearLayer(weight @ layer.weight, weight @ layer.bias + step.bias, "identity")
    scale, shift = _spread(step, outputs)
    return LinearLayer(layer.weight * scale[:, None], layer.bias * scale + shift, "identity")


def _in_front(weight: np.ndarray, bias: np.ndarray, step: Affine | Mix) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of the layer with the linear step applied to what it reads."""
    if isinstance(step, Mix):
        _check_shape(step.weight, step.bias)
        _check_width(weight.shape[1], len(step.bias))
        check_weights(len(weight), step.weight.shape[1])
        return weight @ step.weight.astype(np.float64), bias + weight @ step.bias
    scale, shift = _spread(step, weight.shape[1])
    return weight * scale, bias + weight @ shift


def _spread(step: Affine, width: int) -> tuple[np.ndarray, np.ndarray]:
    parts = [np.asarray(part, np.float64).ravel() for part in (step.scale, step.shift)]
    for part in parts:
        if part.size != 1:
            _check_width(part.size, width)
    return np.broadcast_to(parts[0], width), np.broadcast_to(parts[1], width)


def _check_shape(weight: np.ndarray, bias: np.ndarray) -> None:
    if weight.ndim != 2 or 0 in weight.shape or bias.shape != weight.shape[:1]:
        raise RefusedFile(
            f"A layer of the network has weights of shape {weight.shape} and a bias of shape {bias.shape}: "
            "the file does not fit together."
        )
    check_weights(*weight.shape)


def _check_width(found: int, expected: int) -> None:
    if found != expected:
        raise RefusedFile(
            f"A step of the network has {found} values where {expected} are expected: the file does not fit together."
        )


def _rounded(layer: LinearLayer, position: int) -> LinearLayer:
    with np.errstate(over="ignore"):
        weight, bias = (np.ascontiguousarray(part, np.float32) for part in (layer.weight, layer.bias))
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise RefusedFile(
            f"Layer {position + 1} of the network holds numbers that are not finite: the training that made it failed."
        )
    return LinearLayer(weight, bias, layer.activation)


def _check_outputs(layers: Sequence[LinearLayer], head: str) -> None:
    if not layers:
        raise RefusedFile("The file holds no layer with weights: there is no network to look into.")
    outputs = len(layers[-1].bias)
    if layers[-1].activation != "identity":
        raise RefusedFile(f"The network ends in {layers[-1].activation}: its values are not log-odds.")
    if outputs > 2:
        raise RefusedFile(
            f"This network tells {outputs} classes apart; an audit needs one favourable outcome: "
            "export a network with one sigmoid output or two classes."
        )
    if head == "sigmoid" and outputs == 2:
        raise RefusedFile(
            "The network ends in two separate sigmoid outputs, which need not add up to 1: "
            "export a network with one sigmoid output or with a softmax over two classes."
        )
    if head == "softmax" and outputs == 1:
        raise RefusedFile(
            "The network ends in a softmax over one output, which is always 1: "
            "export a network with one sigmoid output or with a softmax over two classes."
        )
