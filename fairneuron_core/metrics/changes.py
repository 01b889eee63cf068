"""How far a metric moved between two sets of decisions on the SAME rows, with an interval from redrawn joint counts.

A change of a plain share is the difference of two shares of the same draw, so its percentile interval is used as it is.
A change of |gap| is not smooth where a gap is 0: there the resampled |gap| lies above the true one, and percentiles of
its change miss a gap that was closed entirely far too often (see the table below). So:

1. Write both gaps as maxima over ordered pairs of groups: after = max_p A_p, before = max_q B_q, with A_p = rate of one
   group minus rate of the other. For two groups |d| = max(d, -d).
2. change = max_p A_p - max_q B_q = max_p min_q (A_p - B_q) = min_q max_p (A_p - B_q), and every A_p - B_q is smooth.
3. With [l_pq, u_pq] the percentile interval of A_p - B_q: low = min_q max_p l_pq, high = max_p min_q u_pq.
   The true change is A_p* - B_q*. low is too high only if l_pq* is for some p, high too low only if u_p*q is for some
   q: one-sided errors that add up over the pairs that tie for the maximum, hence the Šidák level over these pairs when
   there are more than two groups. Two groups need none: where d and -d tie, one of the two ends can hardly miss.
4. Two identical models have A_p - B_p = 0 in every draw, so the interval is exactly [0, 0].

Coverage of the 95 % interval, simulated (600 data sets each, rates near .4, 2 % and 10 % extra flips each way):
    gap before -> after     rows per group    this interval    percentiles of |after| - |before|
    2 groups  0  -> 0       100 / 1,000       1.00 / 1.00      1.00 / 1.00
    2 groups .10 -> .10     100 / 1,000       .98  / .94       .99  / .94
    2 groups .10 -> .04     100 / 1,000       .98  / .96       .97  / .96
    2 groups .10 -> 0       100 / 1,000       .96  / .94       .90  / .87
    3 groups .20 -> 0       100 / 1,000       .95  / .95       .76  / .73
    5 groups .20 -> 0       100 / 1,000       .98  / .95       .64  / .47
Where fewer than about three flips are to be expected in a group, both fall to about .90: the draws know only the flips
that were seen, and with none at all the interval is [0, 0].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fairneuron_core.metrics.group import compared_with_reference
from fairneuron_core.metrics.intervals import percentiles, simultaneous
from fairneuron_core.metrics.rates import rate_parts, share
from fairneuron_core.metrics.row import AuditView, MetricRow

# A pair of groups that is the extreme one in fewer draws than this cannot be the extreme one in truth.
_PLAUSIBLE_SHARE = 0.005
_MOST_PAIRS = 12
_ENOUGH_DRAWS = 0.5
# Stands for the infinite ratio of draws in which one of the two groups has nobody selected.
_HUGE = 1e9


@dataclass(frozen=True)
class PairedView:
    """Two audits of the same rows, and redrawn counts (replicates, groups, label, decision) of both."""

    before: AuditView
    after: AuditView
    drawn_before: np.ndarray
    drawn_after: np.ndarray

    @property
    def confidence(self) -> float:
        return self.before.confidence


@dataclass(frozen=True)
class Movement:
    """Intervals of after minus before and of the gain, which is above 0 when better (None: there is no better side)."""

    low: float
    high: float
    gain: tuple[float, float] | None


_UNKNOWN = Movement(math.nan, math.nan, (math.nan, math.nan))


def overall_change(row: MetricRow, paired: PairedView) -> Movement:
    """Return the movement of a share over all rows, or of balanced accuracy (rates TPR and FPR)."""
    before, after = (_overall(row, drawn.sum(axis=1)) for drawn in (paired.drawn_before, paired.drawn_after))
    low, high = _interval(after - before, paired.confidence)
    return Movement(low, high, None if row.direction == "none" else (low, high))


def _overall(row: MetricRow, counts: np.ndarray) -> np.ndarray:
    rates = [share(*rate_parts(counts, rate)) for rate in row.rates]
    return rates[0] if len(rates) == 1 else (rates[0] + 1 - rates[1]) / 2


def change_of_largest(row: MetricRow, paired: PairedView) -> Movement:
    """Return the movement of the largest difference of a rate (or of several rates) between any two groups."""
    groups = _shared_groups(row, paired)
    if groups is None:
        return _UNKNOWN
    before, after = (_differences(row, drawn[:, groups]) for drawn in (paired.drawn_before, paired.drawn_after))
    low, high = change_of_maximum(before, after, confidence=paired.confidence)
    return Movement(low, high, (-high, -low))


def _differences(row: MetricRow, counts: np.ndarray) -> np.ndarray:
    """Return rate of one group minus rate of another for all ordered pairs and all rates, (replicates, pairs)."""
    first, second = _ordered_pairs(counts.shape[1])
    rates = [share(*rate_parts(counts, rate)) for rate in row.rates]  # (replicates, groups) each
    return np.concatenate([rate[:, first] - rate[:, second] for rate in rates], axis=1)


def change_of_smallest_ratio(row: MetricRow, paired: PairedView) -> Movement:
    """Return the movement of the lowest divided by the highest rate."""
    groups = _shared_groups(row, paired)
    if groups is None:
        return _UNKNOWN
    # The smallest ratio is minus the largest of the negative ratios, so that one argument serves both.
    before, after = (-_ratios(row, drawn[:, groups]) for drawn in (paired.drawn_before, paired.drawn_after))
    low, high = change_of_maximum(before, after, confidence=paired.confidence)
    return Movement(-high, -low, (-high, -low))


def _ratios(row: MetricRow, counts: np.ndarray) -> np.ndarray:
    first, second = _ordered_pairs(counts.shape[1])
    rate = share(*rate_parts(counts, row.rates[0]))
    return _ratio(rate[:, first], rate[:, second])


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide, NaN where undefined; two rates of 0 are equal rates, and a huge number stands for x / 0."""
    usable = np.where(below > 0, below, np.nan)
    quotient = np.where(below > 0, above / usable, np.where(above > 0, _HUGE, 1.0))
    return np.where(np.isnan(above) | np.isnan(below), np.nan, quotient)


