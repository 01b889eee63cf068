"""An experiment's JSON as pages and charts read it, and the point of every method at any accuracy budget.

The strength is chosen on validation rows, seed by seed; every figure is of test rows. A method with a single point has
nothing to choose: it is shown as it is, and it is said where it costs more than the budget.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fairneuron_core.data import ALIASES, DATASETS
from fairneuron_core.errors import DataError
from fairneuron_core.experiments.paper import PaperRow, paper_rows
from fairneuron_core.experiments.rows import row_of
from fairneuron_core.experiments.spec import GAPS, GIVEN, METRIC_NAMES
from fairneuron_core.experiments.statistics import Overlap, over_seeds, verdict_over_seeds
from fairneuron_core.experiments.tables import Choice, Table, column, number
from fairneuron_core.types import Estimate

RATES = ("selection_rate", "tpr", "fpr")
ORDER = ("blind", "aware", "control")
HEADINGS = {"blind": "One rule for all groups", "aware": "A rule per group of {attribute}", "control": "Controls"}
_USUAL_OVERLAP = 2 / 7


def heading(part: str, attribute: str) -> str:
    """Return the heading of one of the three lists of methods."""
    return HEADINGS[part].format(attribute=attribute)


@dataclass(frozen=True)
class Method:
    """One method of the result; `needs_protected` = it reads the attribute when it decides."""

    name: str
    title: str
    kind: str = "method"
    needs_protected: bool = False

    @property
    def part(self) -> str:
        """Which of the three lists it stands in: blind, aware or control."""
        return "control" if self.kind == "control" else "aware" if self.needs_protected else "blind"


@dataclass(frozen=True)
class Experiment:
    """A result that was checked: `source` is the JSON as it came, `paper` the published cells beside it."""

    source: Mapping[str, Any]
    methods: tuple[Method, ...]
    table: Table
    paper: tuple[PaperRow, ...] = ()

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.source["spec"]

    @property
    def data(self) -> str:
        return str(self.spec["data"])

    @property
    def attribute(self) -> str:
        return str(self.spec.get("protected") or "the protected attribute")

    @property
    def reads_attribute(self) -> bool | None:
        """Whether the attribute is an input of the networks; None where only the data set itself knows."""
        given = self.spec.get("include_protected")
        name = ALIASES.get(self.data.lower(), self.data.lower())
        return bool(given) if given is not None else DATASETS[name].include_protected if name in DATASETS else None

    @property
    def seeds(self) -> int:
        return len(self.table.seeds)

    @property
    def test_rows(self) -> int:
        """Rows of one seed's test part."""
        return self.table.given(self.table.seeds[0], "test").n

    def of(self, name: str) -> Method:
        return next(method for method in self.methods if method.name == name)

    def majority(self, split: str) -> float:
        """Return the accuracy of always deciding for the more frequent label, mean over seeds; NaN where unknown."""
        shares = []
        for row in (self.table.given(seed, split) for seed in self.table.seeds):
            known = [(g["n"], g.get("base_rate")) for g in row.groups]
            if not known or any(rate is None for _, rate in known):
                return math.nan
            share = sum(n * rate for n, rate in known) / sum(n for n, _ in known)
            shares.append(max(share, 1 - share))
        return float(np.mean(shares))


@dataclass(frozen=True)
class Picked:
    """The point of one method within a budget: figures over seeds, all on test rows but `on_validation`.

    change      metric -> paired difference to the network as it was given
    per_seed    metric -> those differences (seeds,), NaN where undefined or degenerate
    kept        seeds on which no strength fitted the budget, so that the network stays as it was
    degenerate  seeds whose model must not be ranked, with the first reason
    """

    method: Method
    strengths: tuple[float | None, ...]
    level: Mapping[str, Estimate]
    change: Mapping[str, Estimate]
    per_seed: Mapping[str, np.ndarray]
    verdict: Mapping[str, str]
    on_validation: Mapping[str, Estimate]
    rates: tuple[GroupShift, ...]
    kept: int
    degenerate: int
    reason: str
    over_budget: bool

    @property
    def ranked(self) -> bool:
        """Whether it may be called better than another one: sound on every seed, within the budget, and not idle."""
        idle = self.kept == len(self.strengths) or self.method.name == GIVEN
        return not (self.degenerate or self.over_budget or idle)

    @cached_property
    def strength(self) -> float | None:
        """The strength that most seeds chose (the lower one of equals), None for a method without one."""
        known = sorted(s for s in self.strengths if s is not None)
        return max(known, key=known.count, default=None)

    @property
    def notes(self) -> list[str]:
        """What has to be said beside its figures, in a few words each."""
        seeds = len(self.strengths)
        said = []
        if self.degenerate:
            said.append(f"degenerate or failed on {self.degenerate} of {seeds} seeds, not ranked")
        if self.over_budget:
            said.append("costs more than the budget on validation")
        if self.kept:
            said.append(f"nothing fits the budget on {self.kept} of {seeds} seeds: no repair there")
        return said


