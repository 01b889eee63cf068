"""Slicing on all machines of a Ray cluster: bit for bit what `streaming.py` gives on one.

1. The rows are cut into shards: runs of row groups that every worker reads itself, or pieces of an array, which travel
   through Ray's object store, some at a time. One task per shard, one processor each: keys and synapses per row, and
   a table (key -> count).
2. The tables are merged, eight at a time, by tasks until one is left: the count of every path among all rows.
3. One task per shard looks its rows up in that table: the frequency of every row.

Sums of whole numbers do not depend on their order, so neither does any result. Every machine needs fairneuron in the
same version; the files of a `ParquetRows` must lie under the same path on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fairneuron_core.paths.frequency import KeyTable, key_table, merge_tables
from fairneuron_core.paths.parquet_rows import ParquetRows
from fairneuron_core.paths.ray_cluster import Tasks, connected, in_runs, processors, tasks_of
from fairneuron_core.paths.sources import ArrayRows, RowSource
from fairneuron_core.paths.streaming import SlicedRows, SlicingWork, rows_done, slice_rows_of
from fairneuron_core.types import Progress, ProgressCallback, part_of

SHARD_ROWS = 65_536
MERGED_AT_ONCE = 8
SLICING_SHARE = 0.9


class Shard(NamedTuple):
    """Where a shard's rows begin, how many they are, and where Ray keeps their keys and their tables."""

    first: int
    rows: int
    sliced: Any
    tables: Any


def slice_on_ray(
    source: RowSource,
    work: SlicingWork,
    *,
    address: str | None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[SlicedRows, list[np.ndarray]]:
    """Slice all rows of a source on Ray; return keys and synapses, and per coverage the frequency of every row (n,).

    address: None = Ray on this machine with `threads` processors (default: all), started and ended here; else that of a
    running cluster. `progress` is called as shards finish and several times a second in between.
    Raises SettingError (no Ray, no cluster there), the error of a shard, and what `progress` raises: then pending tasks
    are cancelled.
    """
    with connected(address, cpus=threads) as ray:
        told = _Told(part_of(progress, 0.0, SLICING_SHARE))
        shards = _sliced(ray, source, work, told)
        told.use(part_of(progress, SLICING_SHARE, 1.0), "Counting paths")
        return _counted(ray, shards, coverages=len(work.coverages), told=told)


class _Told:
    """The last progress, repeated while nothing finishes: that is when a person cancels."""

    def __init__(self, progress: ProgressCallback | None) -> None:
        self.use(progress, "Slicing")

    def use(self, progress: ProgressCallback | None, message: str) -> None:
        self._progress, self._last = progress, Progress(0.0, message)

    def __call__(self, now: Progress | None = None) -> None:
        self._last = now or self._last
        if self._progress:
            self._progress(self._last)


def _sliced(ray: Any, source: RowSource, work: SlicingWork, told: _Told) -> list[Shard]:
    """Slice every shard; twice as many as there are processors are under way or waiting at any time."""
    run = ray.remote(num_cpus=1, num_returns=2)(_slice_shard)
    kept, most = ray.put(work), 2 * processors(ray)
    shards: list[Shard] = []
    done = first = 0
    with tasks_of(ray, told) as tasks:
        for part in _parts(source, work, most):
            if len(tasks) >= most:
                done = _one_more(tasks, done, source, told)
            shards.append(Shard(first, part.rows, *run.remote(kept, ray.put(part))))
            tasks.add(shards[-1].sliced, part.rows)
            first += part.rows
        while len(tasks):
            done = _one_more(tasks, done, source, told)
    return shards


def _one_more(tasks: Tasks, done: int, source: RowSource, told: _Told) -> int:
    rows, _ = tasks.next()
    told(rows_done(done + rows, source.rows))
    return done + rows


def _parts(source: RowSource, work: SlicingWork, tasks: int) -> Iterator[ParquetRows | ArrayRows]:
    """Cut a source into shards: few enough to be worth a task each, enough to keep every processor busy to the end."""
    chunk = work.slicer.chunk_rows
    rows = min(SHARD_ROWS, -(-(source.rows or SHARD_ROWS) // (2 * tasks)))
    rows = max(chunk, rows // chunk * chunk)
    if isinstance(source, ParquetRows):
        yield from source.shards(rows)
    else:
        yield from (ArrayRows(np.asarray(batch, np.float32)) for batch in source.batches(rows))


def _slice_shard(
    work: SlicingWork, part: ParquetRows | ArrayRows
) -> tuple[tuple[np.ndarray, np.ndarray], list[KeyTable]]:
    found = slice_rows_of(part, work, threads=1)
    return (found.key, found.synapses), [key_table(key) for key in found.key]


def _merge(*tables: list[KeyTable]) -> list[KeyTable]:
    """Merge the tables of some shards, coverage by coverage."""
    return [merge_tables(of_one) for of_one in zip(*tables, strict=True)]


def _look_up(sliced: tuple[np.ndarray, np.ndarray], tables: list[KeyTable]) -> np.ndarray:
    """Return the frequency of every row of a shard, (coverages, n) int64."""
    return np.stack([table.frequency(key) for table, key in zip(tables, sliced[0], strict=True)])


def _counted(ray: Any, shards: list[Shard], *, coverages: int, told: _Told) -> tuple[SlicedRows, list[np.ndarray]]:
    """Merge the tables, look every shard up in them, and bring the results here, shard by shard."""
    rows = sum(shard.rows for shard in shards)
    found, frequency = SlicedRows(coverages, rows), np.empty((coverages, rows), np.int64)
    if not shards:
        return found, list(frequency)
    merge, look_up = (ray.remote(num_cpus=1)(function) for function in (_merge, _look_up))
    tables = [shard.tables for shard in shards]
    while len(tables) > 1:
        tables = [merge.remote(*run) for run in in_runs(tables, MERGED_AT_ONCE)]
    with tasks_of(ray, told) as tasks:
        for number, shard in enumerate(shards):
            tasks.add(look_up.remote(shard.sliced, tables[0]), number)
        while len(tasks):
            number, counts = tasks.next()
            first, n, sliced, _ = shards[number]
            frequency[:, first : first + n] = counts
            found.put(first, *ray.get(sliced))
            told(Progress(1 - len(tasks) / len(shards), "Counting paths"))
    return found, list(frequency)
