"""The selector bar at the top of a page: data set, network of that data set, protected attribute.

The address is the one truth: every run gives the boxes what is chosen there, and a change of a box is written there
before the page runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fairneuron_core.data import ALIASES, DATASETS
from fairneuron_core.errors import FairNeuronError
from fairneuron_core.store import ModelRow, list_datasets, list_models, open_store
from pages.ui import cache, jobs, state, views

EXAMPLE = "census"
PARTS = {"test": "Test rows", "holdout": "Hold-out table", "validation": "Validation rows", "train": "Training rows"}
BRING = "model.bring"
"""What another page remembers to open the Model page where a file is brought."""
_SHORT_ID = 6
_MADE = {"train": "trained", "repair": "repaired", "search": "repaired by a search"}


def pick_model(*, key: str, question: str = "") -> tuple[str, str, str] | None:
    """Draw the bar and return (data set, model id, protected attribute).

    Returns None after it has shown what to do when the data set has no network yet; `question` is the page's heading
    in that case. A choice in the address that does not exist any more is said in one sentence and replaced.
    """
    data, model, attribute = pick(key=key)
    if model is None:
        _nothing_yet(data, key=key, question=question)
        return None
    return data, model, attribute


def pick_network(*, key: str, question: str) -> tuple[str, str, str] | None:
    """Draw the bar as `pick_model` does, for pages that look inside a network.

    Returns None also where predictions from a file are chosen, after it has said what is missing.
    """
    picked = pick_model(key=key, question=question)
    if picked is None:
        return None
    data, model, _ = picked
    said = predictions_only(data, model)
    if not said:
        return picked
    views.page_header(question)
    if views.empty_state(
        "There is no network here to look into",
        said,
        "Bring the network",
        key=f"{key}.predictions",
        icon=":material/table_chart:",
    ):
        bring_a_network()
    return None


def predictions_only(data: str, model: str) -> str:
    """Return the sentence that says why a page needs a network; empty for a network."""
    from fairneuron_core.jobs.predictions import without_network

    return without_network(cache.material(data, model).classifier) or ""


def bring_a_network() -> None:
    """Open the Model page where a network file is brought."""
    state.remember(BRING, True)
    st.switch_page("pages/model.py")


def pick(*, key: str) -> tuple[str, str | None, str]:
    """Draw the bar and return (data set, model id or None while there is none, protected attribute)."""
    with st.container(key=f"{key}.bar"):
        left, middle, right = st.columns((3.6, 4.6, 2.6), gap="small", vertical_alignment="bottom")
        with left:
            data = pick_data(key=key)
        with middle:
            model = _pick_row(models_of(data), key=key)
        with right:
            attribute = pick_attribute(data, key=key)
    return data, model, attribute


def pick_data(*, key: str) -> str:
    """Draw the box of data sets and return the chosen reference: a built-in name or a stored id."""
    titles = data_titles()
    wanted = state.chosen("data")
    known = ALIASES.get(wanted.lower(), wanted) if wanted else _first_choice()
    if known not in titles:
        views.warning_box(f"The data set '{wanted}' does not exist any more: choose another one.")
        known = _first_choice()
    if known != wanted:
        state.choose(data=known)
    return _box("Data set", list(titles), known, titles, key=f"{key}.data", name="data")


def pick_attribute(data: str, *, key: str) -> str:
    """Draw the box of the data set's protected attributes and return the chosen one."""
    options = list(cache.dataset(data).schema.protected)
    wanted = state.chosen("protected")
    if not options:
        # Only the command line makes such a data set; jobs and audits say in one sentence what is missing.
        return wanted or ""
    if wanted and wanted not in options:
        views.warning_box(f"'{wanted}' is not a protected attribute of this data set: '{options[0]}' is shown.")
    known = wanted if wanted in options else options[0]
    if known != wanted:
        state.choose(protected=known)
    labels = {option: option for option in options}
    return _box("Protected attribute", options, known, labels, key=f"{key}.protected", name="protected")


