"""Hyper-parameter search for selective training: a grid over rarity (theta) and coverage (gamma).

Source: Gao et al., ICSE 2022, section on hyper-parameter tuning; its released code uses these 36 points.

1. Slice once for all gammas; theta only re-thresholds the counts, so it never slices again.
2. Points whose conflict samples are the same rows are one training; all distinct ones train as one batched program.
3. Score on the VALIDATION part only:
       score = w_dp DP + w_eo EO + w_r (1 - min(r, 1/r)) + w_acc max(0, accuracy_before - accuracy)   (lower is better)
   where EO is the equal opportunity difference and r the demographic parity ratio. It is bounded, unlike the released
   one, which a model that never selects a group could drive to minus infinity.
4. Undefined rates and degenerate models (judged on training and validation rows) make a point ineligible. The reason
   says whether the chosen point beats the given network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairneuron_core.metrics import audit
from fairneuron_core.models import Trained, decide, train
from fairneuron_core.params import params_json, setting
from fairneuron_core.paths import SampleSplit, cluster, suggest_setting
from fairneuron_core.repair.fairneuron import FairNeuronParams, selective_plan, slice_grid
from fairneuron_core.repair.fine_tuning import repaired
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Audit, Batch, Classifier, part_of

THETAS = (0.1, 0.01, 3e-3, 1e-3, 3e-4, 1e-4)
GAMMAS = (0.95, 0.9, 0.85, 0.8, 0.7, 0.6)
_SLICING_SHARE = 0.1


@dataclass(frozen=True)
class SearchParams(FairNeuronParams):
    """Settings shared by all points, the grid, and the weights of the score."""

    thetas: tuple[float, ...] = setting(THETAS, label="Rarity grid (theta)", help="Values to try.", low=0.0, high=1.0)
    gammas: tuple[float, ...] = setting(GAMMAS, label="Coverage grid (gamma)", help="Values to try.", low=0.0, high=1.0)
    weight_dp: float = setting(1.0, label="Weight of demographic parity", low=0.0, high=100.0)
    weight_eo: float = setting(1.0, label="Weight of equal opportunity", low=0.0, high=100.0)
    weight_ratio: float = setting(1.0, label="Weight of the parity ratio", low=0.0, high=100.0)
    weight_accuracy: float = setting(1.0, label="Weight of lost accuracy", low=0.0, high=100.0)


@dataclass(frozen=True)
class Trial:
    """One grid point with its validation figures; `score` is NaN and `ineligible` says why when it cannot win."""

    theta: float
    gamma: float
    conflict_samples: int
    metrics: dict[str, float]
    score: float
    ineligible: str | None
    same_as: int | None = None


@dataclass(frozen=True)
class SearchResult:
    """All trials in grid order, the index of the chosen one (None: nothing eligible), and its classifier."""

    trials: tuple[Trial, ...]
    chosen: int | None
    classifier: Classifier
    trace: tuple[Any, ...]
    before: dict[str, float]
    reason: str


def search(task: RepairTask, params: SearchParams) -> SearchResult:
    """Try every grid point and return the trials with the best eligible one, chosen on validation.

    An empty `first_layer` is the suggested one: on whole paths of wide networks nothing is shared, no row in conflict
    and every point the same plain retraining.
    """
    if params.first_layer is None:
        first_layer = suggest_setting(
            task.classifier,
            task.train.features,
            reading=params.reading,
            granularity=params.granularity,
            threads=task.threads,
        ).first_layer
        params = replace(params, first_layer=first_layer)
    points = [(theta, gamma) for gamma in params.gammas for theta in params.thetas]
    plans, splits, same_as = [], [], []
    seen: dict[bytes, int] = {}
    sliced = slice_grid(replace(task, progress=part_of(task.progress, 0.0, _SLICING_SHARE)), params, params.gammas)
    for gamma, paths in zip(params.gammas, sliced, strict=True):
        at_gamma = replace(params, coverage=gamma)
        for theta in params.thetas:
            split = cluster(paths, theta)
            # Muting off the path depends on gamma too, so only equal rows under the same paths are one training.
            key = split.conflicting.tobytes() + (str(gamma).encode() if params.mute == "off_path" else b"")
            same_as.append(seen.setdefault(key, len(plans)))
            splits.append(split)
            if same_as[-1] == len(plans):
                plans.append(selective_plan(task, at_gamma, paths=paths, split=split))
    trained = train(plans, device=task.device, progress=part_of(task.progress, _SLICING_SHARE, 1.0))
    before = _figures(_audit(task, task.classifier, task.validation))
    scored = [_score(task, params, network, before) for network in trained]
    trials = _trials(points, splits, same_as, scored)
    return _choose(task, params, trials, same_as, trained, before)


def score(metrics: dict[str, float], before: dict[str, float], params: SearchParams) -> float:
    """Return the bounded score of the module's step 3 (0 is ideal, lower is better; NaN where a rate is undefined)."""
    lost = max(0.0, before["accuracy"] - metrics["accuracy"])
    return (
        params.weight_dp * metrics["demographic_parity_difference"]
        + params.weight_eo * metrics["equal_opportunity_difference"]
        + params.weight_ratio * (1 - metrics["demographic_parity_ratio"])
        + params.weight_accuracy * lost
    )


