"""Data: what is in a table, who is in which group, and what a careful reader must know about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui import cache, data_cache, data_view, jobs, state, views
from pages.ui.own_tables import own_tables
from pages.ui.pickers import bring_a_network, pick_data
from pages.ui.upload_form import upload_table

QUESTION = "What is in the data, and who is in which group?"
LOOK, OWN = "Look at a data set", "Use your own data"


def show() -> None:
    head = st.container()
    look, own = _tabs()
    with look:
        _look(head)
    with own:
        kept = upload_table()
        if kept is not None:
            state.choose(data=kept)
            state.remember("data.own", False)
            st.rerun()
        own_tables()


def _tabs() -> Sequence[Any]:
    """Return both tabs; another page, or a table just kept or opened, may have asked for one of them."""
    asked = state.remembered("data.own")
    if asked is not None:
        state.set_widget("data.tab", OWN if asked else LOOK)
        state.forget("data.own")
    return st.tabs([LOOK, OWN], key="data.tab", on_change="rerun")


def _look(head: Any) -> None:
    left, right = st.columns((3, 2), vertical_alignment="bottom")
    with left:
        ref = pick_data(key="data")
    with right, st.container(horizontal=True, gap="small"):
        _next_steps(ref)
    dataset = cache.dataset(ref)
    table = data_cache.base_rates(ref)
    with head:
        views.page_header(QUESTION, data_view.answer(dataset, table))
    data_view.show_groups(dataset.schema, table, key="data.rates")
    data_view.show_warnings(data_cache.warnings(ref), traps=dataset.source.traps)
    data_view.show_columns(dataset)
    data_view.show_source(dataset)


def _next_steps(ref: str) -> None:
    if st.button(
        "Audit and repair it",
        icon=":material/play_arrow:",
        key="data.tour",
        help="Trains a network on this table, slices it, and repairs it by both methods.",
    ):
        state.choose(model=None, after=None)
        jobs.start("tour", {"data": ref, "seed": 0})
        st.switch_page("pages/overview.py")
    if st.button("Train a network", key="data.train", type="tertiary"):
        st.switch_page("pages/model.py")
    if st.button("Bring a network", key="data.bring", type="tertiary"):
        bring_a_network()


show()
