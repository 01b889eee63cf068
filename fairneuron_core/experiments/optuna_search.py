"""Search by Optuna: a sampler that learns from the trials so far, asked for whole batches.

1. Ask for a batch of points: theta and learning rate (log), gamma, dropout, and the first layer unless it is given.
2. Train the batch as one program (`trials.py`) and tell the results back in the order of the asking: accuracy (up) and
   the chosen gaps (down), on validation. An undefined value is told as a failure; an ineligible trial with defined
   values (a degenerate network) as one that breaks a constraint, so that the sampler learns to keep away from it.
3. Repeat until all trials are tried. One seed fixes all draws, and so all trials.

Sampler: tree-structured Parzen estimators with several objectives (Ozaki et al., JAIR 2022), as Optuna has them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fairneuron_core.errors import SettingError
from fairneuron_core.experiments.search_settings import SearchParams
from fairneuron_core.experiments.trials import Evaluate, Point, Tried, objectives
from fairneuron_core.types import ProgressCallback, part_of

GAMMA_STEP = 0.01
"""Gammas are drawn on this grid: equal ones in a search share their slicing."""


def ask_and_tell(
    params: SearchParams,
    *,
    layers: int,
    seed: int,
    run: Evaluate,
    progress: ProgressCallback | None = None,
) -> tuple[list[Point], list[Tried]]:
    """Try `params.trials` points in batches and return them with what each came to, in the order of the asking.

    layers: the number of Linear layers, the highest first layer. Raises SettingError (no Optuna, an empty range).
    """
    optuna = load_optuna()
    ranges = _ranges(params)
    directions = ["maximize", *("minimize" for _ in params.gaps)]
    study = optuna.create_study(directions=directions, sampler=optuna.samplers.TPESampler(seed=seed))
    points: list[Point] = []
    tried: list[Tried] = []
    while len(points) < params.trials:
        size = min(params.batch, params.trials - len(points))
        asked = [study.ask() for _ in range(size)]
        batch = [_point(trial, params, ranges, layers) for trial in asked]
        part = part_of(progress, len(points) / params.trials, (len(points) + size) / params.trials)
        found = run(batch, part)
        _tell(optuna, study, asked, found, params)
        points += batch
        tried += found
    return points, tried


def load_optuna() -> Any:
    """Import Optuna and let it keep its diary to itself (SettingError when it is not installed)."""
    try:
        import optuna
    except ImportError as error:
        raise SettingError("The engine 'optuna' needs Optuna, which is not installed: pip install optuna.") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _ranges(params: SearchParams) -> dict[str, tuple[float, float]]:
    names = {"theta": "thetas", "gamma": "gammas", "dropout": "dropouts", "learning_rate": "learning_rates"}
    ranges = {}
    for name, setting in names.items():
        values = getattr(params, setting)
        if not values or (name == "theta" and min(values) <= 0):
            words = ", ".join(f"{v:g}" for v in values) or "empty"
            raise SettingError(f"Optuna cannot draw from the range '{setting}' ({words}): give two ends above 0.")
        ranges[name] = (min(values), max(values))
    return ranges


def _point(trial: Any, params: SearchParams, ranges: dict[str, tuple[float, float]], layers: int) -> Point:
    """Draw one point. The released reading leaves the first layer out of every path."""
    low, high = ranges["gamma"]
    lowest = min(2 if params.reading == "released" else 1, layers)
    return Point(
        theta=trial.suggest_float("theta", *ranges["theta"], log=True),
        gamma=round(low + GAMMA_STEP * trial.suggest_int("gamma_steps", 0, round((high - low) / GAMMA_STEP)), 10),
        first_layer=params.first_layer or trial.suggest_int("first_layer", lowest, layers),
        dropout=trial.suggest_float("dropout", *ranges["dropout"]),
        learning_rate=trial.suggest_float("learning_rate", *ranges["learning_rate"], log=True),
    )


def _tell(optuna: Any, study: Any, asked: Sequence[Any], found: Sequence[Tried], params: SearchParams) -> None:
    for trial, tried in zip(asked, found, strict=True):
        values = objectives(tried, params)
        if any(math.isnan(value) for value in values):
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        trial.set_constraint("ineligible", -1.0 if tried.ineligible is None else 1.0)
        study.tell(trial, values)
