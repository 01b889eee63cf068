"""The main job from end to end on one data set: train, audit, slice, and repair by two methods that take seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from fairneuron_core.jobs.context import JobContext, JobResult, JobRow, job_of
from fairneuron_core.jobs.paths import PATHS
from fairneuron_core.jobs.repair import REPAIR
from fairneuron_core.jobs.train import TRAIN
from fairneuron_core.params import params_json, setting
from fairneuron_core.types import Progress, ProgressCallback, part_of

_TRAINING, _SLICING = 0.45, 0.6
_METHODS = ("fairneuron", "reweighing")


@dataclass(frozen=True)
class TourParams:
    """The data set and the seed; everything else is the default of each step."""

    data: str = setting("census", label="Data set", help="Built-in name or stored id.")
    seed: int = setting(0, label="Seed", low=0, high=2**31 - 1)
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def _work(params: TourParams, context: JobContext) -> JobResult:
    began = time.perf_counter()

    def step(stage: str, job: JobRow, low: float, high: float, **given: Any) -> dict[str, Any]:
        progress = part_of(_labelled(context.progress, stage), low, high)
        inner = JobContext(context.workspace, progress, context.run_id)
        shared = {"data": params.data, "threads": params.threads}
        return dict(job.run(job.check(shared | given), inner).results)

    trained = step("Training", TRAIN, 0, _TRAINING, seed=params.seed)
    model = trained["model"]
    paths = step("Paths", PATHS, _TRAINING, _SLICING, model=model)
    repairs = {}
    for position, method in enumerate(_METHODS):
        low, high = (_SLICING + (1 - _SLICING) * (position + end) / len(_METHODS) for end in (0, 1))
        repairs[method] = step(f"Repair by {method}", REPAIR, low, high, model=model, method=method, seed=params.seed)
    results = {
        "data": params.data,
        "model": model,
        "params": params_json(params),
        "train": trained,
        "paths": paths,
        "repairs": repairs,
        "seconds": round(time.perf_counter() - began, 3),
    }
    return JobResult(results)


def _labelled(progress: ProgressCallback | None, stage: str) -> ProgressCallback | None:
    """Say in every report, and in every point of the trace, which stage of the tour it belongs to."""
    if progress is None:
        return None

    def report(p: Progress) -> None:
        progress(Progress(p.share, f"{stage}: {p.message}", p.point and {**p.point, "stage": stage}))

    return report


TOUR = job_of("tour", TourParams, title=lambda p: f"Guided tour on {p.get('data')}", work=_work)
