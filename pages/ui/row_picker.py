"""Which row a page speaks of: a part of the split, a row number in it, and examples of a group and decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from fairneuron_core.report.words import count
from pages.ui import cache, path_settings, state

PARTS = {"train": "Training", "test": "Test"}
_ANY = "any row"


def pick_part(page: str) -> str:
    """Draw the choice between training and test rows."""
    return str(
        st.segmented_control(
            "Rows",
            list(PARTS),
            required=True,
            format_func=PARTS.get,
            key=path_settings.ready(page, "part", list(PARTS), "train"),
        )
    )


def pick_row(page: str, *, rows: int) -> int:
    """Draw the field of the row number."""
    return int(
        st.number_input(
            f"Row, 0 to {count(rows - 1)}",
            min_value=0,
            max_value=rows - 1,
            step=1,
            key=path_settings.ready(page, "row", range(rows), 0),
            help="Position in this part of the split, counted from 0 as on the command line.",
        )
    )


def pick_second(page: str, *, rows: int) -> int | None:
    """Draw the field of a second row to compare with; empty = none."""
    second = st.number_input(
        "Compare with row",
        min_value=0,
        max_value=rows - 1,
        value=None,
        step=1,
        key=path_settings.ready(page, "second", range(rows), None),
        placeholder="none",
    )
    return None if second is None else int(second)


def pick_example(page: str, data: str, model: str, attribute: str, *, part: str, cells: tuple[Any, Any]) -> None:
    """Draw the kinds of rows, and in a cell beside it a button that goes to another row of the chosen kind."""
    kinds = example_rows(data, model, attribute, part=part)
    key = path_settings.ready(page, "example", list(kinds), _ANY)
    box, button = cells

    def another() -> None:
        turn = state.remembered(f"{page}.turn", 0) + 1
        state.remember(f"{page}.turn", turn)
        found = kinds[state.widget(key, _ANY)]
        draw = np.random.default_rng([turn, int(state.widget(f"{page}.row") or 0)])
        state.set_widget(f"{page}.row", int(draw.choice(found)))

    with box:
        st.selectbox("Jump to an example of", list(kinds), key=key, on_change=another)
    with button:
        st.button("Another one", key=f"{page}.another", on_click=another, icon=":material/casino:", width="stretch")


def example_rows(data: str, model: str, attribute: str, *, part: str) -> dict[str, np.ndarray]:
    """Return the row numbers of every group, selected and not selected; kinds without a row are left out."""
    batch = cache.batch(data, model, part)
    selected = cache.decisions(data, model, part) == 1
    codes: Any = batch.codes(attribute)
    kinds = {
        f"{level}, {word}": np.flatnonzero((codes == code) & (selected == wanted))
        for code, level in enumerate(batch.levels(attribute))
        for word, wanted in (("selected", True), ("not selected", False))
    }
    return {_ANY: np.arange(len(codes)), **{kind: rows for kind, rows in kinds.items() if len(rows)}}
