"""Decisions at any threshold: sorted scores make a slider a matter of binary search; ROC curves by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.errors import DataError
from fairneuron_core.metrics.counts import group_counts
from fairneuron_core.metrics.rates import rate_parts, share


@dataclass(frozen=True)
class ThresholdTable:
    """Scores sorted within every (group, label); built once by `threshold_table`, asked as often as one likes."""

    levels: tuple[str, ...]
    scores: tuple[tuple[np.ndarray, np.ndarray], ...]  # [group][label], ascending

    def counts(self, threshold: float | Sequence[float] | np.ndarray) -> np.ndarray:
        """Return counts (groups, label, decision) where decision = score >= threshold, one or one per group.

        >>> table = threshold_table([0.2, 0.6, 0.9], [0, 1, 1], [0, 0, 1], levels=("M", "F"))
        >>> table.counts(0.6).tolist()
        [[[1, 0], [0, 1]], [[0, 0], [0, 1]]]
        >>> table.counts([0.7, 0.95])[:, 1].tolist()
        [[1, 0], [1, 0]]
        """
        limits = np.asarray(threshold, dtype=float)
        if limits.ndim and limits.shape != (len(self.levels),):
            raise DataError(
                f"There are {limits.size} thresholds: give one, or one for each of {len(self.levels)} groups."
            )
        limits = np.broadcast_to(limits, len(self.levels))
        counts = np.empty((len(self.levels), 2, 2), dtype=np.int64)
        for group, (limit, by_label) in enumerate(zip(limits, self.scores, strict=True)):
            for label, ordered in enumerate(by_label):
                below = int(np.searchsorted(ordered, limit, side="left"))
                counts[group, label] = below, ordered.size - below
        return counts

    def threshold_for(self, selection_rate: float) -> float:
        """Return the lowest threshold that selects at most this share of all rows (for matched comparisons).

        >>> threshold_table([0.2, 0.6, 0.9, 0.9], [0, 1, 1, 0], [0] * 4, levels=("all",)).threshold_for(0.5)
        0.9
        """
        pooled = np.sort(np.concatenate([part for by_label in self.scores for part in by_label]))
        first = pooled.size - int(np.floor(selection_rate * pooled.size + 1e-9))
        if first == pooled.size:
            return float(np.nextafter(pooled[-1], np.inf))
        # Rows with equal scores are selected together, so a tie that does not fit moves the threshold above it.
        if first and pooled[first - 1] == pooled[first]:
            after = np.searchsorted(pooled, pooled[first], side="right")
            return float(pooled[after]) if after < pooled.size else float(np.nextafter(pooled[-1], np.inf))
        return float(pooled[first])


def threshold_table(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, levels: Sequence[str]
) -> ThresholdTable:
    """Sort scores (n,) within every group and label; raises DataError for scores that are no numbers."""
    scores, labels, groups = _scored(scores, labels, groups, n_groups=len(levels))
    ordered = [[np.sort(scores[(groups == g) & (labels == y)]) for y in (0, 1)] for g in range(len(levels))]
    return ThresholdTable(tuple(levels), tuple((negative, positive) for negative, positive in ordered))


def _scored(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, n_groups: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores = np.asarray(scores, dtype=float)
    if scores.shape != np.shape(labels) or np.isnan(scores).any():
        found = f"{scores.size} scores, {int(np.isnan(scores).sum())} of them missing,"
        raise DataError(f"There are {found} for {len(labels)} labels: give one number for each label.")
    group_counts(labels, np.zeros(len(scores), dtype=int), groups, n_groups)  # checks labels and groups
    return scores, np.asarray(labels), np.asarray(groups)


@dataclass(frozen=True)
class RocCurve:
    """ROC points of one group from (0, 0) to (1, 1); `thresholds` starts with infinity (nobody selected).

    A group without positives or without negatives has NaN rates. `positives` and `negatives` count its rows; `area` is
    the share of (positive, negative) pairs of rows in which the positive one scores higher, ties counting half.
    """

    group: str
    fpr: np.ndarray
    tpr: np.ndarray
    thresholds: np.ndarray
    positives: int
    negatives: int
    area: float


def roc_by_group(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, levels: Sequence[str], points: int = 200
) -> tuple[RocCurve, ...]:
    """Return the ROC curve of every group in the order of `levels`, thinned to at most `points` points.

    >>> curve, = roc_by_group([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], [0] * 4, levels=("all",))
    >>> curve.fpr.tolist(), curve.tpr.tolist(), curve.area
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0], 0.75)
    """
    table = threshold_table(scores, labels, groups, levels=levels)
    return tuple(_roc(level, *by_label, points) for level, by_label in zip(levels, table.scores, strict=True))


def _roc(group: str, negative: np.ndarray, positive: np.ndarray, points: int) -> RocCurve:
    values = np.unique(np.concatenate([negative, positive]))[::-1]
    limits = np.concatenate([[np.inf], values])
    tpr, fpr = (share(part.size - np.searchsorted(part, limits), part.size) for part in (positive, negative))
    area = float(np.trapezoid(tpr, fpr))
    keep = _thinned(fpr, tpr, points)
    return RocCurve(group, fpr[keep], tpr[keep], limits[keep], positive.size, negative.size, area)


def _thinned(fpr: np.ndarray, tpr: np.ndarray, points: int) -> np.ndarray:
    """Return indices of points that are evenly spaced along the curve, its two ends included."""
    if fpr.size <= points:
        return np.arange(fpr.size)
    travelled = np.nan_to_num(fpr) + np.nan_to_num(tpr)
    wanted = np.searchsorted(travelled, np.linspace(0, travelled[-1], points))
    return np.unique(np.concatenate([[0], wanted, [fpr.size - 1]]))[-points:] if travelled[-1] else np.array([0, -1])


def rates_at(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return selection rate, TPR, FPR and precision of counts (groups, label, decision), each (groups,).

    >>> rates = rates_at(np.array([[[54, 6], [12, 28]]]))
    >>> float(rates["selection_rate"][0]), float(rates["tpr"][0]), float(rates["fpr"][0])
    (0.34, 0.7, 0.1)
    """
    return {name: share(*rate_parts(counts, name)) for name in ("selection_rate", "tpr", "fpr", "precision")}
