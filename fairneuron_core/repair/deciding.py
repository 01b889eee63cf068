"""What methods that leave the network alone have in common: the same scores, another way to decide by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fairneuron_core import __version__
from fairneuron_core.metrics import audit
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Audit, Batch, Classifier, DecisionRule, VoteRule


def deciding(
    task: RepairTask,
    *,
    method: str,
    recipe: Mapping[str, Any],
    threshold: float,
    rule: DecisionRule | VoteRule | None = None,
) -> Classifier:
    """Return the task's network with another threshold or rule, and with the history that says so."""
    record = replace(
        task.classifier.record,
        made_by=f"repair {method}",
        recipe={"method": method, **recipe},
        version=__version__,
    )
    return replace(task.classifier, threshold=threshold, rule=rule, record=record)


def audit_of(task: RepairTask, batch: Batch, decided: np.ndarray) -> Audit:
    """Audit decisions (n,) on a batch of the task, by its attribute."""
    return audit(
        batch.labels,
        decided,
        batch.codes(task.attribute),
        levels=batch.levels(task.attribute),
        attribute=task.attribute,
        reference=task.reference,
    )
