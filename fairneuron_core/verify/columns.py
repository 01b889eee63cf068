"""The columns behind a network's inputs as a solver sees them, and the first layer over ranges of their values.

A range of levels is kept as a range of positions in their list, so that one-hot inputs are never half one level and
half another: over levels and numbers alike, the smallest value of a linear form is exact, column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from fairneuron_core.errors import SettingError
from fairneuron_core.verify.bounds import Interval, Layer64, affine_range, forward

Decide = Callable[[np.ndarray], np.ndarray]
"""From inputs (n, d) float32 to decisions (n,) bool, as the deployed network decides."""


@dataclass(frozen=True, eq=False)
class InputColumn:
    """One column: its inputs start .. start+width and its encoded domain.

    values  levels: (m, width), one row a level; integers: (m, 1) in steps of equal size; reals: (2, 1) low and high
    free    two similar individuals may differ in it: anywhere in the domain, or with `reach` by at most that much
    reach   whole steps for integers, encoded units for reals; None for levels and for the whole domain
    """

    start: int
    width: int
    kind: Literal["levels", "integers", "reals"]
    values: np.ndarray
    free: bool = False
    reach: float | None = None

    @property
    def finite(self) -> bool:
        return self.kind != "reals"

    @property
    def inputs(self) -> slice:
        return slice(self.start, self.start + self.width)

    @property
    def in_cell(self) -> bool:
        """Whether an individual's own value of this column says who its similar individuals are."""
        return not self.free or self.reach is not None


def checked(columns: Sequence[InputColumn], inputs: int, base: np.ndarray | None = None) -> tuple[InputColumn, ...]:
    """Return the columns of a network with that many inputs; with `base` (d,), the others stay at its values.

    Raises SettingError where an input belongs to no column and no base says its value, or to two columns.
    """
    owner = np.zeros(inputs, np.int64)
    for column in columns:
        owner[column.inputs] += 1
    if (owner > 1).any() or (base is None and (owner == 0).any()):
        raise SettingError(
            f"{(owner > 1).sum()} inputs belong to two columns and {(owner == 0).sum()} to none: give every input of "
            "the network to exactly one column, or a row whose values the other inputs keep."
        )
    if base is None:
        return tuple(columns)
    kept = [c if c.free else _pinned(c, base) for c in columns]
    rest = [InputColumn(int(i), 1, "levels", base[[i]][:, None]) for i in np.flatnonzero(owner == 0)]
    return (*(_near(c, base) if c.free and c.reach is not None else c for c in kept), *rest)


def _pinned(column: InputColumn, base: np.ndarray) -> InputColumn:
    return replace(column, kind="levels", values=base[column.inputs][None])


def _near(column: InputColumn, base: np.ndarray) -> InputColumn:
    """Return the column with the domain that lies within reach of the base's own value."""
    reach = column.reach or 0.0
    low, high = column.values[[0, -1], 0].astype(np.float64)
    own = float(np.clip(base[column.start], low, high))
    if column.kind == "reals":
        values = np.array([[max(low, own - reach)], [min(high, own + reach)]])
    else:
        step = (high - low) / max(1, len(column.values) - 1)
        values = column.values[np.abs(column.values[:, 0] - own) <= step * (reach + 0.5)]
    return replace(column, values=values, reach=None)


