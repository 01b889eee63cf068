"""K networks of one architecture as one stack of tensors: forward and backward pass of all of them at once.

All parameters lie in one flat tensor (K, P), each layer a view of it, so that the optimiser, averages, masks and
checkpoints work on one tensor. The backward pass is written out: for small networks the bookkeeping of automatic
differentiation costs as much as the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from fairneuron_core.models.layers import linear_layers, network_of

_ACTIVATIONS = {
    "relu": torch.relu_,
    "identity": lambda z: z,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
}


def _slope(name: str, gradient: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Gradient before the activation, from the gradient behind it and its VALUE."""
    if name == "relu":
        return gradient.mul_(value > 0)
    if name == "tanh":
        return gradient * (1 - value * value)
    if name == "sigmoid":
        return gradient * value * (1 - value)
    return gradient


class Stack:
    """Parameters of K networks: `flat` (K, P) with the views weight (K, in, out) and bias (K, 1, out) of each layer."""

    def __init__(self, networks: Sequence[nn.Sequential], *, device: str, dtype: torch.dtype) -> None:
        self.networks = networks
        layers = [linear_layers(network) for network in networks]
        self.activations = [layer.activation for layer in layers[0]]
        self.shapes = [layer.weight.T.shape for layer in layers[0]]
        self.widths = [outputs for _, outputs in self.shapes[:-1]]
        rows = [
            np.concatenate([part for layer in own for part in (layer.weight.T.ravel(), layer.bias)]) for own in layers
        ]
        self.flat = torch.from_numpy(np.stack(rows)).to(device, dtype)
        self.gradient = torch.zeros_like(self.flat)
        self.parameters = self.views(self.flat)
        self.gradients = self.views(self.gradient)

    def views(self, flat: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return (weight (K, in, out), bias (K, 1, out)) of every layer, as views of a tensor (K, P)."""
        found, first = [], 0
        for inputs, outputs in self.shapes:
            middle, last = first + inputs * outputs, first + (inputs + 1) * outputs
            found.append((flat[:, first:middle].view(-1, inputs, outputs), flat[:, middle:last].view(-1, 1, outputs)))
            first = last
        return found

    def flattened(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Lay arrays shaped like (weight (out, in), bias (out,), next weight, ...) out as one row (P,)."""
        return np.concatenate([part.T.ravel() if part.ndim == 2 else part for part in parts])

    def forward(
        self,
        inputs: torch.Tensor,
        *,
        flat: torch.Tensor | None = None,
        masks: Sequence[torch.Tensor] | None = None,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return logits (K, B) and the values (K, B, width) that enter each layer; masks multiply the hidden ones."""
        parameters = self.parameters if flat is None else self.views(flat)
        values, entering = inputs, []
        for level, ((weight, bias), name) in enumerate(zip(parameters, self.activations, strict=True)):
            entering.append(values)
            values = _ACTIVATIONS[name](torch.baddbmm(bias, values, weight))
            if masks is not None and level < len(masks):
                values = values * masks[level]
        return (values[..., 0] if values.shape[2] == 1 else values[..., 1] - values[..., 0]), entering

    def backward(
        self,
        entering: Sequence[torch.Tensor],
        on_logits: torch.Tensor,
        *,
        on_hidden: torch.Tensor | None = None,
        masks: Sequence[torch.Tensor] | None = None,
    ) -> None:
        """Write the gradient of every parameter; on_logits (K, B) and on_hidden (K, B, h) come from the loss."""
        last = len(self.shapes) - 1
        gradient = on_logits[..., None]  # (K, B, 1)
        if self.shapes[last][1] == 2:
            gradient = torch.cat((-gradient, gradient), 2)
        for level in range(last, -1, -1):
            if level < last:
                if level == last - 1 and on_hidden is not None:
                    gradient = gradient + on_hidden
                value = entering[level + 1]
                if masks is not None:
                    # What entered the next layer is masked; the slope of the activation belongs to the value before.
                    gradient = gradient * masks[level]
                    if self.activations[level] in ("tanh", "sigmoid"):
                        value = value / masks[level].clamp_min(1)
                gradient = _slope(self.activations[level], gradient, value)
            weight, bias = self.gradients[level]
            weight.copy_(torch.bmm(entering[level].transpose(1, 2), gradient))
            bias.copy_(gradient.sum(1, keepdim=True))
            if level:
                gradient = torch.bmm(gradient, self.parameters[level][0].transpose(1, 2))

    def network(self, k: int, flat: torch.Tensor) -> nn.Sequential:
        """Return network k with the weights of row k of `flat` (K, P)."""
        trained = [
            replace(layer, weight=weight[k].T.contiguous().cpu().numpy(), bias=bias[k, 0].cpu().numpy())
            for layer, (weight, bias) in zip(linear_layers(self.networks[k]), self.views(flat), strict=True)
        ]
        return network_of(trained)
