"""What the Data page computes once of a data set: base rates, warnings, and the tables people upload."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fairneuron_core.data import SchemaWarning
from fairneuron_core.types import Dataset
from pages.ui import cache


@st.cache_data(max_entries=24, show_spinner=False)
def _base_rates(ref: str, home: str) -> pd.DataFrame:
    from fairneuron_core.jobs.figures import base_rate_table

    return base_rate_table(cache.dataset(ref))


def base_rates(ref: str) -> pd.DataFrame:
    """Return size and base rate with interval of every group of every protected attribute."""
    return _base_rates(ref, str(cache.workspace().home))


@st.cache_data(max_entries=24, show_spinner="Checking the columns")
def _warnings(ref: str, home: str) -> list[SchemaWarning]:
    from fairneuron_core.data import check_schema

    found = cache.dataset(ref)
    return check_schema(found.frame, found.schema)


def warnings(ref: str) -> list[SchemaWarning]:
    """Return what the checks of a data set found."""
    return _warnings(ref, str(cache.workspace().home))


@st.cache_resource(max_entries=3, show_spinner="Reading the table")
def uploaded_table(content: bytes, name: str) -> pd.DataFrame:
    """Return an uploaded table (DataError where it cannot be read)."""
    from fairneuron_core.data import read_table

    return read_table(content, name=name)


def keep_dataset(found: Dataset) -> str:
    """Store an own data set and return its id."""
    from fairneuron_core.jobs.material import store_dataset

    return store_dataset(found, cache.workspace())


def forget() -> None:
    """Drop what was cached of data sets: one of them was renamed or deleted."""
    cache.forget_datasets()
    for cached in (_base_rates, _warnings):
        cached.clear()
