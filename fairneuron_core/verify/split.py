"""Similar individuals in a box of real values: proved or refuted by halving the box until its bounds settle it.

1. CROWN bounds every box at hand; one that lies on one side of the cut is closed.
2. The ends and the middle of an open box are decided by the deployed forward pass: two decisions refute its row.
3. An open box is halved in the input that moves its bounds most.

A row is proved when all its boxes are closed on the same side. Bounds of a small box are nearly exact, so with few
varying inputs this settles what alpha-CROWN leaves open. Source of the scheme: Wang et al., "Formal security analysis
of neural networks using symbolic intervals", USENIX Security 2018.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fairneuron_core.verify.bounds import Layer64, Values, as_box, rounding
from fairneuron_core.verify.certificate import MARGIN, PROVED, REFUTED, UNKNOWN
from fairneuron_core.verify.columns import Decide, deployed_decide
from fairneuron_core.verify.relaxation import BoxFirst, bound_layers

_BOXES = 4096
"""Boxes that are bounded together."""


@dataclass(frozen=True, eq=False)
class SplitAnswer:
    """status (n,) int8 of PROVED, REFUTED, UNKNOWN; this, other (n, d) float32: a pair where refuted, else NaN."""

    status: np.ndarray
    this: np.ndarray
    other: np.ndarray
    boxes: int
    seconds: float


def split_boxes(
    layers: Sequence[Layer64],
    low: Values,
    high: Values,
    *,
    cut: float,
    margin: float = MARGIN,
    budget: float = 30.0,
    owners: np.ndarray | None = None,
    decide: Decide | None = None,
    refute: bool = True,
) -> SplitAnswer:
    """Return whether the decision is the same on the whole box of every row; low, high (n, d).

    owners   which row (0 ...) each box belongs to, where a row's similar individuals are several boxes
    decide   the deployed decision; default: a float32 forward pass of `layers` reaches `cut`
    margin   raised, row by row, to what float32 rounding can cost
    refute   False where not every point of a box is an individual (whole numbers): then nothing is refuted
    """
    start = time.perf_counter()
    lower, upper = as_box(layers, low, high)
    rows = np.arange(len(lower)) if owners is None else np.asarray(owners, np.int64)
    margins = np.full(int(rows.max(initial=-1)) + 1, margin)
    np.maximum.at(margins, rows, rounding(layers, lower, upper).numpy())
    search = _Split(layers, cut, margins, (decide or deployed_decide(layers, cut)) if refute else None, rows)
    open_ = lower, upper, torch.from_numpy(rows)
    boxes = 0
    while len(open_[0]) and time.perf_counter() - start < budget:
        now, later = [part[:_BOXES] for part in open_], [part[_BOXES:] for part in open_]
        boxes += len(now[0])
        halves = search.round(*now)
        # Halves go behind what waits, so that every row gets its turn.
        open_ = (torch.cat((later[0], halves[0])), torch.cat((later[1], halves[1])), torch.cat((later[2], halves[2])))
    return SplitAnswer(search.status(open_[2]), search.this, search.other, boxes, time.perf_counter() - start)


class _Split:
    """What is known of every row: sides (n, 2) seen above and below the cut, by a bound or by the deployed network."""

    def __init__(
        self, layers: Sequence[Layer64], cut: float, margins: np.ndarray, decide: Decide | None, rows: np.ndarray
    ) -> None:
        self.layers, self.cut, self.decide = layers, cut, decide
        self.margins = torch.from_numpy(margins)
        count = len(margins)
        self.sides = np.zeros((count, 2), bool)
        self.lost = np.zeros(count, bool)
        shape = (count, layers[0][0].shape[1])
        self.this, self.other = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)

    def round(
        self, low: torch.Tensor, high: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Bound the boxes and return the halves of those that stay open."""
        with torch.inference_mode():
            found, slopes = bound_layers(self.layers, BoxFirst(self.layers[0], low, high))
            low_logit, high_logit = (side[:, 0] for side in found[-1])
            margin = self.margins[rows]
            above, below = low_logit >= self.cut + margin, high_logit <= self.cut - margin
            moves = ((slopes @ self.layers[0][0]).abs() * (high - low)[:, None]).sum(1)  # (n, d)
        for side, closed in enumerate((above, below)):
            self.sides[rows[closed].numpy(), side] = True
        if self.decide is not None:
            for points in (low, (low + high) / 2, high):
                self._look(points.numpy().astype(np.float32), rows.numpy(), self.decide)
        # A closed box needs no halves, and a row with both decisions needs nothing more. An open box in which the logit
        # hardly moves lies at the cut within the margin: halving it further tells nothing.
        flat = ~(above | below) & (high_logit - low_logit < margin / 10)
        self.lost[rows[flat].numpy()] = True
        keep = ~(above | below | flat) & ~torch.from_numpy(self.sides.all(1) | self.lost)[rows]
        return _halved(low[keep], high[keep], rows[keep], moves[keep])

    def _look(self, points: np.ndarray, rows: np.ndarray, decide: Decide) -> None:
        """Note the deployed decisions of points (n, d) float32 of these rows, and the points."""
        favourable = decide(points)
        self.this[rows[favourable]] = points[favourable]
        self.other[rows[~favourable]] = points[~favourable]
        self.sides[rows[favourable], 0] = True
        self.sides[rows[~favourable], 1] = True

    def status(self, waiting: torch.Tensor) -> np.ndarray:
        """Return each row's status, and blank the points of rows without a pair."""
        seen = ~np.isnan(self.this).any(1) & ~np.isnan(self.other).any(1)
        status = np.full(len(self.sides), PROVED, np.int8)
        status[waiting.numpy()] = UNKNOWN
        status[self.lost] = UNKNOWN
        # Bounds on both sides without a pair of individuals (nothing was looked at): it is not proved either.
        status[self.sides.all(1)] = UNKNOWN
        status[seen] = REFUTED
        self.this[~seen] = self.other[~seen] = np.nan
        return status


def _halved(
    low: torch.Tensor, high: torch.Tensor, rows: torch.Tensor, moves: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return both halves of every box, cut in the input with the largest of moves (n, d)."""
    at = torch.arange(len(low)), torch.where(high > low, moves, -1.0).argmax(1) if len(low) else rows
    middle = (low[at] + high[at]) / 2
    ends, starts = high.clone(), low.clone()
    ends[at], starts[at] = middle, middle
    return torch.cat((low, starts)), torch.cat((ends, high)), torch.cat((rows, rows))
