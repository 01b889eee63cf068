"""What one metric of the catalogue is, and what it is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fairneuron_core.metrics.rates import rate_parts, share
from fairneuron_core.types import Metric

if TYPE_CHECKING:
    from fairneuron_core.metrics.changes import Movement, PairedView

MetricKind = Literal["performance", "gap", "ratio"]
Direction = Literal["higher", "lower", "towards 0", "towards 1", "none"]


@dataclass(frozen=True)
class AuditView:
    """The counts (groups, label, decision) of one audit with all that its sentences and intervals need."""

    counts: np.ndarray
    levels: tuple[str, ...]
    reference: str
    min_group: int = 30
    confidence: float = 0.95
    favourable_words: str = ""

    @property
    def rows(self) -> np.ndarray:
        """Rows of every group, (groups,)."""
        return self.counts.sum(axis=(1, 2))

    @property
    def large_enough(self) -> np.ndarray:
        """Which groups have at least `min_group` rows, (groups,) bool."""
        return self.rows >= self.min_group

    @property
    def reference_index(self) -> int:
        return self.levels.index(self.reference)

    def usable(self, rates: tuple[str, ...]) -> np.ndarray:
        """Indices of the groups that are large enough and have all of these rates."""
        defined = np.all([rate_parts(self.counts, rate)[1] > 0 for rate in rates], axis=0)
        return np.flatnonzero(self.large_enough & defined)

    def rate(self, name: str) -> np.ndarray:
        """Return one rate of every group, (groups,), NaN where undefined."""
        return share(*rate_parts(self.counts, name))


@dataclass(frozen=True)
class MetricRow:
    """One row of METRICS.

    `definition` and `formula` state the quantity in words and symbols; `direction` says where better lies; `rates` are
    the rates (rows of RATES) that it compares; `evidence` names the rows that its n counts. `measure` gives the metric
    of one audit, `change` how far it moved between two.
    """

    name: str
    label: str
    definition: str
    formula: str
    ideal: float | None
    direction: Direction
    kind: MetricKind
    rates: tuple[str, ...]
    evidence: str
    measure: Callable[[MetricRow, AuditView], Metric]
    change: Callable[[MetricRow, PairedView], Movement]

    @property
    def direction_words(self) -> str:
        return _DIRECTION_WORDS[self.direction]


_DIRECTION_WORDS: dict[Direction, str] = {
    "higher": "higher is better",
    "lower": "lower is better, 0 is no gap",
    "towards 0": "closer to 0 is better, the sign names the favoured side",
    "towards 1": "closer to 1 is better",
    "none": "neither high nor low is better as such",
}
