"""The whole space of individuals, cut into slices in which the same table of variants and the same thresholds hold.

A cell is one combination of everything that the network reads and that is not free; it is fair when the decision is
constant on its similar individuals. Columns that vary within a window, and the column that a rule of decision reads,
are fixed within a slice, because the variants or the thresholds depend on them. All other columns are enumerated.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core.models import layer_sizes
from fairneuron_core.types import Classifier, Column, EncodedColumn, Schema
from fairneuron_core.verify.cuts import (
    Cuts,
    codes_of,
    column_index,
    different_draws,
    logit_cuts,
    same_cut,
    thresholds_by_level,
    variant_codes,
)
from fairneuron_core.verify.domains import Domain, domain_of
from fairneuron_core.verify.enumeration import BLOCK_VALUES
from fairneuron_core.verify.similar import SimilarSpace, group_rule, read_columns, root_of


@dataclass(frozen=True, eq=False)
class Axis:
    """One column that the network reads: its place among the inputs and its domain."""

    name: str
    start: int
    encoded: EncodedColumn
    domain: Domain

    @property
    def at(self) -> slice:
        return slice(self.start, self.start + self.encoded.width)


@dataclass(frozen=True, eq=False)
class Slice:
    """Cells that share their variants: `fixed` says which value each axis of `CellSpace.sliced` has.

    base (d,) the sliced inputs that are not free in place, zeros elsewhere; variants (m, f) the free inputs;
    cuts (k, m): one row for every way in which a rule's draw or an unread group can turn out.
    """

    fixed: tuple[int, ...]
    base: np.ndarray
    variants: np.ndarray
    cuts: Cuts


@dataclass(frozen=True, eq=False)
class CellSpace:
    """Everything that the network reads and that is not free: `sliced` axes outside, `axes` inside each slice.

    The last `inside` axes together fill one block of the enumeration.
    """

    classifier: Classifier
    space: SimilarSpace
    sliced: tuple[Axis, ...]
    axes: tuple[Axis, ...]
    inside: int

    @property
    def finite(self) -> bool:
        return self.space.finite and all(axis.domain.finite for axis in (*self.sliced, *self.axes))

    @property
    def cells(self) -> int:
        """Number of cells; 0 when a column is real-valued."""
        return math.prod(len(a.domain.raw) for a in (*self.sliced, *self.axes)) if self.finite else 0

    @property
    def inner(self) -> int:
        """Number of cells of one slice."""
        return math.prod(len(axis.domain.raw) for axis in self.axes)

    def slices(self) -> Iterator[Slice]:
        """Yield the slices, the last sliced column varying fastest."""
        for fixed in itertools.product(*(range(len(axis.domain.raw)) for axis in self.sliced)):
            base = np.zeros((1, self.space.encoder.width), np.float32)
            for axis, value in zip(self.sliced, fixed, strict=True):
                base[0, axis.at] = axis.domain.values[value]
            variants, cuts = self.space.points(base)[0][:, self.space.positions], self._cuts(base, fixed)
            base[0, self.space.positions] = 0  # a window's own value is one of the variants
            yield Slice(fixed, base[0], variants, cuts)

    def _cuts(self, base: np.ndarray, fixed: tuple[int, ...]) -> Cuts:
        rule = group_rule(self.classifier)
        if rule is None:
            return same_cut(np.array([[self.classifier.threshold]]))
        schema, space = self.space.schema, self.space
        levels = schema.column(rule.attribute).levels
        by_level = thresholds_by_level(self.classifier, levels, different_draws(self.classifier))  # (draws, levels)
        root = root_of(schema, rule.attribute)
        free = next((c for c in space.columns if root_of(schema, c.name) == root), None)
        if free is not None:
            codes = variant_codes(space, free, rule.attribute, levels, base)[0][column_index(space, free)]
            return same_cut(by_level[:, codes])
        if space.rule_attribute is not None:
            return Cuts(logit_cuts(by_level.min(1, keepdims=True)), logit_cuts(by_level.max(1, keepdims=True)))
        for axis, value in zip(self.sliced, fixed, strict=True):
            if root_of(schema, axis.name) == root:
                raw = pd.Series([axis.domain.raw[value]])
                return same_cut(by_level[:, codes_of(space, rule.attribute, levels, raw)])
        # Neither free nor read: whatever group somebody belongs to, one of these thresholds is theirs.
        return same_cut(by_level.reshape(-1, 1))

    def inputs(self, cells: np.ndarray, piece: Slice) -> np.ndarray:
        """Return the inputs (n, d) float32 of cells of one slice, free inputs at the first variant."""
        found = np.repeat(piece.base[None], len(cells), axis=0)
        for axis, value in zip(self.axes, self._unravel(cells), strict=True):
            found[:, axis.at] = axis.domain.values[value]
        found[:, self.space.positions] = piece.variants[0]
        return found

    def points(self, cells: np.ndarray, piece: Slice) -> np.ndarray:
        """Return all variants of cells of one slice, (n, m, d) float32."""
        found = np.repeat(self.inputs(cells, piece)[:, None], len(piece.variants), axis=1)
        found[:, :, self.space.positions] = piece.variants
        return found

    def raw(self, cell: int, piece: Slice) -> dict[str, Any]:
        """Return the raw values of one cell, without the free columns."""
        inside = zip(self.axes, self._unravel(np.array([cell])), strict=True)
        found = {axis.name: axis.domain.raw[int(value[0])] for axis, value in inside}
        return found | {a.name: a.domain.raw[v] for a, v in zip(self.sliced, piece.fixed, strict=True)}

    def _unravel(self, cells: np.ndarray) -> tuple[np.ndarray, ...]:
        sizes = tuple(len(axis.domain.raw) for axis in self.axes)
        return np.unravel_index(cells, sizes) if sizes else ()


def cell_space(schema: Schema, classifier: Classifier, space: SimilarSpace) -> CellSpace:
    """Return the cells of a classifier's whole input space, their domains taken from the schema."""
    free = {column.name for column in space.columns if not column.windowed}
    windows = {column.name for column in space.columns if column.windowed}
    group = group_rule(classifier)
    rule = group and root_of(schema, group.attribute)
    sliced: list[Axis] = []
    axes: list[Axis] = []
    for encoded, start in read_columns(classifier):
        if encoded.name in free:
            continue
        known = encoded.name in schema.names
        column = schema.column(encoded.name) if known else Column(encoded.name, "feature", encoded.raw_kind)
        axis = Axis(encoded.name, start, encoded, domain_of(column, encoded))
        (sliced if encoded.name in windows or root_of(schema, encoded.name) == rule else axes).append(axis)
    inside = _inside(axes, max(1, BLOCK_VALUES // (max(layer_sizes(classifier.network)[1:]) * max(1, space.size))))
    axes.sort(key=lambda axis: axis.name in inside)
    return CellSpace(classifier, space, tuple(sliced), tuple(axes), len(inside))


def _inside(axes: list[Axis], room: int) -> set[str]:
    """Return the names of axes whose combinations fill a block of `room` cells, the longest that fit first."""
    chosen, size = set(), 1
    for axis in sorted(axes, key=lambda axis: -len(axis.domain.raw)):
        if axis.domain.finite and size * len(axis.domain.raw) <= room:
            chosen.add(axis.name)
            size *= len(axis.domain.raw)
    return chosen
