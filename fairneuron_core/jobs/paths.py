"""Slice a classifier's network over one part of its data and cluster the rows by path."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from fairneuron_core.errors import SettingError
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.material import PARTS, Material, gather
from fairneuron_core.metrics.intervals import wilson
from fairneuron_core.params import params_json, setting
from fairneuron_core.paths import ActivationPaths, SampleSplit, cluster, slice_paths, suggest_setting
from fairneuron_core.types import part_of


@dataclass(frozen=True)
class PathsParams:
    """What is sliced and how."""

    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    model: str = setting("", label="Model", help="Stored id or file.")
    protected: str | None = setting(None, label="Protected attribute", help="Empty = the first one of the data set.")
    part: str = setting("train", label="Rows", help="Which part of the model's own split.", choices=PARTS)
    coverage: float | None = setting(
        None,
        label="Coverage (gamma)",
        help="Share of a neuron's change that its kept synapses explain; empty = the suggested setting.",
        low=0.0,
        high=1.0,
    )
    first_layer: int | None = setting(
        None, label="First layer that counts", help="Empty = suggested, or 1 with an own coverage.", low=1, high=64
    )
    rarity: float = setting(
        0.03,
        label="Rarity (theta)",
        help="Rare = at most this share of the most frequent path's rows.",
        low=0.0,
        high=1.0,
    )
    reading: str = setting(
        "delta", label="Reading", help="How a contribution is measured.", choices=("delta", "activation", "released")
    )
    granularity: str = setting(
        "synapses", label="Path of", help="What makes two paths equal.", choices=("synapses", "neurons")
    )
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def _work(params: PathsParams, context: JobContext) -> JobResult:
    began = time.perf_counter()
    material = gather(params.data, params.model, context.workspace, protected=params.protected)
    if params.part == "holdout":
        raise SettingError("Paths are counted on rows of the split: choose train, validation or test.")
    features = material.batch(params.part).features  # type: ignore[arg-type]
    reason = "chosen by the user"
    if params.coverage is None:
        found = suggest_setting(
            material.classifier,
            material.batch("train").features,
            reading=params.reading,  # type: ignore[arg-type]
            granularity=params.granularity,  # type: ignore[arg-type]
            threads=params.threads,
            progress=part_of(context.progress, 0, 0.6),
        )
        params = replace(params, coverage=found.coverage, first_layer=params.first_layer or found.first_layer)
        reason = found.reason
    params = replace(params, first_layer=params.first_layer or 1)
    paths = slice_paths(
        material.classifier,
        features,
        coverage=params.coverage,
        reading=params.reading,
        granularity=params.granularity,
        first_layer=params.first_layer,
        threads=params.threads,
        progress=part_of(context.progress, 0.6, 1.0),
    )
    results = paths_json(material, params, paths, cluster(paths, params.rarity))
    results |= {"setting": reason, "params": params_json(params), "seconds": round(time.perf_counter() - began, 3)}
    return JobResult(results)


def paths_json(
    material: Material, params: PathsParams, paths: ActivationPaths, split: SampleSplit
) -> dict[str, object]:
    """Return the counts of the clustering, and every group's share among the conflict samples."""
    batch = material.batch(params.part)  # type: ignore[arg-type]
    codes, conflicting = batch.codes(material.attribute), split.conflicting
    by_group = []
    for code, group in enumerate(batch.levels(material.attribute)):
        n, rare = int((codes == code).sum()), int((conflicting & (codes == code)).sum())
        if n:
            low, high = (float(bound) for bound in wilson(rare, n))
            by_group.append({"group": group, "n": n, "conflict": rare, "share": rare / n, "low": low, "high": high})
    return {
        "samples": len(conflicting),
        "unique_paths": int(paths.unique_paths),
        "most_frequent": int(paths.most_frequent),
        "threshold_count": int(split.threshold_count),
        "rare_paths": int(split.rare_paths),
        "conflict_samples": int(conflicting.sum()),
        "words": split.words,
        "by_group": by_group,
    }


PATHS = job_of("paths", PathsParams, title=lambda p: f"Paths of {p.get('model')} on {p.get('data')}", work=_work)
