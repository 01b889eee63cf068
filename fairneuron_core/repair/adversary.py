"""An adversary that reads the protected group from the last hidden layer, as a penalty with weights of its own.

Source: Ganin and Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", ICML 2015 (gradient reversal); used
for fairness by Adel et al. (FAD, AAAI 2019) and by Delobelle et al. (Ethical Adversaries, 2021).

    network: minimises L_CE - strength * L_A          head: minimises L_A = cross-entropy of the protected group

Between the hidden layer and the head stands a function that is the identity forwards and multiplies the gradient by
-strength backwards. So one gradient serves both sides, and at strength 0 the network trains as without an adversary
while the head still learns.

The head has one hidden layer of 32 neurons: a linear head misses groups that only a bend tells apart. It reads the
hidden layer centred and scaled by the minibatch (no gradient runs through these statistics): otherwise the network
escapes it by shifting or stretching its activations until the head's own neurons are dead, and stays as unfair as it
was. Its weights stand divided by SPEED in the optimiser, whose steps have one size for all weights: so the head moves
SPEED times as fast as the network, as an adversary must that shall be near its best at every step. Head, scaling and
SPEED are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

WIDTH = 32
SPEED = 10.0
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class Adversary:
    """One plan's adversary: the group codes of its training rows (n,), how many groups there are, its strength."""

    groups: np.ndarray
    levels: int
    strength: float

    @classmethod
    def term(
        cls, penalties: Sequence[Adversary], *, hidden: int, device: str, dtype: torch.dtype, seeds: Sequence[int]
    ) -> AdversaryTerm:
        """Return the adversaries of K models as one term; each head starts from its own plan's seed."""
        levels = max(penalty.levels for penalty in penalties)
        heads = [_head((hidden, WIDTH, levels), seed) for seed in seeds]
        stacked = [torch.stack(part).to(device, dtype) for part in zip(*heads, strict=True)]
        groups = torch.from_numpy(np.stack([p.groups for p in penalties]).astype(np.int64)).to(device)
        strengths = torch.tensor([p.strength for p in penalties], dtype=dtype, device=device).view(-1, 1, 1)
        return AdversaryTerm([part.requires_grad_(True) for part in stacked], groups, strengths)


@dataclass(frozen=True, eq=False)
class AdversaryTerm:
    """K heads. parameters: weight (K, h, 32), bias (K, 1, 32), weight (K, 32, levels), bias (K, 1, levels)."""

    parameters: list[torch.Tensor]
    groups: torch.Tensor
    strengths: torch.Tensor

    def __call__(
        self, logits: torch.Tensor, hidden: torch.Tensor, labels: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        """Return the heads' mean cross-entropy (K,); towards `hidden` its gradient is times -strength."""
        first, first_bias, second, second_bias = (part * SPEED for part in self.parameters)
        bent = torch.relu(torch.baddbmm(first_bias, self._read(hidden), first))
        guesses = torch.baddbmm(second_bias, bent, second)  # (K, B, levels)
        return F.cross_entropy(guesses.transpose(1, 2), self.groups.gather(1, rows), reduction="none").mean(1)

    def _read(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the hidden layer as the head sees it: reversed, every neuron centred, one scale per model."""
        fixed = hidden.detach()
        spread = fixed.std(dim=(1, 2), correction=0, keepdim=True) + _LEAST_SPREAD
        return (_Reversed.apply(hidden, self.strengths) - fixed.mean(1, keepdim=True)) / spread


class _Reversed(torch.autograd.Function):
    """Identity forwards; backwards the gradient times -strength."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, strengths: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(strengths)
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (strengths,) = ctx.saved_tensors
        return -strengths * gradients[0], None


def _head(sizes: tuple[int, int, int], seed: int) -> list[torch.Tensor]:
    """Weights and biases of one head, drawn uniformly in +-1/sqrt(inputs) from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(sizes[0], sizes[1]), (1, sizes[1]), (sizes[1], sizes[2]), (1, sizes[2])]
    bounds = [sizes[0] ** -0.5, sizes[0] ** -0.5, sizes[1] ** -0.5, sizes[1] ** -0.5]
    return [
        torch.empty(shape).uniform_(-bound, bound, generator=generator) / SPEED
        for shape, bound in zip(shapes, bounds, strict=True)
    ]
