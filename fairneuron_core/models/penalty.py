"""What a plan may add to its loss: a term over the logits, the last hidden layer, or the logits of further inputs,
possibly with weights of its own.

Plans that are trained together carry penalties of one class (or none). The class turns theirs into ONE term for all K
models, so a penalty is computed as batched as the networks are. A further penalty is one file with two small classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch


class PenaltyTerm(Protocol):
    """The penalty of K models trained together.

    parameters   weights of the term itself (an adversary's), each (K, ...) and requiring gradients; the trainer's Adam
                 moves them with each model's learning rate. Empty for most penalties. Whoever wants one to MAXIMISE the
                 term (an adversary) reverses the gradient inside the term.
    """

    parameters: list[torch.Tensor]

    def __call__(
        self, logits: torch.Tensor, hidden: torch.Tensor, labels: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        """Return the term (K,), strength included.

        logits (K, B); hidden (K, B, h) = last hidden layer after its activation; labels (K, B) hard labels 0/1;
        rows (K, B) positions in the plan's training rows.
        """
        ...


@runtime_checkable
class NeighbourTerm(Protocol):
    """A term that also looks at inputs which are not rows: its own part of the loss over THEIR logits.

    The trainer passes these inputs through the same networks (nothing is muted in them) and adds their gradient.
    """

    def neighbours(self, inputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the further inputs (K, N, d) of a minibatch; inputs (K, B, d), rows (K, B)."""
        ...

    def over_neighbours(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the term (K,), strength included, of the further inputs' logits (K, N)."""
        ...


class Penalty(Protocol):
    """One plan's penalty: a frozen dataclass with its strength and its per-row data."""

    @classmethod
    def term(
        cls, penalties: Sequence[Any], *, hidden: int, device: str, dtype: torch.dtype, seeds: Sequence[int]
    ) -> PenaltyTerm:
        """Return one term for K = len(penalties) models; `hidden` = width of the last hidden layer."""
        ...
