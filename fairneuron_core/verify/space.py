"""The space of all individuals as boxes of cells, and the similar individuals of every cell as pieces.

A CELL is one choice of everything that an individual does not share with the similar ones; the space's volume is the
number of cells (or the share of the range, for real columns). A PIECE is one choice of the free columns: a single one
where there are few, a block of neighbouring ones otherwise. All pieces together cover every similar individual.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from fairneuron_core.verify.bounds import Layer64
from fairneuron_core.verify.columns import Decide, Grid, InputColumn, RangesFirst

MOST_PIECES = 64
_REAL_BLOCKS = 8

Boxes = tuple[np.ndarray, np.ndarray]
"""first, last (n, cell columns): positions of the values, encoded values for reals."""


class Space:
    """Cells, boxes of them and their pieces; see the module."""

    def __init__(self, layers: Sequence[Layer64], columns: Sequence[InputColumn]) -> None:
        self.width = layers[0][0].shape[1]
        self.grid = Grid(layers, columns)
        self.low, self.high = self.grid.whole()
        self.cell = np.array([i for i, c in enumerate(columns) if c.in_cell], np.int64)
        self.free = np.array([i for i, c in enumerate(columns) if c.free], np.int64)
        self.reach = np.array([columns[i].reach is not None for i in self.free], bool)
        self.finite = np.isfinite(self.grid.sizes[self.cell])  # (cell columns,)
        self.blocks = [self._blocks(i) for i in self.free]
        self.pieces = self._pieces(MOST_PIECES)  # (P, free columns, 2)
        self.all_at_once = self._pieces(1)

    @property
    def cells(self) -> int | None:
        """Number of cells; None where a real column makes it endless."""
        return int(np.prod([int(s) for s in self.grid.sizes[self.cell]], dtype=object)) if self.finite.all() else None

    @property
    def choices(self) -> int | None:
        """Number of choices of the free columns; None where one of them is real."""
        known = all(self.grid.columns[i].finite for i in self.free)
        return int(np.prod([len(b) for b in self.blocks], dtype=object)) if known else None

    def _blocks(self, column: int) -> np.ndarray:
        """Return the finest blocks (b, 2) of one free column: its values, or what may be added to the own value."""
        reach, size = self.grid.columns[column].reach, self.grid.sizes[column]
        if np.isfinite(size):
            points = np.arange(size) if reach is None else np.arange(-np.floor(reach), np.floor(reach) + 1)
            return np.stack((points, points), 1)
        low, high = (self.low[column], self.high[column]) if reach is None else (-reach, reach)
        edges = np.linspace(low, high, _REAL_BLOCKS + 1)
        return np.stack((edges[:-1], edges[1:]), 1)

    def _pieces(self, most: int) -> np.ndarray:
        counts = [len(b) for b in self.blocks]
        while np.prod(counts, dtype=float) > most:
            widest = int(np.argmax(counts))
            counts[widest] = -(-counts[widest] // 2)
        merged = [_merged(b, n) for b, n in zip(self.blocks, counts, strict=True)]
        return np.array(list(itertools.product(*merged)), np.float64).reshape(-1, len(self.free), 2)

    def volumes(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return the number of cells (n,) of boxes; for real columns the share of their range takes its place."""
        span = np.where(self.finite, 1.0, np.maximum(self.high[self.cell] - self.low[self.cell], 1e-300))
        return np.prod((last - first + self.finite) / span, axis=1)

    def rows(self, first: np.ndarray, last: np.ndarray, pieces: np.ndarray) -> RangesFirst:
        """Return the first layer over every box with every one of `pieces`, (boxes * pieces) rows."""
        return RangesFirst(
            self.grid, *(self._with_free(side, pieces[..., end]) for end, side in enumerate((first, last)))
        )

    def _with_free(self, side: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        found = np.zeros((len(side), len(pieces), len(self.grid.columns)))
        found[:, :, self.cell] = side[:, None]
        for at, (column, near) in enumerate(zip(self.free, self.reach, strict=True)):
            moved = found[:, :, column] + pieces[:, at] if near else pieces[:, at]
            found[:, :, column] = np.clip(moved, self.low[column], self.high[column])
        return found.reshape(-1, found.shape[2])

    def individuals(self, at: np.ndarray, choice: Sequence[float]) -> np.ndarray:
        """Return the inputs (n, width) float32 of cells `at` (n, cell columns) with one choice of the free columns."""
        full = np.zeros((len(at), len(self.grid.columns)))
        full[:, self.cell] = at
        for column, near, value in zip(self.free, self.reach, choice, strict=True):
            moved = full[:, column] + value if near else value
            full[:, column] = np.clip(moved, self.low[column], self.high[column])
        return self.grid.features(full, self.width)

    def listed(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return every cell (n, cell columns) of boxes of finite columns, box after box."""
        counts = (last - first + 1).astype(np.int64)
        each = counts.prod(1)
        rest = np.arange(each.sum()) - np.repeat(each.cumsum() - each, each)
        found = np.repeat(first, each, axis=0)
        for column, count in enumerate(counts.T):
            repeated = np.repeat(count, each)
            found[:, column] += rest % repeated
            rest //= repeated
        return found

    def decided(self, at: np.ndarray, decide: Decide) -> tuple[np.ndarray, np.ndarray]:
        """Return a favourable and an unfavourable choice of the free columns for every cell (n,), -1 for none."""
        favourable, other = np.full(len(at), -1), np.full(len(at), -1)
        for position, choice in enumerate(self.every_choice()):
            found = decide(self.individuals(at, choice))
            favourable[found] = position
            other[~found] = position
        return favourable, other

    def similar_boxes(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return boxes low, high (k, width) that hold all similar individuals of cells (n, cell columns), and whose.

        Finite free columns are listed, one box a choice; the real ones span their range.
        """
        finite = [bool(np.isfinite(self.grid.sizes[i])) for i in self.free]
        ends = []
        for side in (0, 1):
            listed = [b[:, 0] if f else b[[-side], side] for b, f in zip(self.blocks, finite, strict=True)]
            ends.append(np.concatenate([self.individuals(at, choice) for choice in itertools.product(*listed)]))
        return ends[0], ends[1], np.tile(np.arange(len(at)), len(ends[0]) // max(1, len(at)))

    def every_choice(self) -> list[tuple[float, ...]]:
        """Return every choice of finite free columns."""
        return list(itertools.product(*(b[:, 0].tolist() for b in self.blocks)))


def _merged(blocks: np.ndarray, count: int) -> list[tuple[float, float]]:
    """Return `count` blocks of neighbours that cover the same values."""
    return [(part[0, 0], part[-1, 1]) for part in np.array_split(blocks, count)]
