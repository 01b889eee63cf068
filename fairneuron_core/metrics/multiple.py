"""Many groups, many tests: exact p values of two shares, and two ways to keep chance findings rare.

1. Every comparison of two shares gets Fisher's exact p value: the probability, among all tables with the same margins,
   of those that are at most as likely as the observed one [Fisher 1935]. Exact, because intersections are often small
   and the corrections below look far into the tails, where the normal approximation is wrong by a factor of ten.
2. Holm: with probability 1 - alpha not one true "no difference" is rejected [Holm 1979].
3. Benjamini and Hochberg: the expected share of false ones among the rejected is at most alpha [1995].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics.intervals import difference, simultaneous
from fairneuron_core.metrics.rates import RATES, rate_parts
from fairneuron_core.types import Estimate

_TAIL = 40.0  # standard deviations beyond which the probability is 0 in floating point


def two_share_p_value(x1: int, n1: int, x2: int, n2: int) -> float:
    """Return Fisher's two-sided exact p value of x1/n1 against x2/n2; NaN when a group is empty.

    >>> round(two_share_p_value(8, 10, 1, 6), 4)
    0.035
    """
    if n1 == 0 or n2 == 0:
        return float("nan")
    from scipy.special import gammaln  # costs 0.3 s, which the first page shall not wait for

    total, successes = n1 + n2, x1 + x2
    mean = n1 * successes / total
    spread = np.sqrt(mean * (1 - successes / total) * n2 / max(total - 1, 1))
    reach = abs(x1 - mean) + _TAIL * (spread + 1)
    k = np.arange(max(0, successes - n2, int(mean - reach)), min(n1, successes, int(mean + reach) + 1) + 1)

    def log_choose(n: int, r: np.ndarray) -> np.ndarray:
        return gammaln(n + 1) - gammaln(r + 1) - gammaln(n - r + 1)

    logs = log_choose(n1, k) + log_choose(n2, successes - k)
    weights = np.exp(logs - logs.max())
    # Tables that are equally likely by symmetry must count in spite of rounding.
    as_rare = weights <= weights[k == x1][0] * (1 + 1e-7)
    return float(min(1.0, weights[as_rare].sum() / weights.sum()))


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return Holm's adjusted p values (reject where <= alpha); NaN stays NaN and does not count as a test.

    >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjusted(p, lambda ranked: np.maximum.accumulate(ranked * np.arange(ranked.size, 0, -1)))


def benjamini_hochberg(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return Benjamini and Hochberg's adjusted p values; NaN stays NaN.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """

    def step_up(ranked: np.ndarray) -> np.ndarray:
        scaled = ranked * ranked.size / np.arange(1, ranked.size + 1)
        return np.minimum.accumulate(scaled[::-1])[::-1]

    return _adjusted(p, step_up)


def _adjusted(p: Sequence[float] | np.ndarray, of_ranked: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    result, known = np.full(p.shape, np.nan), np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    result[order] = np.minimum(of_ranked(p[order]), 1.0)
    return result


@dataclass(frozen=True)
class Comparison:
    """One group's rate minus another's (`other` may be "everyone else"), with its p value plain and adjusted.

    The interval of `difference` holds for all comparisons of the same screen together.
    """

    group: str
    other: str
    difference: Estimate
    p_value: float
    holm: float
    benjamini_hochberg: float


def compare_groups(
    counts: np.ndarray,
    *,
    levels: Sequence[str],
    rate: str = "selection_rate",
    against: Literal["rest", "pairs"] = "rest",
    min_group: int = 30,
    confidence: float = 0.95,
) -> tuple[Comparison, ...]:
    """Compare a rate of every group with everyone else's ("rest") or of all pairs, smallest p value first.

    `counts` is (groups, label, decision), for intersections from `intersections` and `group_counts`. Groups with fewer
    than `min_group` rows, or without rows for this rate, are not tested.
    """
    if rate not in RATES:
        raise SettingError(f"The rate {rate!r} is unknown: choose one of {', '.join(RATES)}.")
    if against not in ("rest", "pairs"):
        raise SettingError(f"Groups cannot be compared against {against!r}: choose 'rest' or 'pairs'.")
    x, n = rate_parts(np.asarray(counts), rate)
    tested = np.flatnonzero((np.asarray(counts).sum(axis=(1, 2)) >= min_group) & (n > 0)).tolist()
    if against == "pairs":
        sides = [(levels[i], levels[j], x[i], n[i], x[j], n[j]) for i, j in combinations(tested, 2)]
    else:
        rest = [(levels[i], "everyone else", x[i], n[i], x.sum() - x[i], n.sum() - n[i]) for i in tested]
        sides = [side for side in rest if side[5] > 0]
    p = np.array([two_share_p_value(*(int(v) for v in side[2:])) for side in sides])
    adjusted = zip(p, holm(p), benjamini_hochberg(p), strict=True)
    level = simultaneous(confidence, len(sides))
    found = [
        Comparison(side[0], side[1], _difference(*side[2:], level=level, confidence=confidence), *map(float, values))
        for side, values in zip(sides, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda comparison: comparison.p_value))


def _difference(x1: int, n1: int, x2: int, n2: int, *, level: float, confidence: float) -> Estimate:
    low, high = difference(x1, n1, x2, n2, confidence=level)
    return Estimate(float(x1 / n1 - x2 / n2), float(low), float(high), int(n1 + n2), confidence)
