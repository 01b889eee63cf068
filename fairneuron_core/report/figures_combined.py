"""Chart of many groups against everyone else: one row per combined group, with what is left after correction."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fairneuron_core.metrics import Comparison
from fairneuron_core.report import strips
from fairneuron_core.report.names import in_sentence, metric_label
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart
from fairneuron_core.report.words import clipped, count, counted, interval, number, plain, quantity

ALPHA = 0.05


def outcome(comparison: Comparison) -> str:
    """Return what one comparison says after Holm's correction: higher, lower, or cannot tell."""
    if not comparison.holm < ALPHA:
        return "cannot tell"
    return "lower" if comparison.difference.value < 0 else "higher"


def combined_groups(comparisons: Sequence[Comparison], rate: str, *, mode: Mode = "light") -> Chart:
    """Return the difference of every group's `rate` to everyone else's, largest first, with simultaneous intervals."""
    label = metric_label(rate)
    title = f"{label} of each combined group, minus everyone else's"
    if not comparisons:
        return empty_chart(title, "No combined group is large enough to be compared.", mode)
    ordered = sorted(comparisons, key=lambda c: c.difference.value, reverse=True)
    reach = [abs(end) for c in ordered for end in (c.difference.low, c.difference.high)]
    top = strips.nice_top(reach, floor=0.05, ceiling=1.0)
    panel = strips.Panel(
        tuple(_row(c, mode) for c in ordered),
        high=top,
        low=-top,
        heading="Points above or below everyone else · 0 = equal",
        **strips.in_points(top, low=-top),
    )
    figure = strips.strip_figure([panel], mode=mode)
    for r, comparison in enumerate(ordered):
        sure = outcome(comparison) != "cannot tell"
        dot = strips.Dot(COLOURS[mode].text if sure else COLOURS[mode].quiet, COLOURS[mode].ground, hollow=not sure)
        strips.add_dot(figure, panel, 1, comparison.difference, y=-r, dot=dot, hover=_hover(comparison))
    return Chart(title, figure, _sentence(ordered, label), pd.DataFrame([_record(c) for c in ordered]))


def _row(comparison: Comparison, mode: Mode) -> strips.Row:
    said = outcome(comparison)
    aside = {"higher": "▲ higher", "lower": "▼ lower"}.get(said, "◆ cannot tell")
    value = quantity(comparison.difference.value, "points", signed=True, short=True)
    numbers = f"<b>{value}</b> {interval(comparison.difference, 'points', signed=True)}"
    colour = COLOURS[mode].quiet if said == "cannot tell" else COLOURS[mode].text
    return strips.Row(plain(clipped(comparison.group, limit=44)), numbers, aside, colour)


def p_words(p: float) -> str:
    """Return a p value that is never printed as 0.

    >>> p_words(0.034), p_words(1e-9), p_words(1.0)
    ('p = 0.034', 'p < 0.001', 'p = 1.000')
    """
    return "p < 0.001" if p < 0.001 else f"p = {number(p, digits=3)}"


def _hover(comparison: Comparison) -> str:
    return (
        f"<b>{plain(comparison.group)}</b><br>{quantity(comparison.difference.value, 'points', signed=True)} "
        f"{interval(comparison.difference, 'points', signed=True)}<br>{p_words(comparison.holm)} after Holm, "
        f"{p_words(comparison.p_value)} alone"
    )


def _record(comparison: Comparison) -> dict[str, object]:
    return {
        "group": comparison.group,
        "difference": comparison.difference.value,
        "low": comparison.difference.low,
        "high": comparison.difference.high,
        "p": comparison.p_value,
        "p after Holm": comparison.holm,
        "p after Benjamini and Hochberg": comparison.benjamini_hochberg,
        "says": outcome(comparison),
    }


def _sentence(ordered: Sequence[Comparison], label: str) -> str:
    sure = [c for c in ordered if outcome(c) != "cannot tell"]
    if not sure:
        return f"After Holm's correction none of {counted(len(ordered), 'combined group')} is shown to differ."
    first, last = sure[0], sure[-1]
    said = [f"{c.group} ({quantity(c.difference.value, 'points', signed=True)})" for c in dict.fromkeys((first, last))]
    return (
        f"After Holm's correction {count(len(sure))} of {counted(len(ordered), 'combined group')} differ in "
        f"{in_sentence(label)}; farthest out: {' and '.join(said)}."
    )
