"""Examine individuals: all their similar individuals, who is decided otherwise, and how near the decision is to it.

S(x) is enumerated where it has at most MOST_SIMILAR members. Otherwise, and along real-valued columns, a seeded draw of
it is tried: whoever is found there is real, but nobody is cleared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.models import decisions, scores
from fairneuron_core.types import Batch, Classifier, Dataset, DecisionRule
from fairneuron_core.verify.individuals import Individuals, Trait, individuals
from fairneuron_core.verify.similar import Freedom, SimilarSpace, root_of, similar_space

MOST_SIMILAR = 4096
_DRAWN = 255
_REALS = 8
_NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Examined:
    """What is known of n individuals after all their similar ones were decided.

    different (n,) bool: the decision is not constant; other (n, columns): the similar individual that is decided
    otherwise and differs in the fewest columns (the individual itself where there is none); scores, decisions (n, 2) of
    both; low, high (n,): smallest and largest logit among the similar ones, at the inputs at_low, at_high (n, width).
    """

    values: np.ndarray
    draws: np.ndarray
    different: np.ndarray
    other: np.ndarray
    scores: np.ndarray
    decisions: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_low: np.ndarray
    at_high: np.ndarray


@dataclass(frozen=True, eq=False)
class Varied:
    """A column that may differ: freely (reach None) or by at most `reach`; `names` are the attributes that free it."""

    position: int
    trait: Trait
    reach: float | None
    names: tuple[str, ...]

    @property
    def finite(self) -> bool:
        return self.trait.kind != "reals"

    def choices(self, own: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the values to try (1 or n, k) for people whose own values are (n,)."""
        trait = self.trait
        if self.reach is None and self.finite:
            return np.arange(trait.low, trait.high + 1)[None]
        if self.reach is None:
            drawn = generator.uniform(trait.low, trait.high, (len(own), _REALS - 2))
            ends = np.broadcast_to([trait.low, trait.high], (len(own), 2))
            return np.concatenate([ends, drawn], axis=1)
        if self.finite:
            reach = math.floor(self.reach)
            return (own[:, None] + np.arange(-reach, reach + 1)).clip(trait.low, trait.high)
        shifts = np.concatenate([[-self.reach, self.reach], generator.uniform(-self.reach, self.reach, _REALS - 2)])
        return (own[:, None] + shifts).clip(trait.low, trait.high)


