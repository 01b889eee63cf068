"""Runs: everything that was started on this server, with its state, its results, and what can be done with it."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.words import counted, duration
from fairneuron_core.runs import cancel, manifest, restart, worker_status
from fairneuron_core.store import RunRecord, delete_run, keep_days, list_runs, open_store, rename_run
from pages.ui import jobs, state, views
from pages.ui.cache import workspace
from pages.ui.certify_form import choose_question
from pages.ui.repair_view import show_repair_result
from pages.ui.search_view import show_search_result

QUESTION = "What was started here, and what came of it?"
_SHAPES = {"queued": "○", "running": "◐", "done": "●", "failed": "✕", "cancelled": "■", "lost": "?"}


def show() -> None:
    found = list_runs(open_store(workspace()), limit=200)
    views.page_header(QUESTION, _answer(found))
    _about_this_server()
    if not found:
        if views.empty_state(
            "Nothing was started yet",
            "Trainings, repairs and searches appear here, with their settings and results.",
            "Go to the overview",
            key="runs.empty",
        ):
            st.switch_page("pages/overview.py")
        return
    _list(found)
    if run := jobs.find(state.chosen("run")):
        _one(run)


def _answer(found: list[RunRecord]) -> str:
    if not found:
        return ""
    under_way = sum(run.active for run in found)
    done = sum(run.state == "done" for run in found)
    early = len(found) - under_way - done
    return f"{counted(len(found), 'run')}: {under_way} under way, {done} done, {early} ended early."


def _about_this_server() -> None:
    worker = worker_status(workspace())
    days = keep_days()
    kept = "Runs and models are kept until somebody deletes them." if days is None else f"Runs are kept {days} days."
    alive = "The worker is alive." if worker.alive else "The worker is not running: new work waits until it is back."
    views.quiet(f"Everybody who can open this page sees the same list and may change it. {kept} {alive}")


def _list(found: list[RunRecord]) -> None:
    table = pd.DataFrame([_row(run) for run in found])
    event = st.dataframe(
        table,
        hide_index=True,
        key="runs.table",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "share": st.column_config.ProgressColumn("Progress", min_value=0, max_value=1, format="percent")
        },
        height=min(420, 36 * (len(table) + 1) + 3),
    )
    if rows := event.selection.rows:
        state.choose(run=found[rows[0]].id)


def _row(run: RunRecord) -> dict[str, Any]:
    return {
        "state": f"{_SHAPES.get(run.state, '')} {run.state}",
        "title": run.title,
        "kind": run.kind,
        "share": 1.0 if run.state == "done" else run.share,
        "started": (run.started or run.created).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "took": duration(run.seconds) if run.seconds is not None else "",
        "id": run.id,
    }


def _one(run: RunRecord) -> None:
    views.section(run.title, f"Run {run.id} · {run.kind} · {run.state}")
    jobs.watch(run)
    if run.state == "done":
        try:
            _results(run)
        except FairNeuronError as error:
            # A network of this run may have been deleted; its settings and actions stay within reach.
            views.error_box(error)
    _settings(run)
    _actions(run)


def _results(run: RunRecord) -> None:
    if run.kind == "repair":
        show_repair_result(run)
    elif run.kind == "search":
        show_search_result(run)
    elif run.kind == "train":
        views.quiet(
            f"Trained for {run.results['epochs']} epochs; the network of epoch {run.results['best_epoch']} is kept."
        )
    elif run.kind == "experiment" and st.button("Open in Experiment", key="runs.experiment", icon=":material/science:"):
        state.choose(data=run.params.get("data"), run=run.id)
        st.switch_page("pages/experiment.py")
    elif run.kind in ("certify", "hunt"):
        if st.button("Open in Certify", key="runs.certify", icon=":material/verified:"):
            choose_question({**run.params, "protected": run.results["protected"]})
            state.choose(run=run.id)
            st.switch_page("pages/certify.py")
        return
    model, parent = run.results.get("model"), run.results.get("parent")
    if model and run.results.get("data"):
        with st.container(horizontal=True):
            if st.button("Audit this network", key="runs.audit", icon=":material/balance:"):
                state.choose(data=run.results["data"], model=str(model))
                st.switch_page("pages/audit.py")
            if parent and st.button("Compare before and after", key="runs.compare", icon=":material/compare_arrows:"):
                state.choose(data=run.results["data"])
                state.choose(model=str(parent), after=str(model))
                st.switch_page("pages/compare.py")


def _settings(run: RunRecord) -> None:
    found = manifest(run)
    with st.expander("Settings, versions, and how to reproduce it", icon=":material/receipt_long:"):
        st.json(found, expanded=1)
        st.download_button(
            "Manifest as JSON",
            json.dumps(found, indent=2, sort_keys=True, default=str),
            file_name=f"run-{run.id}.json",
            mime="application/json",
            key="runs.manifest",
            on_click="ignore",
        )


def _actions(run: RunRecord) -> None:
    store = open_store(workspace())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", value=run.title, key=f"runs.name.{run.id}", max_chars=200)
        if st.button("Rename", key="runs.rename", disabled=name == run.title):
            rename_run(store, run.id, name)
            st.rerun()
        if run.active:
            if st.button("Cancel", key="runs.cancel", icon=":material/stop_circle:"):
                cancel(workspace(), run.id)
                st.rerun()
            return
        if st.button("Run again", key="runs.again", icon=":material/replay:"):
            state.choose(run=restart(workspace(), run.id).id)
            st.rerun()
        with st.popover("Delete", icon=":material/delete:"):
            st.write("The run and its results go; models that it made stay in the list of models.")
            if st.button("Delete this run", key="runs.delete", type="primary"):
                delete_run(store, run.id)
                state.choose(run=None)
                st.rerun()


show()
