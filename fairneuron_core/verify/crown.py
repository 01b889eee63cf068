"""CROWN and linear bounds over boxes of inputs; `relaxation.py` has the steps.

Source: Zhang et al., "Efficient neural network robustness certification with general activation functions",
NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fairneuron_core.errors import ModelError
from fairneuron_core.verify.alpha import tighten
from fairneuron_core.verify.bounds import Layer64, Values, as_box
from fairneuron_core.verify.certificate import MARGIN
from fairneuron_core.verify.relaxation import (
    Bounds,
    BoxFirst,
    Relaxation,
    both_signs,
    push_back,
    ranges,
    relax,
    row_chunks,
)


@dataclass(frozen=True, eq=False)
class LinearBounds:
    """lower_slopes x + lower <= h <= upper_slopes x + upper for the activations h of the last hidden layer.

    slopes (n, h, d), constants (n, h); low and high (n, h) are the tightest constant bounds of h.
    """

    lower_slopes: torch.Tensor
    lower: torch.Tensor
    upper_slopes: torch.Tensor
    upper: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor


def crown(
    layers: Sequence[Layer64],
    low: Values,
    high: Values,
    *,
    alpha_steps: int = 0,
    cut: float | None = None,
    margin: float = MARGIN,
) -> Bounds:
    """Return bounds of the logit over the boxes [low, high], each (n, d).

    alpha_steps   steps of alpha-CROWN on top (0: none), for the rows whose bounds still hold `cut` -+ margin inside;
                  without a cut, for all rows, and both sides are tightened.
    """
    low, high = as_box(layers, low, high)
    with torch.inference_mode():
        parts = [
            ranges(layers, BoxFirst(layers[0], low[rows], high[rows])) for rows in row_chunks(layers, max(1, len(low)))
        ]
        found = [
            (torch.cat([low for low, _ in level]), torch.cat([high for _, high in level]))
            for level in zip(*parts, strict=True)
        ]
    bounds = Bounds(found[-1][0][:, 0], found[-1][1][:, 0], tuple(found))
    if not alpha_steps or len(layers) == 1:
        return bounds
    return tighten(layers, low, high, bounds, steps=alpha_steps, cut=cut, margin=margin)


def linear_bounds(layers: Sequence[Layer64], low: Values, high: Values) -> LinearBounds:
    """Return linear bounds of the last hidden layer's activations over the boxes (n, d), all inputs kept.

    Differentiable in the layers' tensors. Raises ModelError for a network without a hidden layer.
    """
    if len(layers) < 2:
        raise ModelError("This network has no hidden layer: its logit is linear already and needs no bounds.")
    low, high = as_box(layers, low, high)
    hidden = layers[:-1]
    first = BoxFirst(layers[0], low, high)
    found = ranges(hidden, first)
    lines = [relax(*level) for level in found]
    own = lines.pop()
    width = len(hidden[-1][1])
    slopes, constant = _on_inputs(hidden, lines, len(low))
    lower, upper = own.lower[:, 0], own.upper[:, 0]  # (n, h)
    return LinearBounds(
        lower[..., None] * slopes[:, :width],
        lower * constant[:, :width],
        upper[..., None] * -slopes[:, width:],
        upper * -constant[:, width:] + own.intercept[:, 0],
        found[-1][0].clamp(min=0),
        found[-1][1].clamp(min=0),
    )


def _on_inputs(hidden: Sequence[Layer64], lines: Sequence[Relaxation], rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return lower bounds of [z; -z] of the last of `hidden` as slopes (n, 2 h, d) on the inputs and constants."""
    form = both_signs(hidden[-1])
    if not lines:
        return form[0].expand(rows, -1, -1), form[1].expand(rows, -1)
    slopes, constant = push_back(hidden, form, lines)
    return slopes @ hidden[0][0], constant + slopes @ hidden[0][1]
