"""The audit's numbers: the answer, the headline cards, the charts against the viewer's lines, each metric explained."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.metrics import FOUR_FIFTHS_CAVEAT, METRICS, RATES, conventions_table, verdict
from fairneuron_core.report.figures import gap_overview, group_rates
from fairneuron_core.report.names import in_sentence, metric_unit, short_label
from fairneuron_core.report.words import (
    count,
    estimate_text,
    markdown_plain,
    number,
    quantity,
)
from fairneuron_core.types import Audit
from pages.ui import cache, theme, views

HEADLINES = ("accuracy", "demographic_parity_difference", "demographic_parity_ratio", "equal_opportunity_difference")
ANSWERING = (
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "predictive_parity_difference",
)
RATES_SHOWN = ("selection_rate", "tpr", "fpr")
_STACKED_GROUPS = 3
_FOUR_FIFTHS = 0.8
_RATIO_LINES = {"four-fifths": "Four-fifths (0.80)", "own": "Own"}


def answer(found: Audit) -> str:
    """Return the clearest gap in words, with the counts that it comes from.

    Clearest is the one whose interval lies farthest from 0: the largest value is often that of three people.
    """
    known = [found.metrics[name] for name in ANSWERING if not math.isnan(found.metrics[name].estimate.value)]
    if not known:
        return found.metrics[ANSWERING[0]].words
    clearest = max(known, key=lambda metric: (metric.estimate.low, metric.estimate.value))
    name = in_sentence(short_label(clearest.name))
    if clearest.estimate.low > 0:
        return f"The clearest gap is the {name}. {clearest.words}"
    return f"These rows do not show a gap for certain; the {name}: {clearest.words}"


def line_inputs() -> dict[str, float]:
    """Draw the fields of the viewer's two lines and return the line of every gap metric."""
    kept: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    points = st.number_input(
        "Your line for differences (points)",
        min_value=0.0,
        max_value=100.0,
        value=10.0,
        step=1.0,
        format="%g",
        key="audit.difference",
        width=220,
        help="A gap meets your line when its whole interval lies at or below it.",
        **kept,
    )
    preset = st.segmented_control(
        "Your line for ratios",
        list(_RATIO_LINES),
        default="four-fifths",
        format_func=_RATIO_LINES.get,
        key="audit.line",
        required=True,
        help="A ratio meets your line when its whole interval lies at or above it. " + FOUR_FIFTHS_CAVEAT,
        **kept,
    )
    ratio = (
        _FOUR_FIFTHS
        if preset != "own"
        else st.number_input(
            "Own line",
            min_value=0.0,
            max_value=1.0,
            value=0.9,
            step=0.05,
            format="%.2f",
            key="audit.ratio",
            width=130,
            **kept,
        )
    )
    line = {"gap": float(points or 0) / 100, "ratio": float(ratio or 0)}
    return {name: line[row.kind] for name, row in METRICS.items() if row.kind in line}


def show_headlines(found: Audit, lines: Mapping[str, float]) -> None:
    """Show the four numbers that most people ask for, each with interval, n and what it says about the line."""
    with views.cards(most=4):
        for name in HEADLINES:
            metric, row = found.metrics[name], METRICS[name]
            says = verdict(metric.estimate, lines[name], row.direction) if name in lines else None
            sides = f"higher: {metric.pair[0]}, lower: {metric.pair[1]}" if metric.pair and name in lines else ""
            views.metric_card(
                short_label(name),
                metric.estimate,
                unit=metric_unit(name),
                help=markdown_plain(f"{row.definition} {row.formula}; {_ideal_words(name)}."),
                words=sides or f"reference group: {found.reference}",
                verdict=says,
            )
    if lines["demographic_parity_ratio"] == _FOUR_FIFTHS:
        views.quiet(FOUR_FIFTHS_CAVEAT)


def show_charts(found: Audit, lines: Mapping[str, float]) -> None:
    """Show every gap against the lines, and beside it the rates that the gaps are made of."""
    left, right = views.side_by_side()
    with left:
        views.show_chart(gap_overview(found, lines, mode=theme.mode()), key="audit.gaps")
    with right:
        few = len(found.groups) <= _STACKED_GROUPS
        for rate in RATES_SHOWN if few else (_rate_choice(),):
            views.show_chart(group_rates(found, rate, mode=theme.mode()), key=f"audit.rate.{rate}")


