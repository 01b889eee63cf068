"""The data sets that people uploaded to this server: look at, rename, and delete with all that came of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.words import count, counted, markdown_plain
from fairneuron_core.store import (
    DatasetRecord,
    Store,
    delete_dataset,
    derived_from,
    keep_days,
    list_datasets,
    open_store,
    rename_dataset,
)
from pages.ui import cache, data_cache, state, views


def own_tables() -> None:
    """List the data sets that were uploaded to this server, each with rename and delete."""
    store = open_store(cache.workspace())
    found = list_datasets(store)
    days = keep_days()
    kept = "They are kept until somebody deletes them." if days is None else f"They are deleted after {days:g} days."
    views.section("Own data sets", f"Everybody who can open this server sees and may delete them. {kept}")
    if not found:
        views.quiet("None yet.")
    for record in found:
        _own_table(record)


def _own_table(record: DatasetRecord) -> None:
    with st.expander(f"{markdown_plain(record.title)} · {count(record.rows)} rows · {record.id}"):
        store = open_store(cache.workspace())
        title = st.text_input("Name", value=record.title, key=f"data.rename.{record.id}", max_chars=120)
        with st.container(horizontal=True):
            if st.button("Look at it", key=f"data.open.{record.id}"):
                state.choose(data=record.id)
                state.remember("data.own", False)
                st.rerun()
            if st.button("Rename", key=f"data.renamed.{record.id}", disabled=title.strip() in ("", record.title)):
                rename_dataset(store, record.id, title)
                data_cache.forget()
                st.rerun()
            with st.popover("Delete", icon=":material/delete:"):
                st.write(_what_goes(store, record.id))
                if st.button("Delete all of it", type="primary", key=f"data.delete.{record.id}"):
                    _delete(store, record)


def _delete(store: Store, record: DatasetRecord) -> None:
    try:
        delete_dataset(store, record.id)
    except FairNeuronError as error:
        # A run still works on it: the sentence stands beside the button.
        views.error_box(error)
        return
    if state.chosen("data") == record.id:
        state.choose(data=None)
    data_cache.forget()
    st.rerun()


def _what_goes(store: Store, dataset_id: str) -> str:
    derived = derived_from(store, dataset_id)
    parts: Sequence[str] = (counted(len(derived.models), "model"), counted(len(derived.runs), "run"))
    return f"The table goes, and with it all that was derived from it: {' and '.join(parts)}."
