"""Spread: train on so that the score hardly moves over S(x), with more weight on the rows that are still refuted.

1. fine-tune with strength * mean range of the score over S(x), enumerated for every training row
2. try S(x) of all training rows: those with two decisions are counterexamples, and weigh FOCUS times as much from now
3. go on from the network of 1. until there is none, or the rounds are over; the round with the fewest is kept

At strength 0 this is plain retraining. Unlike a blind network this one may still use the attribute where no decision
hangs on it; what is proved are rows, one by one.

Source: an enumerated form of the counterfactual penalties of Garg et al., "Counterfactual fairness in text
classification through robustness", AIES 2019 (counterfactual logit pairing); the rounds are ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.models import Trained, TrainingPlan
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.fine_tuning import TrainingSettings, plan_for, repaired
from fairneuron_core.repair.individual import IndividualSettings, individual_facts, proved_rows, space_of
from fairneuron_core.repair.spread_penalty import SpreadPenalty
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask
from fairneuron_core.types import Classifier
from fairneuron_core.verify import SimilarSpace

FOCUS = 4.0
_MOST_WEIGHT = 1000.0


@dataclass(frozen=True)
class SpreadParams(TrainingSettings, IndividualSettings):
    """How hard the spread is pressed down, and how often counterexamples are fed back."""

    strength: float = setting(
        3.0,
        label="Strength (lambda)",
        help="Weight of the mean range of the score over similar individuals; 0 = plain retraining.",
        low=0.0,
        high=1000.0,
    )
    rounds: int = setting(
        5,
        label="Rounds at most",
        help="After each round the training rows that are still refuted weigh more; it ends when there is none.",
        low=1,
        high=50,
    )
    keep: Literal["best", "last"] = setting(
        "last",
        label="Keep the epoch",
        help="last = the final epoch of a round; best = lowest validation loss, which is seldom the fairest epoch.",
        choices=("best", "last"),
        expert=True,
    )


@dataclass(frozen=True, eq=False)
class Line:
    """One strength's work so far: the next plan, the best network yet, and what every round left refuted."""

    params: SpreadParams
    plan: TrainingPlan
    best: Trained | None = None
    trace: tuple[Mapping[str, Any], ...] = ()
    rounds: tuple[Mapping[str, Any], ...] = ()

    @property
    def open(self) -> bool:
        """Whether another round is worth it: at strength 0 nothing presses."""
        pressed = self.params.strength > 0 and len(self.rounds) < self.params.rounds
        return pressed and bool(self.rounds[-1]["refuted_training_rows"])


def prepare_spread(task: RepairTask, params: SpreadParams, strengths: Sequence[float]) -> Prepared:
    """Ask for the first round of every strength."""
    began, space = time.perf_counter(), space_of(task, params)
    if not space.finite:
        raise SettingError(
            "The spread is measured by trying every similar individual, but a column is real-valued: "
            "free columns of levels or whole numbers only, or repair by blindness."
        )
    weights = np.ones(len(task.train.labels))
    lines = []
    for strength in strengths:
        own = replace(params, strength=strength)
        plan = plan_for(task, own, penalty=SpreadPenalty(space, weights, strength), schedule="cosine")
        lines.append(Line(own, plan))
    return _round(task, space, lines, list(range(len(lines))), began)


def _round(task: RepairTask, space: SimilarSpace, lines: list[Line], active: list[int], began: float) -> Prepared:
    """Ask for one more round of the lines `active`; the others wait for the end."""
    number = 1 + max(len(line.rounds) for line in lines)

    def finish(trained: Sequence[Trained]) -> tuple[RepairResult, ...] | Prepared:
        found = list(lines)
        for position, one in zip(active, trained, strict=True):
            found[position] = _after(task, space, lines[position], one)
        left = [position for position in active if found[position].open]
        if left:
            return _round(task, space, found, left, began)
        return tuple(_result(task, space, line, began) for line in found)

    return Prepared(tuple(lines[position].plan for position in active), finish, share=number / lines[0].params.rounds)


def _after(task: RepairTask, space: SimilarSpace, line: Line, trained: Trained) -> Line:
    """Return the line with its newest network tried on all training rows and its next plan written."""
    classifier = replace(task.classifier, network=trained.network, rule=None)
    refuted = [~_proved(classifier, space, rows.features) for rows in (task.train, task.validation)]
    counts = {"refuted_training_rows": int(refuted[0].sum()), "refuted_validation_rows": int(refuted[1].sum())}
    epochs = len(line.trace)
    points = [dict(point) | {"epoch": epochs + int(point["epoch"])} for point in trained.trace]
    points[-1] |= counts
    penalty = line.plan.penalty
    assert isinstance(penalty, SpreadPenalty)
    weights = np.where(refuted[0], (penalty.weights * FOCUS).clip(max=_MOST_WEIGHT), penalty.weights)
    plan = replace(line.plan, start=trained.network, penalty=replace(penalty, weights=weights))
    rounds = (*line.rounds, {"round": len(line.rounds) + 1, **counts})
    fewest = min(one["refuted_training_rows"] for one in rounds)
    best = trained if counts["refuted_training_rows"] == fewest else line.best
    return replace(line, plan=plan, best=best, trace=(*line.trace, *points), rounds=rounds)


def _proved(classifier: Classifier, space: SimilarSpace, features: np.ndarray) -> np.ndarray:
    found = proved_rows(classifier, space, features)
    assert found is not None
    return found


def _result(task: RepairTask, space: SimilarSpace, line: Line, began: float) -> RepairResult:
    assert line.best is not None
    recipe = {"method": "spread", **params_json(line.params)}
    classifier = repaired(task, line.best, made_by="repair spread", recipe=recipe)
    facts = {"rounds": [dict(one) for one in line.rounds]}
    seconds = {"in all": time.perf_counter() - began}
    facts |= individual_facts(task, space, classifier, line.params, seconds=seconds)
    return RepairResult(classifier, line.trace, facts)


SPREAD = RepairRow(
    name="spread",
    title="Small spread",
    sentence="Trains on so that the score hardly moves when the attribute changes; rows still refuted weigh more.",
    changes="training (spread of the score)",
    needs_protected=False,
    cannot="What it proves are rows, not every possible person; it needs attributes whose values can be listed, and "
    "says nothing about gaps between groups.",
    source="After counterfactual logit pairing (Garg et al., AIES 2019)",
    Params=SpreadParams,
    prepare=prepare_spread,
    strengths=(0.0, 0.3, 1.0, 3.0, 10.0),
    individual=True,
)
