"""Data: what is in a table, who is in which group, and what a careful reader must know about it."""

from __future__ import annotations

import streamlit as st

from pages.ui import cache, data_cache, data_view, state, views
from pages.ui.pickers import pick_data
from pages.ui.upload_form import own_tables, upload_table

QUESTION = "What is in the data, and who is in which group?"


def show() -> None:
    head = st.container()
    look, own = st.tabs(["Look at a data set", "Use your own data"])
    with look:
        ref = pick_data(key="data")
        dataset = cache.dataset(ref)
        table = data_cache.base_rates(ref)
        with head:
            views.page_header(QUESTION, data_view.answer(dataset, table))
        data_view.show_groups(dataset, table)
        data_view.show_warnings(dataset, data_cache.warnings(ref))
        data_view.show_columns(dataset)
        data_view.show_source(dataset)
    with own:
        kept = upload_table()
        if kept is not None:
            state.choose(data=kept)
            st.rerun()
        own_tables()


show()
