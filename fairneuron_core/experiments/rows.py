"""One row of an experiment: one repaired classifier measured on one part, as plain as its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from fairneuron_core.experiments.spec import METRIC_NAMES
from fairneuron_core.metrics import METRICS, group_counts
from fairneuron_core.metrics.as_json import number_json
from fairneuron_core.metrics.degenerate import degenerate_words
from fairneuron_core.metrics.row import AuditView
from fairneuron_core.models import decisions
from fairneuron_core.repair import RepairResult, RepairRow, RepairTask
from fairneuron_core.repair.matched_threshold import matched_threshold_result
from fairneuron_core.types import Batch

Part = Literal["validation", "test"]
PARTS: tuple[Part, ...] = ("validation", "test")
DIGITS = 6
_RATES = ("base_rate", "selection_rate", "tpr", "fpr")
_MOST_TRAINING_ROWS = 5000


@dataclass(frozen=True)
class ExperimentRow:
    """Figures of one classifier on one part. None = undefined; figures are rounded to 6 digits.

    strength     None for a method without one
    groups       per group: group, n, base_rate, selection_rate, tpr, fpr
    degenerate   why the classifier must not be ranked, or why the method failed (its metrics are then None)
    matched      the same metrics of the GIVEN network with one threshold at which it selects as many validation rows
                 as this classifier does; None for controls and where the method failed
    """

    method: str
    strength: float | None
    seed: int
    split: Part
    n: int
    metrics: Mapping[str, float | None]
    groups: tuple[Mapping[str, Any], ...]
    degenerate: str | None = None
    matched: Mapping[str, float | None] | None = None

    @property
    def failed(self) -> bool:
        return all(value is None for value in self.metrics.values())

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "groups": [dict(group) for group in self.groups]}


def row_of(stored: Mapping[str, Any]) -> ExperimentRow:
    """Return the row of its JSON."""
    return ExperimentRow(**{**stored, "groups": tuple(stored["groups"])})


def measured(
    results: Iterable[RepairResult], row: RepairRow, task: RepairTask, test: Batch
) -> tuple[ExperimentRow, ...]:
    """Measure every result of one method on the validation and the test part.

    Whether a model is degenerate is judged once, on the validation rows with up to 5,000 training rows: on a small part
    alone, chance would put sound networks below the majority class. The test rows have no say in it.
    """
    parts = (task.validation, test)
    rows = []
    for result, strength in zip(results, row.strengths or (None,), strict=True):
        seen = [_decided(result, batch) for batch in parts]
        some = _evenly(task.train)
        both = degenerate_words(_view(task, (some, task.validation), (_decided(result, some), seen[0])))
        found = [_view(task, (batch,), (decided,)) for batch, decided in zip(parts, seen, strict=True)]
        beside = [None, None] if row.kind == "control" else _matched(task, parts, rate=float(seen[0].mean()))
        rows += [
            _row(view, row.name, strength, task.seed, name, degenerate=both, matched=matched)
            for name, view, matched in zip(PARTS, found, beside, strict=True)
        ]
    return tuple(rows)


def _matched(task: RepairTask, parts: Sequence[Batch], *, rate: float) -> list[dict[str, float | None] | None]:
    """Measure the given network with one threshold at which it selects `rate` of the validation rows."""
    moved = matched_threshold_result(task, rate)
    return [_metrics(_view(task, (batch,), (_decided(moved, batch),))) for batch in parts]


def failed(row: RepairRow, task: RepairTask, test: Batch, why: str) -> tuple[ExperimentRow, ...]:
    """Return the rows of a method that gave no classifier on this seed; the reason stands in `degenerate`."""
    nothing = dict.fromkeys(METRIC_NAMES)
    sizes = {"validation": len(task.validation.labels), "test": len(test.labels)}
    return tuple(ExperimentRow(row.name, None, task.seed, part, sizes[part], nothing, (), why) for part in PARTS)


def _row(
    view: AuditView,
    method: str,
    strength: float | None,
    seed: int,
    part: Part,
    *,
    degenerate: str | None,
    matched: Mapping[str, float | None] | None,
) -> ExperimentRow:
    rates = {name: view.rate(name) for name in _RATES}
    groups = tuple(
        {"group": level, "n": int(view.rows[g]), **{name: _number(values[g]) for name, values in rates.items()}}
        for g, level in enumerate(view.levels)
    )
    n = int(view.counts.sum())
    return ExperimentRow(method, strength, seed, part, n, _metrics(view), groups, degenerate, matched)


def _metrics(view: AuditView) -> dict[str, float | None]:
    rows = [METRICS[name] for name in METRIC_NAMES]
    return {row.name: _number(row.measure(row, view).estimate.value) for row in rows}


def _number(value: float) -> float | None:
    return number_json(round(float(value), DIGITS))


def _decided(result: RepairResult, batch: Batch) -> np.ndarray:
    return result.decisions(batch) if result.decisions else decisions(result.classifier, batch)


def _view(task: RepairTask, parts: Sequence[Batch], decided: Sequence[np.ndarray]) -> AuditView:
    """Count the decisions on the rows of all parts together. An audit would measure intervals that nobody reads."""
    levels = parts[0].levels(task.attribute)
    counts = group_counts(
        np.concatenate([part.labels for part in parts]),
        np.concatenate(decided),
        np.concatenate([part.codes(task.attribute) for part in parts]),
        len(levels),
    )
    return AuditView(counts, levels, task.reference)


def _evenly(batch: Batch) -> Batch:
    """Return at most 5,000 rows of the batch, evenly spaced."""
    every = -(-len(batch.labels) // _MOST_TRAINING_ROWS)
    return Batch(
        batch.features[::every],
        batch.labels[::every],
        batch.groups[::every],
        batch.protected,
        batch.group_levels,
        batch.rows[::every],
    )
