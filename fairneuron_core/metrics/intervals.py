"""Confidence intervals from counts, all vectorised: an array of counts in, arrays of low and high out.

1. A rate x/n: Wilson's score interval [Wilson 1927].
2. A sum of independent rates with weights, hence a signed difference: MOVER from the Wilson limits, which for
   p1 - p2 is Newcombe's hybrid score interval [Newcombe 1998, Zou and Donner 2008].
3. A ratio p1/p2: MOVER for ratios from the Wilson limits [Donner and Zou 2012]. It exists with zero counts, and the
   interval of p2/p1 is exactly the inverse of that of p1/p2.
4. |p1 - p2| and min(p1/p2, p2/p1): the SIGNED interval, folded. With I the signed interval, the folded one holds the
   absolute gap when I holds d or -d, so it misses less often than I. Resampling the absolute value instead would
   almost never cover a true gap of 0: resampled gaps lie above the observed one.
5. The largest gap of many pairs: see `largest_of`.
6. A rate of events that may be very rare: Clopper and Pearson's exact interval [Clopper and Pearson 1934].
7. Anything else: percentiles of counts drawn from the observed ones.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

Bounds = tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=256)
def normal_quantile(confidence: float) -> float:
    """Return z with P(-z <= Z <= z) = confidence.

    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    return NormalDist().inv_cdf((1 + confidence) / 2)


def simultaneous(confidence: float, comparisons: int) -> float:
    """Return the level of each of `comparisons` intervals that together hold with `confidence` (Šidák).

    >>> round(simultaneous(0.95, 3), 5)
    0.98305
    """
    return confidence ** (1 / max(1, comparisons))


def wilson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """Return Wilson's interval of successes / n, NaN where n = 0.

    >>> low, high = wilson(34, 100)
    >>> round(float(low), 4), round(float(high), 4)
    (0.2546, 0.4372)
    """
    x, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    z2 = normal_quantile(confidence) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (x + z2 / 2) / (n + z2)
        half = math.sqrt(z2) / (n + z2) * np.sqrt(x * (n - x) / n + z2 / 4)
        # Rounding would leave 1e-18 instead of the exact ends.
        low = np.where(x == 0, 0.0, centre - half)
        high = np.where(x == n, 1.0, centre + half)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def clopper_pearson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """Return the exact interval of successes / n: it misses at most 1 - confidence of the time; NaN where n = 0.

    >>> low, high = clopper_pearson([0, 265], [100, 100_000])
    >>> [round(100 * float(v), 4) for v in (*low, *high)]
    [0.0, 0.2341, 3.6217, 0.2989]
    """
    from scipy.stats import beta

    x, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(x == 0, 0.0, beta.ppf(tail, x, n - x + 1))
        high = np.where(x == n, 1.0, beta.ppf(1 - tail, x + 1, n - x))
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def weighted_sum(values: ArrayLike, lows: ArrayLike, highs: ArrayLike, weights: ArrayLike) -> Bounds:
    """Return the MOVER interval of sum(weights * values) over the last axis, for independent estimates.

    Each term adds the squared distance to that limit of its own interval which pushes the sum outward.
    """
    values, weights = np.asarray(values), np.asarray(weights)
    to_low, to_high = values - lows, np.asarray(highs) - values
    down, up = np.where(weights > 0, to_low, to_high), np.where(weights > 0, to_high, to_low)
    centre = np.sum(weights * values, axis=-1)
    below = np.sqrt(np.sum((weights * down) ** 2, axis=-1))
    above = np.sqrt(np.sum((weights * up) ** 2, axis=-1))
    return centre - below, centre + above


