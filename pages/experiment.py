"""Experiment: many methods on many seeds. Which one repairs best, and how sure is that?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.words import count, counted
from pages.ui import experiment_data, jobs, state, views
from pages.ui.experiment_form import make_network, own_experiment
from pages.ui.experiment_view import (
    show_budgets,
    show_downloads,
    show_front,
    show_groups,
    show_paper,
    show_seeds,
)
from pages.ui.pickers import data_titles
from pages.ui.proofs_view import show_proofs

if TYPE_CHECKING:
    from fairneuron_core.report.experiment_result import Experiment

QUESTION = "Which method repairs best, and how sure is that?"
GAPS = {
    "demographic_parity_difference": "Demographic parity",
    "equal_opportunity_difference": "Equal opportunity",
    "equalized_odds_difference": "Equalized odds",
}


def show() -> None:
    options = experiment_data.available()
    key = experiment_data.chosen_key(options)
    with st.container(key="experiment.bar"):
        bar = st.grid(3, min_column_width=230, gap="small")
        result, gap, budget = bar.cell(), bar.cell(), bar.cell()
    head = st.container()
    with result:
        _result_box(options, key)
    found = _loaded(key, head)
    if found is not None and key is not None:
        _result(found, key, (gap, budget), head)
    elif key is None:
        with head:
            views.page_header(QUESTION)
        _watched()
        _nothing_yet(bool(options))
    own_experiment()
    show_proofs()


def _result_box(options: dict[str, str], key: str | None) -> None:
    if options:
        state.set_widget("experiment.result", key)
        st.selectbox(
            "Result",
            list(options),
            format_func=options.get,
            placeholder="choose a result",
            key="experiment.result",
            on_change=lambda: experiment_data.choose(str(state.widget("experiment.result"))),
        )


def _loaded(key: str | None, head: DeltaGenerator) -> Experiment | None:
    """Return the result; a damaged one is one sentence, and other results stay within reach."""
    if key is None:
        return None
    try:
        return experiment_data.load(key)
    except FairNeuronError as error:
        with head:
            views.page_header(QUESTION)
            views.error_box(error)
        _watched()
        return None


def _result(found: Experiment, key: str, places: tuple[DeltaGenerator, DeltaGenerator], head: DeltaGenerator) -> None:
    from fairneuron_core.report.experiment_words import answer

    gap, budget = _question_bar(found, *places)
    # Methods that can choose their gap were also asked to close this one: a shipped result of its own shows that.
    key = experiment_data.aimed_at(key, gap)
    found = experiment_data.load(key)
    asked = experiment_data.Asked(key, gap, budget)
    picked = asked.picked
    title = data_titles().get(experiment_data.data_of(found.data), found.data)
    with head:
        chips = [
            f"{title} · {found.attribute}",
            counted(found.seeds, "seed"),
            counted(len(found.methods), "method"),
            f"Test rows: n = {count(found.test_rows)} per seed",
        ]
        if (reads := found.reads_attribute) is not None:
            chips.append(f"The network {'reads' if reads else 'does not read'} {found.attribute}")
        views.page_header(QUESTION, answer(found, picked, title=title, gap=gap, budget=budget), chips=chips)
    _watched()
    show_front(found, asked)
    show_seeds(found, asked)
    make_network(found, show_groups(asked))
    show_budgets(found, asked)
    show_paper(found)
    show_downloads(found, picked)


def _question_bar(found: Experiment, left: DeltaGenerator, right: DeltaGenerator) -> tuple[str, float]:
    """Draw the choice of gap and budget; both stand in the address."""
    wanted = state.chosen("gap")
    gap = wanted if wanted in GAPS else str(found.spec["gap"])
    state.set_widget("experiment.gap", gap)
    left.selectbox(
        "Gap",
        list(GAPS),
        format_func=GAPS.get,
        key="experiment.gap",
        on_change=lambda: state.choose(gap=str(state.widget("experiment.gap"))),
    )
    points = _budget(found)
    state.set_widget("experiment.budget", points)
    right.slider(
        "Accuracy budget (points)",
        0.0,
        3.0,
        step=0.1,
        format="%.1f",
        key="experiment.budget",
        help="So much accuracy may be lost on validation rows.",
        on_change=lambda: state.choose(budget=f"{state.widget('experiment.budget'):.1f}"),
    )
    return gap, round(points / 100, 6)


def _budget(found: Experiment) -> float:
    """Return the budget of the address in points, else the experiment's own."""
    try:
        given = float(state.chosen("budget") or 100 * float(found.spec["budget"]))
    except ValueError:
        given = 100 * float(found.spec["budget"])
    # Also NaN becomes 0 here.
    return round(min(max(0.0, given), 3.0), 1)


def _watched() -> None:
    """Show the run of the address while it is under way, or why it ended early."""
    run = jobs.find(state.chosen("run"))
    if run and run.kind == experiment_data.KIND and run.state != "done":
        views.section(run.title, f"Run {run.id}")
        jobs.watch(run, curves=False)


def _nothing_yet(others: bool) -> None:
    data = state.chosen("data")
    title = data_titles().get(experiment_data.data_of(data), data) if data else ""
    what = f"There is no experiment on '{title}' yet" if title else "There is no result of an experiment yet"
    more = "Choose another result above, or start one below." if others else "Start one below."
    views.empty_state(what, f"{more} It is watched here while it runs.", key="experiment.empty")


show()
