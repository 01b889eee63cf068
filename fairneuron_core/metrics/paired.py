"""Before against after on the same rows: the change of every metric with its interval, and a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fairneuron_core.errors import DataError
from fairneuron_core.metrics.auditing import audit_from_counts
from fairneuron_core.metrics.catalogue import METRICS
from fairneuron_core.metrics.changes import Movement, PairedView
from fairneuron_core.metrics.counts import joint_counts
from fairneuron_core.metrics.intervals import bootstrap_counts
from fairneuron_core.metrics.row import AuditView, MetricRow
from fairneuron_core.types import Audit, Change, Estimate, PairedAudit, Verdict


def compare(
    labels: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    groups: np.ndarray,
    *,
    levels: Sequence[str],
    attribute: str,
    reference: str,
    favourable_words: str = "",
    min_group: int = 30,
    confidence: float = 0.95,
    seed: int = 0,
    replicates: int = 10_000,
) -> PairedAudit:
    """Compare two sets of decisions on the same rows; `before` and `after` are (n,), the rest as in `audit`.

    The verdict follows the interval: "improved" or "worsened" when the change lies wholly on one side of 0 in the
    metric's direction (differences towards 0, ratios towards 1, accuracies upward), otherwise "cannot tell". The
    selection rate has no better side: it has "changed" or one "cannot tell". "undefined" when one side is undefined or
    when the groups that enter the gap are not the same.

    >>> same = compare([1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], levels=("M", "F"), attribute="sex",
    ...                reference="M", min_group=0, replicates=200).changes["demographic_parity_difference"]
    >>> same.difference.value, same.difference.low, same.difference.high, same.verdict
    (0.0, 0.0, 0.0, 'cannot tell')
    """
    counts = joint_counts(labels, before, after, groups, len(levels))
    return compare_from_counts(
        counts,
        levels=levels,
        attribute=attribute,
        reference=reference,
        favourable_words=favourable_words,
        min_group=min_group,
        confidence=confidence,
        seed=seed,
        replicates=replicates,
    )


def compare_from_counts(
    counts: np.ndarray,
    *,
    levels: Sequence[str],
    attribute: str,
    reference: str,
    favourable_words: str = "",
    min_group: int = 30,
    confidence: float = 0.95,
    seed: int = 0,
    replicates: int = 10_000,
) -> PairedAudit:
    """Compare decisions given as joint counts (groups, label, before, after); otherwise as `compare`."""
    counts = np.asarray(counts)
    if counts.shape != (len(levels), 2, 2, 2):
        raise DataError(f"The joint counts have shape {counts.shape}: give ({len(levels)}, 2, 2, 2).")
    settings: dict[str, Any] = {"favourable_words": favourable_words, "min_group": min_group, "confidence": confidence}
    sides = counts.sum(axis=3), counts.sum(axis=2)
    settings |= {"levels": levels, "attribute": attribute, "reference": reference}
    old, new = (audit_from_counts(side, **settings) for side in sides)
    before, after = (AuditView(side, tuple(levels), reference, min_group, confidence) for side in sides)
    drawn = bootstrap_counts(counts, seed=seed, replicates=replicates)  # (replicates, groups, label, before, after)
    # Adding the two slices is ten times faster than numpy's sum over an axis of length 2.
    paired = PairedView(before, after, drawn[..., 0] + drawn[..., 1], drawn[..., 0, :] + drawn[..., 1, :])
    changes = {name: _change(row, paired, old, new) for name, row in METRICS.items()}
    return PairedAudit(old, new, changes, counts)


def _change(row: MetricRow, paired: PairedView, before: Audit, after: Audit) -> Change:
    old, new = before.metrics[row.name].estimate, after.metrics[row.name].estimate
    value, moved = new.value - old.value, row.change(row, paired)
    if not math.isnan(value) and math.isnan(moved.low) and moved.gain is not None and not _same_groups(row, paired):
        value = math.nan
    # Both ends come from order statistics of the draws; the observed change belongs inside by definition.
    low, high = min(moved.low, value), max(moved.high, value)
    if math.isnan(value) or math.isnan(moved.low):
        low = high = math.nan
    difference = Estimate(value, low, high, min(old.n, new.n), old.confidence)
    return Change(row.name, old, new, difference, _verdict(value, moved))


def _same_groups(row: MetricRow, paired: PairedView) -> bool:
    return np.array_equal(paired.before.usable(row.rates), paired.after.usable(row.rates))


def _verdict(value: float, moved: Movement) -> Verdict:
    if math.isnan(value):
        return "undefined"
    if moved.gain is None:
        # A metric without a better side cannot improve: it has moved, or these rows do not show that it has.
        return "changed" if moved.low > 0 or moved.high < 0 else "cannot tell"
    if moved.gain[0] > 0:
        return "improved"
    return "worsened" if moved.gain[1] < 0 else "cannot tell"
