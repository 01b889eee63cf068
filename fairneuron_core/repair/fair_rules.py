"""Which fair rule closes which share of the gap: the multipliers are found on the training rows.

One condition (demographic parity, equal opportunity): a ladder of one multiplier, its first step that is enough.
Two conditions (equalized odds) pull against each other: the rule that closes the gap of the false-positive rates
overshoots in the true-positive rates. Each condition has its own multiplier then, of either sign, and all scores may
be shifted by one offset; of all rules with a gap as small as asked for, the most accurate one is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.repair.fair_targets import FairRule, Guide, excess_rates, fair_targets, largest_gap

_STEPS, _LARGEST = 400, 4.0
_COARSE = np.array([-2.0, -1.0, -0.5, -0.25, -0.1, -0.03, 0.0, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0])
_OFFSETS = np.array([-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2])
_ROUNDS, _AT_ONCE = 3, 256


def ladder_rules(guide: Guide, widening: np.ndarray, strengths: Sequence[float]) -> list[FairRule]:
    """Return a rule per strength, for one condition: the first of the ladder with (1 - strength) of the initial gap.

    widening (1, n) of the training rows. Where no rule is that fair, the fairest one's multiplier grows on with the
    strength, for networks that follow their targets only in part.
    """
    task, eta, conditions = guide.task, guide.eta(), tuple(guide.groups)
    steps = np.linspace(0.0, 1.0, _STEPS + 1) ** 2 * _LARGEST * _scales(widening)[0]
    threshold = task.classifier.threshold
    decided = (fair_targets(eta, widening, FairRule((step,))) >= threshold for step in steps)
    gaps = np.array([largest_gap(excess_rates(task, decisions, conditions)) for decisions in decided])
    best = int(gaps.argmin())
    found = []
    for strength in strengths:
        reached = np.flatnonzero(gaps[: best + 1] <= (1 - strength) * guide.gap)
        found.append(FairRule((float(steps[reached[0]] if len(reached) else steps[best] * max(1.0, strength)),)))
    return found


def _scales(widening: np.ndarray) -> np.ndarray:
    """(C,) the unit of each multiplier: one makes a difference of about one half for a row that widens much."""
    widest = np.quantile(np.abs(widening), 0.9, axis=1)
    return np.where(widest > 0, 1 / np.where(widest > 0, widest, 1.0), 1.0)


def cells_of(guide: Guide) -> tuple[np.ndarray, np.ndarray]:
    """Return (K, n) bool, the training rows of every condition and group, and the condition (K,) of each."""
    task = guide.task
    labels, codes = task.train.labels, task.train.codes(task.attribute)
    found = [
        (place, (labels == condition) & (codes == group))
        for place, condition in enumerate(guide.groups)
        for group in np.unique(codes)
    ]
    found = [(place, cell) for place, cell in found if cell.any()]
    return np.stack([cell for _, cell in found]), np.array([place for place, _ in found])


def rates_in_cells(cells: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Return the share of favourable decisions (K,) of every cell (K, n)."""
    return cells @ decisions.astype(float) / cells.sum(1)


@dataclass(frozen=True, eq=False)
class _Tried:
    """Rules (M, C + 1: multipliers, offset), their accuracy (M,) and rates (M, K) on the training rows."""

    rules: np.ndarray
    accuracy: np.ndarray
    rates: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        return self.rules, self.accuracy, self.rates

    def best(self, limit: float, gap: np.ndarray) -> np.ndarray:
        """The most accurate rule with a gap of at most `limit`, or the fairest one."""
        fair = np.flatnonzero(gap <= limit)
        return self.rules[fair[self.accuracy[fair].argmax()] if len(fair) else gap.argmin()]


class RuleSearch:
    """All that the searches of one task share: the cells, and the coarse grid of rules with what they decide."""

    def __init__(self, guide: Guide, widening: np.ndarray) -> None:
        self.guide, self.widening, self.scales = guide, widening, _scales(widening)
        self.cells, self.conditions = cells_of(guide)
        axes = [*(_COARSE * scale for scale in self.scales), _OFFSETS]
        self.grid = self._try(np.array(list(itertools.product(*axes))))

    def _gap(self, rates: np.ndarray) -> np.ndarray:
        """(M,) the largest difference between two groups over all conditions, of rates (M, K)."""
        return np.max([np.ptp(rates[:, self.conditions == c], axis=1) for c in np.unique(self.conditions)], axis=0)

    def rule(self, strength: float, deviation: np.ndarray | None = None) -> FairRule:
        """Return the most accurate rule with at most (1 - strength) of the initial gap.

        deviation (K,) is added to the rule's rates before the gap is taken: what a network is known to do beyond it.
        """
        shift = np.zeros(len(self.cells)) if deviation is None else deviation
        limit = (1 - strength) * self.guide.gap
        tried, spread = self.grid, np.array([*(0.15 * self.scales), 0.025])
        around = np.array(list(itertools.product((-1.0, -0.4, 0.0, 0.4, 1.0), repeat=len(spread))))
        for _ in range(_ROUNDS):
            near = self._try(tried.best(limit, self._gap(tried.rates + shift)) + around * spread)
            tried = _Tried(*(np.concatenate(pair) for pair in zip(tried.parts, near.parts, strict=True)))
            spread = spread / 3
        best = tried.best(limit, self._gap(tried.rates + shift))
        return FairRule(tuple(map(float, best[:-1])), float(best[-1]))

    def _try(self, rules: np.ndarray) -> _Tried:
        """Decide all training rows by every rule; products of matrices count who is favoured in every cell."""
        task = self.guide.task
        labels = task.train.labels
        counting = self.cells.T.astype(np.float32)
        right = (2.0 * labels - 1).astype(np.float32)
        eta, pull = self.guide.eta().astype(np.float32), self.widening.astype(np.float32)
        accuracy, rates = np.empty(len(rules)), np.empty((len(rules), len(self.cells)))
        for first in range(0, len(rules), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            chosen = rules[part].astype(np.float32)
            scores = eta - 0.5 * chosen[:, :-1] @ pull - chosen[:, -1:]  # (m, n)
            favoured = (scores >= task.classifier.threshold).astype(np.float32)
            rates[part] = favoured @ counting / self.cells.sum(1)
            accuracy[part] = (favoured @ right + (1 - labels).sum(dtype=np.float64)) / len(labels)
        return _Tried(rules, accuracy, rates)
