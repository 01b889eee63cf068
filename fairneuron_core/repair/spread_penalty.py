"""The range of the score over everything a row could also have been, as a penalty.

    strength * mean over rows of weight(row) * (max score - min score over S(row))

All of S(row) is enumerated for every row of a minibatch, up to MOST_POINTS of it. At 0 the score is constant on S(x).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fairneuron_core.verify import SimilarSpace

MOST_POINTS = 256
"""Of larger S(x) a part is drawn anew for every minibatch."""


@dataclass(frozen=True, eq=False)
class SpreadPenalty:
    """One plan's penalty: weights (n,) of the training rows, and which inputs of them may vary."""

    space: SimilarSpace
    weights: np.ndarray
    strength: float

    @classmethod
    def term(
        cls, penalties: Sequence[SpreadPenalty], *, hidden: int, device: str, dtype: torch.dtype, seeds: Sequence[int]
    ) -> SpreadTerm:
        """Return the penalties of K models, which share their space, as one term."""
        return SpreadTerm(penalties, device, dtype)


class SpreadTerm:
    """The spread of K models (see `PenaltyTerm` and `NeighbourTerm`); it has no parameters of its own."""

    def __init__(self, penalties: Sequence[SpreadPenalty], device: str, dtype: torch.dtype) -> None:
        self.parameters: list[torch.Tensor] = []
        self.space = penalties[0].space
        self.positions = torch.from_numpy(self.space.positions).to(device)
        self.weights = torch.from_numpy(np.stack([p.weights for p in penalties])).to(device, dtype)  # (K, n)
        self.strength = torch.tensor([p.strength for p in penalties], dtype=dtype, device=device)
        self.combinations = None
        if not self.space.windowed:
            self.combinations = torch.from_numpy(self.space.combinations()).to(device, dtype)  # (m, f)

    def __call__(
        self, logits: torch.Tensor, hidden: torch.Tensor, labels: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        """Return zeros (K,): the term looks at the neighbours only."""
        return 0 * logits.sum(1)

    def neighbours(self, inputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return S(x) of all rows of a minibatch, (K, B * m, d)."""
        models, _, width = inputs.shape
        if self.combinations is None:
            every = self.space.points(inputs.reshape(-1, width).cpu().numpy())
            points = torch.from_numpy(every[:, self._drawn(every.shape[1], rows)]).to(inputs)
            return points.reshape(models, -1, width)
        chosen = self.combinations[self._drawn(len(self.combinations), rows)]
        points = inputs[:, :, None].repeat(1, 1, len(chosen), 1)
        points[..., self.positions] = chosen
        return points.view(models, -1, width)

    def over_neighbours(self, logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return (K,): strength times the weighted mean range of the scores; logits (K, B * m)."""
        soft = torch.sigmoid(logits.view(*rows.shape, -1))
        return self.strength * (self.weights.gather(1, rows) * (soft.amax(2) - soft.amin(2))).mean(1)

    @staticmethod
    def _drawn(points: int, rows: torch.Tensor) -> np.ndarray:
        if points <= MOST_POINTS:
            return np.arange(points)
        # Seeded by the rows themselves, so that a resumed training draws what it would have drawn.
        return np.random.default_rng(rows[0, :4].tolist()).choice(points, MOST_POINTS, replace=False)
