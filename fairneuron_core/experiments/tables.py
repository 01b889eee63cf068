"""From the rows of an experiment to its two tables: the summary per method and metric, and the fronts per gap.

Both are functions of the rows and the spec alone, so they can be made again from what is exported. Every choice of a
strength looks at validation rows, every figure at test rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fairneuron_core.experiments import fronts
from fairneuron_core.experiments.fronts import FrontPoint
from fairneuron_core.experiments.rows import DIGITS, ExperimentRow
from fairneuron_core.experiments.spec import (
    BUDGETS,
    GAPS,
    GIVEN,
    METRIC_NAMES,
    PLAIN,
    fallback_words,
    trains_like_plain,
)
from fairneuron_core.experiments.statistics import (
    Overlap,
    over_seeds,
    relative_reduction,
    spread,
    verdict_over_seeds,
)
from fairneuron_core.metrics.as_json import number_json
from fairneuron_core.repair import repair_row
from fairneuron_core.types import Estimate


@dataclass(frozen=True)
class Choice:
    """The point of one method on one seed: validation and test rows; `kept` = no strength fitted the budget."""

    validation: ExperimentRow
    test: ExperimentRow
    kept: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of an experiment by method, seed and part."""

    rows: tuple[ExperimentRow, ...]
    seeds: tuple[int, ...]
    methods: tuple[str, ...]
    overlap: Overlap

    @cached_property
    def by_key(self) -> Mapping[tuple[str, int, str], list[ExperimentRow]]:
        found: dict[tuple[str, int, str], list[ExperimentRow]] = {}
        for row in self.rows:
            found.setdefault((row.method, row.seed, row.split), []).append(row)
        return found

    def of(self, method: str, seed: int, split: str) -> list[ExperimentRow]:
        return self.by_key.get((method, seed, split), [])

    def given(self, seed: int, split: str) -> ExperimentRow:
        """Return the row of the network as it was given."""
        return self.of(GIVEN, seed, split)[0]

    def choice(self, method: str, seed: int, *, gap: str, budget: float, also_single: bool) -> Choice:
        """Return the point that validation chooses within the budget.

        A method with one point has nothing to choose: it is measured against the budget only with `also_single`.
        A method that failed on this seed stays failed; otherwise, where nothing fits, it is the network as given.
        """
        validation, test = self.of(method, seed, "validation"), self.of(method, seed, "test")
        if validation[0].failed or (len(validation) == 1 and not also_single):
            return Choice(validation[0], test[0])
        accuracy = number(self.given(seed, "validation"), "accuracy")
        best = fronts.choose([point(row, gap) for row in validation], given_accuracy=accuracy, budget=budget)
        if best is None:
            return Choice(self.given(seed, "validation"), self.given(seed, "test"), kept=True)
        return Choice(validation[best], test[best])


def number(row: ExperimentRow, metric: str) -> float:
    """Return one metric of a row, NaN where it is undefined."""
    value = row.metrics[metric]
    return math.nan if value is None else value


def point(row: ExperimentRow, gap: str) -> FrontPoint:
    """Return a row as a point of accuracy and gap."""
    return FrontPoint(number(row, "accuracy"), number(row, gap), barred=row.degenerate is not None)


def column(rows: Sequence[ExperimentRow], metric: str) -> np.ndarray:
    """Return one metric of rows, (rows,)."""
    return np.array([number(row, metric) for row in rows])


def summary(table: Table, *, gap: str, budget: float) -> list[dict[str, Any]]:
    """Return mean, sd and paired difference to the given network of every method and metric, on test rows."""
    return [
        _summarised(table, method, metric, choices, budget)
        for method in table.methods
        for choices in [[table.choice(method, s, gap=gap, budget=budget, also_single=False) for s in table.seeds]]
        for metric in METRIC_NAMES
    ]


def _summarised(table: Table, method: str, metric: str, choices: Sequence[Choice], budget: float) -> dict[str, Any]:
    # A degenerate model's figures would praise it: its seeds are counted, not averaged.
    sound = [choice.test.degenerate is None for choice in choices]
    after = np.where(sound, column([choice.test for choice in choices], metric), math.nan)
    before = column([table.given(seed, "test") for seed in table.seeds], metric)
    change = over_seeds(after - before, table.overlap)
    known = after[~np.isnan(after)]
    row = repair_row(method)
    return {
        "method": method,
        "title": row.title,
        "kind": row.kind,
        "needs_protected": row.needs_protected,
        "metric": metric,
        "mean": rounded(float(known.mean()) if known.size else math.nan),
        "sd": rounded(spread(list(after))),
        "seeds": int(known.size),
        "strengths": [choice.test.strength if not choice.kept else None for choice in choices],
        "paired_difference": estimate(change),
        "verdict": verdict_over_seeds(metric, change),
        "kept_given_seeds": [seed for seed, choice in zip(table.seeds, choices, strict=True) if choice.kept],
        "degenerate_seeds": [seed for seed, fine in zip(table.seeds, sound, strict=True) if not fine],
        "ranked": all(sound),
        "note": _note(choices, budget),
    }


def _note(choices: Sequence[Choice], budget: float) -> str | None:
    said = []
    if kept := sum(choice.kept for choice in choices):
        said.append(f"On {kept} of {len(choices)} seeds: {fallback_words(budget)}")
    reasons = [choice.test.degenerate for choice in choices if choice.test.degenerate]
    if reasons:
        said.append(f"Degenerate or failed on {len(reasons)} of {len(choices)} seeds, not ranked: {reasons[0]}")
    return " ".join(said) or None


def pareto(table: Table) -> dict[str, list[dict[str, Any]]]:
    """Return per gap the points, the hypervolume and the figures at the accuracy budgets of every method."""
    return {gap: _marked([_front(table, method, gap) for method in table.methods]) for gap in GAPS}


