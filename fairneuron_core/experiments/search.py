"""Hyper-parameter search for selective training: a grid over rarity (theta) and coverage (gamma), or a sampler.

Source: Gao et al., ICSE 2022, section on hyper-parameter tuning; its released code uses these 36 points.

1. The points: every pair of the grid, or what Optuna asks for (`optuna_search.py`).
2. Their trainings: here as one batched program (`trials.py`), or shared out over a Ray cluster (`ray_search.py`). The
   grid slices once for all gammas; theta only re-thresholds the counts, so it never slices again.
3. The point with the lowest bounded score on validation is chosen among the eligible ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from fairneuron_core.errors import SettingError
from fairneuron_core.experiments.search_settings import GAPS, SearchParams
from fairneuron_core.experiments.trials import Evaluate, Point, SearchResult, Workbench, choose, figures_of
from fairneuron_core.models import linear_layers
from fairneuron_core.paths import suggest_setting
from fairneuron_core.repair.task import RepairTask


def search(task: RepairTask, params: SearchParams) -> SearchResult:
    """Try every point and return the trials with the best eligible one, chosen on validation.

    An empty `first_layer` is the suggested one on a grid (on whole paths of wide networks nothing is shared, no row is
    in conflict and every point the same plain retraining), and each trial's own with Optuna. Raises SettingError (a
    setting out of range, no Optuna, no Ray or no cluster at its address) and whatever the task's progress raises.
    """
    _check(params)
    layer, reason = _first_layer(task, params)
    params = replace(params, first_layer=layer)
    with _evaluation(task, params) as evaluate:
        if params.sampled:
            from fairneuron_core.experiments.optuna_search import ask_and_tell

            layers = len(linear_layers(task.classifier.network))
            points, tried = ask_and_tell(params, layers=layers, seed=task.seed, run=evaluate, progress=task.progress)
        else:
            points = grid_points(params)
            tried = evaluate(points, task.progress)
    before = figures_of(task, task.classifier)
    return choose(task, params, points, tried, before=before, first_layer=(layer, reason))


def grid_points(params: SearchParams) -> list[Point]:
    """Return the points of the grid, gamma by gamma (first layer filled in)."""
    if params.first_layer is None:
        raise SettingError("A grid needs a first layer: choose one, or take the suggested setting.")
    return [
        Point(theta, gamma, params.first_layer, params.dropout, params.learning_rate)
        for gamma in params.gammas
        for theta in params.thetas
    ]


def _check(params: SearchParams) -> None:
    for name in ("thetas", "gammas"):
        if not getattr(params, name):
            raise SettingError(f"The setting '{name}' is empty: give at least one value to try.")
    if unknown := [name for name in params.gaps if name not in GAPS]:
        raise SettingError(f"Unknown gap '{unknown[0]}': choose from {', '.join(GAPS)}.")
    if not params.gaps:
        raise SettingError(f"There is no gap to lower: choose from {', '.join(GAPS)}.")
    if params.address is not None and params.engine != "ray":
        raise SettingError(
            f"The address '{params.address}' is of no use to the engine '{params.engine}': choose the engine ray."
        )


def _first_layer(task: RepairTask, params: SearchParams) -> tuple[int | None, str]:
    """Return the first layer that counts in every trial, and why; None when each trial has its own."""
    if params.first_layer is not None:
        return params.first_layer, "chosen by the user"
    if params.sampled:
        return None, "each trial has its own, drawn with its other settings"
    found = suggest_setting(
        task.classifier,
        task.train.features,
        reading=params.reading,
        granularity=params.granularity,
        threads=task.threads,
    )
    return found.first_layer, f"the suggested one: {found.reason}"


@contextmanager
def _evaluation(task: RepairTask, params: SearchParams) -> Iterator[Evaluate]:
    """Give the function that tries points, on this machine or on a cluster."""
    if params.engine != "ray":
        yield Workbench(task, params).try_points
        return
    from fairneuron_core.experiments.ray_search import on_ray

    with on_ray(task, params) as evaluate:
        yield evaluate
