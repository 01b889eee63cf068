"""What one model's training remembers from epoch to epoch: learning rate, best epoch, patience, trace."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from fairneuron_core.models.plan import TrainingPlan

_SLIGHTLY = 1e-4
"""A loss counts as lower when it is lower by this share, as in torch's ReduceLROnPlateau."""


@dataclass
class Schedule:
    """State of one model's schedule (JSON values only, so that a checkpoint can hold it)."""

    rate: float
    best: float = math.inf
    best_epoch: int = 0
    since_best: int = 0
    since_drop: int = 0
    active: bool = True
    points: list[dict[str, Any]] = field(default_factory=list)

    def rate_at(self, plan: TrainingPlan, step: int, steps_per_epoch: int) -> float:
        """Return the learning rate of one step (counted from 0); 0 for a model that has stopped."""
        if not self.active:
            return 0.0
        if plan.schedule == "cosine":
            return self.rate * 0.5 * (1 + math.cos(math.pi * step / (plan.epochs * steps_per_epoch)))
        return self.rate

    def end_epoch(self, plan: TrainingPlan, epoch: int, value: float) -> bool:
        """Advance by one epoch with criterion `value` (lower is better); True when this epoch is the one to keep."""
        improved = not self.best_epoch or value < self.best - _SLIGHTLY * abs(self.best)
        if improved:
            self.best, self.since_best, self.since_drop = value, 0, 0
        else:
            self.since_best += 1
            self.since_drop += 1
        if kept := improved or plan.keep == "last":
            self.best_epoch = epoch
        if plan.schedule == "plateau" and self.since_drop > plan.plateau_patience:
            self.rate *= plan.plateau_factor
            self.since_drop = 0
        out_of_patience = plan.stop_patience is not None and self.since_best > plan.stop_patience
        if epoch >= plan.epochs or out_of_patience:
            self.active = False
        return kept