def change_of_reference_difference(row: MetricRow, paired: PairedView) -> Movement:
    """Return the movement of a signed difference to the reference; its gain is the loss of absolute size."""
    return _change_to_reference(row, paired, ratio=False)


def change_of_reference_ratio(row: MetricRow, paired: PairedView) -> Movement:
    """Return the movement of a ratio to the reference; its gain is the loss of distance to 1 on the log scale."""
    return _change_to_reference(row, paired, ratio=True)


def _change_to_reference(row: MetricRow, paired: PairedView, *, ratio: bool) -> Movement:
    if _shared_groups(row, paired) is None:
        return _UNKNOWN
    signed, plain = [], []
    for view, drawn in ((paired.before, paired.drawn_before), (paired.after, paired.drawn_after)):
        group, reference = compared_with_reference(row, view), view.reference_index
        if group is None:
            return _UNKNOWN
        rates = np.array([share(*rate_parts(drawn[:, [group, reference]], rate)) for rate in row.rates])
        # The group farthest from the reference may be another one after: each side keeps the group that it shows.
        if ratio:
            plain.append(_ratio(rates[0, :, 0], rates[0, :, 1]))
            signed.append(np.log(np.clip(plain[-1], 1 / _HUGE, _HUGE)))
        else:
            plain.append((rates[..., 0] - rates[..., 1]).mean(axis=0))
            signed.append(plain[-1])
    low, high = _interval(plain[1] - plain[0], paired.confidence)
    before, after = (np.stack([value, -value], axis=1) for value in signed)
    closer, farther = change_of_maximum(before, after, confidence=paired.confidence)
    return Movement(low, high, (-farther, -closer))


def change_of_maximum(before: np.ndarray, after: np.ndarray, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of max_p after_p - max_q before_q (steps 2 and 3 above).

    `before` and `after` are draws (replicates, pairs) of the same ordered pairs from the same redrawn counts.
    """
    defined = ~np.isnan(before).any(axis=1) & ~np.isnan(after).any(axis=1)
    if defined.mean() < _ENOUGH_DRAWS:
        return math.nan, math.nan
    before, after = before[defined], after[defined]
    pairs = _plausible(before, after)
    level = simultaneous(confidence, len(pairs) // 2)
    steps = after[:, pairs, None] - before[:, None, pairs]  # (replicates, p, q)
    low, high = percentiles(steps, confidence=level)  # (p, q)
    return float(low.max(axis=0).min()), float(high.min(axis=1).max())


def _plausible(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the pairs that are the largest one often enough, before or after (at most a dozen)."""
    winners = np.concatenate([before.argmax(axis=1), after.argmax(axis=1)])
    often = np.bincount(winners, minlength=before.shape[1])
    ranked = np.argsort(-often, kind="stable")[:_MOST_PAIRS]
    return ranked[often[ranked] >= _PLAUSIBLE_SHARE * len(before)]


def _ordered_pairs(n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.nonzero(~np.eye(n_groups, dtype=bool))
    return first, second


def _shared_groups(row: MetricRow, paired: PairedView) -> np.ndarray | None:
    """Return the groups that enter the gap, None when too few do or when before and after do not have the same."""
    before, after = paired.before.usable(row.rates), paired.after.usable(row.rates)
    return before if np.array_equal(before, after) and before.size >= 2 else None


def _interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    defined = draws[~np.isnan(draws)]
    if defined.size < _ENOUGH_DRAWS * draws.size:
        return math.nan, math.nan
    low, high = percentiles(defined, confidence=confidence)
    return float(low), float(high)
