"""`fairneuron bench verify`: how fast individual fairness is certified, and how much of it bounds can prove.

Everything but `space` works on a network 16-8-1 that is really trained on Census, with the protected attributes among
its inputs:

1. enumeration: every similar individual of every row, for |S| = 2 (sex), 5 (race) and 91 (age within 45 years), on one
   thread; microseconds per individual.
2. space: every cell of a space of 58,392,576 combinations (the sizes of Bank marketing's binned columns), each with
   four ages, by a network 64-16-1.
3. bounds: CROWN and alpha-CROWN over the box of all ages; the share of rows they prove beside the exact share, which
   enumeration gives.
4. solver: one pair of similar individuals anywhere in the space; the same network with the columns of sex set to zero.
5. hunt: a search of a few seconds, different individuals found by each strategy.
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
import pandas as pd

from fairneuron_core import __version__
from fairneuron_core.bench.measure import load, machine, timed, torch_threads
from fairneuron_core.data import encode, fit_encoder, input_columns, make_dataset, schema_of
from fairneuron_core.data.columns import binned_column
from fairneuron_core.errors import SettingError
from fairneuron_core.jobs import Material, TrainParams, default_threads, fit_classifier
from fairneuron_core.models import TrainingPlan, build_network, layer_sizes, linear_layers, network_of, profile, train
from fairneuron_core.params import setting
from fairneuron_core.types import Classifier, Dataset, ModelRecord, Progress, ProgressCallback
from fairneuron_core.verify.bounds import layers64
from fairneuron_core.verify.certificate import PROVED
from fairneuron_core.verify.crown import crown
from fairneuron_core.verify.cuts import logit_cuts
from fairneuron_core.verify.enumeration import constant_rows
from fairneuron_core.verify.examine import Examiner
from fairneuron_core.verify.exhaustive import count_cells
from fairneuron_core.verify.hunt import hunt
from fairneuron_core.verify.hunt_solver import input_columns as solver_columns
from fairneuron_core.verify.milp import find_pair
from fairneuron_core.verify.similar import Freedom, similar_space
from fairneuron_core.verify.slices import cell_space
from fairneuron_core.workspace import open_workspace

ALPHA_STEPS = 20
BANK = (11, 3, 3, 2, 4, 2, 2, 2, 3, 4, 4, 4, 4, 4, 3)
"""Values of the columns of Bank marketing that are not age, binned as in the published experiments."""


@dataclass(frozen=True)
class VerifyCase:
    """How much is measured: the network's data, rows for bounds, columns of the space, seconds of solver and search."""

    data: str = "census"
    hidden: tuple[int, ...] = (16, 8)
    epochs: int = 10
    reach: int = 45
    rows: int = 500
    columns: tuple[int, ...] = BANK
    space_hidden: tuple[int, ...] = (64, 16)
    seconds: float = 10.0


@dataclass(frozen=True)
class VerifyBenchParams:
    """What is measured."""

    repeats: int = setting(3, label="Repeats", help="Of the enumeration and the bounds; the median counts.", low=1)
    sizes: tuple[str, ...] | None = setting(None, label="Works", help="Empty = all.", empty="all")


def run_verify(
    params: VerifyBenchParams, *, progress: ProgressCallback | None = None, case: VerifyCase | None = None
) -> dict[str, Any]:
    """Measure everything and return JSON values (SettingError: unknown work); `progress` may raise to cancel."""
    if unknown := [name for name in params.sizes or () if name not in WORKS]:
        raise SettingError(f"Unknown size '{unknown[0]}': choose from {', '.join(WORKS)}.")
    chosen = [name for name in WORKS if params.sizes is None or name in params.sizes]
    began, load_before, threads = time.perf_counter(), load(), default_threads()
    given, rows = case or VerifyCase(), []
    needs_network = any(name != "space" for name in chosen)
    with torch_threads(threads):
        material = _trained(given) if needs_network else None
        for number, name in enumerate(chosen):
            if progress:
                progress(Progress(number / len(chosen), f"Measuring {name}"))
            rows += [{"work": name, **row} for row in WORKS[name](given, material, params.repeats, threads)]
    return {
        "bench": "verify",
        "threads": threads,
        "repeats": params.repeats,
        "results": rows,
        "machine": machine(),
        "load": {"before": load_before, "after": load()},
        "version": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "total_seconds": round(time.perf_counter() - began, 1),
    }


