"""Which of the two themes the viewer sees now, and the colours that go with it."""

from __future__ import annotations

import streamlit as st

from fairneuron_core.report.style import COLOURS, Colours, Mode


def mode() -> Mode:
    """Return "dark" or "light"; light until the browser has said which."""
    theme = getattr(st.context, "theme", None)
    return "dark" if theme is not None and theme.get("type") == "dark" else "light"


def colours() -> Colours:
    """Return the palette of the current theme."""
    return COLOURS[mode()]