def pick_after(before: str) -> str | None:
    """Draw the box of networks that `before` can be compared with, those made from it first; None if there is none."""
    data = state.chosen("data")
    others = [row for row in models_of(data) if row.id != before] if data else []
    if not others:
        return None
    ordered = sorted(others, key=lambda row: row.parent != before)
    wanted = state.chosen("after")
    known = wanted if wanted in {row.id for row in ordered} else ordered[0].id
    if wanted and known != wanted and wanted != before:
        views.warning_box(f"The network '{wanted}' does not exist any more: '{ordered[0].name}' is shown.")
    if known != wanted:
        state.choose(after=known)
    labels = {row.id: model_label(row) for row in ordered}
    return _box("Compared with", list(labels), known, labels, key="compare.after", name="after")


def parts_of(data: str) -> list[str]:
    """Return which parts of a data set can be looked at: those of the split, and the hold-out table if it has one."""
    return [part for part in PARTS if part != "holdout" or cache.dataset(data).holdout is not None]


def data_titles() -> dict[str, str]:
    """Return every data set's reference with its title: built-in ones, then own ones, newest first."""
    own = {row.id: row.title for row in list_datasets(open_store(cache.workspace()))}
    return {name: row.title for name, row in DATASETS.items()} | own


def models_of(data: str) -> list[ModelRow]:
    """Return the networks of one data set, newest first."""
    names = {data, *(alias for alias, name in ALIASES.items() if name == data)}
    return [row for row in list_models(open_store(cache.workspace())) if row.data in names]


def model_label(row: ModelRow) -> str:
    """Return a network's name, the first digits of its id, and how it was made if it was not simply trained.

    A repair's method already stands in its default name, so only the kind of making is added.
    """
    made = made_words(row)
    return " · ".join([row.name, row.id[:_SHORT_ID], *([] if made == "trained" else [made])])


def made_words(row: ModelRow) -> str:
    """Return how a network was made, in a word or two."""
    return _MADE.get(row.made_by.split()[0] if row.made_by.strip() else "", "uploaded")


def try_example() -> None:
    """Open the example data set with a network; where there is none, train one and show it on the Model page."""
    state.choose(data=EXAMPLE)
    if models_of(EXAMPLE):
        st.rerun()
    jobs.start("train", {"data": EXAMPLE})
    st.switch_page("pages/model.py")


def _first_choice() -> str:
    titles = data_titles()
    newest = (ALIASES.get(row.data, row.data) for row in list_models(open_store(cache.workspace())))
    return next((data for data in newest if data in titles), EXAMPLE)


def _pick_row(found: Sequence[ModelRow], *, key: str) -> str | None:
    wanted = state.chosen("model")
    if not found:
        if wanted:
            state.choose(model=None)
            views.warning_box(f"The network '{wanted}' is not one of this data set, which has none yet.")
        st.selectbox("Network", [], placeholder="none yet", disabled=True, key=f"{key}.model.none")
        return None
    ids = {row.id: row for row in found}
    # An address may carry more or fewer digits of the id than the list does.
    known = next((i for i in ids if wanted and len(wanted) >= 4 and (i.startswith(wanted) or wanted.startswith(i))), "")
    if not known:
        # What others were made from is the natural start of every page: compare, repair, audit.
        known = next((row.id for row in found if row.parent is None), found[0].id)
        if wanted:
            views.warning_box(f"The network '{wanted}' is not in this list any more: '{ids[known].name}' is shown.")
    if known != wanted:
        state.choose(model=known)
    return _box(
        "Network", list(ids), known, {i: model_label(row) for i, row in ids.items()}, key=f"{key}.model", name="model"
    )


def _box(
    label: str, options: Sequence[str], value: str, labels: dict[str, str], *, key: str, name: state.Choice
) -> str:
    state.set_widget(key, value)
    st.selectbox(
        label,
        options,
        key=key,
        format_func=lambda option: labels.get(option, option),
        on_change=lambda: state.choose(**{name: state.widget(key)}),
    )
    return value


def _nothing_yet(data: str, *, key: str, question: str) -> None:
    if question:
        views.page_header(question)
    title = data_titles().get(data, data)
    if views.empty_state(
        "There is no network for this data set yet",
        f"Train one on '{title}' or bring your own model file; then this page can answer.",
        "Train a network",
        key=f"{key}.empty",
        icon=":material/hub:",
    ):
        st.switch_page("pages/model.py")
    with st.container(horizontal_alignment="center"):
        if st.button("Try it on Census", key=f"{key}.example", icon=":material/play_arrow:"):
            try:
                try_example()
            except FairNeuronError as error:
                views.error_box(error)
