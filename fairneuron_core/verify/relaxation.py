"""How linear bounds of a ReLU network are pushed backward to its inputs: the steps of CROWN.

Source: Zhang et al., "Efficient neural network robustness certification with general activation functions",
NeurIPS 2018. A ReLU whose pre-activation z lies in [l, u] with l < 0 < u is held between two lines,

    s z  <=  relu(z)  <=  u (z - l) / (u - l),      s = 1 if u > -l else 0  (any s in [0, 1] is sound),

1. the bound wanted is a linear form of the last values: slopes A, constant c;
2. going back through a ReLU, a LOWER bound takes the lower line where A >= 0 and the upper line where A < 0;
3. going back through a layer, A becomes A W and c grows by A b;
4. at the first layer the smallest value over the box is taken.

An upper bound is minus the lower bound of minus the form, so every layer carries [W; -W]. Every layer's bounds are
intersected with the interval bounds before the next layer uses them: neither is always the tighter one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from fairneuron_core.verify.bounds import Interval, Layer64, affine_range
from fairneuron_core.verify.certificate import MARGIN

_CHUNK_BYTES = 1 << 22
"""Size of one tensor of slopes: several of them live at a time, and they should fit into the cache."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Bounds of the logit, low and high (n,), and of the pre-activations of every layer, each (n, width)."""

    low: torch.Tensor
    high: torch.Tensor
    layers: tuple[Interval, ...]

    def proves(self, cut: float, margin: float = MARGIN) -> torch.Tensor:
        """Return which rows (n,) bool have every logit of their box on one side of `cut`, at least `margin` away."""
        return (self.low >= cut + margin) | (self.high <= cut - margin)


class FirstLayer(Protocol):
    """The first layer's pre-activations z0 over the inputs of each row."""

    def range(self) -> Interval:
        """Return the range (n, h) of every pre-activation."""

    def minimum(self, slopes: torch.Tensor) -> torch.Tensor:
        """Return the smallest value (n, o) of slopes (n, o, h) @ z0."""


class BoxFirst:
    """The first layer over boxes: inputs that no row varies are folded into the bias, which is most of the work."""

    def __init__(self, layer: Layer64, low: torch.Tensor, high: torch.Tensor) -> None:
        weight, bias = layer
        vary = (low != high).any(0)
        self.free = weight[:, vary], torch.zeros_like(bias)  # (h, f)
        self.low, self.high = low[:, vary], high[:, vary]
        self.fixed = low[:, ~vary] @ weight[:, ~vary].T + bias  # (n, h)

    def range(self) -> Interval:
        low, high = affine_range(self.free, self.low, self.high)
        return low + self.fixed, high + self.fixed

    def minimum(self, slopes: torch.Tensor) -> torch.Tensor:
        on_inputs = slopes @ self.free[0]  # (n, o, f)
        least = on_inputs.clamp(min=0) * self.low[:, None] + on_inputs.clamp(max=0) * self.high[:, None]
        return least.sum(2) + (slopes @ self.fixed[..., None])[..., 0]


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The two lines of a layer's ReLUs: lower (n, 1, h) or one set per form (n, o, h); upper, intercept (n, 1, h)."""

    lower: torch.Tensor
    upper: torch.Tensor
    intercept: torch.Tensor


def relax(low: torch.Tensor, high: torch.Tensor, alpha: torch.Tensor | None = None) -> Relaxation:
    """Return the lines for pre-activations in [low, high] (n, h); `alpha` replaces the lower slope where it counts."""
    low, high = low[:, None], high[:, None]
    active, open_ = low >= 0, (low < 0) & (high > 0)
    # Where the neuron is stable the quotient is not used; 1 keeps its gradient finite.
    slope = torch.where(open_, high, 0.0) / torch.where(open_, high - low, 1.0)
    adaptive = (high > -low).to(low) if alpha is None else alpha
    return Relaxation(
        torch.where(open_, adaptive, active.to(low)), torch.where(open_, slope, active.to(low)), -slope * low
    )


def push_back(
    layers: Sequence[Layer64], form: tuple[torch.Tensor, torch.Tensor], lines: Sequence[Relaxation]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return slopes (n, o, h0) on the first pre-activations and constants (n, o) of a lower bound of `form`.

    form    slopes (o, h) and constants (o,) on the activations behind the last of `lines`, one per ReLU layer.
    """
    slopes, constant = form
    for position in range(len(lines) - 1, -1, -1):
        line = lines[position]
        below = slopes.clamp(max=0)
        constant = constant + (below * line.intercept).sum(-1)
        slopes = (slopes - below) * line.lower + below * line.upper
        if position:
            weight, bias = layers[position]
            constant = constant + slopes @ bias
            slopes = slopes @ weight
    return slopes, constant


def both_signs(layer: Layer64) -> Layer64:
    """Return [W; -W] and [b; -b]: the lower bounds of both are the two bounds of the layer."""
    weight, bias = layer
    return torch.cat((weight, -weight)), torch.cat((bias, -bias))


def layer_range(
    layers: Sequence[Layer64], first: FirstLayer, lines: Sequence[Relaxation], before: Interval
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the bounds (n, width) of layer len(lines), CROWN's and the interval ones intersected, and the slopes.

    before   the pre-activation bounds of the layer under it
    slopes   (n, 2 width, h0) on the first pre-activations, of the lower bounds of z and of -z
    """
    layer = layers[len(lines)]
    slopes, constant = push_back(layers, both_signs(layer), lines)
    least = constant + first.minimum(slopes)
    width = len(layer[1])
    low, high = affine_range(layer, before[0].clamp(min=0), before[1].clamp(min=0))
    return torch.maximum(low, least[:, :width]), torch.minimum(high, -least[:, width:]), slopes


def bound_layers(layers: Sequence[Layer64], first: FirstLayer) -> tuple[list[Interval], torch.Tensor]:
    """Return the bounds of every layer with the adaptive lower slopes, and the last layer's slopes on the first."""
    found, lines = [first.range()], []
    slopes = both_signs((torch.eye(len(layers[0][1])).to(layers[0][0]), layers[0][1]))[0][None]
    for _ in layers[1:]:
        lines.append(relax(*found[-1]))
        low, high, slopes = layer_range(layers, first, lines, found[-1])
        found.append((low, high))
    return found, slopes


def ranges(layers: Sequence[Layer64], first: FirstLayer) -> list[Interval]:
    """Return the pre-activation bounds of every layer with the adaptive lower slopes."""
    return bound_layers(layers, first)[0]


def row_chunks(layers: Sequence[Layer64], rows: int, *, share: float = 1.0) -> Iterator[slice]:
    """Yield slices of rows whose slopes take about `share` of the size of one chunk."""
    widths = [len(bias) for _, bias in layers]
    per_row = 8 * max([2 * o * max(widths[:k]) for k, o in enumerate(widths) if k] or widths)
    step = max(1, int(share * _CHUNK_BYTES / per_row))
    yield from (slice(start, start + step) for start in range(0, rows, step))
