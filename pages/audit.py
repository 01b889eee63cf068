"""Audit: how differently the groups are treated, in numbers with intervals, against the viewer's own lines."""

from __future__ import annotations

import streamlit as st

from fairneuron_core.report.rule_words import rule_sentence, threshold_chip
from fairneuron_core.report.words import counted
from fairneuron_core.store import get_model, open_store
from fairneuron_core.types import Audit
from pages.ui import cache, state, views
from pages.ui.audit_groups import show_calibration, show_combined_groups
from pages.ui.audit_metrics import answer, export_row, line_inputs, show_charts, show_headlines, show_metric
from pages.ui.audit_threshold import show_threshold
from pages.ui.pickers import PARTS, data_titles, parts_of, pick_model

QUESTION = "How differently are the groups treated?"
SECTIONS = {
    "Threshold": show_threshold,
    "Calibration": show_calibration,
    "Combined groups": show_combined_groups,
    "Every metric": show_metric,
}


def show() -> None:
    picked = pick_model(key="audit", question=QUESTION)
    if picked is None:
        return
    data, model, attribute = picked
    part = _chosen_part(data)
    found = cache.audit(data, model, attribute, part)
    row, classifier = get_model(open_store(cache.workspace()), model), cache.material(data, model, attribute).classifier
    views.page_header(
        QUESTION,
        answer(found),
        chips=[
            data_titles().get(data, data),
            f"{row.name} · {row.id[:6]}",
            f"{PARTS[part]}: {counted(int(found.counts.sum()), 'person', 'people')}",
            f"by {attribute}, reference {found.reference}",
            threshold_chip(classifier),
        ],
    )
    views.degenerate_mark(found.degenerate)
    if said := rule_sentence(classifier):
        views.quiet(said)
    _judged(found, data, part)
    _sections(data, model, attribute, part)
    views.section("Take it with you", "The same numbers as the command line prints with fairneuron audit --json.")
    export_row(found, data, model, attribute, part)


def _chosen_part(data: str) -> str:
    part = str(state.widget("audit.part", "test") or "test")
    return part if part in parts_of(data) else "test"


@st.fragment
def _judged(found: Audit, data: str, part: str) -> None:
    """The numbers against the viewer's lines: moving a line runs only this part again."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.segmented_control(
            "Rows", parts_of(data), default=part, format_func=PARTS.get, key="audit.part", required=True, wrap=True
        )
        lines = line_inputs()
    if chosen != part:
        st.rerun(scope="app")
    show_headlines(found, lines)
    show_charts(found, lines)


@st.fragment
def _sections(data: str, model: str, attribute: str, part: str) -> None:
    """What lies below the fold: only the open section is worked out, and a slider in it runs only it again."""
    for tab, draw in zip(
        st.tabs(list(SECTIONS), key="audit.section", on_change="rerun"), SECTIONS.values(), strict=True
    ):
        if tab.open:
            with tab:
                draw(data, model, attribute, part)


show()
