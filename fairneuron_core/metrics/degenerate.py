"""Decisions that every gap metric would praise although they decide nothing."""

from __future__ import annotations

import numpy as np

from fairneuron_core.metrics.row import AuditView
from fairneuron_core.metrics.words import percent

_RARE = 0.01


def degenerate_words(view: AuditView) -> str | None:
    """Return why these decisions must not be ranked, in words, or None.

    Degenerate are: the same decision for every row; a group (of at least `min_group` rows) whose selection rate is
    under 1 % or over 99 % although its base rate is not; accuracy that is not above always deciding for the more
    frequent label.
    """
    total = view.counts.sum(axis=0)  # (label, decision)
    selected, rows = int(total[:, 1].sum()), int(total.sum())
    if selected in (0, rows):
        kind = "the favourable" if selected else "the unfavourable"
        return f"All {rows:,} rows get {kind} decision, so that every gap is 0 or undefined and says nothing."
    reasons = _extreme_groups(view)
    accuracy, majority = np.trace(total) / rows, total.sum(axis=1).max() / rows
    if accuracy <= majority:
        reasons.append(
            f"The accuracy of {percent(accuracy)} is not above the {percent(majority)} "
            "that always deciding for the more frequent label would reach."
        )
    return " ".join(reasons) or None


def _extreme_groups(view: AuditView) -> list[str]:
    reasons = []
    columns = (view.rate("selection_rate"), view.rate("base_rate"))
    for group, (selected, base) in enumerate(zip(*columns, strict=True)):
        name = view.levels[group]
        if not view.large_enough[group] or not view.rows[group]:
            continue
        if selected < _RARE <= base:
            reasons.append(f"{name}: only {percent(selected)} are selected although {percent(base)} have that label.")
        if selected > 1 - _RARE >= base:
            reasons.append(f"{name}: {percent(selected)} are selected although only {percent(base)} have that label.")
    return reasons
