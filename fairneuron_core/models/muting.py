"""Dropout by row: which hidden neurons are muted in which rows of a minibatch, for K models with their own draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from fairneuron_core.models.plan import TrainingPlan

_STEPS = 1 << 16


class Muting:
    """Factors for the hidden neurons of every model: 0 where muted, 1/(1-p) in the others that could have been."""

    def __init__(self, plans: Sequence[TrainingPlan], widths: Sequence[int]) -> None:
        self.plans, self.widths = plans, list(widths)
        self.some = any(plan.dropout_rows is not None and plan.dropout > 0 for plan in plans)

    def start_epoch(self, epoch: int) -> None:
        """Seed the draws of this epoch by (seed, epoch), so that a resumed training draws the same."""
        if self.some:
            self.generators = [np.random.Generator(np.random.SFC64([plan.seed, epoch, 1])) for plan in self.plans]

    def factors(self, picked: np.ndarray) -> list[torch.Tensor] | None:
        """Return factors per hidden layer (K, B, width) for the picked rows (K, B), None where nobody mutes."""
        if not self.some:
            return None
        factors = np.ones((*picked.shape, sum(self.widths)), np.float32)
        for k, rows in enumerate(picked):
            self._mute(k, rows, factors[k])
        return list(torch.from_numpy(factors).split(self.widths, dim=2))

    def _mute(self, k: int, rows: np.ndarray, factors: np.ndarray) -> None:
        plan = self.plans[k]
        if plan.dropout_rows is None or plan.dropout == 0:
            return
        places = np.flatnonzero(plan.dropout_rows[rows])
        # 16 random bits decide about a neuron: p is met to 1 in 65,536 at a quarter of the cost.
        bits = np.frombuffer(self.generators[k].bytes(2 * places.size * factors.shape[1]), np.uint16)
        muted = bits.reshape(places.size, factors.shape[1]) < round(plan.dropout * _STEPS)
        drawn = np.where(muted, np.float32(0), np.float32(1 / (1 - plan.dropout)))
        if (eligible := self._eligible(plan, rows[places])) is not None:
            drawn[~np.broadcast_to(eligible, drawn.shape)] = 1
        factors[places] = drawn

    def _eligible(self, plan: TrainingPlan, rows: np.ndarray) -> np.ndarray | None:
        eligible = None if plan.mutable is None else plan.mutable[rows]
        if plan.dropout_layers is not None:
            chosen = np.repeat([level in plan.dropout_layers for level in range(len(self.widths))], self.widths)
            eligible = chosen if eligible is None else eligible & chosen
        return eligible
