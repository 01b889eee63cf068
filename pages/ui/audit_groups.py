"""Two further sections of the audit: calibration by group, and the groups that several attributes make together."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fairneuron_core.metrics import METRICS, RATES, audit_from_counts, compare_groups
from fairneuron_core.report.figures import calibration
from fairneuron_core.report.figures_combined import combined_groups
from fairneuron_core.report.words import count, listed, quantity
from pages.ui import audit_cache, cache, theme, views

MIN_GROUP = 30
_RATES = ("selection_rate", "tpr", "fpr", "precision")


def show_calibration(data: str, model: str, attribute: str, part: str) -> None:
    """Show whether a score means the same for every group."""
    curves = audit_cache.calibration(data, model, attribute, part)
    sizes = {curve.group: sum(estimate.n for estimate in curve.observed) for curve in curves}
    shown = [curve for curve in curves if sizes[curve.group] >= MIN_GROUP]
    reference = cache.material(data, model, attribute).reference
    chart = calibration(shown, mode=theme.mode(), reference=reference)
    views.show_chart(chart, key="audit.calibration")
    errors = [f"{curve.group} {quantity(curve.error, 'points')}" for curve in shown]
    views.quiet(f"Mean distance between score and observed share: {listed(errors)}. Bins hold about equally many rows.")
    if small := [f"{curve.group} ({count(sizes[curve.group])})" for curve in curves if curve not in shown]:
        views.quiet(f"Not drawn, fewer than {MIN_GROUP} rows: {listed(small)}.")


def show_combined_groups(data: str, model: str, attribute: str, part: str) -> None:
    """Compare every combination of protected attributes with everyone else, corrected for their number."""
    protected = cache.dataset(data).schema.protected
    if len(protected) < 2:
        views.quiet("This data set has one protected attribute: there is nothing to combine it with.")
        return
    picked, rate = _choices(protected, attribute)
    if len(picked) < 2:
        views.quiet("Choose at least two attributes to combine.")
        return
    counts, names = audit_cache.intersection_counts(data, model, part, picked)
    sizes = counts.sum(axis=(1, 2))
    large = np.flatnonzero(sizes >= MIN_GROUP)
    if large.size < 2:
        views.quiet(f"Fewer than two combined groups have {MIN_GROUP} rows: there is nothing to compare.")
        return
    found = compare_groups(counts, levels=names, rate=rate, min_group=MIN_GROUP)
    views.show_chart(combined_groups(found, rate, mode=theme.mode()), key="audit.combined.chart")
    views.quiet(
        "Fisher's exact p values, corrected by Holm for the number of groups: without that, one group in twenty would "
        "seem to differ by chance. The intervals hold all together."
    )
    words = _largest_gap(counts[large], [names[g] for g in large], " × ".join(picked), rate)
    views.quiet(f"Farthest apart: {words}")
    if small := [f"{names[g]} ({count(sizes[g])})" for g in np.flatnonzero(sizes < MIN_GROUP)]:
        views.quiet(f"Set aside with fewer than {MIN_GROUP} rows, but counted among everyone else: {listed(small)}.")


def _choices(protected: tuple[str, ...], attribute: str) -> tuple[tuple[str, ...], str]:
    left, right = views.side_by_side()
    with left:
        usual = [attribute, *(name for name in protected if name != attribute)]
        picked = st.multiselect(
            "Attributes", usual, default=usual, key=f"audit.combined.{views.content_key(*protected)}"
        )
    with right:
        rate = st.selectbox("Rate", _RATES, format_func=lambda name: RATES[name].label, key="audit.combined.rate")
    return tuple(name for name in protected if name in picked), str(rate)


def _largest_gap(counts: np.ndarray, names: list[str], title: str, rate: str) -> str:
    """Return the words of the gap between the two combined groups that lie farthest apart."""
    largest = names[int(counts.sum(axis=(1, 2)).argmax())]
    found = audit_from_counts(counts, levels=names, attribute=title, reference=largest, min_group=MIN_GROUP)
    gap = next(
        (m for name, m in found.metrics.items() if METRICS[name].kind == "gap" and METRICS[name].rates == (rate,))
    )
    return gap.words
