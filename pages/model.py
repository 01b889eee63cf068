"""Model: which network is judged, what it reads, how it was made; train another one, bring or take one."""

from __future__ import annotations

import streamlit as st

from fairneuron_core.store import ModelRow, RunRecord, get_model, open_store
from pages.ui import cache, jobs, state, views
from pages.ui.model_forms import manage_form, train_form, transfer_form
from pages.ui.model_view import network_sentence, show_cards, show_origin, show_picture, show_training
from pages.ui.pickers import data_titles, pick

QUESTION = "Which network is judged, and what does it read?"
_WATCHED = "model.watched"
_TABS = ("Training", "Train a network", "Files", "Name and delete")


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
    if run is not None:
        _watch(run)
    show_cards(row, data, attribute)
    left, right = views.side_by_side(wide="left")
    with left:
        show_picture(data, row.id)
    with right:
        show_origin(row, data, attribute)
    _tabs(row, data, attribute)


def _without_network(data: str, attribute: str, run: RunRecord | None) -> None:
    views.page_header(
        QUESTION, f"There is no network for {data_titles().get(data, data)} yet: train one, or bring one."
    )
    if run is not None:
        _watch(run)
    train, files = st.tabs(_TABS[1:3])
    with train:
        train_form(data, attribute)
    with files:
        transfer_form(data, None)


def _tabs(row: ModelRow, data: str, attribute: str) -> None:
    training, train, files, manage = st.tabs(_TABS, key="model.tabs")
    with training:
        show_training(row)
    with train:
        train_form(data, attribute)
    with files:
        transfer_form(data, row)
    with manage:
        manage_form(row)


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
