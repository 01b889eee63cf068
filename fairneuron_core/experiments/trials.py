"""Trials of a search: what a point asks for, how it is scored on validation, and which one wins.

1. A point is one setting of selective training. Points whose conflict samples are the same rows (and that mute and
   learn alike) are one training; all distinct ones of a call train as one batched program.
2. Score, on the VALIDATION part only (lower is better, 0 is ideal):
       score = w_dp DP + w_eo EO + w_r (1 - min(r, 1/r)) + w_acc max(0, accuracy_before - accuracy)
   where EO is the equal opportunity difference and r the demographic parity ratio. It is bounded, unlike the released
   one, which a model that never selects a group could drive to minus infinity.
3. Undefined rates and degenerate models (judged on training and validation rows) make a trial ineligible.
4. The Pareto set: eligible trials that no other one beats in accuracy and all gaps at once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from fairneuron_core.experiments.search_settings import SearchParams
from fairneuron_core.metrics import audit
from fairneuron_core.models import Trained, TrainingPlan, decisions, train
from fairneuron_core.params import params_json
from fairneuron_core.paths import ActivationPaths, SampleSplit, cluster
from fairneuron_core.repair.fairneuron import selective_plan, slice_grid
from fairneuron_core.repair.fine_tuning import repaired
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Audit, Batch, Classifier, ProgressCallback, part_of

_SLICING_SHARE = 0.1
FIGURES = (
    "accuracy",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)


@dataclass(frozen=True)
class Point:
    """One setting of selective training."""

    theta: float
    gamma: float
    first_layer: int
    dropout: float
    learning_rate: float


@dataclass(frozen=True)
class Tried:
    """What a point came to. `training` is equal for points that ask for the same training."""

    training: str
    conflict_samples: int
    metrics: dict[str, float]
    score: float
    ineligible: str | None
    trained: Trained


@dataclass(frozen=True)
class Trial:
    """One point with its validation figures; `score` is NaN and `ineligible` says why when it cannot win.

    same_as   position of the earlier trial that was the same training
    pareto    no other eligible trial is at least as good in accuracy and all searched gaps, and better in one
    """

    theta: float
    gamma: float
    first_layer: int
    dropout: float
    learning_rate: float
    conflict_samples: int
    metrics: dict[str, float]
    score: float
    ineligible: str | None
    same_as: int | None
    pareto: bool


@dataclass(frozen=True)
class SearchResult:
    """All trials in the order they were asked for, the index of the chosen one (None: nothing eligible), its network.

    first_layer   the first layer that counts in every trial, None = each trial has its own
    """

    trials: tuple[Trial, ...]
    chosen: int | None
    classifier: Classifier
    trace: tuple[Any, ...]
    before: dict[str, float]
    reason: str
    first_layer: int | None
    first_layer_reason: str


Evaluate = Callable[[Sequence[Point], ProgressCallback | None], list[Tried]]
"""Points -> what each came to, in their order."""


class Workbench:
    """Tries points on one task. Slices once per gamma and first layer, trains once per distinct training."""

    def __init__(self, task: RepairTask, params: SearchParams) -> None:
        self.task, self.params = task, params
        self.before = figures_of(task, task.classifier)
        self._paths: dict[tuple[int, float], ActivationPaths] = {}
        self._known: dict[str, Tried] = {}

    def try_points(self, points: Sequence[Point], progress: ProgressCallback | None = None) -> list[Tried]:
        """Train what is new among the points together, and return every point's figures in order."""
        self._slice(points, part_of(progress, 0.0, _SLICING_SHARE))
        asked = [self._asked(point) for point in points]
        new = {training: (split, make) for training, split, make in asked if training not in self._known}
        if new:
            plans = [make() for _, make in new.values()]
            told = part_of(progress, _SLICING_SHARE, 1.0)
            trained = train(plans, device=self.task.device, progress=told, checkpoint=self.task.checkpoint)
            for (training, (split, _)), network in zip(new.items(), trained, strict=True):
                self._known[training] = self._scored(training, split, network)
        return [self._known[training] for training, _, _ in asked]

    def plans(self, points: Sequence[Point]) -> list[TrainingPlan]:
        """Return the training of every point, equal ones more than once."""
        self._slice(points, None)
        return [self._asked(point)[2]() for point in points]

    def _slice(self, points: Sequence[Point], progress: ProgressCallback | None) -> None:
        """Keep the paths of every (first layer, gamma) of the points, one pass over the rows per first layer."""
        missing = dict.fromkeys((p.first_layer, p.gamma) for p in points if (p.first_layer, p.gamma) not in self._paths)
        layers = sorted({layer for layer, _ in missing})
        for number, layer in enumerate(layers):
            gammas = [gamma for of, gamma in missing if of == layer]
            task = replace(self.task, progress=part_of(progress, number / len(layers), (number + 1) / len(layers)))
            found = slice_grid(task, replace(self.params, first_layer=layer), gammas)
            self._paths |= {(layer, gamma): paths for gamma, paths in zip(gammas, found, strict=True)}

    def _asked(self, point: Point) -> tuple[str, SampleSplit, Callable[[], TrainingPlan]]:
        """Return what tells the point's training from others, its split, and the making of its plan."""
        paths = self._paths[point.first_layer, point.gamma]
        split = cluster(paths, point.theta)
        params = _at(self.params, point)
        told: list[object] = [point.learning_rate]
        if split.conflicting.any():
            told.append(point.dropout)
        # Muting off the path depends on the paths too, so only equal rows under the same paths are one training.
        if self.params.mute == "off_path":
            told += [point.gamma, point.first_layer]
        training = hashlib.sha256(split.conflicting.tobytes() + repr(told).encode()).hexdigest()
        return training, split, partial(selective_plan, self.task, params, paths=paths, split=split)

    def _scored(self, training: str, split: SampleSplit, trained: Trained) -> Tried:
        classifier = replace(self.task.classifier, network=trained.network, rule=None)
        figures = figures_of(self.task, classifier)
        value = score(figures, self.before, self.params)
        # On a small validation part alone, chance would put sound networks below the majority class.
        degenerate = _audit(self.task, classifier, self.task.train, self.task.validation).degenerate
        undefined = "a rate is undefined on the validation part" if math.isnan(value) else None
        reason = degenerate or undefined
        conflict_samples = int(split.conflicting.sum())
        return Tried(training, conflict_samples, figures, math.nan if reason else value, reason, trained)


