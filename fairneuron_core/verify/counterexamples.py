"""From a refuted row or cell to two people who can be shown: raw values of both, decided again as deployed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import BinnedColumn
from fairneuron_core.models import decide, logits
from fairneuron_core.types import MISSING, Classifier, Dataset, VoteRule
from fairneuron_core.verify.certificate import Counterexample
from fairneuron_core.verify.cuts import Cuts
from fairneuron_core.verify.individuals import decide_raw
from fairneuron_core.verify.similar import SimilarSpace, group_rule, root_of

_MOST_SEARCHED = 2000


def row_counterexamples(
    dataset: Dataset, classifier: Classifier, space: SimilarSpace, *, rows: np.ndarray, features: np.ndarray, cuts: Cuts
) -> list[Counterexample | None]:
    """Return for each refuted row the similar individual that is decided otherwise and differs in the fewest columns.

    rows (n,) positions, features (n, d) and cuts (n or 1, m or 1) are theirs. None: the re-check decides both alike.
    """
    if not len(rows):
        return []
    bases = [row_values(dataset, classifier, space, int(row)) for row in rows]
    _, own = decide_raw(dataset, classifier, bases, [int(row) for row in rows])
    others = []
    for at, base in enumerate(bases):
        points = space.points(features[at : at + 1])[0]  # (m, d)
        variants = _otherwise(classifier, space, points, features[at], cuts.of(np.array([at])), int(own[at]))
        others.append([space.describe(points[variant], base) for variant in variants[:1]] or [base])
    scores, decided = decide_raw(
        dataset,
        classifier,
        [p for b, o in zip(bases, others, strict=True) for p in (b, o[0])],
        np.repeat(rows, 2).tolist(),
    )
    found: list[Counterexample | None] = []
    for at, (base, other) in enumerate(zip(bases, others, strict=True)):
        pair = slice(2 * at, 2 * at + 2)
        if decided[pair][0] != decided[pair][1]:
            found.append(_counterexample(int(rows[at]), base, other[0], scores[pair], decided[pair]))
        else:
            found.append(_searched(dataset, classifier, space, int(rows[at]), features[at : at + 1], base))
    return found


def _searched(
    dataset: Dataset, classifier: Classifier, space: SimilarSpace, row: int, features: np.ndarray, base: dict[str, Any]
) -> Counterexample | None:
    """Try every similar individual of one row, in every group that the network does not tell."""
    people = (space.describe(point, base) for point in space.points(features)[0])
    pairs = (pair_of(dataset, classifier, space, row, base, person) for person in people)
    return next((pair for pair in itertools.islice(pairs, _MOST_SEARCHED) if pair is not None), None)


def _otherwise(
    classifier: Classifier, space: SimilarSpace, points: np.ndarray, features: np.ndarray, cuts: Cuts, own: int
) -> np.ndarray:
    """Return the variants that can be decided otherwise than `own`, those with the fewest changed columns first."""
    if isinstance(classifier.rule, VoteRule):
        wanted = decide(classifier, points) != own
    else:
        z = logits(classifier, points)
        wanted = z < cuts.high[0] if own else z >= cuts.low[0]
    moved = np.zeros(len(points), np.int64)
    for column in space.columns:
        at = slice(column.start, column.start + column.width)
        moved += (points[:, at] != features[at]).any(1)
    return np.flatnonzero(wanted)[np.argsort(moved[wanted], kind="stable")]


def pair_of(
    dataset: Dataset,
    classifier: Classifier,
    space: SimilarSpace,
    row: int | None,
    this: Mapping[str, Any],
    other: Mapping[str, Any],
) -> Counterexample | None:
    """Return two individuals as a counterexample, or None when they are decided alike after all.

    Where the network does not say which group `other` belongs to, its group is one that is decided otherwise.
    """
    draw = row or 0
    for candidate in _with_groups(space, this, other):
        people = [dict(this), candidate]
        scores, decided = decide_raw(dataset, classifier, people, [draw, draw])
        if decided[0] != decided[1]:
            return _counterexample(row, this, candidate, scores, decided)
    return None


def _counterexample(
    row: int | None, this: Mapping[str, Any], other: Mapping[str, Any], scores: np.ndarray, decided: np.ndarray
) -> Counterexample:
    differs = tuple(name for name in other if not _same(this.get(name), other[name]))
    first, second = (int(d) for d in decided)
    return Counterexample(
        row, _plain(this), _plain(other), differs, (float(scores[0]), float(scores[1])), (first, second)
    )


def row_values(dataset: Dataset, classifier: Classifier, space: SimilarSpace, row: int) -> dict[str, Any]:
    """Return the raw values of one row: every column that the network reads, and what was freed."""
    frame = dataset.frame
    names = dict.fromkeys(
        [*(c.name for c in classifier.encoder.columns), *space.freedom.protected, *space.freedom.within]
        + ([space.rule_attribute] if space.rule_attribute else [])
        + ([rule.attribute] if (rule := group_rule(classifier)) else [])
    )
    found = {}
    for name in names:
        for source in (root_of(space.schema, name), name):
            if source in frame.columns:
                found[source] = _plain_value(frame[source].iloc[row])
    return found


def _with_groups(space: SimilarSpace, this: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return `other`, and with a rule on an attribute that is free but not read, `other` in every group."""
    attribute = space.rule_attribute
    if attribute is None or root_of(space.schema, attribute) in {c.name for c in space.columns}:
        return [dict(other)]
    described = space.schema.column(attribute)
    found = [dict(other)]
    for code, level in enumerate(described.levels):
        if isinstance(described, BinnedColumn):
            number = _number_in(space, described, code, this)
            found.append({**other, str(described.derived_from): number, attribute: level})
        else:
            found.append({**other, attribute: level})
    return found


def _number_in(space: SimilarSpace, described: BinnedColumn, code: int, this: Mapping[str, Any]) -> Any:
    """Return a number of the group `code` that the column may take, the nearest above the group's lower end."""
    if code > len(described.edges):
        return None
    source = space.schema.column(str(described.derived_from))
    low = described.edges[code - 1] if code else -math.inf
    reach = space.freedom.within.get(source.name)
    own = this.get(source.name)
    least = -math.inf if reach is None or own is None else float(own) - reach
    most = math.inf if reach is None or own is None else float(own) + reach
    number = max(low, least, -math.inf if source.low is None else source.low)
    number = min(number, most)
    return math.ceil(number) if source.integer else number


def _same(first: Any, second: Any) -> bool:
    return bool(first == second) or (_missing(first) and _missing(second))


def _missing(value: Any) -> bool:
    return value is None or value == MISSING or value != value


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value != value:
        return None
    return value
