"""Similar individuals: what may differ between two people who ought to be decided alike.

S(x): the FREE columns of individual x vary over their domain (protected attributes over all values, `within` columns
by at most e in either direction, clipped to the domain), everything else stays as it is. Domains come from the data
set's schema, so S(x) is built of raw values and then encoded: no point of it is a person who cannot exist.

A protected group that is cut from a number (age_group from age) frees the number, because that is what a network
reads. A column whose weights into the first layer are all exactly 0 is not read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fairneuron_core.data.columns import BinnedColumn
from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.types import MISSING, Classifier, Column, DecisionRule, EncodedColumn, Encoder, Schema, VoteRule
from fairneuron_core.verify.domains import domain_of, limits
from fairneuron_core.verify.free_column import FreeColumn


@dataclass(frozen=True)
class Freedom:
    """What may differ: protected attributes freely, `within` columns by +-e in the column's own units."""

    protected: tuple[str, ...]
    within: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SimilarSpace:
    """S(x) for one classifier: which of its inputs may vary, and over which values.

    columns         what the network reads and may vary
    unread          asked for, but neither the network nor its rule reads it
    rule_attribute  the attribute that the classifier's rule reads, when it is freed
    finite, size    whether S(x) can be enumerated, and its number of points (0 when it cannot)
    positions       (f,) the input positions that may vary
    """

    freedom: Freedom
    encoder: Encoder
    columns: tuple[FreeColumn, ...]
    unread: tuple[str, ...]
    rule_attribute: str | None
    finite: bool
    size: int
    positions: np.ndarray
    schema: Schema

    @property
    def nothing_read(self) -> bool:
        """Whether neither the network nor its rule reads anything that may differ."""
        return not self.columns and self.rule_attribute is None

    @property
    def windowed(self) -> bool:
        return any(column.windowed for column in self.columns)

    def combinations(self) -> np.ndarray:
        """Return every combination of the free inputs (m, f) float32 in domain order: the last column varies fastest.

        Raises SettingError when a free column is real-valued, or varies around each row's own value.
        """
        if self.windowed or not self.finite:
            raise SettingError(
                "These similar individuals cannot be listed once for all rows: "
                "free whole attributes of levels or whole numbers only."
            )
        return self._combined(np.zeros((1, self.encoder.width), np.float32))[0]

    def points(self, features: np.ndarray) -> np.ndarray:
        """Return all of S(x) for every row of features (n, d), as (n, m, d) float32.

        The row itself is among them where it lies in the domain; clipped windows repeat their last value.
        Raises SettingError when a free column is real-valued.
        """
        if not self.finite:
            raise SettingError("A real-valued column has endlessly many similar individuals: use `box` for its bounds.")
        found = np.repeat(np.asarray(features, np.float32)[:, None, :], self.size, axis=1)
        found[:, :, self.positions] = self._combined(np.asarray(features, np.float32))
        return found

    def _combined(self, features: np.ndarray) -> np.ndarray:
        parts = [column.inputs(features) for column in self.columns]
        chosen = self.indices()
        n = len(features)
        taken = [np.broadcast_to(p[:, i], (n, len(i), p.shape[2])) for p, i in zip(parts, chosen, strict=True)]
        return np.concatenate(taken, axis=2) if taken else np.empty((n, 1, 0), np.float32)

    def indices(self) -> np.ndarray:
        """Return which value each column takes in every combination, (columns, m)."""
        sizes = [len(column.values) for column in self.columns]
        return np.indices(sizes).reshape(len(sizes), -1) if sizes else np.empty((0, 1), np.int64)

    def box(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest inputs (n, d) float64 of S(x) of every row of features (n, d)."""
        low = np.array(features, dtype=np.float64)
        high = low.copy()
        for column in self.columns:
            inputs = column.inputs(np.asarray(features, np.float32)).astype(np.float64)
            at = slice(column.start, column.start + column.width)
            low[:, at], high[:, at] = inputs.min(axis=1), inputs.max(axis=1)
        return low, high

    def describe(self, point: np.ndarray, base: Mapping[str, Any]) -> dict[str, Any]:
        """Return the raw values `base` with the free columns replaced by what the encoded point (d,) says.

        Groups that are cut from a free column follow it.
        """
        found = dict(base)
        for column in self.columns:
            inputs = np.asarray(point, np.float32)[column.start : column.start + column.width]
            found[column.name] = column.read(inputs, base.get(column.name))
        names = {column.name for column in self.columns}
        for derived in self.schema.columns:
            asked = derived.name in base or derived.name in self.freedom.protected
            if isinstance(derived, BinnedColumn) and derived.derived_from in names and asked:
                found[derived.name] = group_of(derived, found[derived.derived_from])
        return found


def group_of(derived: BinnedColumn, value: Any) -> str:
    """Return the group that a number belongs to; each edge belongs to the upper group."""
    if value is None or value == MISSING or value != value:
        return MISSING
    return derived.levels[int(np.searchsorted(derived.edges, float(value), side="right"))]


def similar_space(schema: Schema, classifier: Classifier, freedom: Freedom) -> SimilarSpace:
    """Return what may vary in the inputs of this classifier.

    Raises
    ------
    SettingError : an unknown column, one in `protected` that is no protected attribute, the target, a window around a
        category, a negative window, or a column that is asked to be both free and within a window.
    ModelError : the network reads a group and the number that it is cut from, which cannot vary apart.
    """
    _check(schema, freedom)
    read = read_columns(classifier)
    roots = {name: root_of(schema, name) for name in (*freedom.protected, *freedom.within)}
    columns, used = [], set()
    for encoded, start in read:
        asked = [name for name, root in roots.items() if root == root_of(schema, encoded.name)]
        if not asked:
            continue
        if (root := roots[asked[0]]) in used:
            raise ModelError(
                f"The network reads '{root}' twice, as a number and as groups of it, which cannot vary apart: "
                "train it on one of them."
            )
        used.add(root)
        columns.append(_free_column(schema, encoded, start, freedom, asked))
    rule = group_rule(classifier)
    freed = rule.attribute if rule and root_of(schema, rule.attribute) in roots.values() else None
    ruled = root_of(schema, freed) if freed else None
    finite = all(column.finite for column in columns)
    return SimilarSpace(
        freedom=freedom,
        encoder=classifier.encoder,
        columns=tuple(columns),
        unread=tuple(name for name, root in roots.items() if root not in used and root != ruled),
        rule_attribute=freed,
        finite=finite,
        size=math.prod(len(column.values) for column in columns) if finite else 0,
        positions=np.array([p for c in columns for p in range(c.start, c.start + c.width)], dtype=np.int64),
        schema=schema,
    )


def root_of(schema: Schema, name: str) -> str:
    """Return the column that a group is cut from, or the column itself."""
    column = next((c for c in schema.columns if c.name == name), None)
    return (column.derived_from if column else None) or name


def group_rule(classifier: Classifier) -> DecisionRule | None:
    """Return the rule that decides by a threshold per group, if the classifier has one."""
    return classifier.rule if isinstance(classifier.rule, DecisionRule) else None


def read_columns(classifier: Classifier) -> list[tuple[EncodedColumn, int]]:
    """Return the encoded columns that can change a decision, each with its first input position.

    A column whose weights into the first layer are all exactly 0 cannot, nor can one that a vote replaces.
    """
    matters: np.ndarray = (linear_layers(classifier.network)[0].weight != 0).any(axis=0)  # (d,)
    if isinstance(classifier.rule, VoteRule):
        matters[list(classifier.rule.positions)] = False
    columns = classifier.encoder.columns
    starts = [0, *itertools.accumulate(c.width for c in columns)]
    return [(c, at) for c, at in zip(columns, starts, strict=False) if matters[at : at + c.width].any()]


def _free_column(schema: Schema, encoded: EncodedColumn, start: int, freedom: Freedom, asked: list[str]) -> FreeColumn:
    known = encoded.name in schema.names
    column = schema.column(encoded.name) if known else Column(encoded.name, "feature", encoded.raw_kind)
    window = next((freedom.within[name] for name in asked if name in freedom.within), None)
    if window is None:
        gaps = any(MISSING in schema.column(name).levels for name in asked) and column.kind == "numeric"
        domain = domain_of(column, encoded, may_be_missing=gaps)
        ends = limits(column, encoded) if encoded.kind == "numeric" else (math.nan, math.nan)
        return FreeColumn(encoded.name, start, encoded.width, domain.kind, domain.values, domain.raw, encoded, *ends)
    if encoded.kind != "numeric":
        raise ModelError(
            f"The network reads the numbers of '{encoded.name}' as levels, around which there is no window of "
            f"+-{window:g}: let another column vary."
        )
    low, high = limits(column, encoded)
    reach = math.floor(window)
    offsets = np.arange(-reach, reach + 1.0) if column.integer else np.array([-window, window])
    kind: Literal["window", "real_window"] = "window" if column.integer else "real_window"
    return FreeColumn(encoded.name, start, 1, kind, offsets, tuple(offsets.tolist()), encoded, low, high)


def _check(schema: Schema, freedom: Freedom) -> None:
    known = ", ".join(schema.names[:12])
    for name in (*freedom.protected, *freedom.within):
        if name not in schema.names:
            raise SettingError(f"There is no column '{name}': choose from {known}.")
        if name == schema.target.name:
            raise SettingError(f"'{name}' is the target, which is no property of an individual: choose another column.")
    for name in freedom.protected:
        if name not in schema.protected:
            raise SettingError(
                f"'{name}' is not a protected attribute: choose from {', '.join(schema.protected)}, "
                "or let it vary within a window."
            )
    for name, reach in freedom.within.items():
        if schema.column(name).kind != "numeric":
            raise SettingError(f"'{name}' is a category and has no window of +-{reach}: choose a column of numbers.")
        if not (reach >= 0 and math.isfinite(reach)):
            raise SettingError(f"The window of '{name}' is {reach}: choose a number of at least 0.")
    free = {root_of(schema, name): name for name in freedom.protected}
    if twice := sorted(set(free) & set(freedom.within)):
        raise SettingError(
            f"'{twice[0]}' cannot be free (as '{free[twice[0]]}') and within a window too: choose one of them."
        )
