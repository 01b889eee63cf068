"""How much one column tells about another: cross-checked majority guess, Cramer's V, and levels of one group only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import as_numbers, as_text, kind_of

MOST_CELLS = 20
"""A number with more distinct values than this is cut at its quantiles into so many cells."""


@dataclass(frozen=True)
class Guess:
    """How well a column guesses a target: share right, share right by always saying the commonest value, rows."""

    accuracy: float
    base: float
    n: int

    @property
    def gain(self) -> float:
        """Share of the base errors that the column removes: 1 = all, 0 = none; NaN when there are none."""
        return (self.accuracy - self.base) / (1 - self.base) if self.base < 1 else float("nan")


def cells_of(values: pd.Series) -> np.ndarray:
    """Return an integer cell per row (n,): the level, the distinct number, or the quantile cell of a number."""
    if kind_of(values) == "category":
        return pd.factorize(as_text(values))[0]
    numbers = as_numbers(values)
    if numbers.nunique() <= MOST_CELLS:
        return pd.factorize(numbers, use_na_sentinel=False)[0]
    edges = np.unique(numbers.quantile(np.linspace(0, 1, MOST_CELLS + 1)[1:-1]))
    cells = np.searchsorted(edges, numbers.to_numpy(dtype=float), side="right")
    return np.where(numbers.isna(), len(edges) + 1, cells)


def guess_by(cells: np.ndarray, target: np.ndarray) -> Guess:
    """Guess `target` (n,) integer codes from the cells (n,) of a column by the commonest code per cell.

    A fixed random half of the rows learns, the other half judges, and the other way round, so that a column of
    unique values guesses nothing.
    """
    n = len(cells)
    halves = target * 2 + _half(n)
    table = _count(cells, halves, (cells.max(initial=0) + 1, 2 * (target.max(initial=0) + 1)))  # (cells, 2 * targets)
    first, second = table[:, ::2], table[:, 1::2]
    return Guess((_right(first, second) + _right(second, first)) / n, np.bincount(target).max() / n, n)


@lru_cache(maxsize=4)
def _half(n: int) -> np.ndarray:
    # A seed of its own: seed 0 is what people draw their labels with, and a half drawn alike would equal them.
    return np.random.default_rng(7_389_056).permutation(n) % 2 == 0


def _right(learned: np.ndarray, judged: np.ndarray) -> int:
    """Count the judged rows (cells, targets) that the learned rows guess; an unseen cell guesses the commonest code."""
    commonest = learned.sum(axis=0).argmax()
    best = np.where(learned.sum(axis=1) > 0, learned.argmax(axis=1), commonest)
    return int(judged[np.arange(len(judged)), best].sum())


def crosstab(cells: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Count rows by cell and group: (cells, groups) int64."""
    return _count(cells, groups, (cells.max() + 1, groups.max() + 1))


def _count(cells: np.ndarray, groups: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.bincount(cells * shape[1] + groups, minlength=shape[0] * shape[1]).reshape(shape)


def cramers_v(table: np.ndarray) -> float:
    """Return the bias-corrected Cramer's V of a table of counts: 0 = unrelated, 1 = one determines the other.

    phi2 = max(0, chi2/n - (r-1)(c-1)/(n-1)); V = sqrt(phi2 / min(r', c')) with r' = r-1 - (r-1)^2/(n-1) and c' alike.
    NaN for fewer than two rows or columns. Source: Bergsma (2013), Journal of the Korean Statistical Society 42.
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (r, c) = table.sum(), table.shape
    if r < 2 or c < 2:
        return float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = ((table - expected) ** 2 / expected).sum() / n
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    room = min(r - 1 - (r - 1) ** 2 / (n - 1), c - 1 - (c - 1) ** 2 / (n - 1))
    return float(min(1.0, np.sqrt(phi2 / room))) if room > 0 else float("nan")
