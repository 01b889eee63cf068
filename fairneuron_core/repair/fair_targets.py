"""Fair soft targets: what an accurate decision maker would decide under a smaller gap, one number per training row.

Among all rules that do not read the protected attribute, the most accurate one with a bounded gap decides by

    eta(x) - lambda/2 * w(x) >= threshold,      eta(x) = P(favourable | x)

(Menon and Williamson, "The cost of fairness in binary classification", 2018, section 4), where w says how much a
favourable decision for a row like x widens the gap. With e_g = rate of group g minus the rate of all rows,

    demographic parity    w = sum_g e_g (P(g | x) / P(g) - 1)
    equal opportunity     w = sum_g e_g (P(Y=1, g | x) / P(Y=1, g) - P(Y=1 | x) / P(Y=1)),  e_g of true-positive rates
    equalized odds        the same for Y = 1 and for Y = 0, added

For two groups this is the optimum; for more, one multiplier pulls all groups toward the common rate in proportion to
their distance. eta and P(g | x) come from cross-fitted trees (`teachers`). A `strength` is the share of the gap that
the targets close: lambda is found so that the rule's own gap on the training rows is (1 - strength) times the initial
one. Above 1 the last lambda grows on, for networks that follow their targets only in part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.models.gap_penalty import CONDITIONS, Gap
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.repair.teachers import Teacher, fit_teacher

Groups = dict[int | None, np.ndarray]
"""Per condition (all rows, or the rows of one label): P(group | x) of every row, or one number per group."""


@dataclass(frozen=True)
class Guide:
    """The teachers of one task, what they say about the training rows, and the gap of their own best decisions."""

    task: RepairTask
    label: Teacher
    groups: dict[int | None, Teacher]
    excess: Groups
    gap: float

    def eta(self, features: np.ndarray | None = None) -> np.ndarray:
        """Return P(favourable | x) of further rows; of the training rows (cross-fitted) without any."""
        return (self.label.own if features is None else self.label(features))[:, 1]

    def widening(self, features: np.ndarray | None = None) -> np.ndarray:
        """Return w(x) (C, n): how much a favourable decision for each row widens the gap, for every condition."""
        eta = self.eta(features)
        rows = np.zeros((len(self.groups), len(eta)))
        for row, (condition, teacher) in zip(rows, self.groups.items(), strict=True):
            shares = _counts(self.task, condition) / len(self.task.train.labels)  # P(condition, g)
            usable = shares > 0
            found = self._of_groups(condition) if features is None else teacher(features)
            ratio = found[:, usable] / shares[usable] - 1 / shares.sum()
            of_label = 1.0 if condition is None else eta if condition == 1 else 1 - eta
            row += of_label * (ratio @ self.excess[condition][usable])
        return rows

    def _of_groups(self, condition: int | None) -> np.ndarray:
        """P(g | x, condition) of the training rows: cross-fitted where they were grown on, all trees elsewhere."""
        chosen, teacher = _chosen(self.task, condition), self.groups[condition]
        found = np.empty((len(chosen), teacher.own.shape[1]))
        found[chosen] = teacher.own
        if not chosen.all():
            found[~chosen] = teacher(self.task.train.features[~chosen])
        return found


def fit_guide(task: RepairTask, gap: Gap) -> Guide:
    """Grow the teachers of the label and of the group."""
    encoder, train, codes = task.classifier.encoder, task.train, task.train.codes(task.attribute)
    classes = len(train.levels(task.attribute))
    label = fit_teacher(encoder, train.features, train.labels, classes=2, seed=task.seed)
    groups = {}
    for condition in CONDITIONS[gap]:
        rows = _chosen(task, condition)
        groups[condition] = fit_teacher(encoder, train.features[rows], codes[rows], classes=classes, seed=task.seed)
    excess = excess_rates(task, label.own[:, 1] >= task.classifier.threshold, CONDITIONS[gap])
    return Guide(task, label, groups, excess, largest_gap(excess))


@dataclass(frozen=True)
class FairRule:
    """decide favourably where eta(x) - 1/2 sum_c multipliers[c] * w_c(x) - offset reaches the threshold."""

    multipliers: tuple[float, ...]
    offset: float = 0.0


def fair_targets(eta: np.ndarray, widening: np.ndarray, rule: FairRule) -> np.ndarray:
    """Return the soft targets (n,) in [0, 1] of one rule; widening (C, n), one row per condition."""
    moved = eta - rule.offset
    for multiplier, w in zip(rule.multipliers, widening, strict=True):
        moved = moved - 0.5 * multiplier * w
    return np.clip(moved, 0.0, 1.0)


def excess_rates(task: RepairTask, decisions: np.ndarray, conditions: Sequence[int | None]) -> Groups:
    """Return, per condition, every group's rate of favourable decisions minus the rate of all rows; 0 without rows."""
    codes = task.train.codes(task.attribute)
    found = {}
    for condition in conditions:
        chosen, n = _chosen(task, condition), _counts(task, condition)
        favourable = np.bincount(codes[chosen], weights=decisions[chosen], minlength=len(n))
        overall = favourable.sum() / max(n.sum(), 1)
        found[condition] = np.where(n > 0, favourable / np.maximum(n, 1) - overall, 0.0)
    return found


def largest_gap(excess: dict[int | None, np.ndarray]) -> float:
    """Return the largest difference between two groups over all conditions."""
    return max(float(np.ptp(values)) for values in excess.values())


def _chosen(task: RepairTask, condition: int | None) -> np.ndarray:
    """(n,) bool: the training rows of a condition."""
    labels = task.train.labels
    return np.ones(len(labels), bool) if condition is None else np.asarray(labels == condition)


def _counts(task: RepairTask, condition: int | None) -> np.ndarray:
    """(G,) rows of every group under a condition."""
    codes = task.train.codes(task.attribute)[_chosen(task, condition)]
    return np.bincount(codes, minlength=len(task.train.levels(task.attribute)))
