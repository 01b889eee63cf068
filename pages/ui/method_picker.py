"""Choose a repair method: first its kind, then one of the table's rows, with what it changes, needs and cannot do."""

from __future__ import annotations

import streamlit as st

from fairneuron_core.repair import REPAIRS, RepairRow
from pages.ui import state, views

KINDS = {"method": "Methods", "peer": "Peers (fairlearn)", "control": "Controls"}
ABOUT = {
    "method": "Repairs of this product and of the literature.",
    "peer": "Methods of the fairlearn library on the same network, to compare with.",
    "control": "What happens without a repair: a method has to beat these.",
}
USUAL = "conflict"
HANDED_OVER = "repair.method"
"""The name of a method that another page hands over."""


def pick_method() -> RepairRow:
    """Return the chosen method of the table and say what it changes, needs and cannot do."""
    handed_over = bool(state.remembered("repair.setting", {}))
    kind = st.segmented_control(
        "Kind of method", list(KINDS), default="method", format_func=KINDS.get, key="repair.kind", required=True
    )
    views.quiet(ABOUT[str(kind)])
    names = [row.name for row in REPAIRS.values() if row.kind == kind]
    usual, key = "fairneuron" if handed_over else USUAL, f"repair.method.{kind}"
    # Another page may have named the method; with a default beside it, Streamlit would complain.
    if (named := state.remembered(HANDED_OVER)) in names:
        state.set_widget(key, named)
        state.forget(HANDED_OVER)
    elif state.widget(key) is None:
        state.set_widget(key, usual if usual in names else names[0])
    method = st.radio(
        "Method",
        names,
        format_func=lambda name: REPAIRS[name].title,
        captions=[REPAIRS[name].sentence for name in names],
        key=key,
    )
    row = REPAIRS[str(method)]
    at_decision = "reads the protected attribute when it decides"
    if not row.needs_protected:
        at_decision = "does not need the protected attribute when it decides"
    views.quiet(f"Changes: {row.changes}; {at_decision}. {row.cannot} Source: {row.source}.")
    return row
