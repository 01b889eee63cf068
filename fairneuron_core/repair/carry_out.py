"""Carry out one repair, or a sweep of its strength: prepare, train everything as one program, finish.

A method that works in rounds finishes with what is to be trained next, until it has its results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fairneuron_core.errors import SettingError
from fairneuron_core.models import Trained, train
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask
from fairneuron_core.types import part_of

_PREPARING = 0.3
"""Share of the progress bar before the training: slicing takes about as long as four of ten epochs."""


def repair(task: RepairTask, row: RepairRow, params: Any) -> RepairResult:
    """Repair the task's classifier by one method with its settings."""
    strengths = (params.strength,) if row.strengths else ()
    return _carried_out(task, row, params, strengths)[0]


def repair_front(
    task: RepairTask, row: RepairRow, params: Any, *, strengths: Sequence[float] = ()
) -> tuple[RepairResult, ...]:
    """Repair once for every strength (empty: the row's own sweep); a method without a strength gives one result."""
    return _carried_out(task, row, params, tuple(strengths) or row.strengths if row.strengths else ())


def _carried_out(
    task: RepairTask, row: RepairRow, params: Any, strengths: tuple[float, ...]
) -> tuple[RepairResult, ...]:
    if missing := row.missing():
        raise SettingError(missing)
    prepared = row.prepare(replace(task, progress=part_of(task.progress, 0.0, _PREPARING)), params, strengths)
    done = _PREPARING
    while True:
        until = _PREPARING + (1 - _PREPARING) * prepared.share
        found = prepared.finish(_trained(task, prepared, done, until))
        if not isinstance(found, Prepared):
            return found
        prepared, done = found, until


def _trained(task: RepairTask, prepared: Prepared, done: float, until: float) -> Sequence[Trained]:
    if not prepared.plans:
        return ()
    told = part_of(task.progress, done, until)
    return train(prepared.plans, device=task.device, progress=told, checkpoint=task.checkpoint)
