"""The sections of the Experiment page: fronts, seeds, group rates, budgets, the paper, time, downloads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from fairneuron_core.runs.manifest import command_line
from pages.ui import state, views
from pages.ui.experiment_data import Asked, chart

if TYPE_CHECKING:
    from fairneuron_core.report.experiment_result import Experiment, Picked

RATES = ("selection_rate", "tpr", "fpr")
_PARTS = {"test": "Test rows", "validation": "Validation rows"}
_CHOICE = (
    "The budget counts validation accuracy: on every seed the strength with the smallest gap that loses no more is "
    "taken, and its test rows are shown. A method with a single point is shown as it is."
)
_INTERVALS = (
    "The splits of the seeds overlap, so the intervals are corrected for it (Nadeau and Bengio, 2003). They speak of "
    "other splits and trainings on this table, not of other people. Nothing is adjusted for comparing many methods."
)


def show_front(found: Experiment, asked: Asked) -> None:
    """Show accuracy against the gap of every method, on test or validation rows."""
    part = str(state.widget("experiment.part") or "test")
    views.show_chart(chart(asked, "front", part=part), key="experiment.front")
    st.segmented_control(
        "Rows of the chart", list(_PARTS), default="test", format_func=_PARTS.get, key="experiment.part", required=True
    )
    views.quiet(_CHOICE)
    for left_out in found.source.get("left_out", []):
        views.quiet(f"Not measured: {left_out['method'].replace('_', ' ')}. {left_out['reason']}")


def show_seeds(found: Experiment, asked: Asked) -> None:
    """Show the paired differences seed by seed, for the gap and for accuracy, and the table of all methods."""
    from fairneuron_core.report.experiment_words import remarks, summary_table

    views.section("How sure is that?", "On each seed every method starts from the same network and split.")
    left, right = views.side_by_side()
    with left:
        views.show_chart(chart(asked, "seeds", metric=asked.gap), key="experiment.seeds.gap")
    with right:
        views.show_chart(chart(asked, "seeds", metric="accuracy"), key="experiment.seeds.accuracy")
    views.quiet(_INTERVALS)
    for one in asked.picked:
        if one.degenerate:
            views.quiet(f"{one.method.title}: {remarks(one)}")
    st.markdown("**All methods: test rows, points, difference to no repair**")
    table = summary_table(found, asked.picked)
    st.dataframe(
        table,
        hide_index=True,
        key="experiment.summary",
        height=min(640, 35 * (len(table) + 1) + 3),
        column_config={"Method": st.column_config.TextColumn(pinned=True)},
    )


def show_groups(asked: Asked) -> Picked:
    """Show each group's own rates at the chosen point of one method, and return that method."""
    from fairneuron_core.report.experiment_words import strength_words

    views.section(
        "Who pays, and who gains?",
        "A gap can close because one group was raised or because the other was lowered. These are not the same.",
    )
    by_name = {one.method.name: one for one in asked.picked}
    name = st.selectbox("Method", list(by_name), format_func=lambda n: by_name[n].method.title, key="experiment.method")
    one = by_name[name]
    with views.cards(min_width=330):
        for rate in RATES:
            views.show_chart(chart(asked, "rates", method=name, rate=rate), key=f"experiment.rates.{rate}")
    words = "; ".join(one.notes)
    strength = strength_words(one)
    chosen = "one point, no strength to choose" if strength == "–" else f"strength chosen: {strength}"
    views.quiet(f"Means over {len(one.strengths)} seeds, test rows; {chosen}{f'; {words}' if words else ''}.")
    return one


def show_budgets(found: Experiment, asked: Asked) -> None:
    """Show the gap at the fixed budgets, the hypervolume, and the time."""
    views.section("At fixed budgets", "The same rule at three budgets; a method with one point must fit, too.")
    left, right = views.side_by_side()
    with left:
        views.show_chart(chart(asked, "budgets"), key="experiment.budgets")
    with right:
        views.show_chart(chart(asked, "areas"), key="experiment.areas")
    views.section("What it cost")
    views.show_chart(chart(asked, "time"), key="experiment.time")
    machine = found.source.get("timing", {}).get("machine")
    if machine:
        views.quiet(f"Measured on {machine}.")


def show_paper(found: Experiment) -> None:
    """Show what the paper prints beside what was measured here."""
    from fairneuron_core.report.experiment_words import paper_table

    views.section(
        "The paper says, measured here",
        "FairNeuron's published tables beside the same quantity on these seeds. The paper's EO is the equal "
        "opportunity difference. Another split, network or seed gives other numbers.",
    )
    if not found.paper:
        views.quiet("The paper prints no figures for this data set.")
        return
    measured = [line for line in found.paper if line.measured is not None]
    silent = len(found.paper) - len(measured)
    every = st.toggle(f"Also the {silent} cells without a counterpart here", key="experiment.paper.all")
    table = paper_table(found.paper if every else measured)
    if table.empty:
        views.quiet("This experiment measured none of the paper's rows.")
        return
    st.dataframe(table, hide_index=True, key="experiment.paper", height=min(460, 35 * (len(table) + 1) + 3))
    views.csv_button(table, key="experiment.paper.csv", name=f"paper and measured {found.data}")


def show_downloads(found: Experiment, picked: Sequence[Picked]) -> None:
    """Offer the whole experiment, and the command that measures it again."""
    from fairneuron_core.report.experiment_words import numbers_table, rows_table

    views.section("Take it with you", "The same numbers as on the command line.")
    with st.container(horizontal=True):
        st.download_button(
            "Experiment as JSON",
            lambda: json.dumps(dict(found.source), indent=2, sort_keys=True),
            file_name=f"experiment-{found.data}.json",
            mime="application/json",
            key="experiment.download.json",
            on_click="ignore",
            icon=":material/download:",
        )
        name = f"experiment {found.data}"
        views.csv_button(numbers_table(found, picked), key="experiment.download.csv", name=name, label="Methods as CSV")
        views.csv_button(
            rows_table(found), key="experiment.download.rows", name=f"{name} rows", label="Every row as CSV"
        )
    st.code(command_of(found), language="bash", wrap_lines=True)


def command_of(found: Experiment) -> str:
    """Return the command line that measures the same experiment."""
    from fairneuron_core.experiments import ExperimentParams

    known = ExperimentParams.__dataclass_fields__
    return command_line("experiment", {name: value for name, value in found.spec.items() if name in known})
