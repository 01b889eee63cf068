"""What can be done on the Model page besides bringing and taking files: train a network as a run, rename, delete."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.words import markdown_plain
from fairneuron_core.store import ModelRow, delete_model, open_store, rename_model
from pages.ui import cache, jobs, state, views
from pages.ui.inputs import form_for

_OWN_FIELDS = ("data", "protected", "include_protected")


def train_form(data: str, attribute: str) -> None:
    """Show the settings of a training; starting one that was done before opens its run."""
    from fairneuron_core.jobs import TrainParams

    include = _include_choice(data, attribute)
    with st.form("model.train", border=True):
        given = form_for(TrainParams, key="model.train", skip=_OWN_FIELDS, columns=4)
        pressed = st.form_submit_button("Start training", type="primary", icon=":material/play_arrow:")
    views.quiet(f"{cache.device_sentence()} Equal settings give the equal network: its run is opened, not repeated.")
    if pressed:
        settings = {name: value for name, value in given.items() if value is not None}
        try:
            run = jobs.start("train", {"data": data, **_attribute_setting(data, attribute), **include, **settings})
        except FairNeuronError as error:
            views.error_box(error)
            return
        if run.state == "done":
            st.toast("This training was done before: its network is shown.", icon=":material/info:")
            state.choose(model=str(run.results["model"]), run=None)
        else:
            state.remember("model.watched", run.id)
        st.rerun()


def _include_choice(data: str, attribute: str) -> dict[str, Any]:
    """The choice whether the attribute is an input; the default stays unsaid, so that equal specs are equal."""
    dataset = cache.dataset(data)
    usual = dataset.include_protected
    name = markdown_plain(attribute)
    picked = st.radio(
        f"Does the network read {name}?",
        [True, False],
        index=0 if usual else 1,
        format_func=lambda reads: f"It reads {name}" if reads else f"It does not read {name}",
        horizontal=True,
        key=f"model.include.{views.content_key(data, attribute)}",
    )
    source = "the published set-up of this data set" if _is_built_in(data) else "the default for own data"
    way = "lets the network read the protected attribute" if usual else "keeps the protected attribute out"
    views.quiet(
        f"Here {source} {way}. Leaving an attribute out does not make a network blind to it: other columns can stand "
        "in for it."
    )
    return {} if picked == usual else {"include_protected": bool(picked)}


def _is_built_in(data: str) -> bool:
    from fairneuron_core.data import DATASETS

    return data in DATASETS


def _attribute_setting(data: str, attribute: str) -> dict[str, str]:
    return {} if attribute == cache.dataset(data).schema.protected[0] else {"protected": attribute}


def manage_form(row: ModelRow) -> None:
    """Rename or delete the chosen network."""
    store = open_store(cache.workspace())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", value=row.name, key=f"model.name.{row.id}", max_chars=120)
        if st.button("Rename", key="model.rename", disabled=name.strip() in ("", row.name)):
            rename_model(store, row.id, name)
            st.rerun()
        with st.popover("Delete", icon=":material/delete:"):
            st.write("The network's file goes. Networks that were made from it and its runs stay.")
            if st.button("Delete this network", key="model.delete", type="primary"):
                delete_model(store, row.id)
                state.choose(model=None)
                st.rerun()
    views.quiet("Everybody who can open this page sees the same list of networks and may change it.")
