"""Every cell of a whole input space, decided: nested partial sums of the first layer instead of a table of rows.

1. The axes of a slice are split into an inner block, whose sums of the first layer with every variant form one table T
   that fits into the cache, and outer axes, whose sums p are updated one axis at a time like an odometer.
2. relu(T + p) = max(T, -p) + p: one pass over the table per block; the p on the right goes into the next bias.
3. A cell with a logit within a tolerance of its cut is decided again by the deployed forward pass.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from fairneuron_core.models import logits
from fairneuron_core.types import Progress, ProgressCallback
from fairneuron_core.verify.cuts import Cuts
from fairneuron_core.verify.enumeration import RECHECK_VALUES, in_threads, one_torch_thread
from fairneuron_core.verify.forward import Parts
from fairneuron_core.verify.slices import Axis, CellSpace, Slice

REPORT_SECONDS = 0.2
KEPT_PER_TASK, BLOCKS_PER_TASK = 4, 64


@dataclass
class CellCounts:
    """Cells decided so far, and some refuted ones: (slice, cell)."""

    proved: int = 0
    refuted: int = 0
    witnesses: list[tuple[Slice, int]] = field(default_factory=list)


def count_cells(
    cells: CellSpace,
    *,
    most: int = 200,
    device: str = "cpu",
    threads: int | None = None,
    deadline: float | None = None,
    progress: ProgressCallback | None = None,
) -> CellCounts:
    """Decide every cell; at `deadline` (a `time.monotonic()`) stop with the counts so far.

    `progress` may raise `Cancelled`; at most `most` refuted cells are kept.
    """
    found, said, total = CellCounts(), 0.0, cells.cells
    parts = Parts(cells.classifier, device)
    tolerance = space_tolerance(cells, parts)
    with one_torch_thread():
        for piece in cells.slices():
            work = SliceWork(cells, piece, parts, tolerance)
            for proved, refuted, kept in in_threads(work.decide, work.tasks(), threads=threads):
                found.proved, found.refuted = found.proved + proved, found.refuted + refuted
                found.witnesses += [(piece, cell) for cell in kept[: max(0, most - len(found.witnesses))]]
                now = time.monotonic()
                if progress and now - said > REPORT_SECONDS:
                    said, done = now, found.proved + found.refuted
                    words = f"Enumerating every possible individual: {done:,} of {total:,} cells"
                    progress(Progress(done / total, words))
                if deadline is not None and now > deadline:
                    return found
    return found


def space_tolerance(cells: CellSpace, parts: Parts) -> float:
    """Return how near to its cut a logit must be asked again, anywhere in the space."""
    low = np.zeros(cells.space.encoder.width)
    high = np.zeros(cells.space.encoder.width)
    for axis in (*cells.sliced, *cells.axes):
        low[axis.at], high[axis.at] = axis.domain.values.min(0), axis.domain.values.max(0)
    for free in cells.space.columns:
        if not free.windowed:
            at = slice(free.start, free.start + free.width)
            low[at], high[at] = free.values.min(0), free.values.max(0)
    return parts.tolerance(low, high, shifted=True)


class SliceWork:
    """One slice, ready to be decided block by block; blocks are the combinations of the outer axes."""

    def __init__(self, cells: CellSpace, piece: Slice, parts: Parts, tolerance: float) -> None:
        self.cells, self.piece, self.parts, self.tolerance = cells, piece, parts, tolerance
        self.variants = len(piece.variants)
        self.shifts = len(parts.weights) > 1 and parts.activations[0] == "relu"
        outside = len(cells.axes) - cells.inside
        self.outer_axes, inner = cells.axes[:outside], cells.axes[outside:]
        base = parts.host[0][0] @ piece.base + parts.host[0][1]
        self.start = torch.from_numpy(base.astype(np.float32)).to(parts.device)
        table = torch.zeros_like(self.start)[None]
        for step in (self._sums(piece.variants, cells.space.positions), *map(self._axis_sums, inner)):
            table = (table[:, None] + step).reshape(-1, step.shape[1])
        self.table = table  # (m * inner cells, h), variants slowest: extremes over them are then one sweep
        self.inner = len(table) // self.variants
        self.low, self.high = (
            torch.from_numpy(c[..., None]).to(parts.device) for c in (piece.cuts.low, piece.cuts.high)
        )

    def _sums(self, inputs: np.ndarray, positions: np.ndarray) -> torch.Tensor:
        at = torch.from_numpy(np.asarray(positions)).to(self.parts.device)
        return torch.from_numpy(np.ascontiguousarray(inputs)).to(self.parts.device) @ self.parts.weights[0][:, at].T

    def _axis_sums(self, axis: Axis) -> torch.Tensor:
        return self._sums(axis.domain.values, np.arange(axis.at.start, axis.at.stop))

    def tasks(self) -> Iterator[list[tuple[int, torch.Tensor]]]:
        """Yield the blocks, so many at a time that what is decided again comes in large batches."""
        blocks = self.outer()
        while task := list(itertools.islice(blocks, BLOCKS_PER_TASK)):
            yield task

    def outer(self) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield (first cell, partial sum (h,)) of every block, the last outer axis varying fastest."""
        sums = [self._axis_sums(axis) for axis in self.outer_axes]

        def walk(level: int, block: int, partial: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
            if level == len(sums):
                yield block * self.inner, partial
                return
            after = partial + sums[level]  # (values, h)
            for value in range(len(after)):
                yield from walk(level + 1, block * len(after) + value, after[value])

        yield from walk(0, 0, self.start)

    def decide(self, task: Sequence[tuple[int, torch.Tensor]]) -> tuple[int, int, list[int]]:
        """Return the numbers of proved and refuted cells of some blocks, and some refuted cells."""
        near: list[np.ndarray] = []
        kept: list[int] = []
        total = 0
        with torch.inference_mode():
            for first, partial in task:
                mixed, close = self._decide(self._logits(partial).view(self.variants, self.inner))
                again = np.flatnonzero(close.cpu().numpy())
                sure = mixed.cpu().numpy()
                sure[again] = False
                total += int(np.count_nonzero(sure))
                near.append(first + again)
                if len(kept) < KEPT_PER_TASK and sure.any():
                    kept.append(first + int(sure.argmax()))
        cells = np.concatenate(near)
        step = max(1, RECHECK_VALUES // (self.variants * self.cells.space.encoder.width))
        for at in range(0, len(cells), step):
            part = cells[at : at + step]
            refuted = part[self._deployed(part)]
            total += len(refuted)
            kept += refuted[: max(0, KEPT_PER_TASK - len(kept))].tolist()
        return self.inner * len(task) - total, total, kept

    def _logits(self, partial: torch.Tensor) -> torch.Tensor:
        if not self.shifts:
            return self.parts.finish(self.table + partial)
        values = torch.maximum(self.table, -partial)
        return self.parts.finish_activated(values, torch.addmv(self.parts.biases[1], self.parts.weights[1], partial))

    def _decide(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return which cells are refuted for some row of the cuts, and which are too near to one; z (m, cells)."""
        refuted = near = None
        for low, high in zip(self.low, self.high, strict=True):
            if len(low) == 1:
                over, under = z.amax(0) - low[0], z.amin(0) - high[0]
            else:
                over, under = (z - low).amax(0), (z - high).amin(0)
            mixed = (over >= 0) & (under < 0)
            # Only the extremes matter: a cell is settled when they are clear of the cut, whatever lies between.
            close = (over.abs() <= self.tolerance) | (under.abs() <= self.tolerance) | over.isnan() | under.isnan()
            refuted, near = (mixed, close) if refuted is None or near is None else (refuted | mixed, near | close)
        assert refuted is not None
        assert near is not None
        return refuted, near

    def _deployed(self, cells: np.ndarray) -> np.ndarray:
        points = self.cells.points(cells, self.piece)
        z = logits(self.cells.classifier, points.reshape(-1, points.shape[2])).reshape(len(cells), -1)
        return refuted_by(z, self.piece.cuts)


def refuted_by(z: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Return which individuals (n,) have variants on both sides of their cut, for some row of the cuts."""
    found = np.zeros(len(z), bool)
    for low, high in zip(cuts.low, cuts.high, strict=True):
        found |= (z >= low).any(1) & (z < high).any(1)
    return found
