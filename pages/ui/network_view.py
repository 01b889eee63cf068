"""The network in the browser: layers left to right, a lit path, clicks that come back to Python."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from fairneuron_core.report.network import network_words
from fairneuron_core.report.style import Colours
from pages.ui import theme

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SCRIPTS = ("geometry", "draw", "view")
HTML = """
<div class="nv">
  <div class="stage" tabindex="0" role="application">
    <canvas class="under" role="img"></canvas><canvas class="over" aria-hidden="true"></canvas>
    <div class="tip" hidden></div>
  </div>
  <div class="foot"></div>
  <div class="said" aria-live="polite"></div>
</div>
"""
Edge = Sequence[float]
"""One synapse of a path: [layer, source, target, contribution]; layer 0 leads from the inputs to the first layer."""


@functools.cache
def _component() -> Callable[..., Any]:
    css = (ASSETS / "network_view.css").read_text(encoding="utf-8")
    js = "\n".join((ASSETS / f"network_{part}.js").read_text(encoding="utf-8") for part in SCRIPTS)
    return st.components.v2.component("fairneuron_network", html=HTML, css=css, js=js)


def network_view(
    payload: dict[str, Any],
    path: Sequence[Edge] | None = None,
    *,
    key: str,
    second_path: Sequence[Edge] | None = None,
    path_names: tuple[str, str] = ("the first path", "the second path"),
    height: int = 520,
    on_click: Callable[[], None] | None = None,
    neuron_values: Sequence[Sequence[float | None] | None] | None = None,
    value_name: str = "value",
    chosen: dict[str, Any] | None = None,
    aria_label: str = "",
) -> dict[str, Any] | None:
    """Draw a network and return the neuron or edge that was clicked in this run, or None.

    payload         from `fairneuron_core.report.network.network_payload`
    path            synapses [layer, source, target, contribution] to light; `second_path` compares with another
    neuron_values   one list per layer (None for a layer without), drawn as colour and named by `value_name`
    chosen          an event of an earlier run whose neuron stays ringed
    Returns {"kind": "neuron", "layer", "unit"} or {"kind": "edge", "layer", "source", "target"}.
    """
    first = [list(edge) for edge in path or []]
    data = {
        **payload,
        "path": first,
        "second_path": [list(edge) for edge in second_path or []],
        "path_names": list(path_names),
        "height": height,
        "neuron_values": [None if v is None else list(v) for v in neuron_values] if neuron_values else None,
        "value_name": value_name,
        "chosen": chosen,
        "mode": theme.mode(),
        "colours": _ink(theme.colours(), dark=theme.mode() == "dark"),
        "aria_label": aria_label or network_words(payload["sizes"], first),
    }
    result = _component()(key=key, data=data, on_click_change=on_click or _nothing)
    event = result.click
    return dict(event) if event else None


def _nothing() -> None:
    """A trigger needs a callback to be announced; the event is read from the result."""


def _ink(colours: Colours, *, dark: bool) -> dict[str, Any]:
    return {
        "text": colours.text,
        "quiet": colours.quiet,
        "ground": colours.ground,
        "neuron": colours.axis,
        "accent": colours.accent,
        "positive": colours.accent,
        "negative": colours.conflict,
        "before": colours.before,
        "after": colours.after,
        "shared": colours.reference,
        "low": colours.grid,
        "high": colours.conflict,
        "ink": 1.25 if dark else 1.1,
    }
