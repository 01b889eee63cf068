"""The Certify page's answer: counts, the people who are decided differently, the whole space, the gaps beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report import figures_certify
from fairneuron_core.report.certificate_words import (
    NOT_GROUP_FAIRNESS,
    changed_words,
    decision_words,
    differs_words,
    direction_words,
    is_unread,
    large,
    rows_words,
    scope_words,
    share_words,
    space_words,
    unread_words,
    value_words,
)
from fairneuron_core.report.figures import gap_overview
from fairneuron_core.report.words import count, duration, listed, markdown_plain, quantity
from pages.ui import cache, certify_form, jobs, state, theme, views
from pages.ui.certify_data import Question, reads
from pages.ui.certify_pair import show_pair
from pages.ui.pickers import model_label, models_of

GAPS = ("demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference")
_SEARCHED = 8


def show_counts(found: Mapping[str, Any]) -> None:
    """Show how many people are proved, refuted and open, as numbers and as one bar."""
    n = int(found["n"])

    def share(name: str) -> str:
        return f"{quantity(found[name] / n, 'percent')} of {rows_words(found)}" if n else "there is no row"

    left, right = views.side_by_side()
    with left, views.cards(min_width=140, most=3):
        views.number_card("✓ Proved", count(found["proved"]), share("proved"))
        views.number_card("✕ Refuted", count(found["refuted"]), share("refuted"))
        views.number_card("? Open", count(found["unknown"]), str(found["reason"] or "nothing is left open"))
    with right:
        bar = figures_certify.answers({**found, "space": None}, mode=theme.mode())
        views.show_chart(bar, key="certify.counts", title=False)


def show_unread(question: Question, found: Mapping[str, Any]) -> None:
    """Say that nothing was there to test, and offer a network that does read the attribute."""
    attribute = question.attribute
    if found["cut_off"]:
        words = (
            f"All weights from {listed(found['cut_off'])} are 0, which anybody can check in the file. The proof holds "
            "for every person, not only for these rows. It does not speak of columns that stand in for what was cut."
        )
        st.info(markdown_plain(words), icon=":material/content_cut:")
        return
    words = (
        f"{unread_words(found)} Nothing was tried and nothing achieved: what it learnt, it learnt from other columns."
    )
    st.info(markdown_plain(words), icon=":material/visibility_off:")
    others = [row for row in models_of(question.data) if row.id != question.model][:_SEARCHED]
    other = next((row for row in others if reads(question.data, row.id, attribute)), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if other is not None:
            label = f"Ask about a network that reads {attribute}: {model_label(other)}"
            if st.button(markdown_plain(label), type="primary", key="certify.other", icon=":material/visibility:"):
                state.choose(model=other.id, run=None)
                st.rerun()
            return
        label = f"Train a network that reads {attribute}"
        if st.button(markdown_plain(label), type="primary", key="certify.train", icon=":material/hub:"):
            run = jobs.start("train", training_settings(question))
            state.remember("model.watched", run.id)
            st.switch_page("pages/model.py")


def training_settings(question: Question) -> dict[str, Any]:
    """Return the training of a network that reads the attribute; the usual stays unsaid, so equal specs are equal."""
    dataset = cache.dataset(question.data)
    usual = dataset.schema.protected[0] == question.attribute
    return {
        "data": question.data,
        **({} if usual else {"protected": question.attribute}),
        **({} if dataset.include_protected else {"include_protected": True}),
    }


@st.fragment
def show_refuted(question: Question, found: Mapping[str, Any]) -> None:
    """Show the people who would be decided differently; choosing one runs only this part again."""
    try:
        _refuted(question, found)
    except FairNeuronError as error:
        views.error_box(error)


def _refuted(question: Question, found: Mapping[str, Any]) -> None:
    pairs = counterexamples(found)
    changes = changed_words(found)
    if not pairs:
        if not is_unread(found):
            views.section("Who would be decided differently?", f"Nobody was found whom a change of {changes} reaches.")
        return
    kept = len(found["counterexamples"])
    more = "" if kept >= found["refuted"] else f" The first {count(kept)} of {count(found['refuted'])} are listed."
    said = direction_words(found) or f"One change of {changes} each, out of all that were tried."
    views.section("Who would be decided differently?", f"{said}{more} Choose a row to see the pair.")
    place = _chosen(pairs)
    event = st.dataframe(
        _pairs_table(pairs, place),
        hide_index=True,
        key=f"certify.pairs.{views.content_key(*question.settings().values())}",
        on_select="rerun",
        selection_mode="single-row",
        height=min(252, 36 * (len(pairs) + 1) + 3),
        column_config={
            "score": st.column_config.NumberColumn(format="%.3f", width=70),
            "score then": st.column_config.NumberColumn(format="%.3f", width=86),
            "shown": st.column_config.TextColumn("", width=28),
            "row": st.column_config.TextColumn(width=70),
        },
    )
    if event.selection.rows and event.selection.rows[0] != place:
        place = int(event.selection.rows[0])
    certify_form.publish(person=name_of(pairs[place], place) if place else "")
    show_pair(question, pairs[place])


def counterexamples(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all pairs: those of rows, then those of the whole space."""
    return [*found["counterexamples"], *((found.get("space") or {}).get("counterexamples") or [])]


