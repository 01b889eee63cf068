"""Which neurons serve one group only: the section of the Paths page that follows every row, on demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fairneuron_core.report.figures import neuron_shares
from pages.ui import cache, theme, views

TITLE = "Which neurons serve one group only?"
KEY = "paths.neurons"


def show_usage(data: str, model: str, attribute: str, *, part: str, setting: Mapping[str, Any]) -> None:
    """Draw the section; nothing is counted before it is asked for, since it follows every row of the part."""
    views.section(TITLE, "How often every hidden neuron is on the paths of each group, at the coverage chosen above.")
    if not st.toggle("Count the use of every neuron", key=KEY):
        return
    usage = cache.neuron_usage(
        data, model, attribute, part, coverage=float(setting["coverage"]), reading=str(setting["reading"])
    )
    views.show_chart(neuron_shares(usage, mode=theme.mode()), key=f"{KEY}.chart")
