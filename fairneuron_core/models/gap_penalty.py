"""A smooth gap between groups as a penalty: the difference of mean soft decisions, low in variance.

A minibatch of 128 rows has a gap of its own by chance. So every group's mean is blended with its running mean over
earlier minibatches: the sign comes from all of them, the gradient from the rows at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

Gap = Literal["demographic_parity", "equal_opportunity", "equalized_odds"]
CONDITIONS: dict[str, tuple[int | None, ...]] = {
    "demographic_parity": (None,),
    "equal_opportunity": (1,),
    "equalized_odds": (1, 0),
}


@dataclass(frozen=True)
class GapPenalty:
    """strength * the largest pairwise gap of mean soft decisions sigmoid(sharpness * logit) over the groups.

    groups     (n,) codes 0..G-1 of the training rows
    gap        over all rows, over rows with the favourable label, or the sum of both kinds of label
    memory     share of the running mean in a group's mean, 0 = the minibatch alone
    """

    groups: np.ndarray
    strength: float
    gap: Gap = "demographic_parity"
    sharpness: float = 1.0
    memory: float = 0.9

    @classmethod
    def term(
        cls,
        penalties: Sequence[GapPenalty],
        *,
        hidden: int,
        device: str,
        dtype: torch.dtype,
        seeds: Sequence[int],
    ) -> GapTerm:
        """Return the penalties of K models as one term."""
        return GapTerm(penalties, device, dtype)


class GapTerm:
    """The gap penalties of K models (see `PenaltyTerm`); it has no parameters of its own."""

    def __init__(self, penalties: Sequence[GapPenalty], device: str, dtype: torch.dtype) -> None:
        self.parameters: list[torch.Tensor] = []
        self.levels = 1 + max(int(p.groups.max()) for p in penalties)
        self.groups = torch.from_numpy(np.stack([p.groups.astype(np.int64) for p in penalties])).to(device)
        self.strength, self.sharpness, self.memory = (
            torch.tensor([getattr(p, name) for p in penalties], dtype=dtype, device=device)
            for name in ("strength", "sharpness", "memory")
        )
        self.conditions = sorted({c for p in penalties for c in CONDITIONS[p.gap]}, key=str)
        self.counts = torch.tensor(
            [[c in CONDITIONS[p.gap] for c in self.conditions] for p in penalties], dtype=dtype, device=device
        )  # (K, conditions)
        self.running: dict[int | None, torch.Tensor] = {}

    def __call__(
        self, logits: torch.Tensor, hidden: torch.Tensor, labels: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        """Return (K,): strength times the gaps of this minibatch, blended with the running ones."""
        soft = torch.sigmoid(self.sharpness[:, None] * logits)  # (K, B)
        member = torch.nn.functional.one_hot(self.groups.gather(1, rows), self.levels).to(soft)  # (K, B, G)
        total = torch.zeros_like(self.strength)
        for place, condition in enumerate(self.conditions):
            chosen = member if condition is None else member * (labels == condition)[..., None]
            total = total + self.counts[:, place] * self._gap(condition, soft, chosen)
        return self.strength * total

    def _gap(self, condition: int | None, soft: torch.Tensor, member: torch.Tensor) -> torch.Tensor:
        """(K,): the largest difference between the groups' blended means; a group without rows keeps its own."""
        n = member.sum(1)  # (K, G)
        now = torch.einsum("kb,kbg->kg", soft, member) / n.clamp_min(1)
        before = self.running.get(condition)
        before = now.detach() if before is None else before
        memory = self.memory[:, None]
        # The gradient of the rows at hand counts in full: only the VALUE, and so the sign, is blended.
        value = torch.where(n > 0, memory * before + (1 - memory) * now.detach(), before)
        self.running[condition] = value
        blended = value + torch.where(n > 0, now - now.detach(), torch.zeros_like(now))
        return blended.max(1).values - blended.min(1).values
