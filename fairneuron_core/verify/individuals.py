"""Individuals of a data set's domain: made up or read from rows, as numbers to search in and as values to read.

An individual is one row of numbers, one per column that describes a person: the position of its level for a category,
the number itself otherwise. Every such row within the domains is a real individual; its inputs are exactly those that
`encode_frame` gives for its raw values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from fairneuron_core.data import BinnedColumn, encode_frame, groups_of
from fairneuron_core.data.columns import as_numbers, as_text
from fairneuron_core.models import decisions, scores
from fairneuron_core.types import MISSING, Batch, Classifier, Column, Dataset, DecisionRule, EncodedColumn, Encoder
from fairneuron_core.verify.domains import encode_values, limits
from fairneuron_core.verify.similar import group_of


@dataclass(frozen=True, eq=False)
class Trait:
    """The values of one column and the inputs start .. start+width they become (width 0: the network reads none).

    `table` (levels, width) float32 holds the inputs of every level, None for numbers.
    """

    column: Column
    kind: Literal["levels", "integers", "reals"]
    low: float
    high: float
    encoded: EncodedColumn | None
    start: int
    table: np.ndarray | None = None

    @property
    def width(self) -> int:
        return self.encoded.width if self.encoded else 0

    @property
    def linear(self) -> bool:
        """Whether the one input of this column grows evenly with its number."""
        return self.table is None and self.encoded is not None and self.encoded.kind == "numeric"

    def inside(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the domain that lie nearest to `values`."""
        clipped = values.clip(self.low, self.high)
        return clipped if self.kind == "reals" else np.rint(clipped)

    def draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """Return n values (n,) drawn uniformly from the domain."""
        if self.kind == "reals":
            return generator.uniform(self.low, self.high, n)
        return generator.integers(int(self.low), int(self.high) + 1, n).astype(float)

    def raw(self, value: float) -> Any:
        """Return one value as a person reads it: a level, a whole number or a number."""
        if self.kind == "levels":
            return self.column.levels[int(value)]
        return int(value) if self.kind == "integers" else float(value)

    def inputs(self, values: np.ndarray) -> np.ndarray:
        """Return the inputs (n, width) of values (n,)."""
        assert self.encoded is not None
        if self.table is not None:
            return self.table[values.astype(np.intp)]
        if self.encoded.kind != "numeric":
            return encode_values(self.encoded, as_text(pd.Series(values)))
        span = self.encoded.high - self.encoded.low
        return ((values - self.encoded.low) / (span if span > 0 else 1.0)).astype(np.float32)[:, None]


@dataclass(frozen=True, eq=False)
class Cut:
    """A group that is cut from the number in column `source`; `table` (levels, width) where the network reads it."""

    column: BinnedColumn
    source: int
    start: int
    table: np.ndarray | None

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        """Return the position of the level that each number falls into, any shape."""
        return np.searchsorted(self.column.edges, numbers, side="right")


