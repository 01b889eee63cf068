"""How much of the space of all individuals is fair, unfair and unknown: branch and bound over boxes of cells.

1. The whole space is one box. Of the boxes at hand, the largest are bounded together: CROWN and interval bounds of the
   logit over the box with all free columns at once, and once for each choice (or block of choices) of them.
2. All on one side of the cut, `margin` away: every cell of the box is fair, PROVED. One choice surely above and another
   surely below: every cell is unfair, REFUTED. Else the box is halved in the column that moves the logit most.
3. A box of few cells is settled by the deployed forward pass of every individual in it, which is exact.

When the budget ends, what is left is UNKNOWN, and so is a single cell whose logits lie at the cut within the margin.
Single cells with real free columns are left to `split.py`. Integer columns are cut between integers and levels between
levels, so that no cell is lost or counted twice.
Source of the scheme: Bunel et al., "Branch and bound for piecewise linear neural network verification", JMLR 2020.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from fairneuron_core.types import Progress, ProgressCallback
from fairneuron_core.verify.bounds import Layer64, rounding
from fairneuron_core.verify.certificate import MARGIN, PROVED, REFUTED, UNKNOWN
from fairneuron_core.verify.columns import Decide, InputColumn, checked, deployed_decide
from fairneuron_core.verify.relaxation import bound_layers
from fairneuron_core.verify.space import Boxes, Space
from fairneuron_core.verify.split import split_boxes

_ROWS = 2048
"""Boxes times pieces that are bounded together."""

_FEW_CELLS = 64
"""A box of no more cells is enumerated: bounding its halves costs as much."""

_SECONDS_FOR_CELLS = 5.0
"""Most time for one round's single cells with real free columns."""

_ENUMERATED = 1 << 17
"""Most individuals that are decided together."""


@dataclass(frozen=True, eq=False)
class Bracket:
    """Shares of the space (they add up to 1) and, where the cells can be counted, exact numbers of cells.

    boxes      boxes that were bounded or enumerated
    witnesses  pairs (this, other) of encoded individuals (d,) float32, re-checked: favourable and unfavourable
    margin     distance from the cut that the bounds had to keep
    """

    proved: float
    refuted: float
    unknown: float
    boxes: int
    seconds: float
    witnesses: tuple[tuple[np.ndarray, np.ndarray], ...]
    margin: float
    cells: int | None = None
    proved_cells: int | None = None
    refuted_cells: int | None = None


@dataclass
class _Tally:
    proved: float = 0.0
    refuted: float = 0.0
    stuck: float = 0.0
    boxes: int = 0
    witnesses: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)


def bracket(
    layers: Sequence[Layer64],
    columns: Sequence[InputColumn],
    *,
    cut: float,
    budget: float,
    margin: float = MARGIN,
    base: np.ndarray | None = None,
    decide: Decide | None = None,
    most: int = 20,
    progress: ProgressCallback | None = None,
) -> Bracket:
    """Return how much of the space is proved fair, proved unfair, or unknown after `budget` seconds.

    base     inputs (d,): the columns that are not free keep its values, and the space is that one cell
    decide   the deployed decision; default: a float32 forward pass of `layers` reaches `cut`
    most     witnesses kept
    The margin is raised to what float32 rounding can cost anywhere in the space.
    """
    start = time.perf_counter()
    width = layers[0][0].shape[1]
    space = Space(layers, checked(columns, width, base))
    search = _Search(layers, space, cut, max(margin, _rounding(layers, space)), decide or deployed_decide(layers, cut))
    search.most = most
    open_: Boxes = space.low[space.cell][None], space.high[space.cell][None]
    whole = float(space.volumes(*open_)[0])
    while len(open_[0]) and time.perf_counter() - start < budget:
        open_ = search.round(open_)
        if progress:
            done = min(1.0, (search.tally.proved + search.tally.refuted) / whole)
            progress(Progress(done, f"{100 * done:.2f} % of the space is settled, {len(open_[0]):,} boxes are open"))
    return _answer(search, open_, whole, time.perf_counter() - start)


