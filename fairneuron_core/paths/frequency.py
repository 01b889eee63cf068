"""How often each distinct path occurs. Plain arrays only: cheap to cache, free of torch and numba."""

from __future__ import annotations

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
    key = np.ascontiguousarray(key, np.uint64)
    order = np.lexsort((key[:, 1], key[:, 0]))  # lexsort is stable: equal keys stay in row order
    ordered = key[order]
    begins = np.ones(len(key), bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.cumsum(begins) - 1
    count = np.bincount(group, minlength=0)
    first_row = order[begins]
    rank = np.lexsort((first_row, -count))
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    path_of_row = np.empty(len(key), np.int64)
    path_of_row[order] = place[group]
    return PathFrequency(key[first_row[rank]], count[rank].astype(np.int64), first_row[rank], path_of_row)
