"""What a certificate of individual fairness says: proved, refuted with a counterexample, or unknown with the reason.

An individual is a row; S(x) are its similar individuals (`similar.py`). A row is PROVED when the deployed decision is
the same on all of S(x), REFUTED when two individuals of S(x) are decided differently, UNKNOWN otherwise.

An enumeration with the deployed forward pass is exact. Bounds and solvers work in other arithmetic than the deployed
network: their answers count only with a distance of at least MARGIN between the logit and the cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairneuron_core.types import Estimate

PROVED, REFUTED, UNKNOWN = 1, -1, 0
MARGIN = 1e-4


@dataclass(frozen=True)
class Counterexample:
    """Two similar individuals that are decided differently, re-checked by the deployed forward pass.

    row         position in the data set's frame; None: a point of the whole space
    this, other raw values of both: every column that the network reads, and what was freed
    differs     the columns in which they differ
    scores, decisions   of `this` and of `other`
    """

    row: int | None
    this: Mapping[str, Any]
    other: Mapping[str, Any]
    differs: tuple[str, ...]
    scores: tuple[float, float]
    decisions: tuple[int, int]


@dataclass(frozen=True, eq=False)
class RowsCertificate:
    """One answer per row, what settled it, and the sentence that carries scope and answer together.

    rows (n,) positions in the data set's frame; status (n,) int8 of PROVED, REFUTED, UNKNOWN;
    methods: method -> rows it settled; reason: why rows are unknown, None when none is.
    """

    rows: np.ndarray
    status: np.ndarray
    methods: Mapping[str, int]
    counterexamples: tuple[Counterexample, ...]
    reason: str | None
    seconds: float
    sentence: str
    unread: tuple[str, ...] = ()

    @property
    def proved(self) -> int:
        return int((self.status == PROVED).sum())

    @property
    def refuted(self) -> int:
        return int((self.status == REFUTED).sum())

    @property
    def unknown(self) -> int:
        return int((self.status == UNKNOWN).sum())


@dataclass(frozen=True, eq=False)
class SpaceCertificate:
    """What holds for every possible individual, not only for the rows of a table.

    cells       combinations of all values that are not free; None: there are real-valued ones, nothing to count
    proved, refuted, unknown    shares of the space (they add up to 1); `proved_cells` and `refuted_cells` are exact
                counts where the cells were enumerated
    uniform, held_out   rates of refuted individuals at uniform points and at rows that were not trained on, with
                Clopper-Pearson intervals; statistics, never merged with the shares, which are proofs
    """

    cells: int | None
    proved: float
    refuted: float
    unknown: float
    method: str
    uniform: Estimate | None
    held_out: Estimate | None
    counterexamples: tuple[Counterexample, ...]
    seconds: float
    sentence: str
    proved_cells: int | None = None
    refuted_cells: int | None = None
    reason: str | None = None
    unread: tuple[str, ...] = field(default=())