def _at(params: SearchParams, point: Point) -> SearchParams:
    return replace(
        params,
        rarity=point.theta,
        coverage=point.gamma,
        first_layer=point.first_layer,
        dropout=point.dropout,
        learning_rate=point.learning_rate,
    )


def score(metrics: dict[str, float], before: dict[str, float], params: SearchParams) -> float:
    """Return the bounded score of the module's step 2 (0 is ideal, lower is better; NaN where a rate is undefined)."""
    lost = max(0.0, before["accuracy"] - metrics["accuracy"])
    return (
        params.weight_dp * metrics["demographic_parity_difference"]
        + params.weight_eo * metrics["equal_opportunity_difference"]
        + params.weight_ratio * (1 - metrics["demographic_parity_ratio"])
        + params.weight_accuracy * lost
    )


def figures_of(task: RepairTask, classifier: Classifier) -> dict[str, float]:
    """Return a classifier's figures on the validation part."""
    found = _audit(task, classifier, task.validation)
    return {name: float(found.metrics[name].estimate.value) for name in FIGURES}


def _audit(task: RepairTask, classifier: Classifier, *parts: Batch) -> Audit:
    """Audit the decisions on the rows of all parts together."""
    return audit(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([decisions(classifier, part) for part in parts]),
        np.concatenate([part.codes(task.attribute) for part in parts]),
        levels=parts[0].levels(task.attribute),
        attribute=task.attribute,
        reference=task.reference,
    )


