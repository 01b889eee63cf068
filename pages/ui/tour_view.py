"""The guided tour on the overview: its steps while it runs, its answer and its doors when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from fairneuron_core.report.figures import dumbbell
from fairneuron_core.report.names import metric_unit
from fairneuron_core.report.words import change_text, count, duration, quantity
from fairneuron_core.store import RunRecord
from fairneuron_core.types import PairedAudit
from pages.ui import cache, state, theme, views
from pages.ui.repair_view import HEADLINES

STEPS = {
    "Training": "Train the network",
    "Paths": "Slice its paths",
    "Repair by fairneuron": "Repair: FairNeuron",
    "Repair by reweighing": "Repair: reweighing",
}
METHODS = {"fairneuron": "FairNeuron", "reweighing": "Reweighing"}
DOORS = (
    ("data", "Data", ":material/table:"),
    ("model", "Model", ":material/hub:"),
    ("audit", "Audit", ":material/balance:"),
    ("paths", "Paths", ":material/account_tree:"),
    ("threshold", "Threshold", ":material/bar_chart:"),
    ("repair", "Repair", ":material/build:"),
    ("compare", "Compare", ":material/compare_arrows:"),
)
_GAP = "demographic_parity_difference"


def show_steps(run: RunRecord) -> None:
    """Show which of the tour's steps are done, under way and still to come."""
    if not run.active:
        return

    @st.fragment(run_every=1.0)
    def live() -> None:
        from pages.ui import jobs

        now = jobs.find(run.id) or run
        at = now.message.split(":")[0]
        place = list(STEPS).index(at) if at in STEPS else -1
        for position, (column, words) in enumerate(zip(st.columns(len(STEPS)), STEPS.values(), strict=True)):
            column.badge(f"{_shape(position, place)} {position + 1}. {words}", color=_colour(position, place))

    live()


def _shape(position: int, place: int) -> str:
    return "●" if position < place else "◐" if position == place else "○"


def _colour(position: int, place: int) -> Literal["green", "blue", "gray"]:
    return "green" if position < place else "blue" if position == place else "gray"


def answer(run: RunRecord) -> str:
    """Say in one sentence what each repair did to the demographic parity gap, with interval and verdict."""
    said = []
    for method, found in run.results["repairs"].items():
        paired = _paired(found)
        words = change_text(paired.changes[_GAP], label=METHODS.get(method, method), unit=metric_unit(_GAP))
        said.append(words.rstrip("."))
    return f"Gap in demographic parity: {'; '.join(said)}."


def choose_networks(run: RunRecord) -> None:
    """Let every page open with this tour's networks, unless the viewer has chosen another one."""
    if state.chosen("model") is None and state.chosen("data") in (None, run.results["data"]):
        _choose(run.results)


def show_result(run: RunRecord) -> None:
    """Show the tour's own figures, the doors to the pages, and before and after of every repair."""
    results = run.results
    with views.cards():
        for label, value, words in _figures(results):
            views.number_card(label, value, words)
    _doors(results)
    grid = st.grid(2, min_column_width=380, gap=("small", "medium"))
    for method, found in results["repairs"].items():
        with grid.cell():
            paired = _paired(found)
            views.section(METHODS.get(method, method))
            views.degenerate_mark(paired.after.degenerate)
            chart = dumbbell(paired, mode=theme.mode(), names=HEADLINES[:4])
            views.show_chart(chart, key=f"tour.{method}.dumbbell", title=False)


def _doors(results: Mapping[str, Any]) -> None:
    with st.container(gap=None):
        with st.container(horizontal=True, gap="xsmall"):
            for stem, title, icon in DOORS:
                if st.button(title, icon=icon, key=f"tour.door.{stem}"):
                    _choose(results)
                    st.switch_page(f"pages/{stem}.py")
        views.quiet("Every page opens with this network; Compare with the reweighed one beside it.")


def _choose(results: Mapping[str, Any]) -> None:
    after = results["repairs"].get("reweighing", {}).get("model")
    state.choose(data=str(results["data"]))
    state.choose(model=str(results["model"]), after=after and str(after))


def _figures(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    trained, paths = results["train"], results["paths"]
    accuracy = trained["test"]["metrics"]["accuracy"]["value"]
    groups = ", ".join(f"{g['group']} {count(g['n'])}" for g in trained["test"]["groups"])
    return [
        ("Network's accuracy", quantity(accuracy, "percent"), f"on {count(trained['test']['n'])} test rows"),
        ("Groups compared", str(len(trained["test"]["groups"])), groups),
        ("Different paths", count(paths["unique_paths"]), f"of {count(paths['samples'])} training rows"),
        ("Conflict samples", count(paths["conflict_samples"]), "rows whose path is rare"),
        ("All of it took", duration(float(results["seconds"])), "training, paths, repairs"),
    ]


def _paired(found: Mapping[str, Any]) -> PairedAudit:
    return cache.comparison(str(found["data"]), str(found["parent"]), str(found["model"]), str(found["protected"]))
