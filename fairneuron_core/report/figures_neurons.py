"""Which neurons serve whom: shares by group of the neurons whose use differs most, and the table of all."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fairneuron_core.paths.usage import NeuronRow, NeuronUsage
from fairneuron_core.report import strips
from fairneuron_core.report.style import COLOURS, GLYPHS, Chart, GroupStyle, Mode, empty_chart, group_styles
from fairneuron_core.report.words import MINUS, clipped, count, estimate_text, plain

SHOWN = 10
LINE = 67  # characters that a phone shows on one line, and three after the last
MEANING = "percent of rows; right: difference in points"


def neuron_shares(usage: NeuronUsage, *, mode: Mode = "light", most: int = SHOWN) -> Chart:
    """Return how often each group's paths use the neurons that differ most between groups, with intervals."""
    title = f"Neurons whose use differs most between groups, at coverage {usage.coverage:g}"
    table = neurons_table(usage)
    chosen = usage.different[:most]
    if not chosen:
        return empty_chart(title, usage.sentence, mode, columns=tuple(table.columns))
    styles = group_styles(usage.groups, usage.against if usage.against in usage.groups else None, mode)
    rows = tuple(strips.Row(f"{row.neuron} in hidden {row.layer}", _difference(usage, row)) for row in chosen)
    top = strips.nice_top([share.high for row in chosen for share in row.shares], floor=0.1, ceiling=1.0)
    panel = strips.Panel(rows, high=top, heading=_heading(styles), **strips.in_points(top))
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    for r, row in enumerate(chosen):
        for group, share, used in zip(usage.groups, row.shares, row.counts, strict=True):
            hover = (
                f"<b>{_name(row)}</b><br>{plain(group)}: {estimate_text(share, 'percent')}"
                f"<br>{count(used)} of {count(share.n)} rows"
            )
            style = styles[group]
            dot = strips.Dot(style.colour, COLOURS[mode].ground, style.symbol, name=group)
            strips.add_dot(figure, panel, 1, share, y=-r, dot=dot, hover=hover)
    return Chart(title, figure, _sentence(usage, len(chosen)), table)


def _heading(styles: Mapping[str, GroupStyle]) -> str:
    """Return the names of the groups and what the numbers are, on as many lines as a phone needs."""
    parts = [(f"{GLYPHS[style.symbol]} {clipped(group)}", style.colour) for group, style in styles.items()]
    lines, room = [""], LINE
    for words, colour in [*parts, (MEANING, None)]:
        shown = plain(words) if colour is None else f"<span style='color:{colour}'><b>{plain(words)}</b></span>"
        if lines[-1] and len(words) + 3 > room:
            lines, room = [*lines, ""], LINE
        lines[-1] += f"   {shown}" if lines[-1] else shown
        room -= len(words) + 3
    return "<br>".join(lines)


def _name(row: NeuronRow) -> str:
    return f"neuron {row.neuron} of hidden layer {row.layer}"


def _difference(usage: NeuronUsage, row: NeuronRow) -> str:
    """Return who is served more and by how many points: short enough for a phone."""
    more, bounds = row.group, (row.difference.low, row.difference.high)
    if row.difference.value < 0:
        more = usage.against
        bounds = (-row.difference.high, -row.difference.low)
    only = "only " if sum(count > 0 for count in row.counts) == 1 else ""
    size = f"+{100 * abs(row.difference.value):.1f} [{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"
    return f"{only}<b>{plain(clipped(more, limit=18))}</b> {size.replace('-', MINUS)}"


def _sentence(usage: NeuronUsage, drawn: int) -> str:
    left = len(usage.different) - drawn
    rest = f" {count(left)} more with a difference stand in the table." if left > 0 else ""
    return (
        f"{usage.sentence}{rest} Corrected by Holm for {count(usage.tests)} tests; the intervals of the differences "
        "hold together. A difference in use is no proof of harm: groups differ in many inputs."
    )


def neurons_table(usage: NeuronUsage) -> pd.DataFrame:
    """Return all hidden neurons with their shares by group, test and verdict, layer by layer."""
    return pd.DataFrame(
        {
            "hidden layer": row.layer,
            "neuron": row.neuron,
            **{
                f"{group}: {what}": value
                for group, used, share in zip(usage.groups, row.counts, row.shares, strict=True)
                for what, value in (("rows", used), ("share", share.value), ("low", share.low), ("high", share.high))
            },
            "differs most": row.group,
            f"difference from {usage.against}": row.difference.value,
            "difference low": row.difference.low,
            "difference high": row.difference.high,
            "p": row.p,
            "Holm's p": row.p_holm,
            "verdict": row.verdict,
        }
        for row in usage.neurons
    )
