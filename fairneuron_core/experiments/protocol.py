"""The protocol of a comparison: per seed one split and one network, from which every method starts.

1. Split 7:1:2, stratified on label x protected group, and train ONE network                         (per seed)
2. Repair it by every method at every strength; a sweep is one batched training                       (per method)
3. Measure every result on validation and test; nothing chosen later looks at test figures

What is measured is kept after every (seed, method), so that a run that was ended goes on where it stood. Every seed
works with one thread and knows nothing of the others: the figures do not depend on how many work at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairneuron_core.errors import Cancelled, FairNeuronError
from fairneuron_core.experiments.rows import ExperimentRow, failed, measured
from fairneuron_core.experiments.spec import ExperimentParams, settings_for
from fairneuron_core.repair import RepairRow, RepairTask, repair_front, repair_row
from fairneuron_core.types import Batch, Progress, ProgressCallback, part_of

BASE = "base training"
_BASE_SHARE = 0.1


@dataclass(frozen=True)
class SeedMaterial:
    """What the methods of one seed share: the task with the trained network, and the test rows they never see."""

    task: RepairTask
    test: Batch


@dataclass(frozen=True)
class Finished:
    """The rows of one method on one seed and the seconds it took; the training of the network is a method of its own
    name here, without rows."""

    seed: int
    method: str
    rows: tuple[ExperimentRow, ...]
    seconds: float


@dataclass(frozen=True)
class SeedWork:
    """One seed with the methods that are still to be done on it."""

    seed: int
    methods: tuple[str, ...]
    params: ExperimentParams


MakeBase = Callable[[int, ProgressCallback | None], SeedMaterial]
"""seed -> split, network and rows; an object that another process can receive."""


@dataclass(frozen=True)
class Memory:
    """What earlier runs of the same spec have finished, and where to keep what this one finishes."""

    done: tuple[Finished, ...] = ()
    keep: Callable[[Finished], None] = field(default=lambda _: None)


def one_seed(
    work: SeedWork, base: MakeBase, *, keep: Callable[[Finished], None], progress: ProgressCallback | None
) -> None:
    """Carry out the open methods of one seed and hand over each when it is finished."""
    began = time.perf_counter()
    material = base(work.seed, _named(part_of(progress, 0.0, _BASE_SHARE), BASE))
    keep(Finished(work.seed, BASE, (), time.perf_counter() - began))
    step = (1 - _BASE_SHARE) / len(work.methods)
    for position, name in enumerate(work.methods):
        low = _BASE_SHARE + position * step
        told = _named(part_of(progress, low, low + step), name)
        if told:
            told(Progress(0.0, name))
        keep(one_method(material, repair_row(name), work.params, progress=told))


def one_method(
    material: SeedMaterial, row: RepairRow, params: ExperimentParams, *, progress: ProgressCallback | None = None
) -> Finished:
    """Repair by one method at all its strengths and measure; a method that refuses gives rows that say why."""
    began = time.perf_counter()
    task = replace(material.task, progress=progress)
    try:
        rows = measured(repair_front(task, row, settings_for(row, params)), row, task, material.test)
    except Cancelled:
        raise
    except FairNeuronError as error:
        rows = failed(row, task, material.test, str(error))
    return Finished(task.seed, row.name, rows, time.perf_counter() - began)


def open_work(
    seeds: Sequence[int], methods: Sequence[str], params: ExperimentParams, done: Sequence[Finished]
) -> tuple[SeedWork, ...]:
    """Return what is left to do, seed by seed."""
    finished = {(one.seed, one.method) for one in done}
    left = {seed: tuple(name for name in methods if (seed, name) not in finished) for seed in seeds}
    return tuple(SeedWork(seed, names, params) for seed, names in left.items() if names)


def carry_out(
    seeds: Sequence[int],
    methods: Sequence[str],
    params: ExperimentParams,
    *,
    base: MakeBase,
    memory: Memory | None = None,
    progress: ProgressCallback | None = None,
    at_once: int = 1,
) -> tuple[Finished, ...]:
    """Carry out the whole experiment, `at_once` seeds at a time, and return what is finished in the order of the spec.

    What `memory` has done already is not done again; `progress` may raise `Cancelled`.
    """
    memory = memory or Memory()
    found = list(memory.done)

    def keep(one: Finished) -> None:
        memory.keep(one)
        found.append(one)

    works = open_work(seeds, methods, params, memory.done)
    if at_once > 1 and len(works) > 1:
        from fairneuron_core.experiments.parallel import several_seeds  # multiprocessing only where it is used

        several_seeds(works, base, seeds=seeds, keep=keep, progress=progress, at_once=at_once)
    else:
        for position, work in enumerate(works):
            done = (len(seeds) - len(works) + position) / len(seeds)
            told = part_of(progress, done, done + 1 / len(seeds))
            one_seed(work, base, keep=keep, progress=of_seed(told, seeds.index(work.seed), len(seeds)))
    return _in_order(found, seeds, methods)


def of_seed(progress: ProgressCallback | None, position: int, seeds: int) -> ProgressCallback | None:
    """Let messages say which seed they come from."""
    words = f"seed {position + 1} of {seeds}"
    return progress and (lambda p: progress(Progress(p.share, f"{words}: {p.message}")))


def _named(progress: ProgressCallback | None, name: str) -> ProgressCallback | None:
    """Replace the messages of a stage by its name; its traces belong to single repairs and are left out."""
    return progress and (lambda p: progress(Progress(p.share, name)))


def _in_order(found: Sequence[Finished], seeds: Sequence[int], methods: Sequence[str]) -> tuple[Finished, ...]:
    by_key: Mapping[tuple[int, str], Finished] = {(one.seed, one.method): one for one in reversed(found)}
    keys = [(seed, name) for name in (BASE, *methods) for seed in seeds]
    return tuple(by_key[key] for key in keys if key in by_key)
