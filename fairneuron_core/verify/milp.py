"""Two similar individuals that a network decides differently: found, or shown not to exist, by a solver.

Two copies of the network share the inputs of every column that is not free; the logit of one lies above the cut and
that of the other below it. A solver works with tolerances: what it finds is rounded to individuals of the domain and
decided again by the deployed float32 forward pass before it is reported, and what it excludes is excluded up to a
margin. Integer columns stay integer: over the reals the program would answer with people who cannot exist.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from fairneuron_core.verify.bounds import Layer64, rounding
from fairneuron_core.verify.certificate import MARGIN
from fairneuron_core.verify.columns import Decide, Grid, InputColumn, RangesFirst, checked, deployed_decide
from fairneuron_core.verify.encoding_milp import Person, Program, Range, add_network, add_person, chosen
from fairneuron_core.verify.relaxation import ranges

Status = Literal["found", "none", "time-out", "failed"]
_Pair = tuple[np.ndarray, np.ndarray]

_TIME_OUT, _INFEASIBLE = 1, 2
"""Statuses of scipy.optimize.milp."""


@dataclass(frozen=True, eq=False)
class PairAnswer:
    """What the search for a pair ended with.

    status   "found": `this` (at or above the cut) and `other` (below it) are real individuals (d,) float32, re-checked
             "none": no pair has both logits at least `margin` away from the cut; margin 0: no pair at all
             "time-out": the budget ended first; "failed": the solver's pairs did not stand the re-check
    """

    status: Status
    this: np.ndarray | None
    other: np.ndarray | None
    seconds: float
    margin: float = MARGIN


def find_pair(
    layers: Sequence[Layer64],
    columns: Sequence[InputColumn],
    *,
    cut: float,
    margin: float = MARGIN,
    budget: float = 30.0,
    base: np.ndarray | None = None,
    decide: Decide | None = None,
) -> PairAnswer:
    """Search two individuals that differ only in free columns and are decided differently.

    base     a row's inputs (d,): the columns that are not free keep its values, and "none" is then a proof with the
             margin on the safe side: all similar individuals' logits lie on one side, `margin` away from the cut;
             the margin is raised to what float32 rounding can cost among them
    decide   the deployed decision; default: a float32 forward pass of `layers` reaches `cut`

    Raises SettingError where an input belongs to no column and there is no base.
    """
    start = time.perf_counter()
    width = layers[0][0].shape[1]
    search = _Search(layers, checked(columns, width, base), cut, decide or deployed_decide(layers, cut), start + budget)
    status, pair, kept = search.near_base(margin) if base is not None else search.anywhere(margin)
    this, other = pair or (None, None)
    return PairAnswer(status, this, other, time.perf_counter() - start, kept)


def changes(layers: Sequence[Layer64], columns: Sequence[InputColumn], bounds: Sequence[Range]) -> list[np.ndarray]:
    """Return how far each neuron's value (width,) per layer, the logit last, can differ between similar individuals.

    A first pre-activation moves by the largest move of each free column, added up; a ReLU never stretches a distance.
    All zero means that the network does not read the free columns.
    """
    weight = layers[0][0].numpy()
    most = np.zeros(len(weight))
    for column in columns:
        if column.free:
            reached = weight[:, column.inputs] @ column.values.astype(np.float64).T  # (h, m)
            whole = reached.max(1) - reached.min(1)
            most += whole if column.reach is None else np.minimum(whole, _within(column, weight))
    found = []
    for position, (low, high) in enumerate(bounds):
        if position:
            most = np.abs(layers[position][0].numpy()) @ most
        top = (np.maximum(high, 0), np.maximum(low, 0)) if position < len(bounds) - 1 else (high, low)
        most = np.minimum(most, top[0] - top[1])
        found.append(most)
    return found


def _within(column: InputColumn, weight: np.ndarray) -> np.ndarray:
    """Return the largest move of every first pre-activation when the column moves by its reach."""
    low, high = column.values[[0, -1], 0].astype(np.float64)
    step = 1.0 if column.kind == "reals" else (high - low) / max(1, len(column.values) - 1)
    return np.abs(weight[:, column.start]) * step * float(column.reach or 0)


class _Search:
    """One question to the solver, with the bounds that all its programs share."""

    def __init__(
        self, layers: Sequence[Layer64], columns: Sequence[InputColumn], cut: float, decide: Decide, end: float
    ) -> None:
        self.layers, self.columns, self.cut, self.decide, self.end = layers, columns, cut, decide, end
        self.width = layers[0][0].shape[1]
        grid = Grid(layers, columns)
        first, last = grid.whole()
        with torch.inference_mode():
            found = ranges(layers, RangesFirst(grid, first[None], last[None]))
        self.bounds: list[Range] = [(low[0].numpy(), high[0].numpy()) for low, high in found]
        self.changes = changes(layers, columns, self.bounds)

    def anywhere(self, margin: float) -> tuple[Status, _Pair | None, float]:
        """Look for a pair with both logits `margin` away from the cut; a pair that fails is asked for more margin."""
        if not self.changes[-1][0]:
            return "none", None, 0.0
        low, high = (float(side[0]) for side in self.bounds[-1])
        if self.changes[-1][0] < 2 * margin or low > self.cut - margin or high < self.cut + margin:
            return "none", None, margin
        for asked in (margin, 10 * margin, 100 * margin):
            status, pair = self._solve_pair(asked)
            if status != "failed":
                return ("failed" if status == "none" and asked > margin else status), pair, margin
        return "failed", None, margin

    def near_base(self, margin: float) -> tuple[Status, _Pair | None, float]:
        """Look for a similar individual on the other side than the first one is."""
        if not self.changes[-1][0]:
            return "none", None, 0.0
        margin = max(margin, self._rounding())
        this = np.zeros(self.width, np.float32)
        for column in self.columns:
            this[column.inputs] = column.values[0]
        above = bool(self.decide(this[None])[0])
        for asked in (margin, -margin, -10 * margin):
            status, other = self._solve_one(above, asked)
            if status == "none":
                # Below the first question lies only the band around the cut, in which bounds prove nothing.
                return ("none" if asked == margin else "failed"), None, margin
            if status != "failed":
                pair = None if other is None else (this, other[0]) if above else (other[0], this)
                return status, pair, margin
        return "failed", None, margin

    def _rounding(self) -> float:
        low, high = np.zeros((1, self.width)), np.zeros((1, self.width))
        for column in self.columns:
            low[0, column.inputs], high[0, column.inputs] = column.values.min(0), column.values.max(0)
        return float(rounding(self.layers, low, high)[0])

    def _solve_pair(self, asked: float) -> tuple[Status, _Pair | None]:
        program = Program()
        one = add_person(program, self.columns, self.width)
        two = add_person(program, self.columns, self.width, one)
        above = add_network(program, self.layers, self.bounds, one.inputs)
        below = add_network(program, self.layers, self.bounds, two.inputs, above, self.changes)
        program.row(above[-1], [1.0], self.cut + asked, np.inf)
        program.row(below[-1], [1.0], -np.inf, self.cut - asked)
        status, found = self._ask(program, (one, two))
        if found is None:
            return status, None
        decided = self.decide(found)
        return ("found", (found[0], found[1])) if decided[0] and not decided[1] else ("failed", None)

    def _solve_one(self, above: bool, asked: float) -> tuple[Status, np.ndarray | None]:
        program = Program()
        one = add_person(program, self.columns, self.width)
        logit = add_network(program, self.layers, self.bounds, one.inputs)[-1]
        program.row(logit, [1.0], *((-np.inf, self.cut + asked) if above else (self.cut - asked, np.inf)))
        status, found = self._ask(program, (one,))
        if found is not None and bool(self.decide(found)[0]) == above:
            return "failed", None
        return status, found

    def _ask(self, program: Program, people: Sequence[Person]) -> tuple[Status, np.ndarray | None]:
        """Return the status, and the people (n, d) float32 that the solution stands for."""
        left = self.end - time.perf_counter()
        if left <= 0:
            return "time-out", None
        answer = program.solve(left)
        if answer.status == _INFEASIBLE:
            return "none", None
        if answer.x is None:
            return ("time-out" if answer.status == _TIME_OUT else "failed"), None
        found = np.zeros((len(people), self.width), np.float32)
        for row, person in zip(found, people, strict=True):
            for column, at in zip(self.columns, person.choices, strict=True):
                row[column.inputs] = chosen(column, answer.x[at])
        return "found", found
