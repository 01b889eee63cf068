"""Reject option classification: where the network is unsure, the disadvantaged group gets the favourable outcome.

Source: Kamiran, Karim, Zhang, "Decision theory for discrimination-aware classification", ICDM 2012 (often "ROC").

1. disadvantaged: the groups whose share of favourable labels in training lies below the overall share
2. critical region: |p - t| < margin, where p is the score and t the network's own threshold (0.5 in the paper)
3. inside it the disadvantaged groups get the favourable outcome, the others the unfavourable one; outside nothing
   changes. This is one threshold per group: t - margin for the disadvantaged, t + margin for the others

Without a margin the smallest demographic parity difference within the accuracy budget is chosen on validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairneuron_core.models import NEVER, decisions, scores
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.deciding import audit_of, deciding
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import DecisionRule

_MARGINS = np.round(np.arange(0, 0.501, 0.01), 2)
_GAP = "demographic_parity_difference"


@dataclass(frozen=True)
class RejectOptionParams:
    """How wide the region is in which the group decides."""

    strength: float | None = setting(
        None,
        label="Margin",
        help="Half the width of the region around the threshold in which the group decides; empty = the margin with "
        "the smallest demographic parity difference on validation rows within the accuracy budget.",
        low=0.0,
        high=0.5,
        empty="chosen on validation",
    )
    accuracy_budget: float = setting(
        0.01,
        label="Accuracy budget",
        help="With an empty margin: how much accuracy on validation rows may be lost (0.01 = one point).",
        low=0.0,
        high=1.0,
    )


def prepare_reject_option(task: RepairTask, params: RejectOptionParams, strengths: Sequence[float | None]) -> Prepared:
    """Give one rule per margin; no network is trained."""
    return without_training(*(_result(task, params, margin) for margin in strengths))


def disadvantaged_groups(labels: np.ndarray, codes: np.ndarray, levels: Sequence[str]) -> tuple[str, ...]:
    """Return the groups whose share of favourable labels lies below that of all rows.

    >>> disadvantaged_groups(np.array([1, 0, 1, 1]), np.array([0, 0, 1, 1]), ["F", "M"])
    ('F',)
    """
    overall = labels.mean()
    present = [(level, labels[codes == code]) for code, level in enumerate(levels)]
    return tuple(level for level, own in present if len(own) and own.mean() < overall)


def reject_option_rule(task: RepairTask, margin: float) -> DecisionRule:
    """Return the rule of one margin around the task's own threshold."""
    own, levels = task.classifier.threshold, task.train.levels(task.attribute)
    favoured = _favoured(task)
    # Without a group below the others nobody is to be favoured: the rule then is the network's own threshold.
    moves = {level: -margin if level in favoured else margin for level in levels} if favoured else {}
    cuts = {level: min(max(own + move, 0.0), NEVER) for level, move in moves.items()}
    return DecisionRule(task.attribute, {level: ((1.0, cut),) for level, cut in cuts.items()}, seed=task.seed)


def _favoured(task: RepairTask) -> tuple[str, ...]:
    rows = task.train
    return disadvantaged_groups(rows.labels, rows.codes(task.attribute), rows.levels(task.attribute))


def _result(task: RepairTask, params: RejectOptionParams, margin: float | None) -> RepairResult:
    chosen, reason = (margin, "chosen by the user") if margin is not None else _chosen(task, params.accuracy_budget)
    rule = reject_option_rule(task, chosen)
    recipe = params_json(replace(params, strength=chosen))
    classifier = deciding(task, method="reject_option", recipe=recipe, threshold=task.classifier.threshold, rule=rule)
    return RepairResult(classifier, facts=_facts(task, rule, chosen, reason))


def _chosen(task: RepairTask, budget: float) -> tuple[float, str]:
    """Return the margin with the smallest gap on validation that keeps the budget, and the reason in words."""
    plain = replace(task.classifier, rule=None)
    scored = scores(plain, task.validation.features)
    figures = []
    for margin in _MARGINS:
        decided = decisions(
            replace(plain, rule=reject_option_rule(task, float(margin))), task.validation, scored=scored
        )
        found = audit_of(task, task.validation, decided).metrics
        figures.append((found["accuracy"].estimate.value, found[_GAP].estimate.value))
    accuracy, gap = np.array(figures).T
    gap = np.where((accuracy >= accuracy[0] - budget) & ~np.isnan(gap), gap, np.inf)
    best = int(gap.argmin())
    return float(_MARGINS[best]), (
        f"On the validation rows the margin {_MARGINS[best]:g} has the smallest demographic parity difference, "
        f"{100 * gap[best]:.1f} points, of those that lose at most {100 * budget:g} points of accuracy."
    )


def _facts(task: RepairTask, rule: DecisionRule, margin: float, reason: str) -> dict[str, Any]:
    thresholds = {level: mix[0][1] for level, mix in rule.groups.items()}
    return {"margin": margin, "thresholds": thresholds, "disadvantaged": list(_favoured(task)), "setting": reason}


REJECT_OPTION = RepairRow(
    name="reject_option",
    title="Reject option",
    sentence="Near its threshold the network favours the group with fewer favourable labels and disfavours the other.",
    changes="decisions (a threshold per group)",
    needs_protected=True,
    cannot="It treats equal scores of two groups differently on purpose, which the law forbids in many places, and "
    "cannot decide about a person whose group is not known.",
    source="Kamiran, Karim, Zhang, ICDM 2012",
    Params=RejectOptionParams,
    prepare=prepare_reject_option,
    strengths=(0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
)
