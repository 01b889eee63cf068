"""How the columns of a data set become the inputs of a network from elsewhere: stated by a person, or guessed.

A mapping lists the columns in the order of the network's inputs. It becomes an ordinary `Encoder`, so everything that
is done with an own network is done with a foreign one too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import as_numbers, as_text, distinct_texts, ordered_levels
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING, Column, Dataset, EncodedColumn, Encoder

How = Literal["number", "one_hot", "codes"]
Scaling = Literal["none", "min_max", "standard", "given"]
HOWS: tuple[How, ...] = ("number", "one_hot", "codes")
SCALINGS: tuple[Scaling, ...] = ("none", "min_max", "standard", "given")
UNKNOWN_CODE = -1.0
"""What a value that is none of the levels is coded as."""
MOST_NUMBERS = 1000
"""Whole numbers that spread wider are not read as levels."""
_EVEN = 1e-9
_SHOWN = 12


@dataclass(frozen=True)
class MappedColumn:
    """One column and the inputs it becomes.

    how              number: the number itself; one_hot: one input per level; codes: the position of the level
    levels           one_hot, codes: the levels in the order of the inputs or codes; empty = all of the data set, in
                     reading order. A level that is left out of one_hot is all zeros (drop-first)
    scaling          of number and codes: none; min_max to [0, 1] and standard (mean 0, standard deviation 1) by the
                     training rows; given: (x - subtract) / divide
    """

    name: str
    how: How
    levels: tuple[str, ...] = ()
    scaling: Scaling = "none"
    subtract: float = 0.0
    divide: float = 1.0


@dataclass(frozen=True)
class InputMapping:
    """The columns in the order of the inputs, which class of the network is the favourable outcome, and from where on.

    favourable_class   1 = the network's output stands for the favourable outcome, 0 = for the other one
    threshold          score of the favourable outcome from which on the decision is favourable
    """

    columns: tuple[MappedColumn, ...]
    favourable_class: int = 1
    threshold: float = 0.5


def encoder_of(mapping: InputMapping, dataset: Dataset, rows: np.ndarray, *, inputs: int | None = None) -> Encoder:
    """Return the encoder that a mapping describes; scaling by min-max or standard is measured on `rows`.

    inputs : what the network reads, where it is known; the sum of the columns' inputs must equal it.

    Raises
    ------
    DataError : a column that is missing, the target or named twice, text where a number is read, levels that the data
        do not have, a scaling that divides by 0, or widths that do not add up.
    """
    if not mapping.columns or not len(rows):
        raise DataError(f"A mapping needs columns and rows; it got {len(mapping.columns)} columns, {len(rows)} rows.")
    names = [column.name for column in mapping.columns]
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataError(f"The mapping names column '{twice[0]}' twice: give every column one place.")
    encoder = Encoder(tuple(_encoded(column, dataset, rows) for column in mapping.columns))
    if inputs is not None and encoder.width != inputs:
        raise DataError(
            f"The mapping makes {encoder.width} inputs ({widths_of(encoder)}) but the network reads {inputs}: "
            "add or leave out columns, or write another number of levels."
        )
    return encoder


def widths_of(encoder: Encoder) -> str:
    """Return `age 1, job 4, ...`: the columns with their number of inputs."""
    shown = ", ".join(f"{c.name} {c.width}" for c in encoder.columns[:_SHOWN])
    more = len(encoder.columns) - _SHOWN
    return f"{shown}, and {more} more columns" if more > 0 else shown


def levels_in(dataset: Dataset, name: str) -> tuple[str, ...]:
    """Return the levels of one column, also of whole numbers that a network may read as levels."""
    column = dataset.schema.column(name)
    return column.levels or ordered_levels(distinct_texts(dataset.frame[name]))


def _encoded(mapped: MappedColumn, dataset: Dataset, rows: np.ndarray) -> EncodedColumn:
    schema = dataset.schema
    if mapped.name not in schema.names or mapped.name == schema.target.name:
        known = ", ".join(n for n in schema.names if n != schema.target.name)
        raise DataError(
            f"The mapping reads '{mapped.name}', which is no input column of '{dataset.title}': of {known}."
        )
    column, values = schema.column(mapped.name), dataset.frame[mapped.name].iloc[rows]
    if mapped.how == "number" and column.kind == "numeric":
        return _number(mapped, values)
    levels = mapped.levels or levels_in(dataset, mapped.name)
    _require_levels(mapped, column, levels, dataset)
    if mapped.how == "one_hot":
        return EncodedColumn(mapped.name, "category", levels=levels)
    if mapped.how == "codes":
        return _coded(mapped, levels, values, first=0.0, step=1.0)
    return _numbers_of_levels(mapped, column, values)


def _require_levels(mapped: MappedColumn, column: Column, levels: tuple[str, ...], dataset: Dataset) -> None:
    if column.kind == "numeric" and not (column.integer and mapped.how == "one_hot"):
        raise DataError(
            f"Column '{mapped.name}' holds numbers, which are read as {mapped.how}: map it as number"
            f"{', or as one_hot' if column.integer else ''}."
        )
    if column.kind == "numeric" and (column.high or 0) - (column.low or 0) > MOST_NUMBERS:
        raise DataError(
            f"Column '{mapped.name}' has whole numbers from {column.low:.10g} to {column.high:.10g}: that many are not "
            "read as levels, map it as number."
        )
    if len(set(levels)) != len(levels):
        raise DataError(f"The mapping names a level of '{mapped.name}' twice: give every level one place.")
    if not set(levels) & set(levels_in(dataset, mapped.name)):
        found = ", ".join(levels_in(dataset, mapped.name)[:6])
        raise DataError(
            f"None of the levels that the mapping gives for '{mapped.name}' is in '{dataset.title}', which has {found}."
        )
    if mapped.how == "one_hot" and mapped.scaling != "none":
        raise DataError(f"The inputs of '{mapped.name}' are 0 or 1, one per level: their scaling must be none.")


def _number(mapped: MappedColumn, values: pd.Series) -> EncodedColumn:
    numbers = as_numbers(values).to_numpy(dtype=float)
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        known = np.zeros(1)
    low, high = _limits(mapped, known)
    return EncodedColumn(mapped.name, "numeric", low=low, high=high, fill=float(np.median(known)))


def _limits(mapped: MappedColumn, known: np.ndarray) -> tuple[float, float]:
    """Return (low, high) such that an input is (x - low) / (high - low)."""
    if mapped.scaling == "min_max":
        return float(known.min()), float(known.max())
    if mapped.scaling == "standard":
        return float(known.mean()), float(known.mean() + known.std())
    if mapped.scaling == "none":
        return 0.0, 1.0
    if not (mapped.divide > 0 and math.isfinite(mapped.divide) and math.isfinite(mapped.subtract)):
        raise DataError(f"The mapping divides '{mapped.name}' by {mapped.divide:g}: give a number above 0.")
    return mapped.subtract, mapped.subtract + mapped.divide


def _coded(
    mapped: MappedColumn,
    levels: Sequence[str],
    values: pd.Series,
    *,
    first: float,
    step: float,
    fill: float | None = None,
) -> EncodedColumn:
    """Encode the number first + step * position of each level, scaled; positions carry the scaling."""
    codes = pd.Index(levels).get_indexer(as_text(values))
    known = first + step * codes[codes >= 0]
    low, high = _limits(mapped, known if len(known) else np.array([first]))
    span = high - low if high > low else 1.0
    low, high = (low - first) / step, (low - first + span) / step
    outside = UNKNOWN_CODE if fill is None else (fill - first) / step
    return EncodedColumn(mapped.name, "codes", levels=tuple(levels), low=low, high=high, fill=outside)


def _numbers_of_levels(mapped: MappedColumn, column: Column, values: pd.Series) -> EncodedColumn:
    """Encode levels that are evenly spaced numbers (a protected 0 and 1, say) as these numbers."""
    numbers: dict[str, float] = {}
    for level in column.levels:
        try:
            numbers[level] = float(level)
        except ValueError:
            continue
    ordered = tuple(sorted(numbers, key=lambda level: numbers[level]))
    steps = np.diff([numbers[level] for level in ordered])
    named = [level for level in column.levels if level not in numbers and level != MISSING]
    if named or not ordered or not np.isfinite(list(numbers.values())).all():
        raise DataError(
            f"Column '{mapped.name}' holds text such as '{(named or ['nothing'])[0]}': map it as one_hot or codes."
        )
    if len(steps) and not np.allclose(steps, steps[0], rtol=_EVEN, atol=0):
        raise DataError(
            f"The groups of '{mapped.name}' are numbers with gaps of different size ({', '.join(ordered[:6])}): "
            "map it as one_hot or codes, or give it no protected role."
        )
    first, step = numbers[ordered[0]], float(steps[0]) if len(steps) else 1.0
    known = [numbers[text] for text in as_text(values) if text in numbers]
    return _coded(mapped, ordered, values, first=first, step=step, fill=float(np.median(known)) if known else first)
