"""How a path is read: coverage, reading, granularity, first layer. The same controls on every page that slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from fairneuron_core.paths import GRANULARITIES, READINGS
from pages.ui import cache, state

_SYNAPSES = next(iter(GRANULARITIES))
_TABLES = {"reading": READINGS, "granularity": GRANULARITIES}
_UNSET = object()
COVERAGES = tuple(step / 20 for step in range(21))
COVERAGE_HELP = (
    "gamma: the share of a neuron's change that its kept synapses must explain. 0 keeps the one strongest synapse of "
    "each active neuron (the dominant chain), 1 keeps all that push in the same direction."
)


def ready(page: str, field: str, options: Sequence[Any], default: Any) -> str:
    """Give a field a value that it can show, and return its key.

    In this order: what the viewer set on this page, what the address says, what was set earlier in this session.
    """
    key, kept = f"{page}.{field}", state.remembered(f"{page}.fields", {})
    now = state.widget(key, _UNSET)
    value = now
    if now is _UNSET:
        value = next((o for o in options if _text(o) == st.query_params.get(field)), kept.get(field, default))
    if value is not None and value not in options:
        value = default
    if value is not now:
        state.set_widget(key, value)
    return key


def hand_over(page: str, values: Mapping[str, Any]) -> None:
    """Let `page` begin with these values when it is opened next in this session."""
    state.remember(f"{page}.fields", dict(values))


def publish(page: str, values: Mapping[str, Any]) -> None:
    """Keep the page's fields for this session and write them into the address, so that a link opens to them.

    Not by widgets that are bound to the address: with those, switching to another page fails.
    """
    hand_over(page, values)
    for field, value in values.items():
        if value is None:
            st.query_params.pop(field, None)
        elif st.query_params.get(field) != _text(value):
            st.query_params[field] = _text(value)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def cells(number: int, *, at_least: int) -> list[Any]:
    """Return cells for fields, side by side as far as they fit with that many pixels each."""
    grid = st.grid(number, min_column_width=at_least, gap=("xsmall", "medium"), vertical_alignment="bottom")
    return [grid.cell() for _ in range(number)]


def coverage_slider(page: str, default: float) -> float:
    """Draw the coverage slider and return its value."""
    key = ready(page, "coverage", COVERAGES, default)
    return st.select_slider(
        "Coverage (gamma)",
        COVERAGES,
        format_func=lambda value: f"{value:g}",
        key=key,
        help=COVERAGE_HELP,
    )


def reading_popover(page: str) -> tuple[str, str]:
    """Draw what is seldom changed behind a button that names it; return (reading, granularity)."""
    keys = [ready(page, field, list(table), next(iter(table))) for field, table in _TABLES.items()]
    now = [str(state.widget(key)) for key in keys]
    label = f"Reading: {now[0]}" if now[1] == _SYNAPSES else ", ".join(now)
    with st.popover(label, width="stretch"):
        reading = st.radio(
            "Reading: what a neuron's contribution is",
            list(READINGS),
            captions=list(READINGS.values()),
            key=keys[0],
        )
        granularity = st.radio(
            "Two paths are equal when they have the same",
            list(GRANULARITIES),
            captions=list(GRANULARITIES.values()),
            key=keys[1],
        )
    return reading, granularity


def first_layer_box(page: str, *, layers: int, reading: str, default: int = 1) -> int:
    """Draw the box of the first layer that counts; the reading `released` has no path in the first one."""
    options = list(range(2 if reading == "released" else 1, layers + 1))
    key = ready(page, "first_layer", options, max(default, options[0]))
    return st.selectbox(
        "Layers that count",
        options,
        format_func=lambda first: _layers_words(first, layers),
        key=key,
        help="On wide networks nearly every path is unique; its upper layers alone are shared more often.",
    )


def _layers_words(first: int, layers: int) -> str:
    if first == 1:
        return f"1 to {layers} (all)"
    return f"{layers} (the last)" if first == layers else f"{first} to {layers}"


def layer_count(data: str, model: str) -> int:
    """Return how many layers of weights the network has."""
    return len(cache.network_picture(data, model)["sizes"]) - 1
