"""Gates: what a repair for individuals must not cost. A result that fails one is marked, never hidden.

Who decides alike for everybody is perfectly fair to individuals, so that the aim alone would be met by a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairneuron_core.models import decisions
from fairneuron_core.params import setting
from fairneuron_core.repair.deciding import audit_of
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Classifier


@dataclass(frozen=True)
class GateSettings:
    """How much accuracy and how many favourable decisions may be lost before a result is marked."""

    accuracy_lost: float = setting(
        0.03,
        label="Most accuracy lost",
        help="On validation rows; a result that loses more is marked (0.03 = three points).",
        low=0.0,
        high=1.0,
        expert=True,
    )
    favourable_kept: float = setting(
        0.5,
        label="Least share of favourable decisions kept",
        help="Favourable decisions on validation rows after the repair, as a share of those before; fewer are marked.",
        low=0.0,
        high=1.0,
        expert=True,
    )


def gate_facts(task: RepairTask, after: Classifier, settings: GateSettings) -> dict[str, Any]:
    """Return whether the repaired classifier passes on validation rows, and a sentence for every gate it fails."""
    rows = task.validation
    old, new = decisions(task.classifier, rows), decisions(after, rows)
    accuracies = [float((decided == rows.labels).mean()) for decided in (old, new)]
    rates = [float(decided.mean()) for decided in (old, new)]
    reasons = []
    if (lost := accuracies[0] - accuracies[1]) > settings.accuracy_lost:
        reasons.append(
            f"It loses {100 * lost:.1f} points of accuracy on validation rows, more than "
            f"{100 * settings.accuracy_lost:g}."
        )
    if rates[1] < settings.favourable_kept * rates[0]:
        reasons.append(
            f"It decides favourably for {100 * rates[1]:.1f} % of the validation rows, the given network for "
            f"{100 * rates[0]:.1f} %."
        )
    if degenerate := audit_of(task, rows, new).degenerate:
        reasons.append(degenerate)
    return {
        "passed": not reasons,
        "reasons": reasons,
        "accuracy": {"before": accuracies[0], "after": accuracies[1]},
        "selection_rate": {"before": rates[0], "after": rates[1]},
    }


def flips(task: RepairTask, after: Classifier) -> list[dict[str, Any]]:
    """Return how many validation decisions turned, by group and direction: group, n, to_favourable, to_unfavourable."""
    rows = task.validation
    turned = decisions(after, rows).astype(np.int8) - decisions(task.classifier, rows)
    codes = rows.codes(task.attribute)
    return [
        {
            "group": level,
            "n": int((codes == code).sum()),
            "to_favourable": int((turned[codes == code] == 1).sum()),
            "to_unfavourable": int((turned[codes == code] == -1).sum()),
        }
        for code, level in enumerate(rows.levels(task.attribute))
        if (codes == code).any()
    ]
