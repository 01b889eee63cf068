"""Search FairNeuron's hyper-parameters on the validation part, and compare the chosen point on the test part."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairneuron_core.experiments import SearchParams, Trial, search
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.machine import use_threads
from fairneuron_core.jobs.material import gather, store_classifier, stored_model_reference
from fairneuron_core.jobs.predictions import require_network
from fairneuron_core.jobs.repair import before_and_after, repair_task, with_parent
from fairneuron_core.params import params_json, setting


@dataclass(frozen=True)
class SearchJobParams(SearchParams):
    """The search's own settings and what it works on."""

    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    model: str = setting("", label="Model", help="Stored id or file.")
    protected: str | None = setting(None, label="Protected attribute", help="Empty = the first one of the data set.")
    seed: int = setting(0, label="Seed", help="Fixes data order and muted neurons.", low=0, high=2**31 - 1)
    device: str = setting("auto", label="Device", choices=("auto", "gpu", "cpu", "cuda", "mps"))
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def _work(params: SearchJobParams, context: JobContext) -> JobResult:
    began = time.perf_counter()
    use_threads(params.threads)
    material = gather(params.data, params.model, context.workspace, protected=params.protected)
    require_network(material.classifier)
    parent = stored_model_reference(params.model, context.workspace, classifier=material.classifier)
    task = repair_task(material, params, progress=context.progress, checkpoint=context.checkpoint)
    found = search(task, params)
    results: dict[str, Any] = {
        "method": "fairneuron",
        "params": params_json(params),
        "parent": parent,
        "data": params.data,
        "data_sha256": material.dataset.sha256,
        "protected": material.attribute,
        "engine": params.engine,
        "gaps": list(params.gaps),
        "first_layer": found.first_layer,
        "first_layer_reason": found.first_layer_reason,
        "trials": [_trial_json(trial) for trial in found.trials],
        "chosen": found.chosen,
        "reason": found.reason,
        "validation_before": _defined(found.before),
        "trace": [dict(point) for point in found.trace],
    }
    if found.chosen is not None:
        classifier = with_parent(found.classifier, parent)
        name = f"FairNeuron, best of {len(found.trials)}, of {parent[:6]}"
        model = store_classifier(classifier, context.workspace, name=name, run_id=context.run_id)
        results |= {"model": model, **before_and_after(material, classifier)}
    return JobResult(results | {"seconds": round(time.perf_counter() - began, 3)})


def _trial_json(trial: Trial) -> Mapping[str, Any]:
    values = dataclasses.asdict(trial)
    return values | {"metrics": _defined(trial.metrics), **_defined({"score": trial.score})}


def _defined(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Undefined is null in JSON."""
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def _title(params: Mapping[str, Any]) -> str:
    words = {"optuna": " by Optuna", "ray": " on Ray"}.get(str(params.get("engine")), "")
    return f"Search of theta and gamma{words} on {params.get('data')}"


SEARCH = job_of("search", SearchJobParams, title=_title, work=_work)
