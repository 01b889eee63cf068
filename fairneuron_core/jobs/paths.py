"""Slice a classifier's network over one part of its data and cluster the rows by path."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.material import PARTS, Material, gather
from fairneuron_core.jobs.predictions import require_network
from fairneuron_core.jobs.table_paths import data_of_model, require_place, table_codes, table_rows, write_keys
from fairneuron_core.metrics.intervals import wilson
from fairneuron_core.params import params_json, setting
from fairneuron_core.paths import ActivationPaths, ParquetRows, SampleSplit, cluster, slice_paths, suggest_setting
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
    table: str | None = setting(
        None,
        label="Table",
        help="A Parquet file or folder on this machine, read piece by piece, instead of a part of the data set: with "
        "the columns of the model's data set, or encoded under the names of the model's inputs.",
        expert=True,
    )
    engine: str = setting(
        "auto",
        label="Engine",
        help="auto = this machine's CPU or GPU; ray = all machines of a Ray cluster.",
        choices=("auto", "numba", "torch", "ray"),
        expert=True,
    )
    address: str | None = setting(
        None, label="Address of the Ray cluster", help="Empty = a Ray of its own on this machine.", expert=True
    )
    keys_out: str | None = setting(
        None,
        label="File of keys",
        help="Write key, frequency and synapses of every row to this Parquet file.",
        expert=True,
    )
    device: str = setting("auto", label="Device", choices=("auto", "gpu", "cpu"), expert=True)
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def _work(params: PathsParams, context: JobContext) -> JobResult:
    began = time.perf_counter()
    if params.keys_out is not None:
        require_place(params.keys_out)
    if params.table is not None:
        params = replace(params, data=data_of_model(params.model, context.workspace, otherwise=params.data))
    material = gather(params.data, params.model, context.workspace, protected=params.protected)
    require_network(material.classifier)
    if params.part == "holdout":
        raise SettingError("Paths are counted on rows of the split: choose train, validation or test.")
    rows, codes = _rows(material, params)
    params, reason = _suggested(material, params, context)
    sliced_from = time.perf_counter()
    paths = slice_paths(
        material.classifier,
        rows,
        coverage=params.coverage,
        reading=params.reading,
        granularity=params.granularity,
        first_layer=params.first_layer,
        device=params.device,
        engine=params.engine,
        address=params.address,
        threads=params.threads,
        progress=part_of(context.progress, 0.6, 1.0),
    )
    speed = round(len(paths) / (time.perf_counter() - sliced_from))
    split = cluster(paths, params.rarity)
    results = paths_json(material, paths, split, codes=codes)
    if params.table is not None:
        results |= {"table": params.table, "rows": len(paths), "rows_per_second": speed}
    if params.keys_out is not None:
        write_keys(paths, split.conflicting, params.keys_out)
        results |= {"keys_out": params.keys_out}
    results |= {"setting": reason, "params": params_json(params), "seconds": round(time.perf_counter() - began, 3)}
    return JobResult(results)


def _rows(material: Material, params: PathsParams) -> tuple[np.ndarray | ParquetRows, np.ndarray | None]:
    """Return what is sliced, and the group codes (n,) of its rows where they are known."""
    if params.table is not None:
        return table_rows(material, params.table), table_codes(material, params.table)
    batch = material.batch(params.part)  # type: ignore[arg-type]
    return batch.features, batch.codes(material.attribute)


def _suggested(material: Material, params: PathsParams, context: JobContext) -> tuple[PathsParams, str]:
    """Fill in coverage and first layer, from the training rows where the user left them open; say why."""
    if params.coverage is not None:
        return replace(params, first_layer=params.first_layer or 1), "chosen by the user"
    found = suggest_setting(
        material.classifier,
        material.batch("train").features,
        reading=params.reading,  # type: ignore[arg-type]
        granularity=params.granularity,  # type: ignore[arg-type]
        threads=params.threads,
        progress=part_of(context.progress, 0, 0.6),
    )
    first_layer = params.first_layer or found.first_layer
    return replace(params, coverage=found.coverage, first_layer=first_layer), found.reason


def paths_json(
    material: Material, paths: ActivationPaths, split: SampleSplit, *, codes: np.ndarray | None
) -> dict[str, object]:
    """Return the counts of the clustering, and every group's share among the conflict samples.

    codes: the group of every row (n,); without them `by_group` is empty.
    """
    conflicting = split.conflicting
    return {
        "samples": len(conflicting),
        "unique_paths": int(paths.unique_paths),
        "most_frequent": int(paths.most_frequent),
        "threshold_count": int(split.threshold_count),
        "rare_paths": int(split.rare_paths),
        "conflict_samples": int(conflicting.sum()),
        "words": split.words,
        "by_group": [] if codes is None else _by_group(material, codes, conflicting),
    }


def _by_group(material: Material, codes: np.ndarray, conflicting: np.ndarray) -> list[dict[str, object]]:
    found = []
    for code, group in enumerate(material.dataset.schema.column(material.attribute).levels):
        n, rare = int((codes == code).sum()), int((conflicting & (codes == code)).sum())
        if n:
            low, high = (float(bound) for bound in wilson(rare, n))
            found.append({"group": group, "n": n, "conflict": rare, "share": rare / n, "low": low, "high": high})
    return found


PATHS = job_of("paths", PathsParams, title=lambda p: f"Paths of {p.get('model')} on {p.get('data')}", work=_work)
