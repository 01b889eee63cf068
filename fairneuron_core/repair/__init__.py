"""Repair methods. A further method is one file beside these and one row in its table of REPAIRS."""

from fairneuron_core.repair.carry_out import repair, repair_front
from fairneuron_core.repair.catalogue import REPAIRS, repair_row
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training

__all__ = [
    "REPAIRS",
    "Prepared",
    "RepairResult",
    "RepairRow",
    "RepairTask",
    "repair",
    "repair_front",
    "repair_row",
    "without_training",
]
