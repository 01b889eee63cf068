"""`fairneuron bench search`: how fast many trainings are as one program, against one after the other.

1. Searches: FairNeuron's 36 points on a network that is really trained (Census with one repair besides; German ten
   times, with seeds 0 to 9), against the 36 trainings each carried out alone by the same trainer. A search trains
   equal trainings once; both ratios are told, against all points and against the different ones.
2. Plain torch: 32 networks together, against nn.Sequential, BCEWithLogitsLoss and torch.optim.Adam in the usual loop,
   with the same threads, rows, batches and epochs.

Alone trainings are measured on some of them, spread evenly, and scaled; `full` measures all of them.
"""

from __future__ import annotations

import datetime
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from fairneuron_core import __version__
from fairneuron_core.bench.measure import load, machine, torch_threads
from fairneuron_core.errors import SettingError
from fairneuron_core.experiments import SearchParams, search
from fairneuron_core.experiments.search import grid_points
from fairneuron_core.experiments.search_settings import GAMMAS, THETAS
from fairneuron_core.experiments.trials import Workbench
from fairneuron_core.jobs import TrainParams, default_threads, fit_classifier
from fairneuron_core.models import TrainingPlan, build_network, layer_sizes, train
from fairneuron_core.params import setting
from fairneuron_core.paths.slicing import compile_kernels
from fairneuron_core.repair import REPAIRS, RepairTask, repair
from fairneuron_core.types import Progress, ProgressCallback
from fairneuron_core.workspace import open_workspace

BATCH = 128


@dataclass(frozen=True)
class SearchCase:
    """A search: data set, seeds, epochs; `alone` of the points of the first seed are trained one after the other."""

    data: str
    seeds: int = 1
    epochs: int = 10
    alone: int = 6
    with_repair: bool = False
    thetas: tuple[float, ...] = THETAS
    gammas: tuple[float, ...] = GAMMAS


@dataclass(frozen=True)
class PlainCase:
    """Networks of one shape on made-up rows; `alone` of them are trained by the plain loop."""

    hidden: tuple[int, ...]
    networks: int = 32
    rows: int = 6_400
    inputs: int = 100
    alone: int = 4


CASES: dict[str, SearchCase | PlainCase] = {
    "census": SearchCase("census", with_repair=True),
    "german": SearchCase("german", seeds=10),
    "plain32": PlainCase((32, 32, 32)),
    "plain128": PlainCase((128, 128, 128)),
}


@dataclass(frozen=True)
class SearchBenchParams:
    """What is measured."""

    repeats: int = setting(3, label="Repeats", help="Rounds of the plain loops; the median counts.", low=1, high=1000)
    sizes: tuple[str, ...] | None = setting(None, label="Sizes", help="Empty = all.", empty="all")
    full: bool = setting(False, label="Everything", help="Train every point and network alone, instead of some.")


def run_search(
    params: SearchBenchParams,
    *,
    progress: ProgressCallback | None = None,
    cases: dict[str, SearchCase | PlainCase] = CASES,
) -> dict[str, Any]:
    """Measure everything and return JSON values (SettingError: unknown size); `progress` may raise to cancel."""
    if unknown := [name for name in params.sizes or () if name not in cases]:
        raise SettingError(f"Unknown size '{unknown[0]}': choose from {', '.join(cases)}.")
    chosen = {name: case for name, case in cases.items() if params.sizes is None or name in params.sizes}
    began, load_before, threads = time.perf_counter(), load(), default_threads()
    results = []
    with torch_threads(threads):
        for number, (name, case) in enumerate(chosen.items()):
            if progress:
                progress(Progress(number / len(chosen), f"Measuring {name}"))
            measure = _searches if isinstance(case, SearchCase) else _plain
            results.append({"size": name, **measure(case, params, threads)})
    return {
        "bench": "search",
        "threads": threads,
        "repeats": params.repeats,
        "full": params.full,
        "results": results,
        "machine": machine(),
        "load": {"before": load_before, "after": load()},
        "version": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "total_seconds": round(time.perf_counter() - began, 1),
    }


