"""What may differ between two people who must be decided alike: the fields of the Certify page, kept in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from fairneuron_core.report.words import duration, markdown_plain
from fairneuron_core.types import Schema
from pages.ui import cache, jobs, state, views
from pages.ui.certify_data import KIND, Question

PARTS = {"test": "Test", "validation": "Validation", "train": "Training", "all": "All"}
BUDGETS = (10.0, 60.0, 300.0, 1200.0)
_FIELDS = ("also", "within", "part", "person")
_PAGE = "certify"


def ask(data: str, model: str, attribute: str) -> Question:
    """Draw the fields and return the question; a change is written into the address."""
    key = f"{_PAGE}.{{}}.{views.content_key(data)}"
    schema = cache.dataset(data).schema
    others = [name for name in schema.protected if name != attribute]
    roots = {schema.column(name).derived_from or name for name in schema.protected}
    numbers = [c.name for c in schema.of_role("feature") if c.kind == "numeric" and c.name not in roots]
    given = _given()
    grid = st.grid(3, min_column_width=230, gap=("xsmall", "medium"), vertical_alignment="bottom")
    with grid.cell():
        also = _several(
            "Other attributes that may change too", others, given["also"].split(","), key=key.format("also")
        )
    with grid.cell():
        start = _amounts(given["within"], numbers)
        near = _several("Numbers that may differ a little", numbers, start, key=key.format("near"))
    with grid.cell():
        part = _part(given["part"], key=key.format("part"))
    within = _tolerances(schema, near, start, key=key)
    found = Question(data, model, attribute, tuple(also), tuple(within.items()), part)
    publish(also=",".join(also), within=",".join(f"{n}={a:g}" for n, a in within.items()), part=part)
    return found


def _given() -> dict[str, str]:
    """What the address says, else what was set earlier in this session."""
    kept = state.remembered(f"{_PAGE}.fields", {})
    return {name: str(st.query_params.get(name) or kept.get(name) or "") for name in _FIELDS}


def publish(**values: str) -> None:
    """Keep fields for this session and write them into the address; an empty one leaves it."""
    state.remember(f"{_PAGE}.fields", {**state.remembered(f"{_PAGE}.fields", {}), **values})
    for name, value in values.items():
        if not value or (name, value) == ("part", "test"):
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def choose_question(settings: Mapping[str, Any]) -> None:
    """Choose what a certificate or a search was asked about, so that the page opens with its answer."""
    attribute, *also = settings["protected"]
    state.choose(data=settings["data"])
    state.choose(model=settings["model"], protected=attribute)
    kept = {"also": ",".join(also), "within": ",".join(settings.get("within") or ()), "part": settings.get("part", "")}
    state.remember(f"{_PAGE}.fields", kept)


def chosen_person() -> str:
    """Return which counterexample the address names: its row, or `p` and its number in the list."""
    return _given()["person"]


def _several(label: str, options: Sequence[str], start: Sequence[str] | Mapping[str, float], *, key: str) -> list[str]:
    if state.widget(key) is None:
        state.set_widget(key, [name for name in start if name in options])
    return st.multiselect(label, options, key=key, placeholder="nothing else" if options else "there is none")


def _part(wanted: str, *, key: str) -> str:
    if state.widget(key) is None:
        state.set_widget(key, wanted if wanted in PARTS else "test")
    return str(
        st.segmented_control("Whose decisions", list(PARTS), format_func=PARTS.get, key=key, required=True, wrap=True)
    )


def _amounts(text: str, numbers: Sequence[str]) -> dict[str, float]:
    """Read `age=2,hours=1`; what is no number column or no amount is left out."""
    found = {}
    for part in text.split(","):
        name, _, amount = part.partition("=")
        try:
            if name in numbers and float(amount) >= 0:
                found[name] = float(amount)
        except ValueError:
            continue
    return found


def _tolerances(schema: Schema, near: Sequence[str], start: Mapping[str, float], *, key: str) -> dict[str, float]:
    """Draw one field per number that may differ a little."""
    if not near:
        return {}
    grid = st.grid(4, min_column_width=160, gap="small", vertical_alignment="bottom")
    found = {}
    for name in near:
        whole = schema.column(name).integer
        with grid.cell():
            found[name] = _amount(name, start.get(name), whole=whole, key=key.format(f"amount.{name}"))
    return found


def _amount(name: str, start: float | None, *, whole: bool, key: str) -> float:
    step = 1.0 if whole else 0.1
    if state.widget(key) is None:
        state.set_widget(key, step if start is None else start)
    label = f"{markdown_plain(name)}, ± at most"
    return float(st.number_input(label, min_value=0.0, step=step, format="%g", key=key))


def start_rows(question: Question) -> None:
    """Offer to certify the rows as a run, where they are too many to wait for."""
    if st.button("Certify these rows", type="primary", key="certify.start", icon=":material/verified:"):
        jobs.start(KIND, question.settings())
        st.rerun()


def start_space(question: Question, *, label: str = "Ask about everybody") -> None:
    """Offer to certify the whole space as a run within a time budget."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        budget = st.selectbox(
            "Time budget",
            BUDGETS,
            index=1,
            format_func=duration,
            key="certify.budget",
            help="What is open when it ends is reported as open, never as proved.",
            width=160,
        )
        if st.button(label, key="certify.space", icon=":material/public:"):
            jobs.start(KIND, question.settings(scope="space", budget=float(budget)))
            st.rerun()