def _rate_choice() -> str:
    chosen = st.segmented_control(
        "Rate",
        [name for name in RATES if name != "base_rate"],
        default="selection_rate",
        format_func=lambda name: RATES[name].label,
        key="audit.rate",
        required=True,
        label_visibility="collapsed",
        wrap=True,
    )
    return str(chosen or "selection_rate")


def _ideal_words(name: str) -> str:
    row = METRICS[name]
    return row.direction_words if row.ideal is None else f"{row.direction_words}, ideal {number(row.ideal, digits=0)}"


def show_metric(data: str, model: str, attribute: str, part: str) -> None:
    """Explain one metric of the table: meaning, formula, this data's counts, and what other tools call and print."""
    found = cache.audit(data, model, attribute, part)
    name = str(
        st.pills(
            "Metric",
            list(METRICS),
            default="demographic_parity_difference",
            format_func=short_label,
            key="audit.metric",
            required=True,
            label_visibility="collapsed",
        )
    )
    metric, row = found.metrics[name], METRICS[name]
    left, right = views.side_by_side(wide="right")
    with left:
        views.section(row.label, row.definition)
        st.markdown(f"**{markdown_plain(estimate_text(metric.estimate, metric_unit(name)))}**")
        views.quiet(f"Formula: {row.formula}.")
        views.quiet(f"With these counts: {metric.words}")
        views.quiet(f"Direction: {_ideal_words(name)}.")
        views.quiet(f"n counts {row.evidence}: {count(metric.estimate.n)}. Intervals hold with 95 % confidence.")
    with right:
        _as_others_print_it(found, name)


def _as_others_print_it(found: Audit, name: str) -> None:
    views.section("As others print it", "Equal names hide different signs, groups and definitions.")
    others = [group.group for group in found.groups if group.group != found.reference and group.n]
    group = None
    if len(others) > 1:
        group = st.selectbox(
            f"Group compared with {markdown_plain(found.reference)}",
            others,
            index=None,
            placeholder="all other groups together",
            key=f"audit.compared.{views.content_key(found.attribute, *others)}",
        )
    rows = conventions_table(found, group=group, metric=name)
    if not rows:
        views.quiet("No other tool that we compare with prints this number.")
        return
    printed = [(row.tool, row.prints_as, number(row.value, digits=4), row.note) for row in rows]
    table = pd.DataFrame(printed, columns=["tool", "prints", "value", "what it is"]).map(markdown_plain)
    st.table(table, border="horizontal", hide_index=True)


def export_row(found: Audit, data: str, model: str, attribute: str, part: str) -> None:
    """Offer the audit as JSON and its numbers as CSV."""
    stem = f"audit-{data[:12]}-{model[:6]}-{part}"
    with st.container(horizontal=True):
        st.download_button(
            "Audit as JSON",
            lambda: json.dumps(cache.audit_results(data, model, attribute, part), indent=2, allow_nan=False),
            file_name=f"{stem}.json",
            mime="application/json",
            key="audit.json",
            on_click="ignore",
            icon=":material/download:",
        )
        views.csv_button(_metrics_table(found), key="audit.metrics.csv", name=f"{stem}-metrics", label="Metrics as CSV")
        views.csv_button(_groups_table(found), key="audit.groups.csv", name=f"{stem}-groups", label="Groups as CSV")


def _metrics_table(found: Audit) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "metric": name,
            "value": metric.estimate.value,
            "low": metric.estimate.low,
            "high": metric.estimate.high,
            "n": metric.estimate.n,
            "in words": metric.words,
        }
        for name, metric in found.metrics.items()
    )


def _groups_table(found: Audit) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": group.group,
            "set aside": group.group in found.set_aside,
            "rate": name,
            "value": rate.value,
            "low": rate.low,
            "high": rate.high,
            "n": rate.n,
        }
        for group in found.groups
        for name, rate in group.rates.items()
    )


def change_words(now: float, own: float, name: str) -> str:
    """Say what a metric is at the network's own threshold, beside its value at the moved one."""
    unit = metric_unit(name)
    same = (math.isnan(now) and math.isnan(own)) or now == own
    return "as at its own threshold" if same else f"at its own threshold: {quantity(own, unit)}"
