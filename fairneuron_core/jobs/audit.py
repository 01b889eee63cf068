"""Audit a classifier on one part of its data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from fairneuron_core.jobs.context import JobContext, JobResult, job_of
from fairneuron_core.jobs.figures import MIN_GROUP, audit_part
from fairneuron_core.jobs.material import PARTS, Material, gather
from fairneuron_core.metrics import audit_json
from fairneuron_core.params import params_json, setting
from fairneuron_core.verify.pairs import check_pairs, read_pairs


@dataclass(frozen=True)
class AuditParams:
    """What is audited, on which rows."""

    data: str = setting("census", label="Data set", help="Built-in name, stored id or file.")
    model: str = setting("", label="Model", help="Stored id or file.")
    protected: str | None = setting(None, label="Protected attribute", help="Empty = the first one of the data set.")
    part: str = setting("test", label="Rows", help="Which part of the model's own split.", choices=PARTS)
    threshold: float | None = setting(
        None, label="Decision threshold", help="Empty = the model's own, or its rule per group.", low=0.0, high=1.0
    )
    min_group: int = setting(
        MIN_GROUP, label="Smallest group", help="Smaller groups are shown but enter no gap.", low=0, high=100_000
    )
    pairs: str | None = setting(
        None,
        label="Pairs file",
        help="Known pairs of similar individuals, as `fairneuron hunt` writes them, that must be treated alike.",
        empty="none",
        expert=True,
    )


def _work(params: AuditParams, context: JobContext) -> JobResult:
    began = time.perf_counter()
    material = gather(params.data, params.model, context.workspace, protected=params.protected)
    found = audit_part(material, params.part, threshold=params.threshold, min_group=params.min_group)  # type: ignore[arg-type]
    results = audit_json(found) | _pairs(material, params.pairs) | {"params": params_json(params)}
    return JobResult(results | {"seconds": round(time.perf_counter() - began, 3)})


def _pairs(material: Material, path: str | None) -> dict[str, Any]:
    """Return how the pairs of a file are treated; nothing where no file is named."""
    if path is None:
        return {}
    return {"pairs": check_pairs(material.dataset, material.classifier, read_pairs(path).pairs).as_json()}


AUDIT = job_of("audit", AuditParams, title=lambda p: f"Audit of {p.get('model')} on {p.get('data')}", work=_work)
