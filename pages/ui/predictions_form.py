"""Predictions without a network: scores or decisions from a file, beside the data they were made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.data import MAX_UPLOAD_MB
from fairneuron_core.errors import DataError, FairNeuronError
from fairneuron_core.report.words import counted
from pages.ui import cache, state, views
from pages.ui.network_upload import ADDED
from pages.ui.pickers import BRING

_SAME_ORDER = "none: the same rows in the same order"
_COLUMN_NAMES = ("score", "scores", "prediction", "predictions", "probability", "decision")
_SHOWN_ROWS = 4


@st.fragment
def predictions_form(data: str) -> None:
    """Take scores or decisions in as a table, and keep them as a data set with its predictions."""
    try:
        _bring(data)
    except FairNeuronError as error:
        views.error_box(error)


def _bring(data: str) -> None:
    views.quiet(
        "A CSV or Parquet table with one score from 0 to 1, or one decision, per row of these data: in the same order, "
        f"or with a column that tells the rows. Up to {MAX_UPLOAD_MB} MB. Audit and thresholds work with it; what "
        "looks inside a network needs the network."
    )
    used = state.remembered("model.predicted", "")
    file = st.file_uploader("Table of predictions", key=f"model.predictions{used}", max_upload_size=MAX_UPLOAD_MB)
    if file is None:
        return
    table = _read(file.file_id, file.name, file.getvalue)
    st.dataframe(table.head(_SHOWN_ROWS), hide_index=True, key=f"model.predictions.rows.{file.file_id}")
    views.quiet(f"{counted(len(table), 'row')}; the data set has {counted(len(cache.dataset(data).frame), 'row')}.")
    column, key, threshold = _fields(table, data, file.file_id)
    if st.button("Audit these predictions", type="primary", key="model.predict", icon=":material/balance:"):
        _keep(file, data, column, key, threshold)


@st.cache_resource(max_entries=3, ttl="1h", show_spinner="Reading the table")
def _read(file_id: str, name: str, _content: Callable[[], bytes]) -> pd.DataFrame:
    from fairneuron_core.jobs.predictions import predictions_table

    return predictions_table(_content(), name=name)


def _fields(table: pd.DataFrame, data: str, upload: str) -> tuple[str, str | None, float]:
    names = [str(column) for column in table.columns]
    own = set(cache.dataset(data).frame.columns)
    named = [n for n in names if n.lower() in _COLUMN_NAMES] or [n for n in names if n not in own] or names
    keys = [_SAME_ORDER, *(n for n in names if n in own)]
    # The same number of rows is read in the same order, unless the table brings its key.
    first = 1 if len(keys) > 1 and len(names) > 1 else 0
    grid = st.grid(3, min_column_width=220, gap=("small", "medium"))
    with grid.cell():
        column = st.selectbox(
            "Column of predictions", names, index=names.index(named[0]), key=f"model.predictions.column.{upload}"
        )
    with grid.cell():
        key = st.selectbox(
            "Column that tells the rows",
            keys,
            index=first if keys[first] != column else 0,
            key=f"model.predictions.key.{upload}",
            help="A column of both tables in which every value stands once.",
        )
    with grid.cell():
        threshold = st.number_input(
            "Decision threshold",
            min_value=0.0,
            max_value=1.0,
            value=0.5,
            step=0.05,
            key=f"model.predictions.threshold.{upload}",
            help="The decision is favourable from this score on.",
        )
    return str(column), None if key == _SAME_ORDER else str(key), float(threshold)


def _keep(file: Any, data: str, column: str, key: str | None, threshold: float) -> None:
    from fairneuron_core.jobs.predictions import bring_predictions

    if key == column:
        raise DataError(f"'{column}' cannot hold both the predictions and the key: choose two columns.")
    found = bring_predictions(
        file.getvalue(), data, cache.workspace(), name=file.name, key=key, column=column, threshold=threshold
    )
    number = int(str(state.remembered("model.predicted", ".0"))[1:] or 0)
    state.remember("model.predicted", f".{number + 1}")
    state.remember(ADDED, found.model)
    state.remember(BRING, False)
    state.choose(data=found.data, model=found.model)
    st.rerun()
