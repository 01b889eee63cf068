"""What the Certify page knows: the question, its certificate worked out here or by a run, and where two people part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from fairneuron_core.store import RunRecord, list_runs, open_store
from fairneuron_core.workspace import canonical_json
from pages.ui import cache, jobs, state

if TYPE_CHECKING:
    from fairneuron_core.jobs.parting import Parting

KIND = "certify"
MOST_DECISIONS = 2_000_000
"""So many decisions are enumerated while the page waits (about two seconds); more of them are a run."""

IN_PAGE_SECONDS = 20.0
_RUNS = 200


@dataclass(frozen=True)
class Question:
    """What is certified: whose decisions, and what may differ. `within` has (column, amount)."""

    data: str
    model: str
    attribute: str
    also: tuple[str, ...] = ()
    within: tuple[tuple[str, float], ...] = ()
    part: str = "test"

    @property
    def protected(self) -> tuple[str, ...]:
        return (self.attribute, *self.also)

    def settings(self, *, scope: str = "rows", budget: float | None = None) -> dict[str, Any]:
        """Return the settings of the job that answers this question."""
        given: dict[str, Any] = {"data": self.data, "model": self.model, "protected": list(self.protected)}
        if self.within:
            given["within"] = [f"{name}={amount:g}" for name, amount in self.within]
        if budget is not None:
            given["budget"] = budget
        return {**given, "part": self.part, "scope": scope}


def decisions_needed(question: Question) -> int | None:
    """Return how many decisions an enumeration takes; None where similar people cannot be enumerated."""
    return _needed(canonical_json(question.settings()), str(cache.workspace().home), question)


@st.cache_data(max_entries=200, show_spinner=False)
def _needed(key: str, home: str, _question: Question) -> int | None:
    from fairneuron_core.jobs.certify import Asked, decisions_needed, freedom_of
    from fairneuron_core.verify import similar_space

    material = cache.material(_question.data, _question.model)
    texts = _question.settings().get("within")
    freedom = freedom_of(material.dataset, _question.protected, texts)
    space = similar_space(material.dataset.schema, material.classifier, freedom)
    return decisions_needed(Asked(material.dataset, material.classifier, freedom, space), _question.part)


def is_quick(question: Question) -> bool:
    """Say whether the rows can be certified while the page waits."""
    needed = decisions_needed(question)
    return needed is not None and needed <= MOST_DECISIONS


def certificate(question: Question) -> dict[str, Any]:
    """Carry out the job for the rows and return what `fairneuron certify --json` prints."""
    settings = question.settings(budget=IN_PAGE_SECONDS)
    return _certificate(canonical_json(settings), str(cache.workspace().home))


@st.cache_resource(max_entries=32, show_spinner="Trying every possibility for every row")
def _certificate(settings: str, home: str) -> dict[str, Any]:
    import json

    from fairneuron_core.jobs import JOBS, JobContext
    from fairneuron_core.workspace import open_workspace

    job = JOBS[KIND]
    return dict(job.run(job.check(json.loads(settings)), JobContext(open_workspace(home))).results)


def run_of(question: Question) -> RunRecord | None:
    """Return the run that answers this question: the one in the address, else the newest one that is done.

    A run on the whole space answers the question about the rows too, so it goes first; its time budget may be any.
    """
    named = jobs.find(state.chosen("run"))
    if named is not None and named.kind == KIND and _asks(named, question):
        return named
    done = list_runs(open_store(cache.workspace()), limit=_RUNS, kind=KIND, state="done")
    fitting = [run for run in done if _asks(run, question)]
    return next((run for run in fitting if run.params["scope"] == "space"), next(iter(fitting), None))


def _asks(run: RunRecord, question: Question) -> bool:
    wanted = question.settings()
    given: Mapping[str, Any] = run.params
    same = all(given.get(name) == wanted[name] for name in ("data", "model", "protected", "part"))
    return same and (given.get("within") or None) == wanted.get("within")


def parting(data: str, model: str, pair: Mapping[str, Any]) -> Parting:
    """Return where the two people of a counterexample part in the network: a few milliseconds."""
    from fairneuron_core.jobs.parting import parting as parted

    return parted(cache.material(data, model).classifier, pair["this"], pair["other"])


def reads(data: str, model: str, attribute: str) -> bool:
    """Say whether a network reads an attribute."""
    return not _unread(data, model, attribute, str(cache.workspace().home))


@st.cache_data(max_entries=200, show_spinner=False)
def _unread(data: str, model: str, attribute: str, home: str) -> bool:
    from fairneuron_core.verify import Freedom, similar_space

    material = cache.material(data, model)
    return similar_space(material.dataset.schema, material.classifier, Freedom((attribute,))).nothing_read
