"""What can be started from the Experiment page: an own experiment, and the repair that makes a chosen network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.words import listed
from pages.ui import experiment_data, jobs, state, views
from pages.ui.inputs import form_for
from pages.ui.pickers import data_titles, model_label, models_of

if TYPE_CHECKING:
    from fairneuron_core.report.experiment_result import Experiment, Picked

_OWN = ("data", "protected", "methods")


def own_experiment() -> None:
    """Show the form that starts an experiment as a run."""
    from fairneuron_core.experiments import ExperimentParams, methods_of
    from fairneuron_core.repair import REPAIRS

    views.section(
        "Measure it yourself",
        "Any data set, any methods. Per seed one split and one network, from which every method starts. A run that is "
        "stopped and started again with the same settings goes on where it stood.",
    )
    controls = [row for row in REPAIRS.values() if row.kind == "control"]
    others = {name: row.title for name, row in REPAIRS.items() if row.kind != "control"}
    usual = methods_of("all")
    left_out = dict(usual.left_out)
    titles = data_titles()
    wanted = experiment_data.data_of(state.chosen("data") or "")
    with st.form("experiment.form", border=True):
        data = st.selectbox(
            "Data set",
            list(titles),
            index=list(titles).index(wanted) if wanted in titles else 0,
            format_func=titles.get,
            key="experiment.form.data",
        )
        methods = st.multiselect(
            "Methods",
            list(others),
            default=[name for name in others if name in usual.names],
            format_func=others.get,
            key="experiment.form.methods",
        )
        views.quiet(f"Always measured, not removable: {listed([row.title for row in controls])}.")
        for reason in left_out.values():
            views.quiet(reason)
        given = form_for(ExperimentParams, key="experiment.form", skip=_OWN)
        pressed = st.form_submit_button("Start the experiment", type="primary", icon=":material/science:")
    if pressed:
        try:
            _start(data, methods, given)
        except FairNeuronError as error:
            # The form keeps what was written in it.
            views.error_box(error)


def _start(data: str, methods: list[str], given: dict[str, Any]) -> None:
    # An empty choice means the controls alone, and these are always there.
    named = ",".join(methods) or "no_repair"
    # The attribute of the address belongs to the data set of the address.
    protected = state.chosen("protected") if data == state.chosen("data") else None
    params = {name: value for name, value in given.items() if value is not None}
    jobs.start(experiment_data.KIND, {**params, "data": data, "protected": protected, "methods": named})
    st.rerun()


def make_network(found: Experiment, one: Picked) -> None:
    """Offer to repair one network by the chosen method at the chosen strength: experiments keep no networks."""
    from fairneuron_core.repair import REPAIRS

    row = REPAIRS.get(one.method.name)
    if row is None or not row.one_network or row.missing():
        views.quiet(
            f"{one.method.title} cannot be started as a repair here: its result is not one network, or what it needs "
            "is not installed."
        )
        return
    networks = [network for network in models_of(found.data) if network.parent is None]
    if not networks:
        views.quiet("An experiment keeps no networks. Train one on this data set, then it can be repaired like this.")
        if st.button("Train a network", key="experiment.train", icon=":material/hub:"):
            state.choose(data=found.data)
            st.switch_page("pages/model.py")
        return
    chosen = next((n for n in networks if n.id == state.chosen("model")), networks[0])
    strength = "" if one.strength is None else f" at strength {one.strength:g}"
    views.quiet(
        f"An experiment keeps no networks. This repairs '{model_label(chosen)}' by {one.method.title}{strength}, the "
        "choice of most seeds, with the settings of the experiment."
    )
    if st.button("Make this network", key="experiment.make", icon=":material/build:"):
        state.choose(data=found.data)
        state.choose(model=chosen.id, protected=found.attribute)
        jobs.start("repair", repair_params(found, one, model=chosen.id))
        st.switch_page("pages/repair.py")


def repair_params(found: Experiment, one: Picked, *, model: str) -> dict[str, Any]:
    """Return the settings of the repair that the experiment measured, for one network."""
    from fairneuron_core.experiments import ExperimentParams
    from fairneuron_core.experiments.spec import settings_for
    from fairneuron_core.params import params_json
    from fairneuron_core.repair import REPAIRS

    row = REPAIRS[one.method.name]
    usual = ExperimentParams(epochs=int(found.spec.get("epochs", 10)), gap=str(found.spec["gap"]))
    own = params_json(settings_for(row, usual))
    if one.strength is not None and "strength" in own:
        own["strength"] = one.strength
    given = {name: value for name, value in own.items() if value is not None}
    return {**given, "method": row.name, "data": found.data, "model": model, "protected": found.attribute}
