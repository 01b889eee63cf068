"""alpha-CROWN: the lower slopes of the open ReLUs are chosen by gradient ascent, per row and per bound.

Source: Xu et al., "Fast and complete: enabling complete neural network verification with rapid and massively parallel
incomplete verifiers", ICLR 2021.

Any slope in [0, 1] gives a sound bound, so every step's bound counts and the best one is kept. The slopes behind the
bounds of every hidden layer are variables too, not only those behind the logit's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fairneuron_core.verify.bounds import Interval, Layer64
from fairneuron_core.verify.certificate import MARGIN
from fairneuron_core.verify.relaxation import Bounds, BoxFirst, layer_range, relax, row_chunks

_RATE, _DECAY = 0.25, 0.97
_SHARE = 0.25
"""The graph of a step holds many tensors of slopes, so fewer rows go into one program than CROWN takes."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows that are tightened together: their first layer and the bounds that are known already."""

    first: BoxFirst
    known: Sequence[Interval]


def tighten(
    layers: Sequence[Layer64],
    low: torch.Tensor,
    high: torch.Tensor,
    bounds: Bounds,
    *,
    steps: int,
    cut: float | None = None,
    margin: float = MARGIN,
) -> Bounds:
    """Return `bounds` of the boxes (n, d), tightened for the rows that do not prove the side of `cut` yet.

    With a cut, the steps go into the side that can be proved: the one on which the middle of the box lies.
    """
    open_ = torch.arange(len(low)) if cut is None else torch.nonzero(~bounds.proves(cut, margin))[:, 0]
    found = [(below.clone(), above.clone()) for below, above in bounds.layers]
    for part in row_chunks(layers, len(open_), share=_SHARE):
        rows = open_[part]
        known = [(below[rows].clone(), above[rows].clone()) for below, above in found]
        side = None if cut is None else _side(layers, (low[rows] + high[rows]) / 2, cut)
        best = _ascend(layers, _Rows(BoxFirst(layers[0], low[rows], high[rows]), known), side, steps)
        for (below, above), (lower, upper) in zip(found, best, strict=True):
            below[rows], above[rows] = lower, upper
    return Bounds(found[-1][0][:, 0], found[-1][1][:, 0], tuple(found))


def _side(layers: Sequence[Layer64], middle: torch.Tensor, cut: float) -> torch.Tensor:
    """Return the weight (n, 2) of the two bounds: (1, 0) where the middle's logit reaches the cut, else (0, 1)."""
    values = middle
    for weight, bias in layers[:-1]:
        values = (values @ weight.T + bias).clamp(min=0)
    above = (values @ layers[-1][0].T + layers[-1][1]) >= cut  # (n, 1)
    return torch.cat((above, ~above), 1).to(middle)


def _ascend(layers: Sequence[Layer64], rows: _Rows, side: torch.Tensor | None, steps: int) -> list[Interval]:
    """Return the best bounds seen of every layer."""
    fixed = [(weight.detach(), bias.detach()) for weight, bias in layers]
    slopes = _start(fixed, rows.known)
    optimiser = torch.optim.Adam([s for level in slopes for s in level], lr=_RATE)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, _DECAY)
    best = list(rows.known)
    for step in range(steps):
        found = _ranges(fixed, rows, slopes)
        best = [
            (torch.maximum(a, c.detach()), torch.minimum(b, d.detach()))
            for (a, b), (c, d) in zip(best, found, strict=True)
        ]
        if step == steps - 1:
            break
        reached = torch.cat((found[-1][0], -found[-1][1]), 1)  # (n, 2)
        optimiser.zero_grad()
        (-(reached if side is None else reached * side).sum()).backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for level in slopes:
                for values in level:
                    values.clamp_(0, 1)
    return best


def _start(layers: Sequence[Layer64], known: Sequence[Interval]) -> list[list[torch.Tensor]]:
    """Return the slopes [layer k][ReLU layer j < k] (n, 2 width_k, width_j), at CROWN's adaptive choice."""
    adaptive = [(high > -low).to(low)[:, None] for low, high in known[:-1]]
    return [
        [adaptive[j].repeat(1, 2 * len(bias), 1).requires_grad_() for j in range(k)]
        for k, (_, bias) in enumerate(layers)
        if k
    ]


def _ranges(layers: Sequence[Layer64], rows: _Rows, slopes: Sequence[Sequence[torch.Tensor]]) -> list[Interval]:
    """Return every layer's bounds under the given slopes, never looser than the known ones."""
    found = [rows.known[0]]
    for own, (below, above) in zip(slopes, rows.known[1:], strict=True):
        lines = [relax(*level, alpha) for level, alpha in zip(found, own, strict=True)]
        low, high, _ = layer_range(layers, rows.first, lines, found[-1])
        # A bound that the known one beats would pass no gradient on: the last layer's stay as the slopes make them.
        last = len(found) == len(layers) - 1
        found.append((low, high) if last else (torch.maximum(low, below), torch.minimum(high, above)))
    return found
