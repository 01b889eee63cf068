"""Repair a classifier by one method of the table, and compare before and after on the test part."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairneuron_core.jobs.context import JobContext, JobResult, JobRow, filled
from fairneuron_core.jobs.figures import compare_part
from fairneuron_core.jobs.machine import ONE_NETWORK, use_threads
from fairneuron_core.jobs.material import Material, gather, store_classifier, stored_model_reference
from fairneuron_core.jobs.predictions import require_network
from fairneuron_core.metrics import audit_json, compare_json
from fairneuron_core.models import Checkpoint, resolve_device
from fairneuron_core.params import params_json, parse_params, setting
from fairneuron_core.repair import REPAIRS, RepairTask, repair, repair_row
from fairneuron_core.types import Classifier, ProgressCallback


@dataclass(frozen=True)
class RepairParams:
    """What is repaired, by which method; the method's own settings come beside these."""

    method: str = setting("fairneuron", label="Method", choices=tuple(REPAIRS))
    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    model: str = setting("", label="Model", help="Stored id or file.")
    protected: str | None = setting(None, label="Protected attribute", help="Empty = the first one of the data set.")
    seed: int = setting(0, label="Seed", help="Fixes data order and muted neurons.", low=0, high=2**31 - 1)
    device: str = setting("auto", label="Device", choices=("auto", "gpu", "cpu", "cuda", "mps"))
    threads: int | None = setting(None, label="CPU threads", low=1, high=256, expert=True)


def split_params(kind: type, params: Mapping[str, Any]) -> tuple[Any, Any]:
    """Sort flat settings into the job's and the method's; unknown ones are refused by the method's check."""
    names = kind.__dataclass_fields__
    common = parse_params(kind, {name: value for name, value in params.items() if name in names})
    own = parse_params(repair_row(common.method).Params, {k: v for k, v in params.items() if k not in names})
    return common, own


def repair_task(
    material: Material, params: Any, *, progress: ProgressCallback | None, checkpoint: Checkpoint | None = None
) -> RepairTask:
    """Return what a method may look at: training and validation rows, never the test part."""
    return RepairTask(
        classifier=material.classifier,
        train=material.batch("train"),
        validation=material.batch("validation"),
        attribute=material.attribute,
        reference=material.reference,
        seed=params.seed,
        device=resolve_device(params.device),
        threads=params.threads,
        progress=progress,
        checkpoint=checkpoint,
        schema=material.dataset.schema,
    )


def with_parent(classifier: Classifier, parent: str) -> Classifier:
    """Let the repaired classifier remember what it was made from."""
    return replace(classifier, record=replace(classifier.record, parent=parent))


def before_and_after(material: Material, repaired: Classifier) -> dict[str, Any]:
    """Return before, after and paired figures of the test part as JSON."""
    after = Material(material.dataset, repaired, material.attribute)
    paired = compare_part(material, after, "test")
    return {
        "before": audit_json(paired.before),
        "after": audit_json(paired.after),
        "paired": compare_json(paired),
        "degenerate": paired.after.degenerate,
    }


def _check(params: Mapping[str, Any]) -> dict[str, Any]:
    common, own = split_params(RepairParams, params)
    return params_json(filled(common)) | params_json(own)


def _run(params: Mapping[str, Any], context: JobContext) -> JobResult:
    began = time.perf_counter()
    common, own = split_params(RepairParams, params)
    common = filled(common)
    use_threads(ONE_NETWORK)
    row = repair_row(common.method)
    material = gather(common.data, common.model, context.workspace, protected=common.protected)
    require_network(material.classifier)
    parent = stored_model_reference(common.model, context.workspace, classifier=material.classifier)
    task = repair_task(material, common, progress=context.progress, checkpoint=context.checkpoint)
    found = repair(task, row, own)
    classifier = with_parent(found.classifier, parent)
    name = f"{row.title} of {parent[:6]}, seed {common.seed}"
    model = store_classifier(classifier, context.workspace, name=name, run_id=context.run_id)
    results = {
        "method": common.method,
        "params": params_json(common) | params_json(own),
        "parent": parent,
        "model": model,
        "data": common.data,
        "data_sha256": material.dataset.sha256,
        "protected": material.attribute,
        "facts": dict(found.facts),
        "trace": [dict(point) for point in found.trace],
        **before_and_after(material, classifier),
        "seconds": round(time.perf_counter() - began, 3),
    }
    return JobResult(results)


def _title(params: Mapping[str, Any]) -> str:
    return f"{repair_row(str(params.get('method'))).title} on {params.get('data')}"


REPAIR = JobRow("repair", _title, _check, _run)
