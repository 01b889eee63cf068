"""Overview: one button does the whole job, its steps are watched live, and its answer stands here."""

from __future__ import annotations

import streamlit as st

from pages.ui import jobs, state, tour_view, views

QUESTION = "Is this network fair to every group, and can it be repaired?"
ANSWER = (
    "Measure the gaps between groups, see which neurons decide, repair the network, and compare before and after: "
    "every number with its interval."
)
DATA = {"census": "Census", "compas": "COMPAS", "german": "German Credit", "bank": "Bank marketing"}


def show() -> None:
    run = jobs.find(state.chosen("run"))
    tour = run if run is not None and run.kind == "tour" else None
    if tour is not None and tour.state == "done":
        views.page_header(QUESTION, tour_view.answer(tour))
        tour_view.show_result(tour)
        _start_another()
    else:
        views.page_header(QUESTION, ANSWER)
        if tour is not None:
            tour_view.show_steps(tour)
            jobs.watch(tour)
        if tour is None or not tour.active:
            _first_step()
    _what_it_does()
    _recent()


def _first_step() -> None:
    with st.container(border=True):
        left, right = st.columns([2, 3], vertical_alignment="center", gap="large")
        with left:
            if st.button("Try it on Census", type="primary", icon=":material/play_arrow:", key="overview.try.census"):
                _start("census")
            views.quiet("Trains a network on 22,793 people, slices it, repairs it twice: about a minute on two cores.")
        with right:
            _others("overview.try")
            if st.button("Use your own data", icon=":material/upload_file:", key="overview.own", type="tertiary"):
                st.switch_page("pages/data.py")


def _start_another() -> None:
    with st.expander("Start over on other data", icon=":material/replay:"):
        _others("overview.again", everything=True)


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
    steps = {
        "Measure": "Rates and gaps by group, with interval, n, reference and direction; undefined stays undefined.",
        "Look inside": "Every row takes an activation path through the network. Rows on rare paths are its conflict "
        "samples: of 40 rows with paths taken 25, 10, 3 and 2 times, theta = 0.3 calls at most 7.5 rare, so 5 rows.",
        "Repair and compare": "FairNeuron retrains with dropout on the conflict samples only; reweighing balances "
        "label and group. Both are judged on the same test rows, before against after.",
    }
    for column, (title, words) in zip(st.columns(len(steps), gap="medium"), steps.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            views.quiet(words)
    views.quiet(
        "Not promised: a network that does not read an attribute is not thereby fair, since other columns stand in for "
        "it; and no single number says that a network is fair."
    )


def _recent() -> None:
    found = jobs.recent(5)
    if not found:
        return
    views.section("Recent runs")
    for run in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(views.markdown_plain(run.title), key=f"overview.run.{run.id}", type="tertiary"):
                state.choose(run=run.id)
                st.switch_page("pages/overview.py" if run.kind == "tour" else "pages/runs.py")
            views.quiet(f"{run.state} · {run.created:%Y-%m-%d %H:%M} UTC")


show()