def _front(table: Table, method: str, gap: str) -> dict[str, Any]:
    row = repair_row(method)
    volumes = np.array([_volume(table, method, seed, gap) for seed in table.seeds])
    return {
        "method": method,
        "title": row.title,
        "kind": row.kind,
        "needs_protected": row.needs_protected,
        "points": [
            _point(table, method, strength, split, gap)
            for split in ("validation", "test")
            for strength in row.strengths or (None,)
        ],
        "hypervolume": estimate(over_seeds(volumes, table.overlap)) | {"per_seed": [rounded(v) for v in volumes]},
        "budgets": {f"{budget:g}": _at_budget(table, method, gap, budget) for budget in BUDGETS},
    }


def _point(table: Table, method: str, strength: float | None, split: str, gap: str) -> dict[str, Any]:
    rows = [row for seed in table.seeds for row in table.of(method, seed, split) if row.strength == strength]
    return {
        "strength": strength,
        "split": split,
        "accuracy": estimate(over_seeds(column(rows, "accuracy"), table.overlap)),
        "gap": estimate(over_seeds(column(rows, gap), table.overlap)),
        "seeds": sum(not math.isnan(number(row, gap)) for row in rows),
        "degenerate": rounded(1 - sum(row.degenerate is None for row in rows) / len(table.seeds)),
    }


def _marked(methods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark the points that no other one beats; whoever reads the attribute when deciding competes in an own list."""
    for needs in (False, True):
        for split in ("validation", "test"):
            own = [m["points"] for m in methods if m["needs_protected"] is needs]
            listed = [p for points in own for p in points if p["split"] == split]
            best = fronts.undominated(
                [FrontPoint(_or_nan(p["accuracy"]), _or_nan(p["gap"]), bool(p["degenerate"])) for p in listed]
            )
            for one, front in zip(listed, best, strict=True):
                one["front"] = front
    return methods


def _volume(table: Table, method: str, seed: int, gap: str) -> float:
    rows, given = table.of(method, seed, "test"), table.given(seed, "test")
    if rows[0].failed or math.isnan(number(given, gap)):
        return math.nan
    points = fronts.thinned([point(row, gap) for row in rows])
    return fronts.hypervolume(points, accuracy=_majority(given), gap=number(given, gap))


def _majority(row: ExperimentRow) -> float:
    """Return the accuracy of always deciding for the more frequent label."""
    share = sum(group["n"] * (group["base_rate"] or 0.0) for group in row.groups) / row.n
    return max(share, 1 - share)


def _at_budget(table: Table, method: str, gap: str, budget: float) -> dict[str, Any]:
    choices = [table.choice(method, seed, gap=gap, budget=budget, also_single=True) for seed in table.seeds]
    sound = [choice.test.degenerate is None for choice in choices]
    given = [table.given(seed, "test") for seed in table.seeds]
    after, accuracy = (np.where(sound, column([c.test for c in choices], m), math.nan) for m in (gap, "accuracy"))
    reduction = relative_reduction(column(given, gap), after, table.overlap)
    start, cost_from = _cost_start(table, method)
    return {
        "gap": estimate(over_seeds(after, table.overlap)),
        "beyond_matched": estimate(over_seeds(after - _matched([c.test for c in choices], gap), table.overlap)),
        "gap_change": estimate(over_seeds(after - column(given, gap), table.overlap)),
        "reduction": rounded(reduction.value),
        "reduction_low": rounded(reduction.low),
        "reduction_high": rounded(reduction.high),
        "accuracy_change": estimate(over_seeds(accuracy - column(given, "accuracy"), table.overlap)),
        "cost": estimate(over_seeds(accuracy - start, table.overlap)),
        "cost_from": cost_from,
        "strengths": [choice.test.strength if not choice.kept else None for choice in choices],
        "kept_given": sum(choice.kept for choice in choices),
        "degenerate": len(choices) - sum(sound),
    }


def _matched(rows: Sequence[ExperimentRow], metric: str) -> np.ndarray:
    """Return a metric (rows,) of the given network moved to each row's selection rate; a control is its own match."""
    values = [(row.matched or row.metrics)[metric] for row in rows]
    return np.array([math.nan if value is None else value for value in values])


def _cost_start(table: Table, method: str) -> tuple[np.ndarray, str]:
    """Return the test accuracies (seeds,) from which the cost counts, and whose they are.

    It is the better one, on average, of the given network and the same training without the fairness part: strength 0
    of a sweep, plain retraining for a method without a sweep that retrains with the same settings.
    """
    given = column([table.given(seed, "test") for seed in table.seeds], "accuracy")
    row = repair_row(method)
    swept = 0.0 in row.strengths
    if not swept and (row.kind == "control" or not trains_like_plain(row)):
        return given, GIVEN
    same, strength = (method, 0.0) if swept else (PLAIN, None)
    zero = [next((r for r in table.of(same, s, "test") if r.strength == strength), None) for s in table.seeds]
    plain = np.array([math.nan if one is None else number(one, "accuracy") for one in zero])
    better = not np.isnan(plain).any() and plain.mean() > given.mean()
    return (plain, "strength 0" if swept else PLAIN) if better else (given, GIVEN)


def estimate(value: Estimate) -> dict[str, float | None]:
    """Return an estimate over seeds as JSON, rounded to the digits of the rows."""
    return {"value": rounded(value.value), "low": rounded(value.low), "high": rounded(value.high)}


def rounded(value: float) -> float | None:
    """Return a number rounded to 6 digits, None where it is undefined; never minus 0."""
    return number_json(round(value, DIGITS) + 0.0)


def _or_nan(found: Mapping[str, float | None]) -> float:
    return math.nan if found["value"] is None else found["value"]
