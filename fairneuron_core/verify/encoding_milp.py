"""A ReLU network and its input columns as a mixed-integer linear program.

A ReLU a = max(0, z) with z in [l, u], l < 0 < u, and a binary d (big-M; Tjeng, Xiao, Tedrake, "Evaluating robustness
of neural networks with mixed integer programming", ICLR 2019):

    a >= 0,   a >= z,   a <= z - l (1 - d),   a <= u d.

The l and u come from CROWN, so the M's are as small as they can cheaply be; ReLUs of one sign take no binary.
A second copy of the network shares every neuron that reads nothing but shared values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded at their first use: importing the solver takes half a second

from fairneuron_core.verify.bounds import Layer64
from fairneuron_core.verify.columns import InputColumn

Range = tuple[np.ndarray, np.ndarray]


class Program:
    """Variables with bounds, and rows low <= coefficients @ variables <= high, collected one after the other."""

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.integer: list[int] = []
        self.row_low: list[float] = []
        self.row_high: list[float] = []
        self.entries: tuple[list[float], list[int], list[int]] = ([], [], [])

    def variables(self, low: np.ndarray, high: np.ndarray, *, integer: bool = False) -> np.ndarray:
        """Return the numbers of new variables with these bounds."""
        start = len(self.low)
        self.low += low.tolist()
        self.high += high.tolist()
        self.integer += [int(integer)] * len(low)
        return np.arange(start, len(self.low))

    def row(
        self, at: Sequence[int] | np.ndarray, coefficients: Sequence[float] | np.ndarray, low: float, high: float
    ) -> None:
        """Add low <= sum of coefficients * variables <= high."""
        values, rows, columns = self.entries
        keep = [(float(c), int(i)) for c, i in zip(coefficients, at, strict=True) if c]
        values += [c for c, _ in keep]
        columns += [i for _, i in keep]
        rows += [len(self.row_low)] * len(keep)
        self.row_low.append(low)
        self.row_high.append(high)

    def solve(self, budget: float, objective: np.ndarray | None = None) -> scipy.optimize.OptimizeResult:
        """Return HiGHS's answer: any feasible point, or the one that minimises `objective` @ variables."""
        values, rows, columns = self.entries
        shape = (len(self.row_low), len(self.low))
        matrix = scipy.sparse.csr_matrix((values, (rows, columns)), shape=shape)
        return scipy.optimize.milp(
            np.zeros(shape[1]) if objective is None else objective,
            integrality=np.array(self.integer),
            bounds=scipy.optimize.Bounds(np.array(self.low), np.array(self.high)),
            constraints=scipy.optimize.LinearConstraint(matrix, np.array(self.row_low), np.array(self.row_high)),
            options={"time_limit": budget},
        )


@dataclass(frozen=True, eq=False)
class Person:
    """The variables of one individual: its inputs (d,), and per column what chooses the value."""

    inputs: np.ndarray
    choices: tuple[np.ndarray, ...]


def add_person(program: Program, columns: Sequence[InputColumn], width: int, like: Person | None = None) -> Person:
    """Add an individual of the columns' domain; `like` shares all its columns that are not free."""
    inputs, choices = np.zeros(width, np.int64), []
    for position, column in enumerate(columns):
        if like is not None and not column.free:
            inputs[column.inputs] = like.inputs[column.inputs]
            choices.append(like.choices[position])
            continue
        own, chosen = _add_column(program, column)
        inputs[column.inputs] = own
        choices.append(chosen)
        if like is not None and column.reach is not None:
            program.row([*chosen, *like.choices[position]], [1.0, -1.0], -column.reach, column.reach)
    return Person(inputs, tuple(choices))


