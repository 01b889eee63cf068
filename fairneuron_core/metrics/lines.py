"""What an estimate says about a line that the user drew: three states, by the interval and never by the value alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics.catalogue import METRICS
from fairneuron_core.metrics.intervals import fold, fold_ratio
from fairneuron_core.metrics.row import Direction
from fairneuron_core.types import Audit, Estimate

LineVerdict = Literal["meets your line", "does not meet", "not enough evidence"]

FOUR_FIFTHS = "four-fifths"
FOUR_FIFTHS_CAVEAT = (
    "The four-fifths rule is a screening rule of US employment law (29 CFR 1607), not a definition of fairness: "
    "meeting the line proves nothing, and with few people the count and the interval matter more than the ratio."
)


@dataclass(frozen=True)
class Line:
    """A user's line for one metric. `name` and `caveat` are shown with a preset that has them."""

    value: float
    name: str = ""
    caveat: str = ""


def default_lines() -> dict[str, Line]:
    """Return the lines that a user starts from: differences at most 0.10, ratios at least 0.80.

    >>> lines = default_lines()
    >>> lines["equal_opportunity_difference"].value, lines["demographic_parity_ratio"].name
    (0.1, 'four-fifths')
    """
    preset = {"gap": Line(0.10), "ratio": Line(0.80, FOUR_FIFTHS, FOUR_FIFTHS_CAVEAT)}
    return {name: preset[row.kind] for name, row in METRICS.items() if row.kind in preset}


def verdict(estimate: Estimate, line: float, direction: Direction = "lower") -> LineVerdict:
    """Return whether the whole interval lies on one side of the line.

    `direction` says on which side: "lower" means at most `line`, "higher" at least; "towards 0" compares the absolute
    value, "towards 1" the ratio or its inverse, whichever is below 1. An undefined estimate is "not enough evidence".

    >>> verdict(Estimate(0.26, 0.12, 0.38, 200), 0.10), verdict(Estimate(0.04, 0.0, 0.12, 90), 0.10)
    ('does not meet', 'not enough evidence')
    >>> verdict(Estimate(1.1, 1.02, 1.19, 900), 0.80, "towards 1")
    'meets your line'
    """
    low, high = estimate.low, estimate.high
    if any(math.isnan(v) for v in (estimate.value, low, high, line)):
        return "not enough evidence"
    if direction in ("towards 0", "towards 1"):
        folded = fold(low, high) if direction == "towards 0" else fold_ratio(low, high)
        low, high = (float(end) for end in folded)
    if direction in ("lower", "towards 0"):
        low, high, line = -high, -low, -line
    elif direction == "none":
        raise SettingError("This metric has no better side: draw a line for a difference, a ratio or an accuracy.")
    if low >= line:
        return "meets your line"
    return "does not meet" if high < line else "not enough evidence"


def verdicts(audit: Audit, lines: dict[str, Line] | None = None) -> dict[str, LineVerdict]:
    """Return the verdict of every metric that has a line (`default_lines` where none are given)."""
    chosen = default_lines() if lines is None else lines
    return {
        name: verdict(audit.metrics[name].estimate, line.value, METRICS[name].direction)
        for name, line in chosen.items()
        if name in audit.metrics
    }
