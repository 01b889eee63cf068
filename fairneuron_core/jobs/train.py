"""Train a network on a data set: split, fit the encoder on the training part, train, keep the best epoch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairneuron_core import __version__
from fairneuron_core.data import encode, fit_encoder, input_columns, split_rows
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.figures import audit_part
from fairneuron_core.jobs.machine import ONE_NETWORK, use_threads
from fairneuron_core.jobs.material import Material, choose_attribute, find_dataset, store_classifier, stored_reference
from fairneuron_core.metrics import audit_json
from fairneuron_core.models import Checkpoint, TrainingPlan, build_network, profile, resolve_device, train
from fairneuron_core.params import params_json, setting
from fairneuron_core.types import Classifier, ModelRecord, ProgressCallback
from fairneuron_core.workspace import Workspace


@dataclass(frozen=True)
class TrainParams:
    """How a network is made."""

    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    protected: str | None = setting(
        None, label="Protected attribute", help="Stratifies the split; empty = the first one of the data set."
    )
    include_protected: bool | None = setting(
        None,
        label="The network reads the protected attribute",
        help="Empty = as in the published set-up of this data set. Leaving it out does not make a network blind: "
        "other columns can stand in for it.",
    )
    hidden: tuple[int, ...] | None = setting(
        None, label="Hidden layers", help="Neurons per hidden layer; empty = the published sizes.", low=1, high=2048
    )
    seed: int = setting(0, label="Seed", help="Fixes split, start weights and data order.", low=0, high=2**31 - 1)
    epochs: int = setting(40, label="Epochs at most", help="Early stopping usually ends sooner.", low=1, high=500)
    learning_rate: float = setting(1e-3, label="Learning rate", help="Adam's step size.", low=1e-6, high=1.0)
    batch_size: int = setting(128, label="Batch size", low=1, high=8192, unit="rows", expert=True)
    stop_patience: int = setting(
        6, label="Early stopping after", help="Epochs without a lower validation loss.", low=1, high=500, expert=True
    )
    plateau_patience: int = setting(
        2,
        label="Smaller steps after",
        help="Epochs without progress until the rate is divided by 10.",
        low=0,
        high=500,
        expert=True,
    )
    threshold: float = setting(
        0.5,
        label="Decision threshold",
        help="Score from which on the outcome is favourable.",
        low=0.0,
        high=1.0,
        expert=True,
    )
    device: str = setting("auto", label="Device", choices=("auto", "gpu", "cpu", "cuda", "mps"), expert=True)
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def fit_classifier(
    params: TrainParams,
    workspace: Workspace,
    *,
    progress: ProgressCallback | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Material, tuple[Mapping[str, Any], ...]]:
    """Train and return the classifier with its data, and one trace point an epoch."""
    dataset = find_dataset(params.data, workspace)
    attribute = choose_attribute(dataset, params.protected)
    split = split_rows(dataset, seed=params.seed, protected=[attribute])
    include = dataset.include_protected if params.include_protected is None else params.include_protected
    inputs = input_columns(dataset, include_protected=include, protected=[attribute])
    encoder = fit_encoder(dataset, split.train, inputs=inputs)
    batch, validation = (encode(dataset, rows, encoder) for rows in (split.train, split.validation))
    plan = TrainingPlan(
        start=build_network((encoder.width, *(params.hidden or dataset.hidden), 1), seed=params.seed),
        features=batch.features,
        labels=batch.labels,
        validation=(validation.features, validation.labels),
        epochs=params.epochs,
        seed=params.seed,
        learning_rate=params.learning_rate,
        batch_size=params.batch_size,
        stop_patience=params.stop_patience,
        plateau_patience=params.plateau_patience,
    )
    device = resolve_device(params.device)
    trained = train([plan], device=device, progress=progress, checkpoint=checkpoint)[0]
    record = ModelRecord(
        data=params.data,
        data_sha256=dataset.sha256,
        made_by="train",
        recipe={**params_json(params), "include_protected": include, "best_epoch": trained.best_epoch},
        protected=(attribute,),
        split_seed=params.seed,
        version=__version__,
    )
    means = profile(trained.network, batch.features)
    classifier = Classifier(trained.network, encoder, params.threshold, record, means)
    return Material(dataset, classifier, attribute), trained.trace


def _work(params: TrainParams, context: JobContext) -> JobResult:
    began = time.perf_counter()
    use_threads(ONE_NETWORK)
    # A file is stored first: the model then remembers data that can still be found tomorrow.
    params = replace(params, data=stored_reference(params.data, context.workspace))
    material, trace = fit_classifier(
        params, context.workspace, progress=context.progress, checkpoint=context.checkpoint
    )
    name = f"{material.dataset.name} network, seed {params.seed}"
    model = store_classifier(material.classifier, context.workspace, name=name, run_id=context.run_id)
    results = {
        "model": model,
        "data": params.data,
        "data_sha256": material.dataset.sha256,
        "protected": material.attribute,
        "reads": [column.name for column in material.classifier.encoder.columns],
        "params": params_json(params),
        "epochs": len(trace),
        "best_epoch": material.classifier.record.recipe["best_epoch"],
        "trace": [dict(point) for point in trace],
        "test": audit_json(audit_part(material, "test")),
        "seconds": round(time.perf_counter() - began, 3),
    }
    return JobResult(results)


TRAIN = job_of(
    "train", TrainParams, title=lambda p: f"Train a network on {p.get('data')}, seed {p.get('seed')}", work=_work
)
