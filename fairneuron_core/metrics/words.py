"""The sentences of an audit: every number with the counts that it comes from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from fairneuron_core.metrics.rates import RATES, rate_parts
from fairneuron_core.metrics.row import AuditView


def percent(value: float) -> str:
    """Return a share for a sentence.

    >>> percent(0.345), percent(float("nan"))
    ('34.5 %', 'undefined')
    """
    return "undefined" if math.isnan(value) else f"{100 * value:.1f} %"


def points(value: float) -> str:
    """Return a difference of shares for a sentence.

    >>> points(0.26), points(-0.1)
    ('26.0 points', '−10.0 points')
    """
    if math.isnan(value):
        return "undefined"
    shown = f"{abs(100 * value):.1f} points"
    return f"−{shown}" if value < 0 and shown != "0.0 points" else shown


def of_n(part: int, whole: int) -> str:
    """Return "34 of 100 (34.0 %)".

    >>> of_n(34, 100), of_n(0, 0)
    ('34 of 100 (34.0 %)', '0 of 0 (undefined)')
    """
    return f"{part:,} of {whole:,} ({percent(part / whole if whole else math.nan)})"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def group_share(view: AuditView, group: int, rate: str) -> str:
    """Return "Female: 34 of 100 (34.0 %)" for one rate of one group."""
    part, whole = rate_parts(view.counts[group], rate)
    return f"{view.levels[group]}: {of_n(int(part), int(whole))}"


def two_groups(view: AuditView, first: int, second: int, rate: str) -> str:
    """Return one rate of two groups with the counts of both."""
    return f"{group_share(view, first, rate)} {RATES[rate].words}; {group_share(view, second, rate)}"


def left_out(view: AuditView, rates: Iterable[str]) -> str:
    """Return who does not enter a gap of these rates and why, or ""."""
    small = [f"{view.levels[g]} ({view.rows[g]:,})" for g in np.flatnonzero(~view.large_enough)]
    said = [f"Set aside with fewer than {view.min_group} rows: {listed(small)}."] if small else []
    for rate in rates:
        empty = np.flatnonzero(view.large_enough & (rate_parts(view.counts, rate)[1] == 0))
        if empty.size:
            names = listed([view.levels[g] for g in empty])
            said.append(f"Left out, {RATES[rate].label.lower()} undefined (no {RATES[rate].evidence}): {names}.")
    return " ".join(said)


def sentence(*parts: str) -> str:
    """Join the parts that are not empty."""
    return " ".join(part for part in parts if part)


def undefined_gap(view: AuditView, rates: Sequence[str]) -> str:
    """Return why a gap of these rates does not exist."""
    named = listed([RATES[rate].label.lower() for rate in rates])
    size = f" of at least {view.min_group} rows" if view.min_group > 1 else ""
    return sentence(
        f"Undefined: a comparison needs two groups{size} with a {named}.",
        left_out(view, rates),
    )


def favourable(view: AuditView) -> str:
    """Return what the favourable outcome is, or "" when the caller gave no words for it."""
    return f"Favourable outcome: “{view.favourable_words}”." if view.favourable_words else ""
