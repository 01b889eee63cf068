"""Similar people made of raw table columns, straight from the schema: the re-check's own reading of what may differ."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core.data import BinnedColumn
from fairneuron_core.data.schema import protected_text
from fairneuron_core.errors import SettingError
from fairneuron_core.types import MISSING, Classifier, Dataset, DecisionRule

DRAWN = 200
"""Random people per row where they cannot all be tried; every other one stands in a corner."""

_EDGE = 1e-6  # relative room for numbers that went through text


@dataclass(frozen=True)
class Varied:
    """A raw column that may differ.

    values      what it may be (or, with a tolerance, what may be added to a row's own value); None: any real number
    low, high   the limits of a number
    tolerance   None where the column is free
    """

    name: str
    values: tuple[Any, ...] | None
    low: float = math.nan
    high: float = math.nan
    tolerance: float | None = None

    def put(self, table: pd.DataFrame, chosen: Any) -> Any:
        """Return the column of `table` when its rows take what was chosen; a moved number stays inside the limits."""
        if self.tolerance is None:
            return chosen
        return (pd.to_numeric(table[self.name]) + chosen).clip(self.low, self.high)

    def draw(self, n: int, generator: np.random.Generator, *, corner: bool) -> np.ndarray:
        """Return what n rows take at random, or at random among the ends."""
        if self.values is not None:
            kind = object if isinstance(self.values[0], str) else float
            return np.array(self.values, dtype=kind)[generator.integers(len(self.values), size=n)]
        ends = (self.low, self.high) if self.tolerance is None else (-self.tolerance, self.tolerance)
        return generator.choice(ends, size=n) if corner else generator.uniform(*ends, size=n)

    def allows(self, this: Any, other: Any, *, doubled: bool = False) -> bool:
        """Say whether `other` is a value of somebody similar to a person with the value `this`.

        With `doubled`, whether both can be similar to one third person: up to two tolerances apart.
        """
        if same_value(this, other):
            return True
        if _is_missing(other):
            return self.tolerance is None and any(_is_missing(v) for v in self.values or ())
        if self.values is not None and self.tolerance is None:
            return other in self.values
        room = _EDGE * max(1.0, abs(self.high), abs(self.low))
        reach = math.inf if self.tolerance is None or _is_missing(this) else (1 + doubled) * self.tolerance
        near = reach == math.inf or abs(float(other) - float(this)) <= reach + room
        return near and self.low - room <= float(other) <= self.high + room


def _is_missing(value: Any) -> bool:
    return value is None or value == MISSING or value != value


def same_value(first: Any, second: Any) -> bool:
    """Say whether two raw values are the same, whether they went through JSON or not."""
    if _is_missing(first) or _is_missing(second):
        return _is_missing(first) and _is_missing(second)
    if isinstance(first, str) or isinstance(second, str):
        return str(first) == str(second)
    return abs(float(first) - float(second)) <= _EDGE * max(1.0, abs(float(first)))


def varied_columns(dataset: Dataset, protected: Sequence[str], within: Mapping[str, float]) -> tuple[Varied, ...]:
    """Return the raw columns that may differ; a group that is cut from a number frees the number.

    Raises SettingError when the data set has no such column.
    """
    schema, found = dataset.schema, []
    if missing := [name for name in (*protected, *within) if name not in schema.names]:
        raise SettingError(f"The certificate speaks of '{missing[0]}', which is no column of '{dataset.name}'.")
    for name in protected:
        group = schema.column(name)
        source = schema.column(group.derived_from) if group.derived_from else group
        if source.kind == "category":
            found.append(Varied(source.name, tuple(source.levels)))
            continue
        low, high = _limits(source.low), _limits(source.high)
        gap = (math.nan,) if MISSING in group.levels else ()
        whole = (*np.arange(low, high + 1).tolist(), *gap) if source.integer else None
        found.append(Varied(source.name, whole, low, high))
    for name, reach in within.items():
        column = schema.column(name)
        steps = tuple(float(s) for s in range(-int(reach), int(reach) + 1)) if column.integer else None
        found.append(Varied(name, steps, _limits(column.low), _limits(column.high), float(reach)))
    return tuple(found)


def _limits(value: float | None) -> float:
    return 0.0 if value is None else float(value)


def read_by(varied: Sequence[Varied], dataset: Dataset, classifier: Classifier) -> tuple[Varied, ...]:
    """Return those columns that the classifier gets to see: as inputs, or through the group that its rule reads."""
    seen = {column.name for column in classifier.encoder.columns}
    if isinstance(classifier.rule, DecisionRule):
        attribute = dataset.schema.column(classifier.rule.attribute)
        seen |= {attribute.name, attribute.derived_from or attribute.name}
    return tuple(column for column in varied if column.name in seen)


def similar_people(table: pd.DataFrame, varied: Sequence[Varied], *, every: bool) -> Iterator[dict[str, Any]]:
    """Yield changed columns for all rows at once: every combination, or DRAWN random ones with seed 0."""
    if every:
        for chosen in itertools.product(*(column.values or () for column in varied)):
            yield {column.name: column.put(table, one) for column, one in zip(varied, chosen, strict=True)}
        return
    generator = np.random.default_rng(0)
    for turn in range(DRAWN):
        yield {c.name: c.put(table, c.draw(len(table), generator, corner=turn % 2 == 0)) for c in varied}


def with_groups(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its derived groups cut anew from the numbers that it holds now."""
    derived = [c for c in dataset.schema.columns if isinstance(c, BinnedColumn) and c.derived_from in frame.columns]
    return frame.assign(**{column.name: protected_text(frame, column) for column in derived})
