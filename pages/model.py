"""Model: which network is judged, what it reads, how it was made; train another one, bring or take one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from fairneuron_core.report.words import markdown_plain
from fairneuron_core.store import ModelRow, RunRecord, get_model, open_store
from pages.ui import cache, jobs, state, views
from pages.ui.export_form import export_form
from pages.ui.model_forms import manage_form, train_form
from pages.ui.model_view import network_sentence, show_cards, show_origin, show_picture, show_training
from pages.ui.network_upload import ADDED, bring_network_form
from pages.ui.pickers import BRING, bring_a_network, data_titles, pick, predictions_only
from pages.ui.predictions_form import predictions_form

QUESTION = "Which network is judged, and what does it read?"
_WATCHED = "model.watched"
THIS, TRAIN, OWN, TAKE, MANAGE = "This network", "Train a network", "Bring your own", "Take it along", "Name and delete"


def show() -> None:
    data, model, attribute = pick(key="model")
    run = _training_of(data)
    if run is not None and run.state == "done":
        _adopt(run, model)
    if model is None:
        _without_network(data, attribute, run)
        return
    row = get_model(open_store(cache.workspace()), model)
    views.page_header(
        QUESTION,
        network_sentence(row, data, attribute),
        chips=[data_titles().get(data, data), f"{row.name} · {row.id}", f"audited by {attribute}"],
    )
    if state.remembered(ADDED) == row.id:
        _just_added(row)
    if run is not None:
        _watch(run)
    _with_network(row, data, attribute)


def _without_network(data: str, attribute: str, run: RunRecord | None) -> None:
    views.page_header(
        QUESTION, f"There is no network for {data_titles().get(data, data)} yet: train one, or bring one."
    )
    if run is not None:
        _watch(run)
    train, own = _tabs([TRAIN, OWN], key="model.tabs.none")
    with train:
        train_form(data, attribute)
    with own:
        _bring(data)


def _with_network(row: ModelRow, data: str, attribute: str) -> None:
    # Every tab but the first is drawn at once: what was typed or uploaded in one stays when another is opened.
    this, train, own, take, manage = _tabs([THIS, TRAIN, OWN, TAKE, MANAGE], key="model.tabs")
    without = predictions_only(data, row.id)
    if this.open:
        with this:
            _this_network(row, data, attribute, without)
    with train:
        train_form(data, attribute)
    with own:
        _bring(data)
    with take:
        if without:
            views.quiet(without)
        else:
            export_form(data, row)
    with manage:
        manage_form(row)


def _tabs(names: list[str], *, key: str) -> Sequence[Any]:
    """Return the tabs; another page, or a network just added, may have asked for one of them."""
    asked = state.remembered(BRING)
    if asked is not None:
        state.set_widget(key, OWN if asked else names[0])
        state.forget(BRING)
    return st.tabs(names, key=key, on_change="rerun")


def _this_network(row: ModelRow, data: str, attribute: str, without: str) -> None:
    show_cards(row, data, attribute)
    if without:
        if views.empty_state(
            "There is no network here to look into",
            without,
            "Bring the network",
            key="model.predictions",
            icon=":material/table_chart:",
        ):
            bring_a_network()
        return
    left, right = views.side_by_side(wide="left")
    with left:
        show_picture(data, row.id)
    with right:
        show_origin(row, data, attribute)
    show_training(row)


def _bring(data: str) -> None:
    bring_network_form(data)
    with st.expander(
        "No network file? Bring predictions only", icon=":material/table_chart:", key=f"model.predictions.{data}"
    ):
        predictions_form(data)


def _just_added(row: ModelRow) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":green[:material/check_circle:] **{markdown_plain(row.name)}** was added and is chosen\\.")
        if st.button("Audit it", type="primary", key="model.audit", icon=":material/balance:"):
            state.forget(ADDED)
            st.switch_page("pages/audit.py")


def _training_of(data: str) -> RunRecord | None:
    """The training in the address, if it belongs to this data set."""
    run = jobs.find(state.chosen("run"))
    return run if run is not None and run.kind == "train" and run.params.get("data") == data else None


def _watch(run: RunRecord) -> None:
    if run.active:
        state.remember(_WATCHED, run.id)
    if run.state != "done":
        views.section(run.title, f"Run {run.id}, seed {run.params.get('seed')}")
    jobs.watch(run)


def _adopt(run: RunRecord, model: str | None) -> None:
    """Open the network that a training made, once: when its viewer saw it end, or has no network yet."""
    made = run.results.get("model")
    if made != model and (model is None or state.remembered(_WATCHED) == run.id):
        state.forget(_WATCHED)
        state.choose(model=str(made), run=None)
        st.rerun()


show()
