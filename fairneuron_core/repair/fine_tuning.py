"""From a repair task to a training plan and back: what all methods that retrain the network have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fairneuron_core import __version__
from fairneuron_core.metrics import audit
from fairneuron_core.models import Trained, TrainingPlan, build_network, layer_sizes, linear_layers, profile
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.task import Prepared, RepairResult, RepairTask
from fairneuron_core.types import Classifier

WATCHED = ("demographic_parity_difference", "equal_opportunity_difference")


@dataclass(frozen=True)
class TrainingSettings:
    """How a repair retrains: where it starts and how long and how fast it learns."""

    epochs: int = setting(10, label="Epochs", help="Passes over the training rows.", low=1, high=500)
    learning_rate: float = setting(
        1e-3, label="Learning rate", help="Step size of Adam at the start.", low=1e-6, high=1.0
    )
    start: Literal["given", "scratch"] = setting(
        "given",
        label="Start from",
        help="given = fine-tune the network to be repaired; scratch = train anew from fresh weights.",
        choices=("given", "scratch"),
    )
    batch_size: int = setting(
        128, label="Batch size", help="Rows per step.", low=1, high=8192, unit="rows", expert=True
    )
    keep: Literal["best", "last"] = setting(
        "best",
        label="Keep the epoch",
        help="best = lowest validation loss; last = the final epoch.",
        choices=("best", "last"),
        expert=True,
    )
    loss: Literal["cross_entropy", "mse"] = setting(
        "cross_entropy",
        label="Loss",
        help="cross_entropy, or the squared error of the score as in the released code.",
        choices=("cross_entropy", "mse"),
        expert=True,
    )


def plan_for(task: RepairTask, settings: TrainingSettings, **changes: Any) -> TrainingPlan:
    """Return the plan that retrains the task's network with `settings`; `changes` are what the method adds."""
    given = task.classifier.network
    activation = linear_layers(given)[0].activation
    start = (
        given if settings.start == "given" else build_network(layer_sizes(given), activation=activation, seed=task.seed)
    )
    plan = TrainingPlan(
        start=start,
        features=task.train.features,
        labels=task.train.labels,
        validation=(task.validation.features, task.validation.labels),
        epochs=settings.epochs,
        seed=task.seed,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        keep=settings.keep,
        loss=settings.loss,
        watch=gap_watch(task),
    )
    return replace(plan, **changes)


def gap_watch(task: RepairTask) -> Callable[[np.ndarray], Mapping[str, float]]:
    """Return a function from validation scores to the gaps that are drawn while a repair runs."""
    batch, threshold = task.validation, task.classifier.threshold
    codes, levels = batch.codes(task.attribute), batch.levels(task.attribute)

    def watch(scores: np.ndarray) -> dict[str, float]:
        decisions = (scores >= threshold).astype(np.uint8)
        found = audit(
            batch.labels, decisions, codes, levels=levels, attribute=task.attribute, reference=task.reference
        ).metrics
        return {name: found[name].estimate.value for name in WATCHED}

    return watch


def repaired(task: RepairTask, trained: Trained, *, made_by: str, recipe: Mapping[str, Any]) -> Classifier:
    """Return the classifier around the retrained network, with its own profile, parent and history."""
    record = replace(
        task.classifier.record,
        made_by=made_by,
        recipe=dict(recipe),
        version=__version__,
    )
    means = profile(trained.network, task.train.features)
    return replace(task.classifier, network=trained.network, means=means, record=record, rule=None)


def one_training(
    task: RepairTask, plan: TrainingPlan, *, method: str, params: Any, facts: Mapping[str, Any] | None = None
) -> Prepared:
    """Return the answer of a method that asks for a single training and takes its network as it is."""
    recipe = {"method": method, **params_json(params)}

    def finish(trained: Sequence[Trained]) -> tuple[RepairResult, ...]:
        classifier = repaired(task, trained[0], made_by=f"repair {method}", recipe=recipe)
        return (RepairResult(classifier, trained[0].trace, facts or {}),)

    return Prepared((plan,), finish)
