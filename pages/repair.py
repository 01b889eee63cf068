"""Repair: choose a method and its settings, start it as a run, watch it live, see what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.store import RunRecord
from pages.ui import jobs, state, views
from pages.ui.cache import device_sentence
from pages.ui.inputs import form_for
from pages.ui.method_picker import pick_method
from pages.ui.pickers import pick_network
from pages.ui.repair_view import result_sentence, show_repair_result
from pages.ui.search_form import search_fields
from pages.ui.search_view import show_search_result

QUESTION = "What does a repair change, and at what cost?"
ANSWER = "A repair retrains the network on the training rows; before and after are compared on test rows it never saw."


def show() -> None:
    picked = pick_network(key="repair", question=QUESTION)
    if picked is None:
        return
    data, model, attribute = picked
    run = _run_of(model)
    views.page_header(QUESTION, result_sentence(run) if run and run.state == "done" else ANSWER)
    if run is not None:
        _show_run(run)
    one, grid = st.tabs(["One method", "Search theta and gamma"])
    with one:
        _method_form(data, model, attribute)
    with grid:
        if given := search_fields(lambda: _common_fields("repair.search")):
            _start("search", given, data, model, attribute)


def _run_of(model: str) -> RunRecord | None:
    """The run in the address, if it repairs the chosen network."""
    run = jobs.find(state.chosen("run"))
    return run if run and run.kind in ("repair", "search") and run.params.get("model") == model else None


def _show_run(run: RunRecord) -> None:
    views.section(run.title, f"Run {run.id}, seed {run.params.get('seed')}")
    jobs.watch(run)
    if run.state == "done":
        try:
            (show_search_result if run.kind == "search" else show_repair_result)(run)
        except FairNeuronError as error:
            # The repaired network may have been deleted; the form below stays within reach.
            views.error_box(error)
        if after := run.results.get("model"):
            open_it, again = st.columns([1, 3])
            if open_it.button(
                "Open in Compare", type="primary", key="repair.compare", icon=":material/compare_arrows:"
            ):
                state.choose(after=str(after))
                st.switch_page("pages/compare.py")
            if again.button("Set up another repair", key="repair.another"):
                state.choose(run=None)
                st.rerun()
        st.divider()


def _method_form(data: str, model: str, attribute: str) -> None:
    row = pick_method()
    if missing := row.missing():
        st.info(missing, icon=":material/extension:")
        return
    method = row.name
    handed_over = state.remembered("repair.setting", {}) if method == "fairneuron" else {}
    if handed_over:
        views.quiet("Coverage, first layer and rarity come from the Threshold page.")
    with st.form(f"repair.form.{method}", border=True):
        own = form_for(row.Params, key=f"repair.{method}.{views.content_key(handed_over)}", values=handed_over)
        common = _common_fields("repair")
        pressed = st.form_submit_button("Start the repair", type="primary", icon=":material/build:")
    if pressed:
        _start("repair", {"method": method, **own, **common}, data, model, attribute)


def _common_fields(key: str) -> dict[str, Any]:
    seed, device = st.columns(2)
    found = device_sentence()
    views.quiet(found)
    return {
        "seed": seed.number_input("Seed", min_value=0, value=0, step=1, key=f"{key}.seed"),
        "device": device.selectbox("Device", ["auto", "gpu", "cpu"], key=f"{key}.device", help=found),
    }


def _start(kind: str, params: Mapping[str, Any], data: str, model: str, attribute: str) -> None:
    given = {name: value for name, value in params.items() if value is not None}
    jobs.start(kind, {**given, "data": data, "model": model, "protected": attribute})
    st.rerun()


show()