@dataclass(frozen=True, eq=False)
class Individuals:
    """All columns that describe a person, without the target; groups that are cut from a number follow it (`cuts`)."""

    traits: tuple[Trait, ...]
    cuts: tuple[Cut, ...]
    width: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(trait.column.name for trait in self.traits)

    def uniform(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """Return n individuals (n, columns), every column uniform over its domain, independently."""
        return np.stack([trait.draw(n, generator) for trait in self.traits], axis=1)

    def of_rows(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the rows of a table (n, columns); a missing number becomes the value that the encoder fills in."""
        columns = []
        for trait in self.traits:
            values = frame[trait.column.name]
            if trait.kind == "levels":
                found = pd.Index(trait.column.levels).get_indexer(as_text(values)).astype(float)
                columns.append(np.where(found < 0, 0.0, found))
            else:
                numbers = as_numbers(values).to_numpy(dtype=float)
                fill = trait.encoded.fill if trait.encoded else trait.low
                columns.append(trait.inside(np.where(np.isnan(numbers), fill, numbers)))
        return np.stack(columns, axis=1)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return the inputs (n, width) float32 of individuals (n, columns)."""
        features = np.zeros((len(values), self.width), np.float32)
        for position, trait in enumerate(self.traits):
            if trait.encoded:
                features[:, trait.start : trait.start + trait.width] = trait.inputs(values[:, position])
        for cut in self.cuts:
            if cut.table is not None:
                features[:, cut.start : cut.start + cut.table.shape[1]] = cut.table[cut.codes(values[:, cut.source])]
        return features

    def raw(self, values: np.ndarray) -> dict[str, Any]:
        """Return one individual (columns,) as column -> raw value, groups that are cut from a column included."""
        found = {trait.column.name: trait.raw(v) for trait, v in zip(self.traits, values, strict=True)}
        return found | {cut.column.name: group_of(cut.column, values[cut.source]) for cut in self.cuts}


def individuals(dataset: Dataset, encoder: Encoder) -> Individuals:
    """Return the columns of a data set's individuals with their domains and places among the encoder's inputs."""
    places: dict[str, tuple[EncodedColumn, int]] = {}
    start = 0
    for encoded in encoder.columns:
        places[encoded.name] = (encoded, start)
        start += encoded.width
    columns = dataset.schema.columns
    described = [
        c
        for c in columns
        if not isinstance(c, BinnedColumn) and (c.role in ("feature", "protected") or c.name in places)
    ]
    names = [c.name for c in described]
    cuts = [
        _cut(c, names.index(c.derived_from), *places.get(c.name, (None, 0)))
        for c in columns
        if isinstance(c, BinnedColumn) and c.derived_from in names
    ]
    return Individuals(tuple(_trait(c, *places.get(c.name, (None, 0))) for c in described), tuple(cuts), start)


def _cut(column: BinnedColumn, source: int, encoded: EncodedColumn | None, start: int) -> Cut:
    return Cut(column, source, start, None if encoded is None else encode_values(encoded, column.levels))


def _trait(column: Column, encoded: EncodedColumn | None, start: int) -> Trait:
    if column.kind == "category":
        table = None if encoded is None else encode_values(encoded, column.levels)
        return Trait(column, "levels", 0.0, len(column.levels) - 1.0, encoded, start, table)
    low, high = limits(column, encoded) if encoded else (column.low or 0.0, column.high or 0.0)
    return Trait(column, "integers" if column.integer else "reals", low, high, encoded, start)


def decide_raw(
    dataset: Dataset, classifier: Classifier, people: Sequence[Mapping[str, Any]], draws: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (n,) and decisions (n,) of people given as raw values, as the deployed classifier decides.

    draws : the position by which a rule with a draw decides; two similar people share theirs.

    Raises
    ------
    ModelError : a column that the network or its rule reads is missing.
    """
    numeric = {c.name for c in dataset.schema.columns if c.kind == "numeric"}
    frame = pd.DataFrame(
        [{k: None if k in numeric and v == MISSING else v for k, v in person.items()} for person in people]
    )
    features = encode_frame(frame, classifier.encoder, name=dataset.name)
    batch = rule_batch(dataset, classifier, features, frame, np.asarray(draws, np.int64))
    found = scores(classifier, features)
    return found, decisions(classifier, batch, scored=found)


def rule_batch(
    dataset: Dataset, classifier: Classifier, features: np.ndarray, frame: pd.DataFrame, draws: np.ndarray
) -> Batch:
    """Return rows ready to be decided on: with the groups that the classifier's rule reads, if it has one."""
    read = (classifier.rule.attribute,) if isinstance(classifier.rule, DecisionRule) else ()
    groups = groups_of(dataset, attributes=read, frame=frame) if read else np.empty((len(features), 0), np.int16)
    levels = tuple(dataset.schema.column(name).levels for name in read)
    return Batch(features, np.zeros(len(features), np.uint8), groups, read, levels, draws)
