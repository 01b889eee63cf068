"""The last section of the Experiment page: repairs with a proof, in the settings of the literature."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from fairneuron_core.errors import NotFoundError
from pages.ui import theme, views

_COMMAND = "fairneuron proofs --settings all --seeds {seeds}"


def show_proofs() -> None:
    """Show the shipped comparison of ProF and the repairs that are proved for every input, where there is one."""
    found = _stored()
    if found is None:
        return
    from fairneuron_core.report.figures_proofs import goals_table, proofs_chart

    views.section(
        "What does a proof cost?",
        "ProF repairs a network for a hundred rows with a proof; the repairs here are proved for every input. Both in "
        "the settings of the paper, on label-encoded tables.",
    )
    views.show_chart(proofs_chart(found, mode=theme.mode()), key="experiment.proofs")
    table = goals_table(found)
    st.dataframe(table, hide_index=True, key="experiment.proofs.goals", height=35 * (len(table) + 1) + 3)
    for note in found["notes"]:
        views.quiet(note)
    with st.expander("How these settings differ from the published ones"):
        for name, said in found["differs"].items():
            views.quiet(f"{name}: {' '.join(said)}")
    with st.container(horizontal=True):
        st.download_button(
            "Proofs as JSON",
            lambda: json.dumps(found, indent=2, sort_keys=True),
            file_name="proofs.json",
            mime="application/json",
            key="experiment.proofs.json",
            on_click="ignore",
            icon=":material/download:",
        )
    st.code(_COMMAND.format(seeds=len(found["spec"]["seeds"])), language="bash", wrap_lines=True)


@st.cache_resource(show_spinner=False)
def _stored() -> dict[str, Any] | None:
    from fairneuron_core.experiments.proof_json import load_proofs

    try:
        return load_proofs()
    except NotFoundError:
        return None