@dataclass(frozen=True)
class GroupShift:
    """One rate of one group before and after, means over seeds with their intervals.

    n = rows of one seed that the rate rests on: positives for the TPR, negatives for the FPR.
    """

    group: str
    rate: str
    before: Estimate
    after: Estimate
    n: int


def read_experiment(source: Mapping[str, Any]) -> Experiment:
    """Check the JSON of an experiment; DataError in one sentence when it is damaged or not one at all."""
    try:
        rows = tuple(row_of(row) for row in source["rows"])
        spec, pareto = source["spec"], source["pareto"]
        names, seeds = tuple(spec["methods"]), tuple(spec["seeds"])
        overlap = source.get("interval", {}).get("test_to_train", _USUAL_OVERLAP)
        confidence = source.get("interval", {}).get("confidence", 0.95)
        table = Table(rows, seeds, names, Overlap(float(overlap), float(confidence)))
        described = {row["method"]: row for row in [*source["summary"], *pareto[GAPS[0]]]}
        methods = tuple(_method(name, described.get(name, {})) for name in names)
        found = Experiment(source, methods, table, paper_rows(source))
        for name in names:
            _picked(found, found.of(name), gap=GAPS[0], budget=float(spec["budget"]))
        return found
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration) as error:
        words = "This result of an experiment is damaged or not complete: run the experiment again."
        raise DataError(words) from error


def _method(name: str, described: Mapping[str, Any]) -> Method:
    title = str(described.get("title") or name.replace("_", " ").capitalize())
    kind = str(described.get("kind") or ("control" if name == GIVEN else "method"))
    return Method(name, title, kind, bool(described.get("needs_protected", False)))


def pick_all(found: Experiment, *, gap: str, budget: float) -> tuple[Picked, ...]:
    """Return every method's point within the budget: by list, then by its gap on validation, the controls as given."""
    picked = [_picked(found, method, gap=gap, budget=budget) for method in found.methods]

    def place(one: Picked) -> tuple[int, bool, float]:
        value = one.on_validation[gap].value
        part = ORDER.index(one.method.part)
        if one.method.kind == "control":
            return part, False, 0.0
        return part, not one.ranked, math.inf if math.isnan(value) else value

    return tuple(sorted(picked, key=place))


def _picked(found: Experiment, method: Method, *, gap: str, budget: float) -> Picked:
    table = found.table
    choices = [table.choice(method.name, s, gap=gap, budget=budget, also_single=False) for s in table.seeds]
    given = {part: [table.given(seed, part) for seed in table.seeds] for part in ("validation", "test")}
    sound = np.array([choice.test.degenerate is None for choice in choices])
    after = {m: np.where(sound, column([c.test for c in choices], m), math.nan) for m in METRIC_NAMES}
    per_seed = {m: after[m] - column(given["test"], m) for m in METRIC_NAMES}
    change = {m: over_seeds(per_seed[m], table.overlap) for m in METRIC_NAMES}
    still = method.name == GIVEN
    cost = column(given["validation"], "accuracy") - column([c.validation for c in choices], "accuracy")
    known = cost[~np.isnan(cost)]
    return Picked(
        method,
        tuple(None if choice.kept else choice.test.strength for choice in choices),
        {m: over_seeds(after[m], table.overlap) for m in METRIC_NAMES},
        change,
        per_seed,
        {m: "reference" if still else verdict_over_seeds(m, change[m]) for m in METRIC_NAMES},
        {m: over_seeds([number(c.validation, m) for c in choices], table.overlap) for m in METRIC_NAMES},
        tuple(_shifts(choices, given["test"], sound, table.overlap)),
        kept=sum(choice.kept for choice in choices),
        degenerate=int((~sound).sum()),
        reason=next((c.test.degenerate for c in choices if c.test.degenerate), None) or "",
        over_budget=bool(known.size) and float(known.mean()) > budget + 1e-9,
    )


def _shifts(choices: Sequence[Choice], given: Sequence[Any], sound: np.ndarray, overlap: Overlap) -> list[GroupShift]:
    shifts = []
    for group in [g["group"] for g in given[0].groups]:
        for rate in RATES:
            before = [_rate(row, group, rate) for row in given]
            after = [_rate(c.test, group, rate) if fine else None for c, fine in zip(choices, sound, strict=True)]
            n = round(float(np.mean([_evidence(g, rate) for row in given for g in row.groups if g["group"] == group])))
            shifts.append(GroupShift(group, rate, over_seeds(before, overlap), over_seeds(after, overlap), n))
    return shifts


def _evidence(group: Mapping[str, Any], rate: str) -> float:
    """Return the rows that a rate rests on: positives for the TPR, negatives for the FPR, all where unknown."""
    base = group.get("base_rate")
    if base is None or rate == "selection_rate":
        return float(group["n"])
    return float(group["n"]) * (base if rate == "tpr" else 1 - base)


def _rate(row: Any, group: str, rate: str) -> float | None:
    return next((found[rate] for found in row.groups if found["group"] == group), None)
