"""Own data: upload a table, give its columns their roles with live checks, keep it, and delete it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.data import MAX_UPLOAD_MB, check_schema, group_sizes, guess_schema, make_dataset, with_roles
from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.words import count, counted, markdown_plain
from fairneuron_core.store import (
    DatasetRecord,
    delete_dataset,
    derived_from,
    keep_days,
    list_datasets,
    open_store,
    rename_dataset,
)
from fairneuron_core.types import Dataset, Schema
from pages.ui import cache, data_cache, data_view, state, views

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"


def upload_table() -> str | None:
    """Show the upload and, once a table is read, the form of its roles; return the id of a data set just kept."""
    _before_the_upload()
    file = st.file_uploader(
        "Table to audit",
        type=["csv", "tsv", "txt", "data", "parquet", "arff"],
        key="data.upload",
        max_upload_size=MAX_UPLOAD_MB,
    )
    if file is None:
        return None
    try:
        frame = data_cache.uploaded_table(file.getvalue(), file.name)
        return _roles_form(frame, name=Path(file.name).stem, key=views.content_key(file.file_id, file.name))
    except FairNeuronError as error:
        views.error_box(error)
        return None


def _before_the_upload() -> None:
    views.quiet(
        f"CSV, Parquet or ARFF with a header row, up to {MAX_UPLOAD_MB} MB; larger tables can be read on the command "
        "line. One row per person; one column with the outcome (two values), one or more protected attributes."
    )
    with st.container(horizontal=True, gap="small"):
        for path in sorted(EXAMPLES.glob("hiring.*")):
            st.download_button(
                f"Example {path.suffix[1:].upper()}",
                path.read_bytes(),
                file_name=path.name,
                on_click="ignore",
                key=f"data.example{path.suffix}",
                type="tertiary",
                icon=":material/download:",
            )


def _roles_form(frame: pd.DataFrame, *, name: str, key: str) -> str | None:
    guess = guess_schema(frame)
    views.section(
        "Roles of the columns", f"{count(len(frame))} rows, {len(frame.columns)} columns; guessed, please check."
    )
    st.dataframe(frame.head(5), hide_index=True, key=f"data.preview.{key}")
    schema = _chosen_schema(frame, guess, key)
    dataset = make_dataset(frame, schema, name=name, title=name)
    _live_checks(frame, schema, dataset)
    title = st.text_input("Name of the data set", value=name, key=f"data.title.{key}", max_chars=120)
    if st.button("Keep this data set", type="primary", key=f"data.keep.{key}", icon=":material/save:"):
        return data_cache.keep_dataset(make_dataset(frame, schema, name=name, title=title.strip() or name))
    return None


def _chosen_schema(frame: pd.DataFrame, guess: Schema, key: str) -> Schema:
    names = [str(column) for column in frame.columns]
    left, right = st.columns(2)
    target = left.selectbox(
        "Outcome (target)",
        names,
        index=names.index(guess.target.name),
        key=f"data.target.{key}",
        help="The column that the network predicts. It must have two values.",
    )
    values = sorted(str(v) for v in frame[target].dropna().unique()[:50])
    favourable = right.selectbox(
        "Favourable value",
        values,
        index=values.index(guess.favourable) if guess.favourable in values else 0,
        key=f"data.favourable.{key}.{target}",
        help="The outcome that a person hopes for.",
    )
    derived = {c.name: c.derived_from for c in guess.columns if c.derived_from}
    options = [n for n in (*names, *(d for d in derived if d not in names)) if n != target]
    protected = left.multiselect(
        "Protected attributes",
        options,
        default=[n for n in guess.protected if n in options],
        key=f"data.protected.{key}",
        help="Numbers are cut into groups. The first one is audited first.",
    )
    out = [n for n in names if n != target and n not in protected]
    left_out = right.multiselect(
        "Left out of the network",
        out,
        default=[c.name for c in guess.of_role("left_out") if c.name in out],
        key=f"data.left_out.{key}",
        help="Identifiers, weights, and whatever is only known afterwards.",
    )
    schema = with_roles(frame, guess, target=target, favourable=favourable, protected=protected, left_out=left_out)
    return with_roles(frame, schema, reference=_references(schema, key))


def _references(schema: Schema, key: str) -> dict[str, str]:
    if not schema.protected:
        return {}
    chosen = {}
    for column, attribute in zip(st.columns(len(schema.protected)), schema.protected, strict=True):
        levels = list(schema.column(attribute).levels)
        usual = schema.reference.get(attribute, levels[0])
        chosen[attribute] = column.selectbox(
            f"Reference group of {markdown_plain(attribute)}",
            levels,
            index=levels.index(usual),
            key=f"data.reference.{key}.{attribute}",
        )
    return chosen


def _live_checks(frame: pd.DataFrame, schema: Schema, dataset: Dataset) -> None:
    warnings = check_schema(frame, schema)
    st.markdown("**Group sizes**")
    st.dataframe(_sizes(dataset), hide_index=True, key="data.sizes")
    data_view.show_warnings(dataset, warnings)


def _sizes(dataset: Dataset) -> pd.DataFrame:
    table = group_sizes(dataset)
    return table.assign(share=table["share"].map("{:.1%}".format), base_rate=table["base_rate"].map(_rate))


def _rate(value: float) -> str:
    return "undefined" if value != value else f"{value:.1%}"


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
                st.rerun()
            if st.button("Rename", key=f"data.renamed.{record.id}", disabled=title.strip() in ("", record.title)):
                rename_dataset(store, record.id, title)
                data_cache.forget()
                st.rerun()
            with st.popover("Delete", icon=":material/delete:"):
                st.write(_what_goes(store, record.id))
                if st.button("Delete all of it", type="primary", key=f"data.delete.{record.id}"):
                    delete_dataset(store, record.id)
                    if state.chosen("data") == record.id:
                        state.choose(data=None)
                    data_cache.forget()
                    st.rerun()


def _what_goes(store: Any, dataset_id: str) -> str:
    derived = derived_from(store, dataset_id)
    parts: Sequence[str] = (counted(len(derived.models), "model"), counted(len(derived.runs), "run"))
    return f"The table goes, and with it all that was derived from it: {' and '.join(parts)}."
