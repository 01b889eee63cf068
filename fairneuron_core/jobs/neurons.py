"""Count which hidden neurons are on the paths of which group."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from fairneuron_core.errors import SettingError
from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.material import PARTS, Material, gather
from fairneuron_core.jobs.predictions import require_network
from fairneuron_core.models.gap_penalty import Gap
from fairneuron_core.params import params_json, setting
from fairneuron_core.paths import suggest_setting
from fairneuron_core.paths.usage import NeuronRow, NeuronUsage, neuron_usage
from fairneuron_core.repair import RepairTask
from fairneuron_core.repair.conflict_neurons import conflict_by_layer
from fairneuron_core.types import Estimate, ProgressCallback, part_of


@dataclass(frozen=True)
class NeuronsParams:
    """Whose paths are followed and how."""

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
    reading: str = setting(
        "delta", label="Reading", help="How a contribution is measured.", choices=("delta", "activation", "released")
    )
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def _work(params: NeuronsParams, context: JobContext) -> JobResult:
    began = time.perf_counter()
    material = gather(params.data, params.model, context.workspace, protected=params.protected)
    require_network(material.classifier)
    if params.part == "holdout":
        raise SettingError("Paths are counted on rows of the split: choose train, validation or test.")
    if params.coverage is None:
        found = suggest_setting(
            material.classifier,
            material.batch("train").features,
            reading=params.reading,  # type: ignore[arg-type]
            threads=params.threads,
            progress=part_of(context.progress, 0, 0.5),
        )
        params = replace(params, coverage=found.coverage)
    usage = usage_of_part(
        material, params.part, coverage=float(params.coverage or 0.0), reading=params.reading, threads=params.threads,
        progress=part_of(context.progress, 0.5, 1.0),
    )  # fmt: skip
    results = usage_json(usage) | {"params": params_json(params), "seconds": round(time.perf_counter() - began, 3)}
    return JobResult(results)


def conflict_of_neurons(material: Material, gap: Gap) -> tuple[tuple[float, ...], ...]:
    """Return how far accuracy and `gap` pull each hidden neuron in opposite directions, on the training rows."""
    train, validation = material.batch("train"), material.batch("validation")
    task = RepairTask(material.classifier, train, validation, material.attribute, material.reference, seed=0)
    return conflict_by_layer(task, gap)


def usage_of_part(
    material: Material,
    part: str,
    *,
    coverage: float,
    reading: str = "delta",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> NeuronUsage:
    """Return the usage on one part; with two groups they are compared with the data set's reference, if it has rows."""
    batch = material.batch(part)  # type: ignore[arg-type]
    codes, levels = batch.codes(material.attribute), batch.levels(material.attribute)
    reference = material.reference if material.reference in {levels[code] for code in set(codes.tolist())} else None
    return neuron_usage(
        material.classifier,
        batch.features,
        codes,
        levels=levels,
        coverage=coverage,
        reading=reading,  # type: ignore[arg-type]
        reference=reference,
        threads=threads,
        progress=progress,
    )


def usage_json(usage: NeuronUsage) -> dict[str, Any]:
    """Return the usage of every neuron, layer by layer; what is undefined is None."""
    layers = sorted({row.layer for row in usage.neurons})
    return {
        "coverage": usage.coverage,
        "reading": usage.reading,
        "groups": [{"group": group, "n": n} for group, n in zip(usage.groups, usage.rows, strict=True)],
        "against": usage.against,
        "tests": usage.tests,
        "sentence": usage.sentence,
        "layers": [
            {"layer": layer, "neurons": [_neuron(usage, row) for row in usage.neurons if row.layer == layer]}
            for layer in layers
        ],
    }


def _neuron(usage: NeuronUsage, row: NeuronRow) -> dict[str, Any]:
    by_group = [
        {"group": group, "count": count, "share": share.value, "low": share.low, "high": share.high}
        for group, count, share in zip(usage.groups, row.counts, row.shares, strict=True)
    ]
    return {
        "neuron": row.neuron,
        "by_group": by_group,
        "group": row.group,
        "difference": _bounds(row.difference),
        "p": None if math.isnan(row.p) else row.p,
        "p_holm": None if math.isnan(row.p_holm) else row.p_holm,
        "verdict": row.verdict,
    }


def _bounds(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


NEURONS = job_of("neurons", NeuronsParams, title=lambda p: f"Neurons of {p.get('model')} by group", work=_work)