def _rounding(layers: Sequence[Layer64], space: Space) -> float:
    low, high = np.zeros((1, space.width)), np.zeros((1, space.width))
    for column, values in zip(space.grid.columns, space.grid.values, strict=True):
        low[0, column.inputs], high[0, column.inputs] = values.min(0), values.max(0)
    return float(rounding(layers, low, high)[0])


def _answer(search: _Search, open_: Boxes, whole: float, seconds: float) -> Bracket:
    tally, cells = search.tally, search.space.cells
    if not len(open_[0]):  # what was halved to the end adds up to the whole but for rounding
        whole = tally.proved + tally.refuted + tally.stuck
    proved, refuted = tally.proved / whole, tally.refuted / whole
    counted = cells is not None and cells < 2**53
    return Bracket(
        proved,
        refuted,
        max(0.0, whole - (tally.proved + tally.refuted)) / whole,
        tally.boxes,
        seconds,
        tuple(tally.witnesses),
        search.margin,
        cells,
        round(tally.proved) if counted else None,
        round(tally.refuted) if counted else None,
    )


class _Search:
    """The open boxes' treatment; `tally` grows with every round."""

    most = 20

    def __init__(self, layers: Sequence[Layer64], space: Space, cut: float, margin: float, decide: Decide) -> None:
        self.layers, self.space, self.cut, self.margin, self.decide = layers, space, cut, margin, decide
        self.tally = _Tally()
        self.together = max(1, _ROWS // len(space.pieces))
        self.batch = max(self.together, _ROWS // 8)
        self.few = _FEW_CELLS if space.finite.all() and space.choices is not None else 0

    def round(self, open_: Boxes) -> Boxes:
        """Settle or halve the largest boxes; return the boxes that are open now."""
        first, last = open_
        volumes = self.space.volumes(first, last)
        take = np.argpartition(-volumes, self.batch)[: self.batch] if len(first) > self.batch else slice(None)
        mine, left = np.zeros(len(first), bool), (first, last)
        mine[take] = True
        left = first[~mine], last[~mine]
        small = mine & (volumes <= self.few)
        if small.any():
            self._enumerate(first[small], last[small])
        rest = mine & ~small
        halves = self._bound(first[rest], last[rest]) if rest.any() else (first[:0], last[:0])
        self.tally.boxes += int(mine.sum())
        return np.concatenate((left[0], halves[0])), np.concatenate((left[1], halves[1]))

    def _enumerate(self, first: np.ndarray, last: np.ndarray) -> None:
        cells = self.space.listed(first, last)
        choices = self.space.every_choice()
        for part in np.array_split(cells, 1 + len(cells) // _ENUMERATED):
            favourable, other = self.space.decided(part, self.decide)
            unfair = (favourable >= 0) & (other >= 0)
            self.tally.refuted += int(unfair.sum())
            self.tally.proved += int((~unfair).sum())
            for at in np.flatnonzero(unfair)[: self.most - len(self.tally.witnesses)]:
                self._witness(part[at], choices[favourable[at]], choices[other[at]])

    def _witness(self, cell: np.ndarray, favourable: Sequence[float], other: Sequence[float]) -> None:
        """Keep a pair that the deployed forward pass decides as claimed."""
        pair = [self.space.individuals(cell[None], choice)[0] for choice in (favourable, other)]
        if self.decide(np.stack(pair)).tolist() == [True, False]:
            self.tally.witnesses.append((pair[0], pair[1]))

    def _bound(self, first: np.ndarray, last: np.ndarray) -> Boxes:
        """Count the boxes that the bounds settle; return the halves of the others.

        The free columns are bounded all at once, and piece by piece only where they move the logit most: before that
        the box is too large for the pieces to tell anything.
        """
        above, below, spreads = self._sides(first, last, self.space.all_at_once)
        left = ~(above | below)[:, 0]
        self.tally.proved += float(self.space.volumes(first, last)[~left].sum())
        first, last, spreads = first[left], last[left], spreads[left]
        on_cells = np.where(last > first, spreads[:, self.space.cell], 0.0)
        if len(self.space.pieces) > 1:
            on_free = spreads[:, self.space.free].max(1, initial=0.0)
            ripe = (on_free >= on_cells.max(1, initial=0.0)) | self.space.reach.any()
            for at in np.array_split(np.flatnonzero(ripe), 1 + ripe.sum() // self.together):
                ripe[at] = self._settle(first[at], last[at])
        else:
            ripe = np.zeros(len(first), bool)
        single = (first == last).all(1) & ~ripe
        self._cells(first[single])
        open_ = ~(ripe | single)
        return self._halves(first[open_], last[open_], on_cells[open_])

    def _sides(
        self, first: np.ndarray, last: np.ndarray, pieces: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return which (boxes, pieces) lie above and below the cut, and how much each column (rows, C) moves them."""
        with torch.inference_mode():
            rows = self.space.rows(first, last, pieces)
            found, slopes = bound_layers(self.layers, rows)
            low, high = (side[:, 0].numpy().reshape(-1, len(pieces)) for side in found[-1])
            spreads = rows.spreads(slopes) if len(pieces) == 1 else np.zeros(0)
        return low >= self.cut + self.margin, high <= self.cut - self.margin, spreads

    def _settle(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Bound the boxes piece by piece; return which of them (n,) are settled."""
        if not len(first):
            return np.zeros(0, bool)
        above, below, _ = self._sides(first, last, self.space.pieces)
        fair = above.all(1) | below.all(1)
        unfair = above.any(1) & below.any(1)
        volumes = self.space.volumes(first, last)
        self.tally.proved += float(volumes[fair].sum())
        self.tally.refuted += float(volumes[unfair].sum())
        for at in np.flatnonzero(unfair)[: max(0, self.most - len(self.tally.witnesses))]:
            choices = self.space.pieces[[above[at].argmax(), below[at].argmax()], :, 0]
            self._witness(first[at], *choices)
        return np.asarray(fair | unfair)

    def _cells(self, cells: np.ndarray) -> None:
        """Settle single cells (n, cell columns) that have real free columns; count those that stay open."""
        if not len(cells) or self.space.choices is not None:
            self.tally.stuck += len(cells)
            return
        low, high, owners = self.space.similar_boxes(cells)
        answer = split_boxes(
            self.layers,
            low,
            high,
            cut=self.cut,
            margin=self.margin,
            budget=_SECONDS_FOR_CELLS,
            owners=owners,
            decide=self.decide,
        )
        self.tally.proved += int((answer.status == PROVED).sum())
        self.tally.refuted += int((answer.status == REFUTED).sum())
        self.tally.stuck += int((answer.status == UNKNOWN).sum())
        for at in np.flatnonzero(answer.status == REFUTED)[: max(0, self.most - len(self.tally.witnesses))]:
            self.tally.witnesses.append((answer.this[at], answer.other[at]))

    def _halves(self, first: np.ndarray, last: np.ndarray, spreads: np.ndarray) -> Boxes:
        """Return both halves of every box, cut in the column that moves its bounds most and can still be cut."""
        row = np.arange(len(first))
        at = np.where(last > first, spreads, -1.0).argmax(1) if len(first) else row
        lower, upper, finite = first[row, at], last[row, at], self.space.finite[at]
        middle = (lower + upper) / 2
        ends, starts = last.copy(), first.copy()
        ends[row, at] = np.where(finite, np.floor(middle), middle)
        starts[row, at] = np.where(finite, np.floor(middle) + 1, middle)
        return np.concatenate((first, starts)), np.concatenate((ends, last))
