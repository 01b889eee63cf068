"""How often each distinct path occurs. Plain arrays only: cheap to cache, free of torch and numba."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fairneuron_core.paths.activation_paths import ActivationPaths


@dataclass(frozen=True, eq=False)
class PathFrequency:
    """The distinct paths, most frequent first (ties: the path that occurs first in the rows).

    key (paths, 2) uint64; count (paths,) int64; first_row (paths,) one row that has the path;
    path_of_row (n,) position of each row's path in these arrays.
    """

    key: np.ndarray
    count: np.ndarray
    first_row: np.ndarray
    path_of_row: np.ndarray

    @property
    def samples(self) -> int:
        """Number of rows."""
        return len(self.path_of_row)

    @property
    def unique_paths(self) -> int:
        return len(self.count)

    @property
    def most_frequent(self) -> int:
        """M = the count of the most frequent path (0 without rows)."""
        return int(self.count[0]) if len(self.count) else 0

    @property
    def frequency(self) -> np.ndarray:
        """How many rows share each row's path, (n,) int64."""
        return self.count[self.path_of_row]


def path_frequency(paths: ActivationPaths) -> PathFrequency:
    """Count the rows of each distinct path."""
    return count_keys(paths.key)


def count_keys(key: np.ndarray) -> PathFrequency:
    """Count the rows of each distinct key; key (n, 2) uint64.

    >>> frequency = count_keys(np.array([[7, 1], [8, 1], [7, 1]], np.uint64))
    >>> frequency.count.tolist(), frequency.path_of_row.tolist()
    ([2, 1], [0, 1, 0])
    """
    order, begins = _sorted_groups(np.ascontiguousarray(key, np.uint64))
    starts = np.flatnonzero(begins)
    first_row = np.minimum.reduceat(order, starts) if len(starts) else starts  # the sort need not be stable
    count = np.diff(starts, append=len(key))
    rank = _by_first_row(first_row, len(key))
    rank = rank[np.argsort(-count[rank], kind="stable")]
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    path_of_row = np.empty(len(key), np.int64)
    path_of_row[order] = place[np.cumsum(begins) - 1]
    first_row = first_row[rank]
    return PathFrequency(key[first_row], count[rank], first_row, path_of_row)


def row_frequency(key: np.ndarray) -> np.ndarray:
    """Return how many rows share each row's key (n, 2), (n,) int64: `count_keys(key).frequency` without the rest.

    >>> row_frequency(np.array([[7, 1], [8, 1], [7, 1]], np.uint64)).tolist()
    [2, 1, 2]
    """
    order, begins = _sorted_groups(np.ascontiguousarray(key, np.uint64))
    count = np.diff(np.flatnonzero(begins), append=len(key))
    frequency = np.empty(len(key), np.int64)
    frequency[order] = np.repeat(count, count)
    return frequency


def _sorted_groups(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order (n,) that brings equal keys together, and where a new key begins in it, bool (n,).

    Sorting by the first word alone does it, five times faster than by both, unless two keys share that word: then both
    words are sorted.
    """
    # Copies: an index into every other word would be followed element by element.
    first, second = key[:, 0].copy(), key[:, 1].copy()
    order = np.argsort(first)
    first, second = first[order], second[order]
    begins = np.ones(len(key), bool)
    begins[1:] = first[1:] != first[:-1]
    if not (begins[1:] | (second[1:] == second[:-1])).all():
        order = np.lexsort((key[:, 1], key[:, 0]))
        begins[1:] = (key[order[1:]] != key[order[:-1]]).any(axis=1)
    return order, begins


def _by_first_row(first_row: np.ndarray, rows: int) -> np.ndarray:
    """Return the groups in the order of their first rows, which all differ: a scatter instead of a sort."""
    group_of_row = np.full(rows, -1, np.int64)
    group_of_row[first_row] = np.arange(len(first_row))
    return group_of_row[group_of_row >= 0]


@dataclass(frozen=True, eq=False)
class KeyTable:
    """Distinct keys and how many rows have each, sorted by key: first, second (paths,) uint64; count (paths,) int64."""

    first: np.ndarray
    second: np.ndarray
    count: np.ndarray

    def frequency(self, key: np.ndarray) -> np.ndarray:
        """Return the count of every row's key (n, 2), each of which must be in the table, (n,) int64."""
        place = np.searchsorted(self.first, key[:, 0])
        while len(wrong := np.flatnonzero(self.second[place] != key[:, 1])):  # keys that share their first word
            place[wrong] += 1
        return self.count[place]


def key_table(key: np.ndarray, count: np.ndarray | None = None) -> KeyTable:
    """Return the table of some keys (n, 2), each counted once or `count` (n,) times.

    >>> table = key_table(np.array([[7, 1], [8, 1], [7, 1]], np.uint64))
    >>> table.first.tolist(), table.count.tolist()
    ([7, 8], [2, 1])
    """
    order, begins = _sorted_groups(key)
    starts = np.flatnonzero(begins)
    distinct = key[order[starts]]
    if count is None:
        total = np.diff(starts, append=len(key))
    else:
        total = np.add.reduceat(count[order], starts) if len(starts) else count
    return KeyTable(distinct[:, 0].copy(), distinct[:, 1].copy(), total)


def merge_tables(tables: Sequence[KeyTable]) -> KeyTable:
    """Return the table of all rows that some tables counted."""
    first, second, count = (
        np.concatenate([getattr(table, name) for table in tables]) for name in ("first", "second", "count")
    )
    return key_table(np.stack([first, second], axis=1), count)
