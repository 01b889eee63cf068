"""Where a search for discrimination looks: uniform points of the domain, and rows of the data changed a little.

A strategy proposes individuals; the hunt examines all their similar ones and tells the strategy what it saw.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fairneuron_core.verify.examine import Examined, Examiner

MOST_CHANGES = 3


class Strategy(Protocol):
    """`propose` returns individuals (n, columns), none when there is nothing left to try; `note` says why."""

    note: str

    def propose(self, n: int, seconds: float) -> np.ndarray: ...

    def learn(self, examined: Examined) -> None: ...


class Uniform:
    """Every column uniform over its domain: the only strategy whose findings are a rate."""

    note = ""

    def __init__(self, examiner: Examiner, rows: np.ndarray, generator: np.random.Generator) -> None:
        self._people, self._generator = examiner.people, generator

    def propose(self, n: int, seconds: float) -> np.ndarray:
        return self._people.uniform(n, self._generator)

    def learn(self, examined: Examined) -> None:
        """Nothing: the points stay independent of one another."""


class Perturbation:
    """Rows of the data in which one to three columns that similar individuals share are drawn anew."""

    note = ""

    def __init__(self, examiner: Examiner, rows: np.ndarray, generator: np.random.Generator) -> None:
        self._people, self._generator, self._rows = examiner.people, generator, rows
        self._fixed = np.array(examiner.fixed, np.int64)

    def propose(self, n: int, seconds: float) -> np.ndarray:
        values = self._rows[self._generator.integers(len(self._rows), size=n)]
        if not len(self._fixed):
            return values
        how_many = self._generator.integers(0, min(MOST_CHANGES, len(self._fixed)) + 1, n)
        order = self._generator.random((n, len(self._fixed))).argsort(axis=1)
        changed = np.zeros(values.shape, bool)
        changed[:, self._fixed] = order < how_many[:, None]
        return np.where(changed, self._people.uniform(n, self._generator), values)

    def learn(self, examined: Examined) -> None:
        """Nothing: every row is as good a start as any."""
