"""Slicing in plain per-sample Python, with loops and sorts, exactly as the method is told (see `slicing.py`).

It shares no code with the kernels: the tests compare them edge for edge, and the benchmark starts from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairneuron_core.models.layers import LinearLayer

Vector = list[float]
PlainLayer = tuple[list[Vector], Vector, str]
_ACTIVATIONS = {
    "relu": lambda z: max(z, 0.0),
    "identity": lambda z: z,
    "tanh": math.tanh,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
}


def reference_path(
    layers: Sequence[LinearLayer],
    row: Sequence[float],
    *,
    coverage: float,
    reading: str = "delta",
    means: Sequence[Sequence[float]] | None = None,
    first_layer: int = 1,
) -> set[tuple[int, int, int]]:
    """Return the path of one row as a set of (layer, source, target); layers from 1, neurons from 0.

    means: for `delta`, the mean of the inputs and of every hidden layer; None = zeros.
    """
    return path_in(plain_layers(layers), row, coverage=coverage, reading=reading, means=means, first_layer=first_layer)


def plain_layers(layers: Sequence[LinearLayer]) -> list[PlainLayer]:
    """Return weights (targets of sources), biases and activation of every layer as Python lists, for `path_in`."""
    return [
        ([[float(w) for w in weights] for weights in layer.weight], [float(b) for b in layer.bias], layer.activation)
        for layer in layers
    ]


def path_in(
    layers: Sequence[PlainLayer],
    row: Sequence[float],
    *,
    coverage: float,
    reading: str = "delta",
    means: Sequence[Sequence[float]] | None = None,
    first_layer: int = 1,
) -> set[tuple[int, int, int]]:
    """Return what `reference_path` returns; many rows of one network need its lists only once."""
    before, after = _forward(layers, row)
    head = before[-1]
    active = {head.index(max(head))}
    path = set()
    for index in range(len(layers), 1 if reading == "released" else 0, -1):
        weights = layers[index - 1][0]
        sources = before[index - 1] if reading == "released" else after[index - 1]
        if reading == "delta" and means is not None:
            sources = [a - float(m) for a, m in zip(sources, means[index - 1], strict=True)]
        below = set()
        for j in sorted(active):
            contributions = [w * s for w, s in zip(weights[j], sources, strict=True)]
            if reading == "released":
                taken = take_released(contributions, coverage * before[index][j])
            else:
                taken = take_signed(contributions, coverage)
            path |= {(index, k, j) for k in taken if index >= first_layer}
            below |= set(taken)
        active = below
    return path


def take_signed(contributions: Vector, coverage: float) -> list[int]:
    """Return the shortest prefix whose sum exceeds coverage * |sum|, in the order of contribution * sign(sum)."""
    total = 0.0
    for value in contributions:
        total += value
    if total == 0:
        return []
    signed = [math.copysign(1.0, total) * value for value in contributions]
    order = sorted(range(len(signed)), key=lambda k: -signed[k])  # sorted is stable: ties by index
    running, taken = 0.0, []
    if coverage < 1:
        for k in order:
            running += signed[k]
            taken.append(k)
            if running > coverage * abs(total):
                return taken
    return [k for k in order if signed[k] > 0]


def take_released(contributions: Vector, goal: float) -> list[int]:
    """Return the shortest prefix of the signed order whose sum reaches `goal`, or all when none does."""
    running, taken = 0.0, []
    for k in sorted(range(len(contributions)), key=lambda k: -contributions[k]):
        running += contributions[k]
        taken.append(k)
        if running >= goal:
            break
    return taken


def _forward(layers: Sequence[PlainLayer], row: Sequence[float]) -> tuple[list[Vector], list[Vector]]:
    """Return pre-activations and activations per level; at level 0 both are the inputs."""
    before = after = [[float(value) for value in row]]
    for weights, bias, activation in layers:
        z = []
        for j, row_of_weights in enumerate(weights):
            total = 0.0
            for w, a in zip(row_of_weights, after[-1], strict=True):
                total += w * a
            z.append(total + bias[j])
        before = [*before, z]
        after = [*after, [_ACTIVATIONS[activation](value) for value in z]]
    return before, after
