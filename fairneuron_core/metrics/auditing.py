"""One audit: counts in, rates by group and all metrics of the catalogue out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.metrics.catalogue import METRICS
from fairneuron_core.metrics.counts import group_counts
from fairneuron_core.metrics.degenerate import degenerate_words
from fairneuron_core.metrics.intervals import wilson
from fairneuron_core.metrics.rates import RATES, rate_parts, share
from fairneuron_core.metrics.row import AuditView
from fairneuron_core.types import Audit, Estimate, GroupRates


def audit(
    labels: np.ndarray,
    decisions: np.ndarray,
    groups: np.ndarray,
    *,
    levels: Sequence[str],
    attribute: str,
    reference: str,
    favourable_words: str = "",
    min_group: int = 30,
    confidence: float = 0.95,
) -> Audit:
    """Measure decisions on rows with known labels, by group of one protected attribute.

    `labels` and `decisions` are (n,) with 1 = favourable, `groups` (n,) codes into `levels`. Groups with fewer than
    `min_group` rows stay in `groups` but enter no gap, and are named in `set_aside`; 0 sets nobody aside. A rate
    without rows is NaN and its group enters no gap of that rate, as the metric's words say; a gap of fewer than two
    groups is NaN. Raises DataError for arrays that do not fit together, SettingError for a reference that is no group.

    >>> found = audit([1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], levels=("M", "F"), attribute="sex", reference="M",
    ...               min_group=0)
    >>> found.metrics["demographic_parity_difference"].words
    'M: 2 of 2 (100.0 %) selected; F: 0 of 2 (0.0 %). Gap 100.0 points.'
    """
    counts = group_counts(labels, decisions, groups, len(levels))
    settings: dict[str, Any] = {"favourable_words": favourable_words, "min_group": min_group, "confidence": confidence}
    return audit_from_counts(counts, levels=levels, attribute=attribute, reference=reference, **settings)


def audit_from_counts(
    counts: np.ndarray,
    *,
    levels: Sequence[str],
    attribute: str,
    reference: str,
    favourable_words: str = "",
    min_group: int = 30,
    confidence: float = 0.95,
) -> Audit:
    """Measure decisions that are given as counts (groups, label, decision); otherwise as `audit`."""
    counts = np.asarray(counts)
    _check(counts, levels=levels, attribute=attribute, reference=reference, confidence=confidence)
    view = AuditView(counts, tuple(levels), reference, min_group, confidence, favourable_words)
    return Audit(
        attribute=attribute,
        reference=reference,
        groups=_group_rates(view),
        metrics={name: row.measure(row, view) for name, row in METRICS.items()},
        counts=counts,
        degenerate=degenerate_words(view),
        set_aside=tuple(view.levels[g] for g in np.flatnonzero(~view.large_enough)),
    )


def _check(counts: np.ndarray, *, levels: Sequence[str], attribute: str, reference: str, confidence: float) -> None:
    if counts.shape != (len(levels), 2, 2):
        raise DataError(
            f"The counts have shape {counts.shape}: give ({len(levels)}, 2, 2) for the groups of {attribute}."
        )
    if counts.sum() == 0:
        raise DataError("There are no rows to audit: give at least one row with label, decision and group.")
    if reference not in levels:
        known = ", ".join(repr(level) for level in levels)
        raise SettingError(f"The reference group {reference!r} is no group of {attribute}: choose one of {known}.")
    if not 0 < confidence < 1:
        raise SettingError(f"The confidence is {confidence}: choose a number between 0 and 1, such as 0.95.")


def _group_rates(view: AuditView) -> tuple[GroupRates, ...]:
    rates: dict[str, list[Estimate]] = {}
    for name in RATES:
        part, whole = rate_parts(view.counts, name)
        columns = (share(part, whole), *wilson(part, whole, confidence=view.confidence), whole)
        rates[name] = [
            Estimate(float(value), float(low), float(high), int(n), view.confidence)
            for value, low, high, n in zip(*columns, strict=True)
        ]
    return tuple(
        GroupRates(level, view.counts[g], {name: estimates[g] for name, estimates in rates.items()})
        for g, level in enumerate(view.levels)
    )