def objectives(tried: Tried, params: SearchParams) -> tuple[float, ...]:
    """Return accuracy and the searched gaps of a trial, in the order of `params.gaps`."""
    return tuple(tried.metrics[name] for name in ("accuracy", *params.gaps))


def pareto_set(values: np.ndarray) -> np.ndarray:
    """Return which rows of (trials, 1 + gaps) no other row beats; accuracy is up, gaps are down, NaN rows are out.

    >>> pareto_set(np.array([[0.8, 0.1], [0.7, 0.1], [0.7, 0.05], [np.nan, 0.0]])).tolist()
    [True, False, True, False]
    """
    costs = np.column_stack([-values[:, :1], values[:, 1:]])  # (trials, 1 + gaps), lower is better
    no_worse = (costs[:, None] <= costs[None]).all(2)  # [i, j]: i is at least as good as j in everything
    better = (costs[:, None] < costs[None]).any(2)
    return ~np.isnan(values).any(1) & ~(no_worse & better).any(0)


def as_trials(points: Sequence[Point], tried: Sequence[Tried], params: SearchParams) -> tuple[Trial, ...]:
    """Return the trials of the points; one that repeats an earlier training names it and has its figures."""
    first: dict[str, int] = {}
    same = [first.setdefault(found.training, position) for position, found in enumerate(tried)]
    values = np.array([objectives(tried[s], params) for s in same]).reshape(len(tried), -1)
    values[[tried[s].ineligible is not None for s in same]] = np.nan
    marked = pareto_set(values)
    return tuple(
        Trial(
            **vars(point),
            conflict_samples=tried[position].conflict_samples,
            metrics=tried[same[position]].metrics,
            score=tried[same[position]].score,
            ineligible=tried[same[position]].ineligible,
            same_as=None if same[position] == position else same[position],
            pareto=bool(marked[position]),
        )
        for position, point in enumerate(points)
    )


def choose(
    task: RepairTask,
    params: SearchParams,
    points: Sequence[Point],
    tried: Sequence[Tried],
    *,
    before: dict[str, float],
    first_layer: tuple[int | None, str],
) -> SearchResult:
    """Return all trials with the one of the lowest score (the first of equals) and the classifier it gave."""
    trials = as_trials(points, tried, params)
    scores = np.array([trial.score for trial in trials])
    if np.isnan(scores).all():
        reason = "No trial is eligible: every one is degenerate or has an undefined rate; the network stays as it was."
        return SearchResult(trials, None, task.classifier, (), before, reason, *first_layer)
    best = int(np.nanargmin(scores))
    trained = tried[best].trained
    recipe = {"method": "fairneuron", **params_json(_at(params, points[best]))}
    classifier = repaired(task, trained, made_by="search fairneuron", recipe=recipe)
    reason = _reason(trials, best, score(before, before, params), searched=first_layer[0] is None)
    return SearchResult(trials, best, classifier, trained.trace, before, reason, *first_layer)


def _reason(trials: Sequence[Trial], best: int, own: float, *, searched: bool) -> str:
    """Say which trial won and whether it beats the given network, whose score is `own`."""
    trial = trials[best]
    setting = f"theta {trial.theta:.3g} and gamma {trial.gamma:g}"
    if searched:
        setting += f" with dropout {trial.dropout:.2g}, layers from {trial.first_layer} up and learning rate "
        setting += f"{trial.learning_rate:.2g}"
    words = "lower than" if trial.score < own else "not lower than"
    reason = (
        f"{setting[0].upper()}{setting[1:]} have the lowest score of {len(trials)} trials on the validation part, "
        f"{trial.score:.3f}, {words} {own:.3f} of the given network."
    )
    if all(other.conflict_samples == 0 for other in trials):
        reason += " No trial has a conflict sample: all of them are plain retraining; count upper layers only."
    return reason