def _score(
    task: RepairTask, params: SearchParams, trained: Trained, before: dict[str, float]
) -> tuple[dict[str, float], float, str | None]:
    classifier = replace(task.classifier, network=trained.network)
    figures = _figures(_audit(task, classifier, task.validation))
    value = score(figures, before, params)
    # On a small validation part alone, chance would put sound networks below the majority class.
    if degenerate := _audit(task, classifier, task.train, task.validation).degenerate:
        return figures, math.nan, degenerate
    return figures, value, "a rate is undefined on the validation part" if math.isnan(value) else None


def _audit(task: RepairTask, classifier: Classifier, *parts: Batch) -> Audit:
    """Audit the decisions on the rows of all parts together."""
    return audit(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([decide(classifier, part.features) for part in parts]),
        np.concatenate([part.codes(task.attribute) for part in parts]),
        levels=parts[0].levels(task.attribute),
        attribute=task.attribute,
        reference=task.reference,
    )


def _figures(found: Audit) -> dict[str, float]:
    names = (
        "accuracy",
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equal_opportunity_difference",
    )
    return {name: float(found.metrics[name].estimate.value) for name in names}


def _trials(
    points: Sequence[tuple[float, float]],
    splits: Sequence[SampleSplit],
    same_as: Sequence[int],
    scored: Sequence[tuple[dict[str, float], float, str | None]],
) -> tuple[Trial, ...]:
    first = {plan: position for position, plan in reversed(list(enumerate(same_as)))}
    return tuple(
        Trial(
            theta=theta,
            gamma=gamma,
            conflict_samples=int(splits[position].conflicting.sum()),
            metrics=scored[same_as[position]][0],
            score=scored[same_as[position]][1],
            ineligible=scored[same_as[position]][2],
            same_as=None if first[same_as[position]] == position else first[same_as[position]],
        )
        for position, (theta, gamma) in enumerate(points)
    )


def _choose(
    task: RepairTask,
    params: SearchParams,
    trials: tuple[Trial, ...],
    same_as: Sequence[int],
    trained: Sequence[Trained],
    before: dict[str, float],
) -> SearchResult:
    scores = np.array([trial.score for trial in trials])
    if np.isnan(scores).all():
        reason = (
            "No grid point is eligible: every one is degenerate or has an undefined rate; the network stays as it was."
        )
        return SearchResult(trials, None, task.classifier, (), before, reason)
    best = int(np.nanargmin(scores))
    trial, own = trials[best], score(before, before, params)
    words = "lower than" if trial.score < own else "not lower than"
    reason = (
        f"theta {trial.theta:g} and gamma {trial.gamma:g} have the lowest score on the validation part, "
        f"{trial.score:.3f}, {words} {own:.3f} of the given network."
    )
    if all(other.conflict_samples == 0 for other in trials):
        reason += " No grid point has a conflict sample: all of them are plain retraining; count upper layers only."
    recipe = {"method": "fairneuron", **params_json(params), "rarity": trial.theta, "coverage": trial.gamma}
    network = trained[same_as[best]]
    classifier = repaired(task, network, made_by="search fairneuron", recipe=recipe)
    return SearchResult(trials, best, classifier, network.trace, before, reason)
