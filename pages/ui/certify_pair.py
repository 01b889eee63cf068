"""One counterexample as a pair: this person, the same person with other values, and where the network parts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from fairneuron_core.report import figures_certify
from fairneuron_core.report.certificate_words import decision_words, pair_words, value_words
from fairneuron_core.report.words import clipped, listed, number
from pages.ui import cache, theme, views
from pages.ui.certify_data import Question, parting
from pages.ui.network_view import network_view

if TYPE_CHECKING:
    from fairneuron_core.jobs.parting import Parting

NETWORK = "certify.network"


def show_pair(question: Question, pair: Mapping[str, Any]) -> None:
    """Show both people with their decisions and scores, and which neurons tell them apart."""
    views.section("This person, and the same person with another value", pair_words(pair))
    left, right = views.side_by_side()
    found = parting(question.data, question.model, pair)
    with left:
        _cards(question, pair)
        st.dataframe(people_table(pair), hide_index=True, key="certify.people", height="content")
    with right:
        _network(question, found)
        views.show_chart(figures_certify.parting_strip(found, mode=theme.mode()), key="certify.parting")


def _cards(question: Question, pair: Mapping[str, Any]) -> None:
    threshold = cache.material(question.data, question.model).classifier.threshold
    with views.cards(min_width=205, most=2):
        for side, who in enumerate(("this", "other")):
            values = [f"{name} = {clipped(value_words(pair[who].get(name)), limit=24)}" for name in pair["differs"]]
            shape = "✓" if pair["decisions"][side] else "✕"
            views.number_card(
                f"{'This person' if who == 'this' else 'The same person'}: {listed(values)}",
                f"{shape} {decision_words(pair['decisions'][side])}",
                f"score {number(pair['scores'][side], digits=3)}, threshold {threshold:.2f}",
            )


def people_table(pair: Mapping[str, Any]) -> pd.DataFrame:
    """Return every column of both people, those that differ first."""
    names = [*pair["differs"], *(name for name in pair["this"] if name not in pair["differs"])]
    return pd.DataFrame(
        {
            "column": [f"{name}  ← changed" if name in pair["differs"] else name for name in names],
            "this person": [value_words(pair["this"].get(name)) for name in names],
            "the same person": [value_words(pair["other"].get(name)) for name in names],
        }
    )


def _network(question: Question, found: Parting) -> None:
    views.section("Where they part", "The synapses that carry the difference from the changed inputs to the score.")
    picture = cache.network_picture(question.data, question.model)
    notes = {
        f"{level}:{unit}": {"text": f"this {a:.3f}, the other {b:.3f}"}
        for level, (first, second) in enumerate(zip(found.this, found.other, strict=True))
        for unit, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True))
        if a != b
    }
    network_view(
        {**picture, "output_labels": ["score"], "notes": notes},
        found.edges(),
        key=NETWORK,
        height=320,
        neuron_values=[*found.sizes()[:-1], None],
        value_name="difference",
    )
