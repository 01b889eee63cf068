"""What the Data page computes once of a data set: base rates, warnings, and the tables people upload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from fairneuron_core.data import Reading, SchemaWarning
from fairneuron_core.types import Dataset, Schema
from pages.ui import cache


@dataclass(frozen=True)
class RoleChoices:
    """What a person chose in the form of the roles."""

    target: str
    favourable: str
    protected: tuple[str, ...]
    left_out: tuple[str, ...]
    reference: tuple[tuple[str, str], ...] = ()
    edges: tuple[tuple[str, tuple[float, ...]], ...] = ()
    words: str = ""


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


# What a person uploads is kept by the upload's own id, a few of them and not for long: tables may be large, and every
# change of a role runs the page again.
@st.cache_resource(max_entries=4, ttl="1h", show_spinner="Reading the table")
def uploaded_table(file_id: str, name: str, reading: Reading, _content: Callable[[], bytes | Path]) -> pd.DataFrame:
    """Return an uploaded table, or one that lies on the server (DataError where it cannot be read)."""
    from fairneuron_core.data import read_table

    return read_table(_content(), name=name, reading=reading)


@st.cache_data(max_entries=12, ttl="1h", show_spinner="Guessing the roles of the columns")
def first_guess(file_id: str, _frame: pd.DataFrame) -> Schema:
    """Return the guessed roles of an uploaded table."""
    from fairneuron_core.data import guess_schema

    return guess_schema(_frame)


@st.cache_data(max_entries=48, ttl="1h", show_spinner=False)
def with_target(file_id: str, target: str, _frame: pd.DataFrame, _guess: Schema) -> Schema:
    """Return the guessed roles with another target: its values, and which of them is probably the favourable one."""
    from fairneuron_core.data import with_roles

    protected = [name for name in _guess.protected if name != target]
    return with_roles(_frame, _guess, target=target, protected=protected)


@st.cache_data(max_entries=48, ttl="1h", show_spinner="Applying the roles")
def with_choices(file_id: str, choices: RoleChoices, _frame: pd.DataFrame, _guess: Schema) -> Schema:
    """Return the schema of an uploaded table under a person's choices (DataError where they contradict)."""
    from fairneuron_core.data import with_roles

    return with_roles(
        _frame,
        _guess,
        target=choices.target,
        favourable=choices.favourable,
        protected=choices.protected,
        left_out=choices.left_out,
        reference=dict(choices.reference),
        edges=dict(choices.edges),
        favourable_words=choices.words,
    )


@st.cache_data(max_entries=12, ttl="1h", show_spinner="Checking groups and columns")
def checked(
    file_id: str, choices: RoleChoices, _frame: pd.DataFrame, _schema: Schema
) -> tuple[pd.DataFrame, list[SchemaWarning]]:
    """Return base rates and warnings of an uploaded table under these roles (DataError where it cannot be audited)."""
    from fairneuron_core.data import check_schema, make_dataset
    from fairneuron_core.jobs.figures import base_rate_table

    found = make_dataset(_frame, _schema, name="upload", title="upload")
    return base_rate_table(found), check_schema(_frame, _schema)


def keep_dataset(found: Dataset) -> str:
    """Store an own data set and return its id."""
    from fairneuron_core.jobs.material import store_dataset

    return store_dataset(found, cache.workspace())


def forget() -> None:
    """Drop what was cached of data sets: one of them was renamed or deleted."""
    cache.forget_datasets()
    for cached in (_base_rates, _warnings):
        cached.clear()
