"""What one column holds: numbers or categories, how a value is written as text, and groups cut from a number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING, Column, Kind


@dataclass(frozen=True)
class BinnedColumn(Column):
    """A protected column cut from the numeric column `derived_from`; each edge belongs to the upper group."""

    edges: tuple[float, ...] = ()


def kind_of(values: pd.Series) -> Kind:
    """Return "numeric" for a column of numbers, "category" for text and true/false values."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return "numeric" if numeric else "category"


def value_text(value: object) -> str:
    """Write one value as people read it: 1.0 is `1`, text loses the white space around it."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def as_text(values: pd.Series) -> pd.Series:
    """Return the column as text in which a missing or blank value reads `(missing)`, shape and index kept."""
    codes, found = pd.factorize(values, use_na_sentinel=True)
    written = [value_text(v) or MISSING for v in found] + [MISSING]
    if pd.api.types.is_string_dtype(values) and codes.min(initial=0) >= 0 and written[:-1] == list(found):
        return values
    return pd.Series(np.array(written, dtype=object)[codes], index=values.index, name=values.name, dtype=str)


def distinct_texts(values: pd.Series) -> set[str]:
    """Return the distinct texts of a column, `(missing)` among them when a value is missing or blank."""
    return {MISSING if pd.isna(v) else value_text(v) or MISSING for v in values.unique()}


def as_numbers(values: pd.Series) -> pd.Series:
    """Return the column as int64 where every value is a whole number, else as float64 with NaN for missing."""
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(numbers)
    if not known.all():
        numbers = np.where(known, numbers, np.nan)
    elif len(numbers) and are_whole(numbers) and (np.abs(numbers) < 2**53).all():
        numbers = numbers.astype(np.int64)
    return pd.Series(numbers, index=values.index, name=values.name)


def are_whole(numbers: pd.Series | np.ndarray) -> bool:
    """True when every number is whole and none is missing; the first thousand are looked at first."""
    plain = np.asarray(numbers, dtype=float)
    return all(bool((part == np.floor(part)).all()) for part in (plain[:1000], plain))


def more_values_than(limit: int, values: pd.Series) -> bool:
    """True for more than `limit` distinct values; the first thousand are looked at first."""
    return values.iloc[:1000].nunique() > limit or (len(values) > 1000 and values.nunique() > limit)


def ordered_levels(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct texts in reading order: by number where all are numbers, `(missing)` last."""
    found = set(texts)
    known = found - {MISSING}
    try:
        numbers = {text: float(text) for text in known}
    except ValueError:
        numbers = {}
    by_number = bool(numbers) and all(math.isfinite(v) for v in numbers.values())
    ordered = sorted(known, key=lambda t: (numbers[t], t)) if by_number else sorted(known)
    return (*ordered, *(found & {MISSING}))


def bin_labels(edges: Sequence[float], *, integer: bool) -> tuple[str, ...]:
    """Name the groups that `edges` make.

    >>> bin_labels([25, 60], integer=True)
    ('under 25', '25 to 59', '60 and over')
    >>> bin_labels([0.5], integer=False)
    ('under 0.5', '0.5 and over')
    """
    texts = [f"{edge:.10g}" for edge in edges]
    middle = [
        f"{low} to {f'{high - 1:.10g}' if integer else f'under {high_text}'}"
        for low, high, high_text in zip(texts[:-1], edges[1:], texts[1:], strict=True)
    ]
    return (f"under {texts[0]}", *middle, f"{texts[-1]} and over")


def binned_column(
    name: str, values: pd.Series, *, edges: Sequence[float], levels: Sequence[str] | None = None
) -> BinnedColumn:
    """Describe the protected column `name` cut from `values` at `edges` (DataError when the edges make no groups)."""
    cuts = tuple(float(edge) for edge in edges)
    if not cuts or list(cuts) != sorted(set(cuts)) or not all(math.isfinite(c) for c in cuts):
        raise DataError(
            f"The group limits {list(edges)} of column '{values.name}' do not rise: give one or more rising numbers."
        )
    numbers = as_numbers(values)
    integer = all(c.is_integer() for c in cuts) and are_whole(numbers.dropna())
    return BinnedColumn(
        name=name,
        role="protected",
        kind="category",
        levels=tuple(levels) if levels else bin_labels(cuts, integer=integer),
        derived_from=str(values.name),
        note=f"groups of {values.name}",
        edges=cuts,
    )


def bin_values(values: pd.Series, column: BinnedColumn) -> pd.Series:
    """Return the group of each number as text, `(missing)` for a missing number."""
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    labels = np.array([*column.levels[: len(column.edges) + 1], MISSING], dtype=object)
    codes = np.where(np.isnan(numbers), len(column.edges) + 1, np.searchsorted(column.edges, numbers, side="right"))
    return pd.Series(labels[codes], index=values.index, name=column.name, dtype=str)


def quartile_edges(values: pd.Series) -> tuple[float, ...]:
    """Return the distinct quartiles of a numeric column that leave rows on both sides."""
    numbers = as_numbers(values).dropna()
    cuts = sorted({float(np.round(q, 6)) for q in numbers.quantile([0.25, 0.5, 0.75])})
    return tuple(c for c in cuts if numbers.min() < c <= numbers.max())
