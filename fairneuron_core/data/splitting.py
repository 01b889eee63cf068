"""Training, validation and test rows 7:1:2, exact in number and stratified on label x protected groups.

1. Shuffle all rows with the seed.
2. Sort them by stratum (label and groups), keeping the shuffled order inside a stratum.
3. Walk along that order and take every 5th row as test, evenly spaced from a random start (systematic sampling);
   then take the validation rows from the rest in the same way.
Every stratum, however small, gives its share to within one row, and the three sizes are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairneuron_core.data.table import groups_of, labels_of, protected_levels
from fairneuron_core.errors import DataError
from fairneuron_core.types import Dataset, Split

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
FEWEST_ROWS = 10


def split_rows(dataset: Dataset, *, seed: int, protected: str | Sequence[str] | None = None) -> Split:
    """Return row positions of the three parts: round(.2 n) test, round(.1 n) validation, the rest training.

    `protected` names the attributes whose groups are strata together with the label (default: the first one).
    Equal data, seed and attributes give equal rows on every machine; positions are ascending.

    Raises
    ------
    DataError : fewer than 10 rows, or an attribute that is not protected.
    """
    named = (
        dataset.schema.protected[:1] if protected is None else [protected] if isinstance(protected, str) else protected
    )
    for name in named:
        protected_levels(dataset, name)
    n = len(dataset.frame)
    if n < FEWEST_ROWS:
        raise DataError(f"The table has {n} rows; training, validation and test parts need at least {FEWEST_ROWS}.")
    keys = np.column_stack([labels_of(dataset), groups_of(dataset, attributes=list(named))])
    strata = _strata(keys)
    generator = np.random.default_rng(seed)
    order = generator.permutation(n)
    order = order[np.argsort(strata[order], kind="stable")]
    test = _every(n, round(TEST_SHARE * n), generator)
    rest = order[~test]
    validation = _every(len(rest), round(VALIDATION_SHARE * n), generator)
    return Split(np.sort(rest[~validation]), np.sort(rest[validation]), np.sort(order[test]), seed)


def _strata(keys: np.ndarray) -> np.ndarray:
    """Return one number per row (n,) that orders the rows as their keys (n, k) do, first column first."""
    found = np.zeros(len(keys), np.int64)
    for column in keys.T:
        found = found * (int(column.max()) + 1) + column
        if found.max() > 2**31:
            found = np.unique(found, return_inverse=True)[1]
    return found


def _every(n: int, size: int, generator: np.random.Generator) -> np.ndarray:
    """Mark `size` of `n` places (n,) bool, evenly spaced from a random start."""
    marks = np.arange(n + 1, dtype=np.int64) * size + generator.integers(n)
    return np.diff(marks // n) > 0
