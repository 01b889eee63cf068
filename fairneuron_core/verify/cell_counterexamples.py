"""From a refuted cell, or a pair of encoded points, to two people of the whole space who can be shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fairneuron_core.data.columns import BinnedColumn
from fairneuron_core.models import logits
from fairneuron_core.types import MISSING, Classifier, Column, Dataset, EncodedColumn
from fairneuron_core.verify.certificate import Counterexample
from fairneuron_core.verify.counterexamples import pair_of
from fairneuron_core.verify.domains import decode_number, domain_of
from fairneuron_core.verify.similar import SimilarSpace, group_of, group_rule
from fairneuron_core.verify.slices import CellSpace, Slice


def cell_counterexample(dataset: Dataset, cells: CellSpace, piece: Slice, cell: int) -> Counterexample | None:
    """Return two similar individuals of a refuted cell that are decided differently, as alike as they come."""
    space, classifier = cells.space, cells.classifier
    points = cells.points(np.array([cell]), piece)[0]  # (m, d)
    z = logits(classifier, points)
    base = unread_values(dataset, classifier) | cells.raw(cell, piece)
    for low, high in zip(piece.cuts.low, piece.cuts.high, strict=True):
        can_be = np.stack([z < high, z >= low])  # (2, m)
        if not can_be.any(1).all():
            continue
        this = _own(cells, piece, points)
        wanted = can_be[0] if can_be[1, this] else can_be[1]
        wanted = wanted if wanted.any() else can_be[1]
        moved = sum(
            (points[:, c.start : c.start + c.width] != points[this, c.start : c.start + c.width]).any(1).astype(int)
            for c in space.columns
        )
        candidates = np.flatnonzero(wanted)
        order = candidates[np.argsort(np.broadcast_to(moved, len(points))[candidates], kind="stable")]
        for variant, known in itertools.product(order[:20], _groups(space, classifier, base)):
            people = [space.describe(points[at], known) for at in (this, variant)]
            if found := pair_of(dataset, classifier, space, None, people[0], people[1]):
                return found
    return None


def point_counterexample(
    dataset: Dataset, classifier: Classifier, space: SimilarSpace, this: np.ndarray, other: np.ndarray
) -> Counterexample | None:
    """Return two encoded points (d,) that differ in free columns only as two people, decided again."""
    base = raw_point(dataset, classifier, this)
    people = [space.describe(point, base) for point in (this, other)]
    return pair_of(dataset, classifier, space, None, people[0], people[1])


def raw_point(dataset: Dataset, classifier: Classifier, point: np.ndarray) -> dict[str, Any]:
    """Return the raw values behind an encoded point (d,)."""
    found: dict[str, Any] = {}
    columns = classifier.encoder.columns
    for encoded, start in zip(columns, [0, *itertools.accumulate(c.width for c in columns)], strict=False):
        domain = domain_of(_column(dataset, encoded), encoded)
        inputs = point[start : start + encoded.width]
        if domain.finite:
            found[encoded.name] = domain.raw[int(np.abs(domain.values - inputs).sum(1).argmin())]
        else:
            found[encoded.name] = float(decode_number(encoded, inputs)[0])
    return found


def unread_values(dataset: Dataset, classifier: Classifier) -> dict[str, Any]:
    """Return one raw value of every column of the encoder: the first of its domain."""
    return {c.name: domain_of(_column(dataset, c), c).raw[0] for c in classifier.encoder.columns}


def _column(dataset: Dataset, encoded: EncodedColumn) -> Column:
    known = encoded.name in dataset.schema.names
    return dataset.schema.column(encoded.name) if known else Column(encoded.name, "feature", encoded.raw_kind)


def _own(cells: CellSpace, piece: Slice, points: np.ndarray) -> int:
    """Return a variant at which every windowed column has the cell's own value."""
    same = np.ones(len(points), bool)
    windowed = {c.name for c in cells.space.columns if c.windowed}
    for axis, value in zip(cells.sliced, piece.fixed, strict=True):
        if axis.name in windowed:
            same &= (points[:, axis.at] == axis.domain.values[value]).all(1)
    return int(same.argmax())


def _groups(space: SimilarSpace, classifier: Classifier, base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield `base` with a group of the rule's attribute: the one it says, or every one where it says none."""
    rule = group_rule(classifier)
    if rule is None or rule.attribute in base:
        yield dict(base)
        return
    described = space.schema.column(rule.attribute)
    if isinstance(described, BinnedColumn) and described.derived_from in base:
        yield {**base, rule.attribute: group_of(described, base[str(described.derived_from)])}
        return
    for level in described.levels:
        if level != MISSING:
            yield {**base, rule.attribute: level}