def deployed_decide(layers: Sequence[Layer64], cut: float) -> Decide:
    """Return the decision of a float32 forward pass: the logit reaches `cut`."""
    deployed = [(weight.float(), bias.float()) for weight, bias in layers]

    def decide(features: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return (forward(deployed, features) >= cut).numpy()

    return decide


class Grid:
    """Columns in a form that ranges of positions can be looked up in; `layers` says which level comes beside which.

    A box is first, last (C,): positions in `values` for levels and integers, encoded values for reals.
    """

    def __init__(self, layers: Sequence[Layer64], columns: Sequence[InputColumn]) -> None:
        weight, self.bias = layers[0]
        self.columns = tuple(columns)
        self.effect = _effect(layers)
        self.values = [_sorted(c, weight, self.effect) for c in columns]
        self.sizes = np.array([len(v) if c.finite else np.inf for c, v in zip(columns, self.values, strict=True)])
        self.numbers = [i for i, c in enumerate(columns) if c.width == 1]
        self.levels = [i for i, c in enumerate(columns) if c.width != 1]
        self.on_numbers = weight[:, [columns[i].start for i in self.numbers]]  # (h, numbers)
        self.on_levels = [
            weight[:, columns[i].inputs] @ torch.from_numpy(self.values[i]).to(weight).T for i in self.levels
        ]  # each (h, m)
        self.level_ranges = [_range_table(table) for table in self.on_levels]

    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the box of all values."""
        ends = [
            (0.0, s - 1.0) if np.isfinite(s) else v[[0, -1], 0] for s, v in zip(self.sizes, self.values, strict=True)
        ]
        first, last = (np.array(side, np.float64) for side in zip(*ends, strict=True))
        return first, last

    def encoded(self, column: int, at: np.ndarray) -> np.ndarray:
        """Return the inputs (n, width) float64 of one column at positions (or encoded values) `at` (n,)."""
        if np.isfinite(self.sizes[column]):
            return self.values[column][at.astype(np.int64)].astype(np.float64)
        return at[:, None]

    def features(self, at: np.ndarray, inputs: int) -> np.ndarray:
        """Return individuals (n, inputs) float32 at positions (n, C)."""
        found = np.zeros((len(at), inputs), np.float32)
        for i, column in enumerate(self.columns):
            found[:, column.inputs] = self.encoded(i, at[:, i])
        return found


def _effect(layers: Sequence[Layer64]) -> torch.Tensor:
    """Return a rough slope (h,) of the logit on every first pre-activation: half of every ReLU passes."""
    effect = torch.ones(1).to(layers[0][0])
    for weight, _ in reversed(layers[1:]):
        effect = effect @ weight / 2
    return effect


def _sorted(column: InputColumn, weight: torch.Tensor, effect: torch.Tensor) -> np.ndarray:
    """Return the values with like next to like: by size, or by what a level does to the logit."""
    values = column.values
    if column.kind != "levels":
        return values
    key = values[:, 0] if column.width == 1 else values @ (effect @ weight[:, column.inputs]).numpy()
    return values[np.argsort(key, kind="stable")]


class RangesFirst:
    """The first layer over boxes first, last (n, C) of a grid; see `relaxation.FirstLayer`."""

    def __init__(self, grid: Grid, first: np.ndarray, last: np.ndarray) -> None:
        self.grid = grid
        like = grid.bias
        ends = [[grid.encoded(i, side[:, i])[:, 0] for i in grid.numbers] for side in (first, last)]
        self.low, self.high = (torch.from_numpy(np.array(e).reshape(len(e), -1).T.copy()).to(like) for e in ends)
        if not grid.numbers:
            self.low = self.high = like.new_zeros((len(first), 0))
        self.ends = [
            tuple(torch.from_numpy(side[:, i].astype(np.int64)) for side in (first, last)) for i in grid.levels
        ]
        self.outside = [self._outside(table.shape[1], *e) for table, e in zip(grid.on_levels, self.ends, strict=True)]

    def _outside(self, size: int, first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """Return (n, 1, m): 0 for the levels of the range, infinity for the others."""
        at = torch.arange(size)
        out = (at < first[:, None]) | (at > last[:, None])
        return torch.where(out, torch.inf, 0.0).to(self.grid.bias)[:, None]

    def range(self) -> Interval:
        low, high = affine_range((self.grid.on_numbers, self.grid.bias), self.low, self.high)
        for (least, most), (first, last) in zip(self.grid.level_ranges, self.ends, strict=True):
            low = low + least[first, last]  # (n, h)
            high = high + most[first, last]
        return low, high

    def minimum(self, slopes: torch.Tensor) -> torch.Tensor:
        on_numbers = slopes @ self.grid.on_numbers
        least = (on_numbers.clamp(min=0) * self.low[:, None] + on_numbers.clamp(max=0) * self.high[:, None]).sum(2)
        for table, outside in zip(self.grid.on_levels, self.outside, strict=True):
            least = least + (slopes @ table).add_(outside).amin(2)
        return least + slopes @ self.grid.bias

    def spreads(self, slopes: torch.Tensor) -> np.ndarray:
        """Return how much a form slopes (n, o, h) varies with each column (n, C) within its range, over all forms."""
        found = np.zeros((len(self.low), len(self.grid.columns)))
        on_numbers = (slopes @ self.grid.on_numbers).abs().sum(1)
        found[:, self.grid.numbers] = ((self.high - self.low) * on_numbers).numpy()
        for i, table, outside in zip(self.grid.levels, self.grid.on_levels, self.outside, strict=True):
            values = slopes @ table  # (n, o, m)
            found[:, i] = ((values - outside).amax(2) - (values + outside).amin(2)).sum(1).numpy()
        return found


def _range_table(values: torch.Tensor) -> Interval:
    """Return the smallest and the largest of values (h, m) between positions i and j, each (m, m, h) at [i, j]."""
    size = values.shape[1]
    least, most = values.new_zeros((2, size, size, len(values)))
    for i in range(size):
        least[i, i:] = values[:, i:].cummin(1).values.T
        most[i, i:] = values[:, i:].cummax(1).values.T
    return least, most