def _add_column(program: Program, column: InputColumn) -> tuple[np.ndarray, np.ndarray]:
    """Return the variables of a column's inputs, and those that choose: one per level, the step, or the input."""
    values = column.values.astype(np.float64)
    inputs = program.variables(values.min(0), values.max(0))
    if column.kind == "reals":
        return inputs, inputs
    if column.kind == "levels":
        picks = program.variables(np.zeros(len(values)), np.ones(len(values)), integer=True)
        program.row(picks, np.ones(len(picks)), 1.0, 1.0)
        for at, own in zip(inputs, values.T, strict=True):
            program.row([at, *picks], [1.0, *-own], 0.0, 0.0)
        return inputs, picks
    steps = len(values) - 1
    count = program.variables(np.zeros(1), np.array([float(steps)]), integer=True)
    step = (values[-1, 0] - values[0, 0]) / max(1, steps)
    program.row([*inputs, *count], [1.0, -step], values[0, 0], values[0, 0])
    return inputs, count


def chosen(column: InputColumn, picked: np.ndarray) -> np.ndarray:
    """Return the real inputs (width,) float32 of the domain that a solution stands for."""
    if column.kind == "levels":
        return column.values[int(np.argmax(picked))].astype(np.float32)
    if column.kind == "integers":
        return column.values[int(np.rint(picked[0]).clip(0, len(column.values) - 1))].astype(np.float32)
    low, high = column.values[[0, -1], 0].astype(np.float32)
    return np.float32(picked[:1]).clip(low, high)


def add_network(
    program: Program,
    layers: Sequence[Layer64],
    ranges: Sequence[Range],
    inputs: np.ndarray,
    twin: Sequence[np.ndarray] | None = None,
    changes: Sequence[np.ndarray] | None = None,
) -> list[np.ndarray]:
    """Add a copy of the network on these inputs; return the variables of inputs, every hidden layer and the logit.

    ranges   pre-activation bounds (low, high) of every layer, each (width,)
    twin     the same of another copy: neurons that read only what both share are shared
    changes  how far a value of this copy can be from its twin's, (width,) per layer: rows that cut the search
    """
    found = [inputs]
    for position, ((weight, bias), (low, high)) in enumerate(zip(layers, ranges, strict=True)):
        w, b = weight.numpy(), bias.numpy()
        hidden = position < len(layers) - 1
        nodes = np.zeros(len(b), np.int64)
        for j in range(len(b)):
            if twin is not None and (found[-1] == twin[position])[w[j] != 0].all():
                nodes[j] = twin[position + 1][j]
                continue
            add = _add_relu if hidden else _add_sum
            nodes[j] = add(program, found[-1], (w[j], b[j]), (float(low[j]), float(high[j])))
            if twin is not None and changes is not None and changes[position][j] < high[j] - low[j]:
                most = float(changes[position][j])
                program.row([nodes[j], twin[position + 1][j]], [1.0, -1.0], -most, most)
        found.append(nodes)
    return found


def _add_sum(program: Program, at: np.ndarray, neuron: tuple[np.ndarray, float], within: tuple[float, float]) -> int:
    """Add z = w @ values + b with z in [low, high]."""
    node = program.variables(np.array(within[:1]), np.array(within[1:]))[0]
    program.row([node, *at], [1.0, *-neuron[0]], neuron[1], neuron[1])
    return int(node)


def _add_relu(program: Program, at: np.ndarray, neuron: tuple[np.ndarray, float], within: tuple[float, float]) -> int:
    """Add a = max(0, w @ values + b), the pre-activation being in [low, high]."""
    (weight, bias), (low, high) = neuron, within
    if low >= 0:
        return _add_sum(program, at, neuron, within)
    node = program.variables(np.zeros(1), np.array([max(0.0, high)]))[0]
    if high > 0:
        on = program.variables(np.zeros(1), np.ones(1), integer=True)[0]
        program.row([node, *at], [1.0, *-weight], bias, np.inf)
        program.row([node, *at, on], [1.0, *-weight, -low], -np.inf, bias - low)
        program.row([node, on], [1.0, -high], -np.inf, 0.0)
    return int(node)
