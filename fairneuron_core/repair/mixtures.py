"""More rows to learn from: mixtures of two real rows, column by column, for teachers that can judge any row."""

from __future__ import annotations

import numpy as np

from fairneuron_core.types import Encoder

SHARE = 0.3
"""Share of a row's columns that come from another row."""


def mixed_rows(encoder: Encoder, features: np.ndarray, *, times: int, seed: int) -> np.ndarray:
    """Return `times` mixtures of every row (times * n, d): each column is, with probability SHARE, another row's.

    A column of one-hot inputs is taken over as a whole, so every mixture is a row that the encoder could have made.
    """
    generator = np.random.default_rng([seed, 2])
    rows = np.tile(features, (times, 1))
    first = 0
    for column in encoder.columns:
        taken = np.flatnonzero(generator.random(len(rows)) < SHARE)
        other = generator.integers(0, len(features), taken.size)
        rows[taken, first : first + column.width] = features[other, first : first + column.width]
        first += column.width
    return rows
