"""Compare: two networks on the same rows. What moved, for whom, and can one tell at all?"""

from __future__ import annotations

import json

import streamlit as st

from fairneuron_core.metrics import METRICS, compare_json, flip_table, levelling
from fairneuron_core.report.figures import confusion, dumbbell, flips, group_shift
from fairneuron_core.report.names import in_sentence, short_label
from fairneuron_core.report.rule_words import rule_sentence
from fairneuron_core.report.words import markdown_plain
from fairneuron_core.types import PairedAudit
from pages.ui import cache, state, theme, views
from pages.ui.pickers import PARTS, parts_of, pick_after, pick_model
from pages.ui.repair_view import HEADLINES, SCOPE

QUESTION = "What changed between the two networks, and for whom?"
SHIFTED = {"selection_rate": "Selection rate", "tpr": "True-positive rate", "fpr": "False-positive rate"}
PRAISED = ("demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference")


def show() -> None:
    picked = pick_model(key="compare", question=QUESTION)
    if picked is None:
        return
    data, before, attribute = picked
    head = st.container()
    left, right = st.columns([5, 5], vertical_alignment="bottom")
    with left:
        after = pick_after(before)
    if after is None:
        with head:
            views.page_header(QUESTION)
        if views.empty_state(
            "There is nothing to compare with yet",
            "Repair this network, or train another one on the same data; then both can be compared here.",
            "Go to Repair",
            key="compare.empty",
        ):
            st.switch_page("pages/repair.py")
        return
    with right:
        part = _part_choice(data)
    paired = cache.comparison(data, before, after, attribute, part)
    with head:
        views.page_header(QUESTION, _answer(paired), chips=[f"{PARTS[part]}: n = {int(paired.counts.sum()):,}"])
    views.degenerate_mark(paired.after.degenerate)
    if said := rule_sentence(cache.material(data, after, attribute).classifier):
        views.quiet(f"After: {said}")
    _metrics(paired)
    _groups(paired)
    _people(paired)
    _export(paired, before, after)


def _part_choice(data: str) -> str:
    chosen = st.segmented_control(
        "Rows", parts_of(data), default="test", format_func=PARTS.get, key="compare.part", required=True, wrap=True
    )
    return str(chosen)


def _answer(paired: PairedAudit) -> str:
    """The answer in one sentence: verdicts of the headline gaps and of accuracy."""
    said: dict[str, list[str]] = {}
    for name in ("accuracy", *PRAISED):
        said.setdefault(paired.changes[name].verdict, []).append(in_sentence(short_label(name)))
    words = {
        "improved": "improved",
        "worsened": "worsened",
        "cannot tell": "cannot tell from these rows",
        "undefined": "undefined",
    }
    sentence = "; ".join(f"{', '.join(names)}: {words.get(verdict, verdict)}" for verdict, names in said.items())
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _metrics(paired: PairedAudit) -> None:
    every = st.toggle("All metrics", key="compare.all")
    names = tuple(METRICS) if every else HEADLINES
    views.show_chart(dumbbell(paired, mode=theme.mode(), names=names), key="compare.dumbbell")
    views.quiet(SCOPE)


def _groups(paired: PairedAudit) -> None:
    views.section(
        "Each group's own rates",
        "A gap can close because one group was raised or because the other was lowered. These are not the same.",
    )
    with views.cards(min_width=400):
        for rate, label in SHIFTED.items():
            views.show_chart(group_shift(paired, rate, mode=theme.mode(), label=label), key=f"compare.shift.{rate}")
    for name in ("demographic_parity_difference", "equal_opportunity_difference"):
        st.markdown(f"- {markdown_plain(levelling(paired, name))}")


def _people(paired: PairedAudit) -> None:
    changed = sum(row["to_favourable"] + row["to_unfavourable"] for row in flip_table(paired))
    total = int(paired.counts.sum())
    views.section("Whose decision flipped", f"{changed:,} of {total:,} people get another decision.")
    views.show_chart(flips(paired, mode=theme.mode()), key="compare.flips")
    left, right = views.side_by_side()
    with left:
        views.show_chart(confusion(paired.before, mode=theme.mode(), heading="Before"), key="compare.confusion.before")
    with right:
        views.show_chart(confusion(paired.after, mode=theme.mode(), heading="After"), key="compare.confusion.after")


def _export(paired: PairedAudit, before: str, after: str) -> None:
    views.section("Take it with you", "The same numbers as on the command line.")
    content = {"model_before": before, "model_after": after, **compare_json(paired)}
    with st.container(horizontal=True):
        st.download_button(
            "Comparison as JSON",
            json.dumps(content, indent=2, sort_keys=True, allow_nan=False),
            file_name=f"compare-{before[:6]}-{after[:6]}.json",
            mime="application/json",
            key="compare.download.json",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Repaired network (safetensors)",
            lambda: cache.model_file(after),
            file_name=f"{after}.safetensors",
            key="compare.download.model",
            on_click="ignore",
            icon=":material/download:",
        )
    state.choose(after=after)


show()
