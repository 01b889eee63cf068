"""Which neurons serve one group only: the section of the Paths page that follows every row, on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from fairneuron_core.report.figures import neuron_shares
from fairneuron_core.report.words import count, listed
from pages.ui import cache, theme, views

COLOURED_BY = {
    "no colour": None,
    "conflict of accuracy and demographic parity": "demographic_parity",
    "conflict of accuracy and equal opportunity": "equal_opportunity",
    "conflict of accuracy and equalized odds": "equalized_odds",
}
CONFLICT_HELP = (
    "Every hidden neuron is turned up and down a little, on the training rows. Conflict: what lowers the loss of "
    "accuracy there widens the gap between the groups, or the other way round. 1 is the largest conflict of this "
    "network, below 0 both gain together."
)
TITLE = "Which neurons serve one group only?"
KEY = "paths.neurons"


def colour_choice(data: str, model: str, attribute: str) -> list[list[float] | None] | None:
    """Let the viewer colour the picture's hidden neurons by their conflict; None = not coloured."""
    chosen = st.selectbox("Colour neurons by", list(COLOURED_BY), key="paths.coloured", help=CONFLICT_HELP)
    gap = COLOURED_BY[str(chosen)]
    if gap is None:
        return None
    layers = cache.conflict(data, model, attribute, gap)
    views.quiet(conflict_words(layers))
    return [None, *(list(layer) for layer in layers), None]


def conflict_words(layers: Sequence[Sequence[float]], *, most: int = 3) -> str:
    """Name the neurons with the largest conflict, and say how many have one."""
    ranked = sorted(((share, level, unit) for level, layer in enumerate(layers, 1) for unit, share in enumerate(layer)))
    shown = [f"{unit} of hidden layer {level} ({share:.2f})" for share, level, unit in ranked[: -most - 1 : -1]]
    positive = sum(share > 0 for share, _, _ in ranked)
    if not positive:
        return "No neuron is in conflict: wherever one gains, so does the other."
    return f"{count(positive)} of {count(len(ranked))} hidden neurons are in conflict, most of all {listed(shown)}."


def show_usage(data: str, model: str, attribute: str, *, part: str, setting: Mapping[str, Any]) -> None:
    """Draw the section; nothing is counted before it is asked for, since it follows every row of the part."""
    views.section(TITLE, "How often every hidden neuron is on the paths of each group, at the coverage chosen above.")
    if not st.toggle("Count the use of every neuron", key=KEY):
        return
    usage = cache.neuron_usage(
        data, model, attribute, part, coverage=float(setting["coverage"]), reading=str(setting["reading"])
    )
    views.show_chart(neuron_shares(usage, mode=theme.mode()), key=f"{KEY}.chart")
