"""What the Model page works out once of a network file that was brought: what it holds, how it may be mapped, its fit.

Everything is keyed by the content of the file and the answers to its questions, so a change of one field of the mapping
opens no file again. torch is imported inside the functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from fairneuron_core.data.mapping import InputMapping, levels_in
from fairneuron_core.data.mapping_guess import Layout, fitting_layouts, layouts
from fairneuron_core.errors import DataError, ModelError
from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.types import Classifier
from pages.ui import cache, views

if TYPE_CHECKING:
    from fairneuron_core.jobs.fit_check import FitReport

Answers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Brought:
    """A network file that was brought in this session and accepted.

    upload   the id of the upload: the same file brought again is read again
    """

    name: str
    sha256: str
    upload: str
    content: bytes = field(repr=False)

    def key(self, data: str, answers: Answers) -> str:
        """A short key for widgets that must forget what was said of another file, data set or answer."""
        return views.content_key(self.upload, self.sha256, data, answers)


def opened(brought: Brought, answers: Answers = ()) -> NetworkFile:
    """Return what a file holds, read once in a process of its own (RefusedFile with one sentence otherwise)."""
    return _opened(brought.sha256, brought.upload, answers, brought)


@st.cache_resource(max_entries=12, ttl="1h", show_spinner="Reading the file in a process of its own")
def _opened(sha256: str, upload: str, answers: Answers, _brought: Brought) -> NetworkFile:
    from fairneuron_core.formats.door import open_network

    return open_network(_brought.content, name=_brought.name, answers=dict(answers))


def first_mapping(brought: Brought, answers: Answers, data: str) -> tuple[InputMapping | None, str]:
    """Return the mapping to begin with, and where it comes from: kept for this file, else guessed, else None."""
    kept = _kept_mapping(brought, answers, data)
    if kept is not None:
        return kept, "These are the columns that were stated when this file was brought before."
    return _suggested(brought.sha256, answers, data, str(cache.workspace().home), opened(brought, answers))


def _kept_mapping(brought: Brought, answers: Answers, data: str) -> InputMapping | None:
    """The mapping kept for a file of this content, where it fits this data set."""
    from fairneuron_core.jobs.saved_mappings import saved_mapping

    kept = saved_mapping(cache.workspace(), brought.sha256)
    if kept is None:
        return None
    try:
        tried(brought, answers, data, kept)
    except (DataError, ModelError):
        return None
    return kept


@st.cache_data(max_entries=24, ttl="1h", show_spinner="Looking for the columns that the network reads")
def _suggested(
    sha256: str, answers: Answers, data: str, home: str, _file: NetworkFile
) -> tuple[InputMapping | None, str]:
    from fairneuron_core.jobs.mapping_suggestion import suggest_mapping

    return suggest_mapping(_file, cache.dataset(data))


@st.cache_data(max_entries=24, ttl="1h", show_spinner=False)
def _layouts(data: str, inputs: int, names: tuple[str, ...], home: str) -> list[Layout]:
    dataset = cache.dataset(data)
    if found := fitting_layouts(dataset, inputs, names):
        return found
    by_width = {layout.width: layout for layout in reversed(list(layouts(dataset)))}
    return [by_width[width] for width in sorted(by_width)]


def possible_layouts(data: str, inputs: int, names: Sequence[str]) -> list[Layout]:
    """Return the usual ways to write the columns as so many inputs; where none has as many, one way of every width."""
    return _layouts(data, inputs, tuple(names), str(cache.workspace().home))


@st.cache_data(max_entries=500, ttl="1h", show_spinner=False)
def _level_count(data: str, column: str, home: str) -> int:
    return len(levels_in(cache.dataset(data), column))


def level_count(data: str, column: str) -> int:
    """Return how many levels a column has."""
    return _level_count(data, column, str(cache.workspace().home))


def tried(brought: Brought, answers: Answers, data: str, mapping: InputMapping | None) -> tuple[Classifier, FitReport]:
    """Return the network on these data under this mapping, and how it does there (DataError, ModelError otherwise)."""
    home = str(cache.workspace().home)
    return _tried(brought.sha256, brought.name, answers, data, mapping, home, brought)


@st.cache_resource(max_entries=12, ttl="1h", show_spinner="Trying the network on the data")
def _tried(
    sha256: str, name: str, answers: Answers, data: str, mapping: InputMapping | None, home: str, _brought: Brought
) -> tuple[Classifier, FitReport]:
    from fairneuron_core.jobs.fit_check import check_fit
    from fairneuron_core.jobs.foreign_network import bring_network

    dataset, file = cache.dataset(data), opened(_brought, answers)
    found = bring_network(file, mapping, dataset, name=name, content_sha256=sha256, content=_brought.content)
    return found, check_fit(dataset, found)


def keep(brought: Brought, found: Classifier, mapping: InputMapping | None, *, name: str) -> str:
    """Store the network, keep its mapping for the next time the same file comes, and return the network's id."""
    from fairneuron_core.jobs import store_classifier
    from fairneuron_core.jobs.saved_mappings import save_mapping

    workspace = cache.workspace()
    model = store_classifier(found, workspace, name=name)
    if mapping is not None:
        save_mapping(workspace, brought.sha256, mapping)
    return model
