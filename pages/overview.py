"""Overview: one button does the whole job, its steps are watched live, and its answer stands here."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.store import RunRecord
from pages.ui import jobs, state, tour_view, views

QUESTION = "Is this network fair to every group, and can it be repaired?"
ANSWER = (
    "Measure the gaps between groups, see which neurons decide, repair the network, and compare before and after: "
    "every number with its interval."
)
DATA = {"census": "Census", "compas": "COMPAS", "german": "German Credit", "bank": "Bank marketing"}
STEPS = {
    "Measure": "Rates and gaps by group, with interval, n, reference and direction; undefined stays undefined.",
    "Look inside": "Every row takes an activation path through the network; rows on rare paths are conflict samples.",
    "Repair and compare": "FairNeuron retrains with dropout on the conflict samples only; reweighing balances label "
    "and group. Both are judged on the same test rows, before against after.",
}
EXAMPLE = (("A", 25, False), ("B", 10, False), ("C", 3, True), ("D", 2, True))


def show() -> None:
    run = jobs.find(state.chosen("run"))
    tour = run if run is not None and run.kind == "tour" else None
    if tour is not None and tour.state == "done":
        _finished(tour)
    else:
        views.page_header(QUESTION, ANSWER)
        if tour is not None:
            tour_view.show_steps(tour)
            jobs.watch(tour)
        if tour is None or not tour.active:
            _first_step()
    _what_it_does()
    _recent()


def _finished(tour: RunRecord) -> None:
    try:
        answer = tour_view.answer(tour)
    except FairNeuronError as error:
        # Its networks or its data set were deleted since: the page must stay of use.
        views.page_header(QUESTION, ANSWER)
        views.warning_box(f"This run's answer cannot be shown any more. {error}")
        _first_step()
        return
    tour_view.choose_networks(tour)
    views.page_header(QUESTION, answer)
    tour_view.show_result(tour)
    with st.expander("Start over on other data", icon=":material/replay:"):
        _others("overview.again", everything=True)


def _first_step() -> None:
    with st.container(border=True):
        left, right = st.columns([2, 3], vertical_alignment="center", gap="large")
        with left:
            if st.button("Try it on Census", type="primary", icon=":material/play_arrow:", key="overview.try.census"):
                _start("census")
            views.quiet("Trains a network on 22,793 people, slices it, repairs it twice: about a minute on two cores.")
        with right:
            views.quiet("Or start with other data:")
            _others("overview.try")
            if st.button("Use your own data", icon=":material/upload_file:", key="overview.own", type="tertiary"):
                state.remember("data.own", True)
                st.switch_page("pages/data.py")


def _others(key: str, *, everything: bool = False) -> None:
    with st.container(horizontal=True, gap="small"):
        for name, title in DATA.items():
            if (everything or name != "census") and st.button(title, key=f"{key}.{name}.other"):
                _start(name)


def _start(name: str) -> None:
    state.choose(data=name, model=None, protected=None, after=None)
    jobs.start("tour", {"data": name, "seed": 0})
    st.rerun()


def _what_it_does() -> None:
    views.section("How it works")
    left, right = views.side_by_side()
    with left:
        for title, words in STEPS.items():
            with st.container(gap=None):
                st.markdown(f"**{title}**")
                views.quiet(words)
    with right:
        _example()
    views.quiet(
        "Not promised: a network that does not read an attribute is not thereby fair, since other columns stand in for "
        "it; no single number says that a network is fair; and a repair need not reproduce the effect its authors "
        "published: what it did to this network is shown with its interval, and another seed may answer differently."
    )


def _example() -> None:
    """Show the worked example of rare paths, one square a row; a chart would cost the first page half a second."""
    st.markdown("**Example: 40 rows on four paths, theta = 0.3**")
    squares = [f":{'violet' if rare else 'primary'}[{'▪' * n}]" for _, n, rare in EXAMPLE]
    table = pd.DataFrame(
        {
            "path": [path for path, _, _ in EXAMPLE],
            "taken by": [f"{squares[i]} {n} rows" for i, (_, n, _) in enumerate(EXAMPLE)],
            "so it is": ["rare" if rare else "ordinary" for _, _, rare in EXAMPLE],
        }
    )
    st.table(table, border="horizontal", hide_index=True)
    views.quiet("A path is rare up to 0.3 × 25 = 7.5 rows: the 5 rows of C and D are the conflict samples.")


def _recent() -> None:
    found = jobs.recent(5)
    if not found:
        return
    views.section("Recent runs")
    with st.container(gap=None):
        for run in found:
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button(views.markdown_plain(run.title), key=f"overview.run.{run.id}", type="tertiary"):
                    state.choose(run=run.id)
                    st.switch_page("pages/overview.py" if run.kind == "tour" else "pages/runs.py")
                views.quiet(f"{run.state} · {run.created:%Y-%m-%d %H:%M} UTC")


show()