class Examiner:
    """Decides about individuals of one data set and all their similar ones, exactly as the classifier is deployed."""

    def __init__(self, dataset: Dataset, classifier: Classifier, freedom: Freedom, *, seed: int = 0) -> None:
        self.dataset, self.classifier, self.freedom = dataset, classifier, freedom
        self.space: SimilarSpace = similar_space(dataset.schema, classifier, freedom)
        self.people: Individuals = individuals(dataset, classifier.encoder)
        self._generator = np.random.default_rng([seed, 1])
        self.varied = self._varied()
        self.cut = _logit(np.array([classifier.threshold]))[0]

    def _varied(self) -> tuple[Varied, ...]:
        schema = self.dataset.schema
        read = {column.name for column in self.space.columns}
        roots: dict[str, list[str]] = {}
        for name in (*self.freedom.protected, *self.freedom.within):
            roots.setdefault(root_of(schema, name), []).append(name)
        rule = self.space.rule_attribute
        known = {root_of(schema, name) for name in (*read, *((rule,) if rule else ()))}
        return tuple(
            Varied(position, trait, self.freedom.within.get(trait.column.name), tuple(roots[trait.column.name]))
            for position, trait in enumerate(self.people.traits)
            if trait.column.name in known and trait.column.name in roots
        )

    @property
    def fixed(self) -> list[int]:
        """Positions of the columns that similar individuals share and the classifier reads."""
        free = {one.position for one in self.varied}
        cuts = {cut.source for cut in self.people.cuts if cut.table is not None or self._rule_reads(cut.column.name)}
        read = [i for i, t in enumerate(self.people.traits) if t.encoded or self._rule_reads(t.column.name)]
        return sorted(({*read} | cuts) - free)

    @property
    def identity(self) -> list[int]:
        """Positions of the columns that tell two individuals apart: all that the classifier reads."""
        return sorted([*self.fixed, *(one.position for one in self.varied)])

    def _rule_reads(self, name: str) -> bool:
        rule = self.classifier.rule
        return isinstance(rule, DecisionRule) and rule.attribute == name

    def size(self, varied: Sequence[Varied] | None = None) -> int:
        """Return how many similar individuals are tried for each one, itself not counted."""
        found = math.prod(self._count(one) for one in (self.varied if varied is None else varied))
        return found if found <= MOST_SIMILAR else _DRAWN

    def _count(self, one: Varied) -> int:
        if not one.finite:
            return _REALS
        return 2 * math.floor(one.reach) + 1 if one.reach is not None else int(one.trait.high - one.trait.low) + 1

    @property
    def complete(self) -> bool:
        """Whether every similar individual is tried, so that an individual without a finding is cleared."""
        total = math.prod(self._count(one) for one in self.varied)
        return total <= MOST_SIMILAR and all(one.finite for one in self.varied)

    @property
    def at_once(self) -> int:
        """How many individuals to examine in one call."""
        return max(1, min(4096, _NUMBERS_AT_ONCE // ((self.size() + 1) * max(1, self.people.width))))

    def examine(self, values: np.ndarray, draws: np.ndarray, *, varied: Sequence[Varied] | None = None) -> Examined:
        """Decide about individuals (n, columns) and their similar ones; `varied` narrows what may differ."""
        chosen = self.varied if varied is None else varied
        n, m = len(values), self.size(chosen) + 1
        picked = self._picked(values, chosen)  # per column: (n, m), the individual itself first
        points = np.repeat(self.people.encode(values)[:, None], m, axis=1)
        self._write_inputs(points, picked)
        flat = points.reshape(n * m, -1)
        scored = scores(self.classifier, flat)
        groups, read, levels = self._groups(values, picked, m)
        batch = Batch(flat, np.zeros(n * m, np.uint8), groups, read, levels, np.repeat(draws, m))
        decided = decisions(self.classifier, batch, scored=scored).reshape(n, m)
        return self._summary(values, draws, points, scored.reshape(n, m), decided, picked)

    def _picked(self, values: np.ndarray, varied: Sequence[Varied]) -> dict[int, np.ndarray]:
        choices = [one.choices(values[:, one.position], self._generator) for one in varied]
        sizes = [c.shape[1] for c in choices]
        if math.prod(sizes) <= MOST_SIMILAR:
            index = np.indices(sizes).reshape(len(sizes), -1) if sizes else np.empty((0, 1), np.int64)
        else:
            index = np.stack([self._generator.integers(0, k, _DRAWN) for k in sizes])
        found = {}
        for one, choice, at in zip(varied, choices, index, strict=True):
            others = np.broadcast_to(choice[:, at], (len(values), len(at)))
            found[one.position] = np.concatenate([values[:, [one.position]], others], axis=1)
        return found

    def _write_inputs(self, points: np.ndarray, picked: dict[int, np.ndarray]) -> None:
        n, m = points.shape[:2]
        for position, taken in picked.items():
            trait = self.people.traits[position]
            if trait.encoded:
                inputs = trait.inputs(taken.reshape(-1)).reshape(n, m, -1)
                points[:, :, trait.start : trait.start + trait.width] = inputs
        for cut in self.people.cuts:
            if cut.table is not None and cut.source in picked:
                points[:, :, cut.start : cut.start + cut.table.shape[1]] = cut.table[cut.codes(picked[cut.source])]

    def _groups(
        self, values: np.ndarray, picked: dict[int, np.ndarray], m: int
    ) -> tuple[np.ndarray, tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Return the group of every point in the attribute that the rule reads, if there is one."""
        rule = self.classifier.rule
        if not isinstance(rule, DecisionRule):
            return np.empty((len(values) * m, 0), np.int16), (), ()
        cut = next((c for c in self.people.cuts if c.column.name == rule.attribute), None)
        position = cut.source if cut else self.people.names.index(rule.attribute)
        taken = picked.get(position, np.repeat(values[:, [position]], m, axis=1))
        codes = cut.codes(taken) if cut else taken
        levels = self.dataset.schema.column(rule.attribute).levels
        return codes.reshape(-1, 1).astype(np.int16), (rule.attribute,), (levels,)

    def _summary(
        self,
        values: np.ndarray,
        draws: np.ndarray,
        points: np.ndarray,
        scored: np.ndarray,
        decided: np.ndarray,
        picked: dict[int, np.ndarray],
    ) -> Examined:
        n, m = decided.shape
        rows = np.arange(n)
        otherwise = decided != decided[:, :1]
        changes = np.zeros((n, m), np.int64)
        for taken in picked.values():
            changes += taken != taken[:, :1]
        nearest = np.where(otherwise, changes, len(picked) + 1).argmin(axis=1)
        nearest[~otherwise.any(axis=1)] = 0
        other = values.copy()
        for position, taken in picked.items():
            other[:, position] = taken[rows, nearest]
        lowest, highest = scored.argmin(axis=1), scored.argmax(axis=1)
        both = (np.stack([table[:, 0], table[rows, nearest]], axis=1) for table in (scored, decided))
        found_scores, found_decisions = both
        return Examined(
            values,
            draws,
            otherwise.any(axis=1),
            other,
            found_scores,
            found_decisions,
            _logit(scored[rows, lowest]),
            _logit(scored[rows, highest]),
            points[rows, lowest],
            points[rows, highest],
        )


def _logit(scored: np.ndarray) -> np.ndarray:
    # A threshold may lie outside (0, 1); a saturated score has lost its logit, which only guides the search.
    inner = scored.clip(1e-300, 1 - 1e-16)
    return np.log(inner) - np.log1p(-inner)
