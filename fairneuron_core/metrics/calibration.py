"""Calibration by group: among rows with a score near 0.7, do about 70 % have the favourable label, in every group?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics.intervals import wilson
from fairneuron_core.metrics.rates import share
from fairneuron_core.metrics.threshold import threshold_table
from fairneuron_core.types import Estimate

Binning = Literal["quantile", "width"]


@dataclass(frozen=True)
class CalibrationCurve:
    """One group's calibration: bin b holds scores in [edges[b], edges[b + 1]), the last one both ends.

    `mean_score` (bins,) and `observed` (bins of Estimate: share with the favourable label, Wilson interval, n rows) are
    NaN in empty bins. `error` is the mean of |observed - mean score| over the group's rows.
    """

    group: str
    edges: np.ndarray
    mean_score: np.ndarray
    observed: tuple[Estimate, ...]
    error: float


def calibration_by_group(
    scores: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    *,
    levels: Sequence[str],
    bins: int = 10,
    binning: Binning = "quantile",
    confidence: float = 0.95,
) -> tuple[CalibrationCurve, ...]:
    """Return the calibration curve of every group in the order of `levels`.

    The bins are the same for all groups, so that points can be compared: "quantile" puts about equally many of ALL rows
    into each (equal scores stay together, so there may be fewer bins), "width" cuts the scores' 0..1 evenly.

    >>> curve, = calibration_by_group([0.2, 0.2, 0.8, 0.8], [0, 1, 1, 1], [0] * 4, levels=("all",), bins=2)
    >>> curve.mean_score.tolist(), [e.value for e in curve.observed], [e.n for e in curve.observed]
    ([0.2, 0.8], [0.5, 1.0], [2, 2])
    """
    table = threshold_table(scores, labels, groups, levels=levels)
    edges = _edges(np.asarray(scores, dtype=float), bins=bins, binning=binning)
    return tuple(
        _curve(level, *by_label, edges=edges, confidence=confidence)
        for level, by_label in zip(levels, table.scores, strict=True)
    )


def _edges(scores: np.ndarray, *, bins: int, binning: Binning) -> np.ndarray:
    if bins < 1:
        raise SettingError(f"The number of bins is {bins}: choose at least 1.")
    if binning == "width":
        if scores.min() < 0 or scores.max() > 1:
            raise SettingError("Bins of equal width need scores between 0 and 1: give probabilities, or use quantiles.")
        return np.linspace(0, 1, bins + 1)
    if binning != "quantile":
        raise SettingError(f"The binning {binning!r} is unknown: choose 'quantile' or 'width'.")
    cuts = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    # A cut at the lowest score would leave the first bin empty; one at the highest makes a bin of that score alone.
    return np.concatenate([[scores.min()], cuts[cuts > scores.min()], [scores.max()]])


def _curve(
    group: str, negative: np.ndarray, positive: np.ndarray, *, edges: np.ndarray, confidence: float
) -> CalibrationCurve:
    bins = edges.size - 1
    places = [np.searchsorted(edges[1:-1], part, side="right") for part in (negative, positive)]
    n_negative, n_positive = (np.bincount(place, minlength=bins) for place in places)
    n = n_negative + n_positive
    total = sum(
        np.bincount(place, part, minlength=bins) for place, part in zip(places, (negative, positive), strict=True)
    )
    mean_score, value = share(total, n), share(n_positive, n)
    low, high = wilson(n_positive, n, confidence=confidence)
    observed = tuple(
        Estimate(float(value[b]), float(low[b]), float(high[b]), int(n[b]), confidence) for b in range(bins)
    )
    distance = np.nansum(np.abs(value - mean_score) * n)
    return CalibrationCurve(group, edges, mean_score, observed, float(share(distance, n.sum())))
