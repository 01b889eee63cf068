"""Columns as whole numbers: a category as the position of its level, a number as it is or as the number of its bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import ordered_levels


@dataclass(frozen=True, eq=False)
class Coded:
    """One input column: its whole numbers (n,), their domain low..high, and what each one means (empty: a number)."""

    name: str
    values: np.ndarray
    low: int
    high: int
    levels: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        return "; ".join(f"{self.low + code} = {level}" for code, level in enumerate(self.levels))


def by_level(name: str, values: pd.Series, levels: Sequence[str] | None = None, *, low: int = 0) -> Coded:
    """Return the positions of the levels, which are in reading order where none is given."""
    found = tuple(levels) if levels is not None else ordered_levels(values.unique())
    codes = pd.Index(found).get_indexer(values.to_numpy())
    return Coded(name, codes + low, low, low + len(found) - 1, found)


def grouped(name: str, values: pd.Series, groups: Mapping[str, Sequence[str]]) -> Coded:
    """Return the position of the group that each level belongs to."""
    group_of = {level: group for group, levels in groups.items() for level in levels}
    return by_level(name, values.map(group_of), tuple(groups))


def number(name: str, values: pd.Series, low: int, high: int) -> Coded:
    """Return the numbers themselves, with their domain."""
    return Coded(name, values.to_numpy(np.int64), low, high)


def in_bins(name: str, values: pd.Series, edges: Sequence[float]) -> Coded:
    """Return the number of the bin, from 1: bin k holds edges[k-1] < x <= edges[k] of the inner edges."""
    inner = np.asarray(edges, float)
    return Coded(name, np.digitize(values.to_numpy(float), inner, right=True) + 1, 1, len(inner) + 1)


def uniform_bins(name: str, values: pd.Series, bins: int) -> Coded:
    """Return the number of one of `bins` bins of equal width between the least and the greatest value, from 0."""
    numbers = values.to_numpy(float)
    span = numbers.max() - numbers.min()
    return Coded(name, np.minimum((numbers - numbers.min()) / span * bins, bins - 1).astype(np.int64), 0, bins - 1)


def quartiles(name: str, values: pd.Series) -> Coded:
    """Return 1 to 4: how many of the quartiles lie below the value; equal quartiles leave numbers unused."""
    return in_bins(name, values, np.percentile(values.to_numpy(float), [25, 50, 75]).tolist())
