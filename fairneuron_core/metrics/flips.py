"""Whose decision changed, and whether a gap closed by raising the lower group or by lowering the higher one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics.catalogue import METRICS
from fairneuron_core.metrics.rates import RATES, rate_parts
from fairneuron_core.metrics.words import of_n, points
from fairneuron_core.types import PairedAudit


def flip_table(paired: PairedAudit) -> list[dict[str, Any]]:
    """Return one record per group and label: rows, decisions turned favourable, decisions turned unfavourable.

    Keys: group, label (1 = favourable), n, to_favourable, to_unfavourable.
    """
    counts = np.asarray(paired.counts)  # (groups, label, before, after)
    return [
        {
            "group": rates.group,
            "label": label,
            "n": int(counts[g, label].sum()),
            "to_favourable": int(counts[g, label, 0, 1]),
            "to_unfavourable": int(counts[g, label, 1, 0]),
        }
        for g, rates in enumerate(paired.before.groups)
        for label in (0, 1)
    ]


def levelling(paired: PairedAudit, metric: str) -> str:
    """Return in words how the two groups that made the gap before moved: was one raised, or the other lowered?

    `metric` is a metric that compares groups. Raises SettingError for any other name.
    """
    row = METRICS.get(metric)
    if row is None or row.kind == "performance":
        known = ", ".join(name for name, each in METRICS.items() if each.kind != "performance")
        raise SettingError(f"{metric!r} compares no groups: choose one of {known}.")
    pair = paired.before.metrics[metric].pair
    if pair is None:
        return f"{row.label} is undefined before, so that there is no gap whose closing could be described."
    return " ".join(_moves(paired, rate, pair) for rate in row.rates)


def _moves(paired: PairedAudit, rate: str, pair: tuple[str, str]) -> str:
    names = [rates.group for rates in paired.before.groups]
    first, second = (names.index(name) for name in pair)
    old, new = ([audit.groups[g].rates[rate].value for g in (first, second)] for audit in (paired.before, paired.after))
    label = RATES[rate].label
    if any(math.isnan(value) for value in (*old, *new)):
        return f"{label}: undefined for {pair[0]} or {pair[1]} on one of the two sides."
    (high, low), (was_high, was_low) = (first, second), old
    if was_low > was_high:
        (high, low), (was_high, was_low), new = (second, first), (was_low, was_high), new[::-1]
    up, down = new[1] - was_low, was_high - new[0]
    steps = "; ".join(_step(paired, g, rate) for g in (low, high))
    gaps = f"Gap {points(was_high - was_low)} before, {points(abs(new[0] - new[1]))} after"
    closed = (was_high - was_low) - abs(new[0] - new[1])
    return f"{label}: {steps}. {gaps}: {_how(closed, up, down, names[low], names[high])}."


def _step(paired: PairedAudit, group: int, rate: str) -> str:
    sides = (paired.before.counts[group], paired.after.counts[group])
    texts = [of_n(*(int(v) for v in rate_parts(side, rate))) for side in sides]
    return f"{paired.before.groups[group].group} {texts[0]} → {texts[1]}"


def _how(closed: float, up: float, down: float, low: str, high: str) -> str:
    if closed < 0:
        return "it widened"
    if closed == 0:
        return "it did not move"
    if up > 0 and down > 0:
        return f"it closed by raising {low} ({points(up)}) and by lowering {high} ({points(down)})"
    if up > 0:
        also = f", although {high} rose too ({points(-down)})" if down < 0 else " alone"
        return f"it closed by raising {low} ({points(up)}){also}"
    also = f", although {low} fell too ({points(-up)})" if up < 0 else " alone"
    return f"it closed by lowering {high} ({points(down)}){also}"
