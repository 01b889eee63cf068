"""Certify: does a change of a protected attribute alone ever change a decision? Proved, refuted, or open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.certificate_words import changed_words, headline, is_unread, question_words, rows_words
from fairneuron_core.report.rule_words import threshold_chip
from fairneuron_core.report.words import count
from fairneuron_core.store import RunRecord, get_model, open_store
from pages.ui import cache, certify_data, certify_form, jobs, views
from pages.ui.certify_data import Question
from pages.ui.certify_view import (
    show_counts,
    show_export,
    show_gaps,
    show_refuted,
    show_repair,
    show_space,
    show_unread,
)
from pages.ui.hunt_view import hunt_section
from pages.ui.pickers import data_titles, pick_network

QUESTION = "Would anybody be decided differently if only a protected attribute changed?"


def show() -> None:
    picked = pick_network(key="certify", question=QUESTION)
    if picked is None:
        return
    head = st.container()
    question = certify_form.ask(*picked)
    try:
        _answered(question, head)
    except FairNeuronError as error:
        with head:
            views.page_header(QUESTION)
        views.error_box(error)


def _answered(question: Question, head: Any) -> None:
    run = certify_data.run_of(question)
    found = _found(question, run)
    with head:
        asked = question_words({"protected": list(question.protected), "within": dict(question.within)})
        views.page_header(asked, headline(found) if found else _waiting(question), chips=_chips(question, found))
    if run is not None and run.state != "done":
        views.section(run.title, f"Run {run.id}")
        jobs.watch(run, curves=False)
    if found is None:
        if run is None or not run.active:
            certify_form.start_rows(question)
        return
    _body(question, found)


def _found(question: Question, run: RunRecord | None) -> Mapping[str, Any] | None:
    """Return the certificate: of a run that is done, or worked out here where that takes no time."""
    if run is not None and run.state == "done":
        return run.results
    return certify_data.certificate(question) if certify_data.is_quick(question) else None


def _body(question: Question, found: Mapping[str, Any]) -> None:
    views.degenerate_mark(found["groups"]["degenerate"])
    if is_unread(found):
        show_unread(question, found)
    else:
        show_counts(found)
    show_repair(question, found)
    show_refuted(question, found)
    show_space(question, found)
    hunt_section(question)
    show_gaps(question, found)
    show_export(question, found)


def _waiting(question: Question) -> str:
    needed = certify_data.decisions_needed(question)
    if needed is None:
        return "Numbers that vary continuously cannot be tried one by one: bounds and a solver answer, as a run."
    return f"This takes {count(needed)} decisions: start it as a run, and watch it here."


def _chips(question: Question, found: Mapping[str, Any] | None) -> list[str]:
    row = get_model(open_store(cache.workspace()), question.model)
    what = changed_words({"protected": list(question.protected), "within": dict(question.within)})
    return [
        data_titles().get(question.data, question.data),
        f"{row.name} · {row.id[:6]}",
        rows_words(found) if found else certify_form.PARTS[question.part],
        f"may differ: {what}",
        threshold_chip(cache.material(question.data, question.model).classifier),
    ]


show()
