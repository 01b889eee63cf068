"""The domain of one column, as the schema states it and as the classifier's encoder writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import as_text
from fairneuron_core.data.encoding import encode_frame
from fairneuron_core.types import MISSING, Column, EncodedColumn, Encoder

MOST_INTEGERS = 1_000_000
"""An integer range with more values is treated as a real one: nobody enumerates it."""


@dataclass(frozen=True, eq=False)
class Domain:
    """All values of one column, encoded (m, width) float32 and as a person reads them; of a real range: its ends."""

    kind: Literal["levels", "integers", "reals"]
    values: np.ndarray
    raw: tuple[Any, ...]

    @property
    def finite(self) -> bool:
        return self.kind != "reals"


def domain_of(column: Column, encoded: EncodedColumn, *, may_be_missing: bool = False) -> Domain:
    """Return every value that `column` can take, encoded exactly as `data.encode_frame` does.

    Levels that the encoder did not see are zeros in all its inputs, or its code for them. `may_be_missing` adds the
    missing value to a range of numbers; the encoder writes it as the training median.
    """
    if encoded.kind != "numeric":
        levels = column.levels or _numbers(column, may_be_missing) or encoded.levels
        return Domain("levels", encode_values(encoded, levels), tuple(levels))
    low, high = limits(column, encoded)
    gap = np.array([np.nan]) if may_be_missing else np.empty(0)
    if column.integer and high - low < MOST_INTEGERS:
        numbers = np.arange(np.ceil(low), np.floor(high) + 1)
        raw = (*(int(v) for v in numbers), *([MISSING] if may_be_missing else []))
        kind: Literal["levels", "integers"] = "levels" if may_be_missing else "integers"
        return Domain(kind, encode_values(encoded, np.concatenate([numbers, gap])), raw)
    return Domain("reals", encode_values(encoded, np.array([low, high])), (low, high))


def _numbers(column: Column, may_be_missing: bool) -> tuple[Any, ...]:
    """Return the whole numbers of a column whose numbers the encoder writes as levels."""
    if not column.integer or column.low is None or column.high is None or column.high - column.low >= MOST_INTEGERS:
        return ()
    return (*range(int(column.low), int(column.high) + 1), *([MISSING] if may_be_missing else []))


def limits(column: Column, encoded: EncodedColumn) -> tuple[float, float]:
    """Return the lowest and highest number of a numeric column; the encoder's own where the schema has none."""
    low = encoded.low if column.low is None else column.low
    high = encoded.high if column.high is None else column.high
    return float(low), float(high)


def encode_values(encoded: EncodedColumn, raw: Any) -> np.ndarray:
    """Return the inputs (m, width) float32 of raw values of one column."""
    values = pd.Series(raw, dtype=float) if encoded.kind == "numeric" else as_text(pd.Series(list(raw), dtype=object))
    return encode_frame(pd.DataFrame({encoded.name: values}), Encoder((encoded,)))


def decode_number(encoded: EncodedColumn, inputs: np.ndarray) -> np.ndarray:
    """Return the raw numbers behind the inputs of a numeric column, as exact as float32 lets them be."""
    span = encoded.high - encoded.low
    return np.asarray(inputs, dtype=np.float64) * (span if span > 0 else 1.0) + encoded.low
