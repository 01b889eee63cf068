"""How a path is read: coverage, reading, granularity, first layer. The same controls on every page that slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from fairneuron_core.paths import GRANULARITIES, READINGS
from pages.ui import cache, state

_SYNAPSES = next(iter(GRANULARITIES))
COVERAGES = tuple(step / 20 for step in range(21))
COVERAGE_HELP = (
    "gamma: the share of a neuron's change that its kept synapses must explain. 0 keeps the one strongest synapse of "
    "each active neuron (the dominant chain), 1 keeps all that push in the same direction."
)


def recall(page: str, fields: Sequence[str]) -> None:
    """Give the page's fields their last values of this session, where neither page nor address has one."""
    kept = state.remembered(f"{page}.fields", {})
    for field in fields:
        key = f"{page}.{field}"
        if kept.get(field) is not None and state.widget(key) is None and key not in st.query_params:
            state.set_widget(key, kept[field])


def keep(page: str, values: Mapping[str, Any]) -> None:
    """Remember the page's fields for `recall`."""
    state.remember(f"{page}.fields", dict(values))


def ready(key: str, options: Sequence[Any], default: Any) -> None:
    """Give a field its default on the first view, and again when another network does not have what it says.

    The widget itself is drawn without a default: then the address always names its value, and a link opens to the
    same numbers even where another version would suggest other ones.
    """
    value = state.widget(key)
    if (value is None and key not in st.query_params) or (value is not None and value not in options):
        state.set_widget(key, default)


def coverage_slider(page: str, default: float) -> float:
    """Draw the coverage slider and return its value."""
    key = f"{page}.coverage"
    ready(key, COVERAGES, default)
    return st.select_slider(
        "Coverage (gamma)",
        COVERAGES,
        format_func=lambda value: f"{value:g}",
        key=key,
        help=COVERAGE_HELP,
        bind="query-params",
    )


def reading_popover(page: str) -> tuple[str, str]:
    """Draw what is seldom changed behind a button that names it; return (reading, granularity)."""
    now = state.widget(f"{page}.reading") or next(iter(READINGS)), state.widget(f"{page}.granularity") or _SYNAPSES
    label = f"Reading: {now[0]}" if now[1] == _SYNAPSES else ", ".join(now)
    with st.popover(label, width="stretch"):
        reading = st.radio(
            "Reading: what a neuron's contribution is",
            list(READINGS),
            captions=list(READINGS.values()),
            key=f"{page}.reading",
            bind="query-params",
        )
        granularity = st.radio(
            "Two paths are equal when they have the same",
            list(GRANULARITIES),
            captions=list(GRANULARITIES.values()),
            key=f"{page}.granularity",
            bind="query-params",
        )
    return reading, granularity


def first_layer_box(page: str, *, layers: int, reading: str, default: int = 1) -> int:
    """Draw the box of the first layer that counts; the reading `released` has no path in the first one."""
    key, options = f"{page}.first_layer", list(range(2 if reading == "released" else 1, layers + 1))
    default = max(default, options[0])
    ready(key, options, default)
    return st.selectbox(
        "Layers that count",
        options,
        format_func=lambda first: _layers_words(first, layers),
        key=key,
        help="On wide networks nearly every path is unique; its upper layers alone are shared more often.",
        bind="query-params",
    )


def _layers_words(first: int, layers: int) -> str:
    if first == 1:
        return f"1 to {layers} (all)"
    return f"{layers} (the last)" if first == layers else f"{first} to {layers}"


def layer_count(data: str, model: str) -> int:
    """Return how many layers of weights the network has."""
    return len(cache.network_picture(data, model)["sizes"]) - 1
