"""The table of repair methods: controls, then methods, then peers. Pages, flags and experiments derive from it."""

from __future__ import annotations

from fairneuron_core.errors import SettingError
from fairneuron_core.repair.fairneuron import FAIRNEURON
from fairneuron_core.repair.reweighing import REWEIGHING
from fairneuron_core.repair.task import RepairRow

REPAIRS: dict[str, RepairRow] = {
    row.name: row
    for row in (
        FAIRNEURON,
        REWEIGHING,
    )
}


def repair_row(name: str) -> RepairRow:
    """Return the method of that name; SettingError lists the table when there is none."""
    if name not in REPAIRS:
        raise SettingError(f"Unknown repair method '{name}': choose one of {', '.join(REPAIRS)}.")
    return REPAIRS[name]
