"""Repair methods. A further method is one file beside these and one row in REPAIRS."""

from __future__ import annotations

from fairneuron_core.errors import SettingError
from fairneuron_core.repair.fairneuron import FairNeuronParams, repair_fairneuron
from fairneuron_core.repair.reweighing import ReweighingParams, repair_reweighing
from fairneuron_core.repair.task import RepairResult, RepairRow, RepairTask

REPAIRS: dict[str, RepairRow] = {
    row.name: row
    for row in (
        RepairRow(
            name="fairneuron",
            title="FairNeuron (selective training)",
            sentence="Trains on, muting neurons at random for the rows whose activation path is rare.",
            changes="training",
            needs_protected=False,
            cannot="It never looks at the protected attribute, so it cannot aim at a chosen gap; in an independent "
            "reproduction it kept accuracy and moved demographic parity no further than noise.",
            source="Gao et al., ICSE 2022",
            Params=FairNeuronParams,
            repair=repair_fairneuron,
        ),
        RepairRow(
            name="reweighing",
            title="Reweighing",
            sentence="Trains on with row weights that make label and protected group independent.",
            changes="training (row weights)",
            needs_protected=False,
            cannot="It balances the labels it is given; it cannot promise a gap on new rows, and proxies stay.",
            source="Kamiran and Calders, 2012",
            Params=ReweighingParams,
            repair=repair_reweighing,
        ),
    )
}


def repair_row(name: str) -> RepairRow:
    """Return the method of that name; SettingError lists the table when there is none."""
    if name not in REPAIRS:
        raise SettingError(f"Unknown repair method '{name}': choose one of {', '.join(REPAIRS)}.")
    return REPAIRS[name]


__all__ = ["REPAIRS", "RepairResult", "RepairRow", "RepairTask", "repair_row"]
