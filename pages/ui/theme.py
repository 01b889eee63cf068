"""Which of the two themes the viewer sees now, and the colours that go with it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from fairneuron_core.report.style import COLOURS, Colours, Mode

ASSETS = Path(__file__).resolve().parents[2] / "assets"
_HTML = '<span class="probe" aria-hidden="true"></span>'
# The transition exists for its event: it fires when the theme changes the colour.
_CSS = ".probe { display: block; height: 0; background: var(--st-background-color); transition: background-color 1ms; }"


def mode() -> Mode:
    """Return "dark" or "light"; light until the browser has said which."""
    theme = getattr(st.context, "theme", None)
    return "dark" if theme is not None and theme.get("type") == "dark" else "light"


def colours() -> Colours:
    """Return the palette of the current theme."""
    return COLOURS[mode()]


@functools.cache
def _watcher() -> Callable[..., Any]:
    script = (ASSETS / "theme_watch.js").read_text(encoding="utf-8")
    return st.components.v2.component("fairneuron_theme", html=_HTML, css=_CSS, js=script)


def follow_viewer() -> None:
    """Run the page again when the viewer switches the theme, so that charts change with it. Once per page."""
    _watcher()(key="theme.watch", data={"mode": mode()}, on_switched_change=_nothing)


def _nothing() -> None:
    """The run itself is what a switch is for."""
