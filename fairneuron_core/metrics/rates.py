"""RATES: every share that the metrics are made of, as two sums over the four cells (label, decision).

To add a rate, add a row: the audit, its intervals, the paired comparison and the sentences follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Cell = tuple[int, int]
_ALL: tuple[Cell, ...] = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True)
class Rate:
    """A share x / n: `part` and `whole` are the cells (label, decision) that x and n add up.

    `words` continues "34 of 100 (34.0 %) ..."; `evidence` names the rows that n counts.
    """

    name: str
    label: str
    part: tuple[Cell, ...]
    whole: tuple[Cell, ...]
    words: str
    evidence: str


RATES: dict[str, Rate] = {
    row.name: row
    for row in (
        Rate("selection_rate", "Selection rate", ((0, 1), (1, 1)), _ALL, "selected", "rows"),
        Rate(
            "tpr",
            "True-positive rate",
            ((1, 1),),
            ((1, 0), (1, 1)),
            "of those with the favourable label selected",
            "rows with the favourable label",
        ),
        Rate(
            "fpr",
            "False-positive rate",
            ((0, 1),),
            ((0, 0), (0, 1)),
            "of those without the favourable label selected",
            "rows without the favourable label",
        ),
        Rate(
            "precision",
            "Precision",
            ((1, 1),),
            ((0, 1), (1, 1)),
            "of the selected have the favourable label",
            "selected rows",
        ),
        Rate("accuracy", "Accuracy", ((0, 0), (1, 1)), _ALL, "decided as their label says", "rows"),
        Rate("base_rate", "Base rate", ((1, 0), (1, 1)), _ALL, "have the favourable label", "rows"),
    )
}
"""Per-group rates by name; `base_rate` describes the data, all others the decisions."""


def rate_parts(counts: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return numerator and denominator of a rate from counts (..., label, decision), each (...).

    >>> x, n = rate_parts(np.array([[[54, 6], [12, 28]]]), "tpr")
    >>> int(x[0]), int(n[0])
    (28, 40)
    """
    rate = RATES[name]
    return _added(counts, rate.part), _added(counts, rate.whole)


def share(part: ArrayLike, whole: ArrayLike) -> np.ndarray:
    """Return part / whole, NaN where the whole is empty: an undefined rate is never 0."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def _added(counts: np.ndarray, cells: tuple[Cell, ...]) -> np.ndarray:
    total = counts[..., cells[0][0], cells[0][1]]
    for label, decision in cells[1:]:
        total = total + counts[..., label, decision]
    return total