def name_of(pair: Mapping[str, Any], place: int) -> str:
    """Return how the address names a pair."""
    return f"p{place}" if pair["row"] is None else str(pair["row"])


def _chosen(pairs: Sequence[Mapping[str, Any]]) -> int:
    wanted = certify_form.chosen_person()
    return next((i for i, pair in enumerate(pairs) if name_of(pair, i) == wanted), 0)


def _pairs_table(pairs: Sequence[Mapping[str, Any]], place: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "shown": "▸" if i == place else "",
                "row": "possible" if pair["row"] is None else count(pair["row"]),
                "what changes": differs_words(pair),
                "decision": " → ".join(decision_words(decision) for decision in pair["decisions"]),
                "score": pair["scores"][0],
                "score then": pair["scores"][1],
            }
            for i, pair in enumerate(pairs)
        ]
    )


def show_space(question: Question, found: Mapping[str, Any]) -> None:
    """Show what holds for every person whom the columns allow, or offer to find out."""
    title = "And everybody else?"
    space = found.get("space")
    if is_unread(found):
        words = "It holds for every person, whatever their values: there is nothing that could carry the attribute."
        views.section(title, words)
        return
    if not space:
        views.section(
            title,
            "The rows are a few of the people whom the columns allow. The whole space is enumerated where that is "
            "possible, and bracketed where it is not: proven fair, proven unfair, open. Random samples stand beside.",
        )
        certify_form.start_space(question)
        return
    views.section(title, space_words(space))
    left, right = views.side_by_side()
    with left:
        views.show_chart(figures_certify.answers(found, mode=theme.mode()), key="certify.answers")
    with right:
        views.show_chart(figures_certify.space_brackets(found, mode=theme.mode()), key="certify.brackets")
    views.quiet(_space_facts(space))
    if space["unknown"]:
        certify_form.start_space(question, label="Ask again with more time")


def _space_facts(space: Mapping[str, Any]) -> str:
    cells = (
        f"{large(space['cells'])} combinations of the columns that stay" if space["cells"] else "real-valued columns"
    )
    method = str(space["method"]).replace("_", " ")
    open_share = f" {share_words(space['unknown'])} are open." if space["unknown"] else ""
    return (
        f"{cells[:1].upper()}{cells[1:]}, {method}, {duration(float(space['seconds']))}.{open_share} A uniform draw "
        "makes people who are allowed, not people who are likely: its rate is not the rate in the population."
    )


def show_gaps(question: Question, found: Mapping[str, Any]) -> None:
    """Show the gaps between groups beside the certificate, and what still tells the attribute."""
    views.section("What a certificate does not say", NOT_GROUP_FAIRNESS)
    for attribute in question.protected:
        left, right = views.side_by_side()
        with left:
            audit = cache.audit(question.data, question.model, attribute)
            chart = gap_overview(audit, mode=theme.mode(), names=GAPS)
            views.show_chart(chart, key=f"certify.gaps.{attribute}")
        with right:
            known = found["stand_ins"][attribute]
            chart = figures_certify.stand_in_bars(attribute, known, mode=theme.mode())
            views.show_chart(chart, key=f"certify.stand_ins.{attribute}")
    if st.button("Open the audit", key="certify.audit", icon=":material/balance:"):
        st.switch_page("pages/audit.py")


def show_repair(question: Question, found: Mapping[str, Any]) -> None:
    """Lead to the Repair page, with the method chosen that makes a network blind, where the product has it."""
    from fairneuron_core.repair import REPAIRS

    if is_unread(found) or not (found["refuted"] or found["unknown"] or (found.get("space") or {}).get("refuted")):
        return
    label, words = "Repair this network", "Another training can lower the number; only a proof can end the question."
    if "blind" in REPAIRS:
        label, words = "Make it blind", REPAIRS["blind"].sentence
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(label, type="primary", key="certify.repair", icon=":material/build:"):
            state.remember("repair.method", "blind")
            state.choose(run=None)
            st.switch_page("pages/repair.py")
        views.quiet(words)


def show_export(question: Question, found: Mapping[str, Any]) -> None:
    """Offer the certificate as a file, and say how it is checked again."""
    views.section("Take it with you", scope_words(found))
    name = f"certificate-{question.data}-{question.model[:6]}"
    with st.container(horizontal=True):
        st.download_button(
            "Certificate as JSON",
            lambda: json.dumps(found, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False),
            file_name=f"{name}.json",
            mime="application/json",
            key="certify.json",
            on_click="ignore",
            icon=":material/download:",
        )
        if pairs := counterexamples(found):
            views.csv_button(_people_table(pairs), key="certify.csv", name=f"{name}-people", label="People as CSV")
    views.quiet(
        f"fairneuron certify --recheck {name}.json decides every listed person again and tries every proved row again, "
        "without trusting how the certificate was made. The file holds the values of the listed people."
    )


def _people_table(pairs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "row": pair["row"],
                "who": who,
                "score": pair["scores"][side],
                "decision": pair["decisions"][side],
                **{name: value_words(value) for name, value in pair[who].items()},
            }
            for pair in pairs
            for side, who in enumerate(("this", "other"))
        ]
    )
