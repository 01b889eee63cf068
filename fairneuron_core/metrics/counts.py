"""Counts of (group, label, decision): the only thing that group metrics, intervals and resampling need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairneuron_core.errors import DataError


def group_counts(labels: np.ndarray, decisions: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Return how many rows have each (group, label, decision), (n_groups, 2, 2) int64.

    Raises DataError when the three arrays differ in length or hold other codes than 0/1 and 0..n_groups-1.

    >>> group_counts([1, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1], 2).tolist()
    [[[1, 0], [1, 1]], [[0, 0], [0, 1]]]
    """
    cells = _cells((groups, "groups", n_groups), (labels, "labels", 2), (decisions, "decisions", 2))
    return np.bincount(cells, minlength=n_groups * 4).reshape(n_groups, 2, 2)


def joint_counts(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, groups: np.ndarray, n_groups: int
) -> np.ndarray:
    """Return how many rows have each (group, label, decision before, decision after), (n_groups, 2, 2, 2) int64.

    Summing over the last axis gives `group_counts` of the decisions before, over the one before it those after.

    >>> joint_counts([1, 1], [0, 1], [1, 1], [0, 0], 1)[0, 1].tolist()
    [[0, 1], [0, 1]]
    """
    cells = _cells(
        (groups, "groups", n_groups),
        (labels, "labels", 2),
        (before, "decisions before", 2),
        (after, "decisions after", 2),
    )
    return np.bincount(cells, minlength=n_groups * 8).reshape(n_groups, 2, 2, 2)


def _cells(*columns: tuple[np.ndarray, str, int]) -> np.ndarray:
    """Number the cell of every row, the last column running fastest."""
    rows = len(columns[0][0])
    if rows == 0:
        raise DataError("There are no rows to audit: give at least one row with label, decision and group.")
    cells = np.zeros(rows, dtype=np.int64)
    for values, name, size in columns:
        cells = cells * size + _codes(values, name, size=size, rows=rows)
    return cells


def _codes(values: np.ndarray, name: str, *, size: int, rows: int) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (rows,):
        raise DataError(f"The {name} have shape {values.shape}, not ({rows},): give one value per row in each column.")
    codes = values.astype(np.int64)
    # Casting first would turn 0.7 into 0 and NaN into nonsense without a word.
    if not np.array_equal(codes, values) or codes.min() < 0 or codes.max() >= size:
        strange = next(v for v in values.tolist() if v not in range(size))
        raise DataError(f"The {name} hold {strange!r}: use the whole numbers 0 to {size - 1}.")
    return codes


def intersections(
    groups: np.ndarray, levels: Sequence[Sequence[str]], *, keep_empty: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Combine several protected attributes into one: return codes (n,) and the names of the combined groups.

    `groups` is (n, p) with codes into `levels[p]`. Combinations that no row has are left out unless `keep_empty`.

    >>> codes, names = intersections([[0, 1], [1, 0], [0, 1]], [("F", "M"), ("old", "young")])
    >>> codes.tolist(), names
    ([0, 1, 0], ('F × young', 'M × old'))
    """
    groups = np.asarray(groups)
    if groups.ndim != 2 or groups.shape[1] != len(levels):
        raise DataError(f"The groups have shape {groups.shape}: give one column for each of {len(levels)} attributes.")
    columns = [(groups[:, p], f"groups of attribute {p + 1}", len(levels[p])) for p in range(len(levels))]
    cells = _cells(*columns)
    names = [""]
    for names_of_level in levels:
        names = [f"{left} × {right}" if left else str(right) for left in names for right in names_of_level]
    if keep_empty:
        return cells, tuple(names)
    present, codes = np.unique(cells, return_inverse=True)
    return codes, tuple(names[cell] for cell in present)
