"""What the pre-activations of a ReLU network can be when its inputs lie in a box: interval bounds, and rounding.

Interval bound propagation (IBP), layer by layer: with centre c and radius r of what enters a layer,
    W x + b lies in W c + b -+ |W| r,  and ReLU keeps the order.
Source: Gowal et al., "On the effectiveness of interval bound propagation", 2018.

`layers` is everywhere a sequence of (weight (out, in), bias (out,)) tensors with ReLU between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from fairneuron_core.errors import ModelError
from fairneuron_core.models import linear_layers

Layer64 = tuple[torch.Tensor, torch.Tensor]
Interval = tuple[torch.Tensor, torch.Tensor]
Values = torch.Tensor | np.ndarray

_UNIT = 2.0**-24
"""Largest relative error of one float32 operation."""


def layers64(network: nn.Sequential) -> list[Layer64]:
    """Return (weight, bias) float64 of every layer; the last one gives ONE logit (favourable minus other of two).

    Raises ModelError where the network has another activation than ReLU, or more than two outputs.
    """
    layers = linear_layers(network)
    if strange := sorted({layer.activation for layer in layers[:-1]} - {"relu", "identity"}):
        raise ModelError(
            f"Bounds need ReLU layers, this network uses {', '.join(strange)}: similar individuals of finite number "
            "can still be tried one by one."
        )
    if layers[-1].activation != "identity" or len(layers[-1].bias) > 2:
        raise ModelError(
            f"Bounds need one logit, or one for each of two outcomes; this network ends with {len(layers[-1].bias)} "
            f"outputs ({layers[-1].activation}): remove the last activation or train it for two outcomes."
        )
    found: list[Layer64] = []
    for position, layer in enumerate(layers):
        weight, bias = (torch.from_numpy(part.astype(np.float64)) for part in (layer.weight, layer.bias))
        if position and layers[position - 1].activation == "identity":
            before = found.pop()
            weight, bias = weight @ before[0], weight @ before[1] + bias
        found.append((weight, bias))
    weight, bias = found[-1]
    if len(bias) == 2:
        found[-1] = weight[1:] - weight[:1], bias[1:] - bias[:1]
    return found


def as_box(layers: Sequence[Layer64], low: Values, high: Values) -> Interval:
    """Return the box (n, d) as two tensors of the layers' own kind."""
    like = layers[0][0]
    return torch.as_tensor(low).to(like), torch.as_tensor(high).to(like)


def forward(layers: Sequence[Layer64], inputs: Values) -> torch.Tensor:
    """Return the logits (n,) of inputs (n, d), computed in the layers' own type."""
    values = torch.as_tensor(inputs).to(layers[0][0])
    for weight, bias in layers[:-1]:
        values = (values @ weight.T + bias).clamp(min=0)
    return (values @ layers[-1][0].T + layers[-1][1])[:, 0]


def affine_range(layer: Layer64, low: torch.Tensor, high: torch.Tensor) -> Interval:
    """Return the range of W x + b (n, out) for x between low and high (n, in)."""
    weight, bias = layer
    middle = (low + high) / 2 @ weight.T + bias
    spread = (high - low) / 2 @ weight.abs().T
    return middle - spread, middle + spread


def ibp(layers: Sequence[Layer64], low: Values, high: Values) -> list[Interval]:
    """Return the pre-activation bounds (low, high), each (n, width), of every layer, the logit's (n, 1) last.

    low, high   box of the inputs (n, d); differentiable in the layers' tensors.
    """
    low, high = as_box(layers, low, high)
    found: list[Interval] = []
    for layer in layers:
        found.append(affine_range(layer, low, high))
        low, high = (side.clamp(min=0) for side in found[-1])
    return found


def rounding(layers: Sequence[Layer64], low: Values, high: Values) -> torch.Tensor:
    """Return how far the logit of a float32 forward pass can be from the exact one, anywhere in the box, (n,).

    A sum of m products in any order errs by at most g = m u / (1 - m u) times the sum of the absolute products,
    u = 2^-24. Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1.
    """
    low, high = as_box(layers, low, high)
    size = torch.maximum(low.abs(), high.abs())
    error = torch.zeros_like(size)
    for (weight, bias), (below, above) in zip(layers, ibp(layers, low, high), strict=True):
        terms = weight.shape[1] + 1
        growth = terms * _UNIT / (1 - terms * _UNIT)
        error = error @ weight.abs().T + growth * ((size + error) @ weight.abs().T + bias.abs())
        size = torch.maximum(below.abs(), above.abs())
    return error[:, 0]