def _searches(case: SearchCase, params: SearchBenchParams, threads: int) -> dict[str, Any]:
    """Measure the searches of all seeds, and the points of the first seed alone."""
    compile_kernels()
    tasks = [_task(case, seed, threads) for seed in range(case.seeds)]
    grid = SearchParams(epochs=case.epochs, thetas=case.thetas, gammas=case.gammas)
    found, seconds = [], 0.0
    for task in tasks:
        took, result = _clocked(lambda task=task: search(task, grid))
        seconds += took
        found.append(result)
    trials = [trial for result in found for trial in result.trials]
    repaired = 0.0
    if case.with_repair:
        row = REPAIRS["fairneuron"]
        repaired, _ = _clocked(lambda: repair(tasks[0], row, row.Params(epochs=case.epochs)))
    at_first = replace(grid, first_layer=found[0].first_layer)
    plans = Workbench(tasks[0], at_first).plans(grid_points(at_first))
    return {
        "work": "search",
        "network": _shape(plans[0].start),
        "epochs": case.epochs,
        "trainings": len(trials),
        "distinct": sum(trial.same_as is None for trial in trials),
        "search_seconds": seconds,
        "repair_seconds": repaired if case.with_repair else None,
        **_against(seconds + repaired, plans, len(trials), case.alone, lambda plan: train([plan]), full=params.full),
    }


def _plain(case: PlainCase, params: SearchBenchParams, threads: int) -> dict[str, Any]:
    """Let both take turns; the median of the rounds counts."""
    plans = plain_plans(case)
    rounds = []
    train([replace(plans[0], features=plans[0].features[:BATCH], labels=plans[0].labels[:BATCH])])
    for _ in range(params.repeats):
        together, _ = _clocked(lambda: train(plans))
        rounds.append(_against(together, plans, len(plans), case.alone, plain_loop, full=params.full))
    middle = sorted(rounds, key=lambda found: found["ratio"])[len(rounds) // 2]
    return {
        "work": "plain loop",
        "network": _shape(plans[0].start),
        "epochs": 1,
        "trainings": len(plans),
        "distinct": len(plans),
        "search_seconds": None,
        "repair_seconds": None,
        **middle,
    }


def _against(
    together: float,
    plans: Sequence[TrainingPlan],
    trainings: int,
    alone: int,
    work: Callable[[TrainingPlan], object],
    *,
    full: bool,
) -> dict[str, Any]:
    """Return the seconds together, and those of `trainings` of these one after the other, scaled from `alone`."""
    picked = range(len(plans)) if full else sorted({round(i) for i in np.linspace(0, len(plans) - 1, alone)})
    seconds = [_clocked(lambda plan=plans[i]: work(plan))[0] for i in picked]
    scaled = statistics.mean(seconds) * trainings
    return {
        "together_seconds": together,
        "alone_seconds": scaled,
        "alone_measured": len(seconds),
        "alone_each": statistics.mean(seconds),
        "ratio": scaled / together,
    }


def _clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def _task(case: SearchCase, seed: int, threads: int) -> RepairTask:
    """Train the network that is searched from."""
    with tempfile.TemporaryDirectory() as home:
        material, _ = fit_classifier(
            TrainParams(data=case.data, seed=seed, epochs=case.epochs, device="cpu"), open_workspace(Path(home))
        )
    return RepairTask(
        material.classifier,
        material.batch("train"),
        material.batch("validation"),
        material.attribute,
        material.reference,
        seed=seed,
        threads=threads,
        schema=material.dataset.schema,
    )


def _shape(network: nn.Sequential) -> str:
    return "-".join(map(str, layer_sizes(network)))


def plain_plans(case: PlainCase) -> list[TrainingPlan]:
    """Return one plan per network: same seeded rows, start weights and order of their own."""
    generator = np.random.default_rng(0)
    features = generator.random((case.rows + BATCH, case.inputs), dtype=np.float32)
    labels = (features[:, :10].sum(1) > 5).astype(np.float32)
    parts = (features[: case.rows], labels[: case.rows]), (features[case.rows :], labels[case.rows :])
    return [
        TrainingPlan(
            start=build_network((case.inputs, *case.hidden, 1), seed=seed),
            features=parts[0][0],
            labels=parts[0][1],
            validation=parts[1],
            epochs=1,
            seed=seed,
            batch_size=BATCH,
        )
        for seed in range(case.networks)
    ]


def plain_loop(plan: TrainingPlan) -> nn.Sequential:
    """Train one plan as a torch tutorial does, in the same batches, and return the network."""
    network = build_network(layer_sizes(plan.start), seed=plan.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate, betas=plan.betas)
    criterion = nn.BCEWithLogitsLoss()
    features, labels = (torch.from_numpy(np.asarray(a, np.float32)) for a in (plan.features, plan.labels))
    for epoch in range(1, plan.epochs + 1):
        order = torch.from_numpy(np.random.default_rng([plan.seed, epoch]).permutation(len(labels)))
        for picked in order.split(plan.batch_size):
            optimiser.zero_grad()
            criterion(network(features[picked])[:, 0], labels[picked]).backward()
            optimiser.step()
        with torch.no_grad():
            criterion(network(torch.from_numpy(plan.validation[0]))[:, 0], torch.from_numpy(plan.validation[1]))
    return network