def difference(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """Return Newcombe's interval of the signed difference x1/n1 - x2/n2.

    >>> low, high = difference(56, 70, 48, 80)     # Newcombe 1998, example (a)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    x, n = np.stack(np.broadcast_arrays(x1, x2), -1), np.stack(np.broadcast_arrays(n1, n2), -1)
    low, high = wilson(x, n, confidence=confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        return weighted_sum(x / n, low, high, np.array([1.0, -1.0]))


def ratio(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """Return the MOVER interval of (x1/n1) / (x2/n2); the high end is infinite when x2 = 0.

    >>> low, high = ratio(34, 100, 60, 100)
    >>> round(float(low), 3), round(float(high), 3)
    (0.411, 0.772)
    """
    (l1, u1), (l2, u2) = wilson(x1, n1, confidence=confidence), wilson(x2, n2, confidence=confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        p1, p2 = np.asarray(x1) / np.asarray(n1), np.asarray(x2) / np.asarray(n2)
        product = p1 * p2
        # Written with the root in the denominator, so that neither end divides 0 by 0 when a count is 0.
        below = np.sqrt(np.maximum(product**2 - l1 * (2 * p1 - l1) * u2 * (2 * p2 - u2), 0))
        above = np.sqrt(np.maximum(product**2 - u1 * (2 * p1 - u1) * l2 * (2 * p2 - l2), 0))
        low = l1 * (2 * p1 - l1) / (product + below)
        high = (product + above) / (l2 * (2 * p2 - l2))
    both_empty = (np.asarray(x1) == 0) & (np.asarray(x2) == 0)
    low = np.where(np.asarray(x1) == 0, 0.0, low)
    high = np.where(np.asarray(x2) == 0, np.inf, high)
    unknown = both_empty | (np.asarray(n1) == 0) | (np.asarray(n2) == 0)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def fold(low: ArrayLike, high: ArrayLike) -> Bounds:
    """Return the interval of |d| from the interval of the signed d.

    >>> [tuple(float(v) for v in fold(*ends)) for ends in ((-0.1, 0.3), (-0.4, -0.2))]
    [(0.0, 0.3), (0.2, 0.4)]
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    return np.maximum(np.maximum(low, -high), 0.0), np.maximum(np.abs(low), np.abs(high))


def fold_ratio(low: ArrayLike, high: ArrayLike) -> Bounds:
    """Return the interval of min(r, 1/r) from the interval of the signed r.

    >>> [tuple(float(v) for v in fold_ratio(*ends)) for ends in ((0.5, 1.25), (2.0, 4.0))]
    [(0.5, 1.0), (0.25, 0.5)]
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    with np.errstate(divide="ignore"):
        return np.minimum(low, 1 / high), np.minimum(np.minimum(high, 1 / low), 1.0)


def largest_of(at_level: Bounds, at_joint_level: Bounds) -> tuple[float, float]:
    """Return the interval of the largest of several absolute gaps from their folded intervals.

    `at_level` are the intervals at the wanted confidence, `at_joint_level` at the Šidák level over all of them.
    """
    # Low end: the largest gap is overstated as soon as ANY pair's low end is too high, so all pairs must hold at once.
    # High end: let (i, j) be the pair with the largest TRUE gap. The maximum of the high ends is at least the high end
    # of that one pair, so it is too low at most as often as a single interval is: no correction is needed there.
    return float(np.nanmax(at_joint_level[0])), float(np.nanmax(at_level[1]))


def smallest_of(at_level: Bounds, at_joint_level: Bounds) -> tuple[float, float]:
    """Return the interval of the smallest of several folded ratios: `largest_of` with the ends exchanged."""
    return float(np.nanmin(at_level[0])), float(np.nanmin(at_joint_level[1]))


def bootstrap_counts(counts: np.ndarray, *, seed: int = 0, replicates: int = 10_000) -> np.ndarray:
    """Return `replicates` redrawn count tables (replicates, *counts.shape), multinomial with the same total.

    This is resampling rows with replacement; drawing the counts makes its cost independent of the number of rows.
    """
    counts = np.asarray(counts)
    flat, total = counts.reshape(-1), int(counts.sum())
    filled = np.flatnonzero(flat)
    drawn = np.zeros((replicates, flat.size), dtype=np.int64)
    drawn[:, filled] = np.random.default_rng(seed).multinomial(total, flat[filled] / total, size=replicates)
    return drawn.reshape(replicates, *counts.shape)


def percentiles(draws: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """Return the central percentile interval of draws (replicates, ...) along the first axis.

    >>> low, high = percentiles(np.arange(101.0), confidence=0.9)
    >>> float(low), float(high)
    (5.0, 95.0)
    """
    draws = np.asarray(draws, dtype=float)
    last = draws.shape[0] - 1
    below = math.floor((1 - confidence) / 2 * last + 1e-9)
    # Whole order statistics, rounded outward: no interpolation between the few values that small counts can take.
    ordered = np.partition(draws, [below, last - below], axis=0)
    return ordered[below], ordered[last - below]
