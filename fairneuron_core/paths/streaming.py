"""Slicing rows as they are read: a bounded number of batches is alive at any time, whatever the source holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar

import numpy as np

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.paths.slicer import Slicer, check_features
from fairneuron_core.paths.sources import RowSource
from fairneuron_core.types import Progress, ProgressCallback

BATCH_BYTES = 16_000_000
CHUNKS_PER_BATCH = 16
LEAST_ROWS, SHARES = 64, 4  # the least rows of a chunk, and chunks per worker where rows are few

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class SlicingWork:
    """What is done to every chunk of rows: the same slicer, for some coverages, counting from one layer up."""

    slicer: Slicer
    coverages: tuple[float, ...]
    first_layer: int
    neurons: bool

    def keys(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return keys (coverages, n, 2) uint64 and synapse counts (coverages, n) int64 of one chunk."""
        keys, counts = self.slicer.keys(features, coverages=self.coverages, neurons=self.neurons)
        layers = range(self.first_layer - 1, keys.shape[2])
        # Layer by layer: over so short an axis, numpy's own sum takes many times longer.
        return reduce(np.add, (keys[:, :, at] for at in layers)), reduce(np.add, (counts[:, :, at] for at in layers))

    def chunk_rows(self, total: int | None, threads: int | None) -> int:
        """Rows to slice at a time: on few rows less than the slicer would take, so that all workers end together."""
        most, workers = self.slicer.chunk_rows, threads or os.cpu_count() or 1
        return most if total is None else min(most, max(LEAST_ROWS, -(-total // (SHARES * workers))))

    @property
    def batch_rows(self) -> int:
        """Rows to read at once: enough chunks to keep workers busy meanwhile, within about 16 MB."""
        chunk = self.slicer.chunk_rows
        within = BATCH_BYTES // (4 * int(self.slicer.network.widths[0]) * chunk)
        return chunk * max(1, min(CHUNKS_PER_BATCH, within))


class SlicedRows:
    """Keys (coverages, n, 2) uint64 and synapse counts (coverages, n) int32, filled in any order of the rows."""

    def __init__(self, coverages: int, rows: int) -> None:
        self.key = np.empty((coverages, rows, 2), np.uint64)
        self.synapses = np.empty((coverages, rows), np.int32)
        self.end = 0

    def put(self, first: int, key: np.ndarray, synapses: np.ndarray) -> None:
        """Put in the results of the rows from `first` on, making room where their number was not known."""
        end = first + key.shape[1]
        if end > self.key.shape[1]:
            self._resize(max(end, 2 * self.key.shape[1]))
        self.key[:, first:end] = key
        self.synapses[:, first:end] = synapses
        self.end = max(self.end, end)

    def trimmed(self) -> SlicedRows:
        if self.end < self.key.shape[1]:
            self._resize(self.end)
        return self

    def _resize(self, rows: int) -> None:
        key, synapses = self.key[:, :rows], self.synapses[:, :rows]
        self.key = np.empty((len(key), rows, 2), np.uint64)
        self.synapses = np.empty((len(key), rows), np.int32)
        self.key[:, : key.shape[1]] = key
        self.synapses[:, : key.shape[1]] = synapses


def slice_rows_of(
    source: RowSource, work: SlicingWork, *, threads: int | None = None, progress: ProgressCallback | None = None
) -> SlicedRows:
    """Slice all rows of a source; at most four of its batches are alive at a time.

    This thread reads while the workers slice. Raises what the source raises, DataError when it has another number of
    rows than it said, and what `progress` raises; then what waits is dropped and no worker stays.
    """
    total = source.rows
    found, done = SlicedRows(len(work.coverages), total or 0), 0

    def run(chunk: tuple[int, np.ndarray]) -> tuple[int, np.ndarray, np.ndarray]:
        return chunk[0], *work.keys(chunk[1])

    chunk = work.chunk_rows(total, threads)
    ahead = work.batch_rows // chunk
    with (
        closing(_chunks(source, work, chunk)) as chunks,
        closing(in_pool(run, chunks, threads=threads, ahead=ahead)) as ran,
    ):
        for first, key, synapses in ran:
            found.put(first, key, synapses)
            done += key.shape[1]
            if progress:
                progress(rows_done(done, total))
    if total is None and progress:
        progress(rows_done(done, done))
    if total is not None and done != total:
        raise DataError(
            f"{done:,} rows were read where {total:,} were announced: do not change a file while it is read."
        )
    return found.trimmed()


def rows_done(done: int, total: int | None) -> Progress:
    """Return how far a slicing is; without a known total the share stays 0 and the words count."""
    if total is None:
        return Progress(0.0, f"Slicing: {done:,} rows so far")
    return Progress(done / total if total else 1.0, f"Slicing: {done:,} of {total:,} rows")


def _chunks(source: RowSource, work: SlicingWork, chunk: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, rows) of every chunk; a chunk is a view of its batch."""
    first = 0
    for batch in source.batches(work.batch_rows):
        check_features(work.slicer, batch)
        for start in range(0, len(batch), chunk):
            yield first + start, batch[start : start + chunk]
        first += len(batch)


def in_pool(run: Callable[[T], R], tasks: Iterable[T], *, threads: int | None = None, ahead: int = 0) -> Iterator[R]:
    """Yield run(task) of every task as they finish, on `threads` workers (default: all processors).

    The caller's thread draws the tasks and is one of the workers: it takes tasks that no other has begun. Never more
    than two per worker, or `ahead` of them, are drawn before one is finished. When the consumer raises or stops, tasks
    that have not begun are dropped and the workers end.
    """
    workers = threads if threads is not None else os.cpu_count() or 1
    if workers < 1:
        raise SettingError(f"threads = {threads}: choose at least 1.")
    if workers == 1:
        yield from map(run, tasks)
        return
    most, drawn = max(2 * workers, ahead), iter(tasks)
    waiting: dict[Future[R], T] = {}
    with ThreadPoolExecutor(workers - 1, thread_name_prefix="slicing") as pool:
        try:
            while True:
                while len(waiting) < most and (task := next(drawn, None)) is not None:
                    waiting[pool.submit(run, task)] = task
                if not waiting:
                    return
                # A future that can be cancelled has not begun: the oldest one is this thread's.
                own = next((future for future in waiting if future.cancel()), None)
                if own is not None:
                    yield run(waiting.pop(own))
                else:
                    wait(waiting, return_when=FIRST_COMPLETED)
                for future in [future for future in waiting if future.done()]:
                    del waiting[future]
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()