def _trained(case: VerifyCase) -> Material:
    with tempfile.TemporaryDirectory() as home:
        params = TrainParams(
            data=case.data, hidden=case.hidden, epochs=case.epochs, include_protected=True, device="cpu"
        )
        material, _ = fit_classifier(params, open_workspace(Path(home)))
    return material


def _row(name: str, classifier: Classifier, n: int, similar: int | None, seconds: float, **more: Any) -> dict[str, Any]:
    network = "-".join(map(str, layer_sizes(classifier.network)))
    return {"name": name, "network": network, "individuals": n, "similar": similar, "seconds": seconds, **more}


def _median(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    measured = [timed(work) for _ in range(repeats)]
    return statistics.median(seconds for seconds, _ in measured), measured[-1][1]


def _enumeration(case: VerifyCase, material: Material, repeats: int, threads: int) -> list[dict[str, Any]]:
    dataset, classifier = material.dataset, material.classifier
    features = encode(dataset, np.arange(len(dataset.frame)), classifier.encoder).features
    found = []
    for freedom in (Freedom(("sex",)), *_others(dataset), Freedom((), {"age": float(case.reach)})):
        space = similar_space(dataset.schema, classifier, freedom)
        seconds, status = _median(lambda s=space: constant_rows(classifier, s, features, threads=1), repeats)
        answer = {"proved": float((status == PROVED).mean())}
        found.append(_row(_freed(freedom), classifier, len(features), space.size, seconds, **answer))
    return found


def _others(dataset: Dataset) -> list[Freedom]:
    return [Freedom(("race",))] if "race" in dataset.schema.protected else []


def _freed(freedom: Freedom) -> str:
    return ", ".join([*freedom.protected, *(f"{name} within {reach:g}" for name, reach in freedom.within.items())])


def space_material(columns: Sequence[int], hidden: Sequence[int]) -> tuple[Dataset, Classifier]:
    """Return a made-up table whose columns have so many values each, and a network trained on it for a moment."""
    generator = np.random.default_rng(0)
    n = 4000
    frame = pd.DataFrame({f"c{i}": generator.integers(0, size, n) for i, size in enumerate(columns)})
    frame["age"] = generator.integers(1, 5, n)
    for name, size in zip(frame.columns, (*columns, 5), strict=True):
        frame.loc[:1, name] = [int(name == "age"), size - 1]  # every column reaches both ends of its range
    merit = sum(frame[f"c{i}"] / (size - 1) for i, size in enumerate(columns)) + 0.3 * frame["age"] / 4
    noisy = merit + generator.normal(0, 0.3, n)
    frame["label"] = np.where(noisy > noisy.median(), "yes", "no")
    age_group = binned_column("age_group", frame["age"], edges=[2, 3, 4])
    schema = schema_of(frame, target="label", favourable="yes", protected=("age_group",), binned=(age_group,))
    dataset = make_dataset(frame, schema, name="made-up", title="Made up", include_protected=True)
    inputs = input_columns(dataset, include_protected=True)
    encoder = fit_encoder(dataset, np.arange(n), inputs=inputs)
    batch = encode(dataset, np.arange(n), encoder)
    plan = TrainingPlan(
        start=build_network((encoder.width, *hidden, 1), seed=0),
        features=batch.features,
        labels=batch.labels,
        validation=(batch.features, batch.labels),
        epochs=5,
        seed=0,
    )
    network = train([plan])[0].network
    record = ModelRecord(data=dataset.name, data_sha256=dataset.sha256, made_by="bench")
    return dataset, Classifier(network, encoder, 0.5, record, profile(network, batch.features))


def _space(case: VerifyCase, material: Material | None, repeats: int, threads: int) -> list[dict[str, Any]]:
    dataset, classifier = space_material(case.columns, case.space_hidden)
    freedom = Freedom(("age_group",))
    cells = cell_space(dataset.schema, classifier, similar_space(dataset.schema, classifier, freedom))
    began = time.perf_counter()
    found = count_cells(cells, threads=threads)
    seconds = time.perf_counter() - began
    share = found.proved / (found.proved + found.refuted)
    return [_row("every cell", classifier, cells.cells, cells.space.size, seconds, proved=share, threads=threads)]


def _bounds(case: VerifyCase, material: Material, repeats: int, threads: int) -> list[dict[str, Any]]:
    dataset, classifier = material.dataset, material.classifier
    freedom = _ages(dataset)
    space = similar_space(dataset.schema, classifier, freedom)
    features = material.batch("test").features[: case.rows]
    low, high = space.box(features)
    layers, cut = layers64(classifier.network), float(logit_cuts(np.array([classifier.threshold]))[0])
    exact = float((constant_rows(classifier, space, features) == PROVED).mean())
    crown(layers, low[:2], high[:2], alpha_steps=1)  # the first step of an optimiser imports for seconds
    found = []
    for name, steps in (("CROWN", 0), ("alpha-CROWN", ALPHA_STEPS)):
        work = lambda s=steps: crown(layers, low, high, alpha_steps=s, cut=cut if s else None)  # noqa: E731
        seconds, bounds = _median(work, repeats)
        proved = float(bounds.proves(cut).double().mean())
        row = _row(f"{name}, {_freed(freedom)}", classifier, len(features), space.size, seconds, proved=proved)
        found.append(row | {"exact": exact})
    return found


def _ages(dataset: Dataset) -> Freedom:
    derived = [name for name in dataset.schema.protected if dataset.schema.column(name).derived_from == "age"]
    return Freedom((derived[0],)) if derived else Freedom((), {"age": 100.0})


def blinded(classifier: Classifier, columns: Sequence[str]) -> Classifier:
    """Return the classifier with the first layer's weights of these columns set to zero."""
    layers = linear_layers(classifier.network)
    weight, start = layers[0].weight.copy(), 0
    for column in classifier.encoder.columns:
        if column.name in columns:
            weight[:, start : start + column.width] = 0
        start += column.width
    return replace(classifier, network=network_of([replace(layers[0], weight=weight), *layers[1:]]))


def _solver(case: VerifyCase, material: Material, repeats: int, threads: int) -> list[dict[str, Any]]:
    found = []
    dataset, given = material.dataset, material.classifier
    for name, classifier in (("sex", given), ("sex, its columns zero", blinded(given, ("sex",)))):
        examiner = Examiner(dataset, given, Freedom(("sex",)))
        cut = float(logit_cuts(np.array([classifier.threshold]))[0])
        layers = layers64(classifier.network)
        answer = find_pair(layers, solver_columns(examiner), cut=cut, budget=6 * case.seconds)
        found.append(_row(name, classifier, 1, None, answer.seconds, answer=answer.status))
    began = time.perf_counter()
    blind = similar_space(dataset.schema, blinded(given, ("sex",)), Freedom(("sex",)))
    seconds = time.perf_counter() - began
    answer = "not read" if blind.nothing_read else "read"
    return [*found, _row("sex, its columns zero, by inspection", given, 1, None, seconds, answer=answer)]


def _hunt(case: VerifyCase, material: Material, repeats: int, threads: int) -> list[dict[str, Any]]:
    found = hunt(material.dataset, material.classifier, Freedom(("sex",)), budget=case.seconds)
    return [
        _row(name, material.classifier, count.tried, 2, count.seconds, found=count.found)
        for name, count in found.by_strategy.items()
    ]


WORKS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "enumeration": _enumeration,
    "space": _space,
    "bounds": _bounds,
    "solver": _solver,
    "hunt": _hunt,
}

__all__ = ["WORKS", "VerifyBenchParams", "VerifyCase", "blinded", "run_verify", "space_material"]
