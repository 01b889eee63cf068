"""Conflict repair: fine-tune the given network toward decisions that are as accurate as a smaller gap allows.

Our own method; the paper's idea, neurons in which accuracy and fairness are in conflict, taken at its word.

1. Score every hidden neuron for conflict (`conflict_neurons`); only the chosen share of neurons may move
2. Guide the training, by one of
     trees    soft targets of a rule that knows how much each decision widens the gap (`fair_targets`); the rows are
              joined by seeded mixtures of them, which the teachers judge as well
     penalty  cross-entropy + strength * gap of soft decisions (`models.gap_penalty`)
3. Train all strengths as one batched program: the results are points of one Pareto front

The protected attribute is read in training and never when the network decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fairneuron_core.models import Trained, TrainingPlan
from fairneuron_core.models.gap_penalty import GapPenalty
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.conflict_neurons import (
    chosen_neurons,
    conflict_scores,
    movable_parameters,
    neuron_slopes,
)
from fairneuron_core.repair.fine_tuning import gap_watch, repaired
from fairneuron_core.repair.guided_training import guided_training
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask

STRENGTHS = (0.0, 0.25, 0.5, 0.65, 0.75, 0.85, 0.95)


@dataclass(frozen=True)
class ConflictParams:
    """All options of conflict repair."""

    strength: float = setting(
        0.8,
        label="Strength",
        help="Share of the gap that the targets close (guide trees), or the weight of the gap in the loss (penalty).",
        low=0.0,
        high=10.0,
    )
    gap: Literal["demographic_parity", "equal_opportunity", "equalized_odds"] = setting(
        "demographic_parity",
        label="Gap to close",
        help="Gaps conflict with each other: closing one can open another.",
        choices=("demographic_parity", "equal_opportunity", "equalized_odds"),
    )
    share: float = setting(
        1.0, label="Share of neurons that may move", help="1 = the whole network.", low=0.01, high=1.0
    )
    neurons: Literal["conflict", "fairness", "random"] = setting(
        "conflict",
        label="Which neurons",
        help="highest conflict score, largest effect on the gap, or drawn at random as a control.",
        choices=("conflict", "fairness", "random"),
    )
    guide: Literal["trees", "penalty"] = setting(
        "trees",
        label="Guide",
        help="trees = soft targets of boosted trees under the smaller gap; penalty = the gap as a term of the loss.",
        choices=("trees", "penalty"),
    )
    epochs: int = setting(12, label="Epochs", help="Passes over rows and mixtures.", low=1, high=500)
    learning_rate: float = setting(1e-3, label="Learning rate", help="Falls to 0 at the end.", low=1e-6, high=1.0)
    batch_size: int = setting(256, label="Batch size", low=1, high=8192, unit="rows", expert=True)
    mixtures: int | None = setting(
        None,
        label="Mixed rows",
        help="Rows mixed from two others, per training row, judged by the trees (guide trees only); empty = 2, or 6 "
        "for less than 10,000 training rows.",
        low=0,
        high=20,
        expert=True,
        empty="by rows",
    )
    ema: float = setting(
        0.99, label="Averaging of weights", help="Decay per step; 0 = none.", low=0.0, high=0.9999, expert=True
    )
    proximal: float = setting(
        0.0, label="Pull to the given weights", help="Weight of the squared distance.", low=0.0, high=10.0, expert=True
    )


def prepare_conflict(task: RepairTask, params: ConflictParams, strengths: Sequence[float]) -> Prepared:
    """Ask for one training per strength; all of them share architecture, rows and schedule."""
    slopes = neuron_slopes(task, params.gap)
    chosen = chosen_neurons(slopes, params.neurons, params.share, seed=task.seed)
    facts = {
        "neurons": len(chosen),
        "neurons_moved": int(chosen.sum()),
        "conflict_scores": [float(f"{score:.4g}") for score in conflict_scores(slopes)],
    }
    base = _base_plan(task, params, chosen)

    def results(trained: Sequence[Trained], more: Sequence[Mapping[str, Any]]) -> tuple[RepairResult, ...]:
        return tuple(
            RepairResult(
                repaired(
                    task,
                    result,
                    made_by="repair conflict",
                    recipe={"method": "conflict", **params_json(params), "strength": strength},
                ),
                result.trace,
                facts | own,
            )
            for strength, result, own in zip(strengths, trained, more, strict=True)
        )

    if params.guide == "trees":
        return guided_training(
            task, base, gap=params.gap, strengths=strengths, mixtures=params.mixtures, results=results
        )
    codes = task.train.codes(task.attribute)
    plans = tuple(replace(base, penalty=GapPenalty(codes, strength, params.gap)) for strength in strengths)
    return Prepared(plans, lambda trained: results(trained, [{}] * len(plans)))


def _base_plan(task: RepairTask, params: ConflictParams, chosen: np.ndarray) -> TrainingPlan:
    return TrainingPlan(
        start=task.classifier.network,
        features=task.train.features,
        labels=task.train.labels,
        validation=(task.validation.features, task.validation.labels),
        epochs=params.epochs,
        seed=task.seed,
        learning_rate=params.learning_rate,
        batch_size=params.batch_size,
        trainable=None if chosen.all() else movable_parameters(task.classifier.network, chosen),
        proximal=params.proximal,
        ema=params.ema,
        schedule="cosine",
        keep="last",
        watch=gap_watch(task),
    )


CONFLICT = RepairRow(
    name="conflict",
    title="Conflict repair",
    sentence="Trains on toward decisions that are as accurate as a smaller gap allows; strength picks the point.",
    changes="training (targets)",
    needs_protected=False,
    cannot="It closes the gap that is asked for and can open another one; scores are no longer plain probabilities; "
    "groups that differ in what the inputs say cannot be equalised for free.",
    source="Own method; optimal rule of Menon and Williamson, 2018",
    Params=ConflictParams,
    prepare=prepare_conflict,
    strengths=STRENGTHS,
)
