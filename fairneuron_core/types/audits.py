"""Audits: numbers with their intervals, rates of groups, metrics, and the paired change between two audits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A number with its interval. `n` counts the rows that the number rests on; NaN means undefined."""

    value: float
    low: float
    high: float
    n: int
    confidence: float = 0.95


@dataclass(frozen=True)
class GroupRates:
    """Counts and rates of one group. `counts[label, prediction]` is (2, 2)."""

    group: str
    counts: np.ndarray
    rates: Mapping[str, Estimate]

    @property
    def n(self) -> int:
        return int(self.counts.sum())


@dataclass(frozen=True)
class Metric:
    """One metric of one audit. `pair` = (higher group, lower group) that make a gap; `words` states it with counts."""

    name: str
    estimate: Estimate
    pair: tuple[str, str] | None
    words: str


@dataclass(frozen=True)
class Audit:
    """All metrics of one set of decisions, for one protected attribute.

    counts (groups, label, prediction); `degenerate` is None or the reason in words; `set_aside` names the groups
    that are too small to enter a gap (they stay in `groups`).
    """

    attribute: str
    reference: str
    groups: tuple[GroupRates, ...]
    metrics: Mapping[str, Metric]
    counts: np.ndarray
    degenerate: str | None = None
    set_aside: tuple[str, ...] = ()


Verdict = Literal["improved", "worsened", "changed", "cannot tell", "undefined"]
"""`changed` is for metrics of which neither side is better as such, like the selection rate."""


@dataclass(frozen=True)
class Change:
    """Paired change of one metric, after minus before, on the same rows."""

    name: str
    before: Estimate
    after: Estimate
    difference: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class PairedAudit:
    """Before against after on the SAME rows. `counts` is (groups, label, before, after)."""

    before: Audit
    after: Audit
    changes: Mapping[str, Change]
    counts: np.ndarray
