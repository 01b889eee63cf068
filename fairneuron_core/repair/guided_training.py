"""Training on fair soft targets: the plans, and a second round where a network went further than its rule.

1. Grow the teachers, add mixed rows, find the rule of every strength (`fair_targets`, `fair_rules`)
2. Train one network per strength on the targets of its rule
3. Equalized odds only: a network misses two rates at once, and by different amounts. What each network does beyond its
   rule, in every group and label, is measured on the training rows and taken off; then it is trained on, half as long,
   toward the rule that meets the gap with that deviation included
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.models import Trained, TrainingPlan, scores
from fairneuron_core.models.gap_penalty import Gap
from fairneuron_core.repair.fair_rules import RuleSearch, ladder_rules, rates_in_cells
from fairneuron_core.repair.fair_targets import FairRule, Guide, fair_targets, fit_guide
from fairneuron_core.repair.mixtures import mixed_rows
from fairneuron_core.repair.task import Prepared, RepairResult, RepairTask
from fairneuron_core.repair.teachers import MANY_ROWS

Results = Callable[[Sequence[Trained], Sequence[Mapping[str, Any]]], tuple[RepairResult, ...]]

_FIRST_ROUND = 2 / 3


@dataclass(frozen=True, eq=False)
class _Lesson:
    """Training rows, then mixtures of them: features (N, d), labels, and what the teachers say, eta and w (C, N)."""

    guide: Guide
    features: np.ndarray
    labels: np.ndarray
    eta: np.ndarray
    widening: np.ndarray

    def plans(self, bases: Sequence[TrainingPlan], rules: Sequence[FairRule]) -> tuple[TrainingPlan, ...]:
        return tuple(
            replace(
                base,
                features=self.features,
                labels=self.labels,
                targets=fair_targets(self.eta, self.widening, rule),
            )
            for base, rule in zip(bases, rules, strict=True)
        )

    def facts(self, rules: Sequence[FairRule]) -> list[dict[str, Any]]:
        return [
            {"multipliers": list(rule.multipliers), "offset": rule.offset, "gap_of_the_teacher": self.guide.gap}
            for rule in rules
        ]


def guided_training(
    task: RepairTask,
    base: TrainingPlan,
    *,
    gap: Gap,
    strengths: Sequence[float],
    mixtures: int | None,
    results: Results,
) -> Prepared:
    """Ask for one training per strength, like `base` but on fair targets; `results` makes the answer of the method.

    Raises
    ------
    SettingError : all training rows have the same label.
    """
    lesson = _lesson(task, gap, mixtures)
    own, bases = lesson.widening[:, : len(task.train.labels)], [base] * len(strengths)
    if len(own) == 1:
        rules = ladder_rules(lesson.guide, own, strengths)
        return Prepared(lesson.plans(bases, rules), lambda trained: results(trained, lesson.facts(rules)))
    search = RuleSearch(lesson.guide, own)
    rules = [search.rule(strength) for strength in strengths]
    shorter = replace(base, epochs=max(base.epochs // 2, 1), learning_rate=base.learning_rate / 2)

    def second_round(trained: Sequence[Trained]) -> Prepared:
        better = [
            search.rule(strength, _beyond(task, search, one, rule, own))
            for strength, one, rule in zip(strengths, trained, rules, strict=True)
        ]
        again = lesson.plans([replace(shorter, start=one.network) for one in trained], better)

        def finish(last: Sequence[Trained]) -> tuple[RepairResult, ...]:
            joined = [_joined(before, after) for before, after in zip(trained, last, strict=True)]
            return results(joined, lesson.facts(better))

        return Prepared(again, finish)

    return Prepared(lesson.plans(bases, rules), second_round, share=_FIRST_ROUND)


def _lesson(task: RepairTask, gap: Gap, mixtures: int | None) -> _Lesson:
    if not 0 < task.train.labels.mean() < 1:
        raise SettingError("All training rows have the same label: there is nothing to learn; check the target column.")
    guide = fit_guide(task, gap)
    # Few rows need more company: on COMPAS 6 mixtures a row gave the larger front (area .0407 against .0392).
    usual = 6 if len(task.train.labels) < MANY_ROWS else 2
    times = usual if mixtures is None else mixtures
    mixed = mixed_rows(task.classifier.encoder, task.train.features, times=times, seed=task.seed)
    eta = guide.eta(mixed)
    return _Lesson(
        guide,
        np.concatenate([task.train.features, mixed]),
        np.concatenate([task.train.labels, (eta >= 0.5).astype(np.uint8)]),
        np.concatenate([guide.eta(), eta]),
        np.concatenate([guide.widening(), guide.widening(mixed)], axis=1),
    )


def _beyond(task: RepairTask, search: RuleSearch, trained: Trained, rule: FairRule, widening: np.ndarray) -> np.ndarray:
    """(K,) how much more often the network decides favourably than its rule, in every cell of the training rows."""
    threshold = task.classifier.threshold
    network = scores(replace(task.classifier, network=trained.network), task.train.features) >= threshold
    asked = fair_targets(search.guide.eta(), widening, rule) >= threshold
    return rates_in_cells(search.cells, network) - rates_in_cells(search.cells, asked)


def _joined(before: Trained, after: Trained) -> Trained:
    """One training out of two: the epochs of the second count on."""
    done = len(before.trace)
    later = [{**line, "epoch": line["epoch"] + done} if "epoch" in line else line for line in after.trace]
    return replace(after, trace=(*before.trace, *later), best_epoch=after.best_epoch + done)
