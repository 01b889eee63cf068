"""Charts of before against after on the same rows: metrics, each group's own rate, and who flipped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.report import strips
from fairneuron_core.report.names import in_sentence, metric_label, metric_unit, short_label
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded
from fairneuron_core.report.words import (
    MINUS,
    Unit,
    change_text,
    clipped,
    count,
    counted,
    difference_unit,
    estimate_text,
    interval,
    listed,
    plain,
    quantity,
    verdict_words,
)
from fairneuron_core.types import Change, Estimate, PairedAudit

_HEADINGS: dict[Unit, str] = {
    "percent": "Performance in percent",
    "points": "Gaps between groups in points · 0 = equal",
    "ratio": "Ratios between groups · 1 = equal",
    "number": "Other",
}
ABOVE, BELOW = 0.04, -0.17


def key(mode: Mode) -> str:
    """Return the words that explain the two markers, in their colours."""
    colours = COLOURS[mode]
    before = f"<span style='color:{colours.before}'><b>○ before</b></span>"
    return f"{before}   <span style='color:{colours.after}'><b>● after</b></span>"


def dumbbell(
    paired: PairedAudit,
    *,
    mode: Mode = "light",
    names: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Chart:
    """Return before ○ and after ● of every metric with both intervals, and the verdict of the paired change."""
    labels, title = labels or {}, "Before and after the repair, on the same rows"
    chosen = [n for n in (names or paired.changes) if n in paired.changes]
    if not chosen:
        return empty_chart(title, "There is no metric to compare.", mode)
    parts = [(u, [n for n in chosen if metric_unit(n) == u]) for u in ("percent", "points", "ratio", "number")]
    parts = [(unit, half) for unit, half in parts if half]
    panels = [
        _change_panel([paired.changes[n] for n in half], unit, labels=labels, mode=mode, first=i == 0)
        for i, (unit, half) in enumerate(parts)
    ]
    figure = strips.strip_figure(panels, mode=mode)
    for index, ((unit, half), panel) in enumerate(zip(parts, panels, strict=True), start=1):
        strips.add_track(figure, panel, index, mode=mode)
        for r, name in enumerate(half):
            change, label = paired.changes[name], labels.get(name) or short_label(name)
            hover = f"<b>{label}</b><br>{plain(change_text(change, label=label, unit=unit))}"
            _pair(figure, panel, index, (change.before, change.after), y=-r, unit=unit, hover=hover, mode=mode)
    changes = [paired.changes[n] for n in chosen]
    return Chart(title, figure, _change_sentence(paired, changes, labels), _change_table(changes, labels))


def _change_panel(
    changes: Sequence[Change], unit: Unit, *, labels: Mapping[str, str], mode: Mode, first: bool
) -> strips.Panel:
    rows = []
    for change in changes:
        shown = verdict_words(change.verdict)
        apart = difference_unit(unit)
        moved = quantity(change.difference.value, apart, signed=True, short=True)
        moved = f"{moved} {interval(change.difference, apart)}" if change.verdict != "undefined" else ""
        before, after = (quantity(e.value, unit, short=True).replace(" %", "") for e in (change.before, change.after))
        tone = COLOURS[mode].tone(shown.tone)
        aside = f"<b>{shown.text}</b><br><span style='font-size:11px'>{moved}</span>"
        name = labels.get(change.name) or short_label(change.name)
        rows.append(strips.Row(name, f"{before} → <b>{after}</b>", aside, tone))
    low, top = strips.span([e for c in changes for e in (c.before, c.after)], unit)
    heading = _HEADINGS[unit] + (f"      {key(mode)}" if first else "")
    if unit == "points":
        ticks = strips.in_points(top, low=low)
        return strips.Panel(tuple(rows), high=top, low=low, heading=heading, row=strips.PAIR_ROW, **ticks)
    tickformat = ".0%" if unit == "percent" else ".1f"
    return strips.Panel(tuple(rows), high=top, heading=heading, tickformat=tickformat, row=strips.PAIR_ROW)


def _pair(
    figure: go.Figure,
    panel: strips.Panel,
    index: int,
    sides: tuple[Estimate, Estimate],
    *,
    y: float,
    unit: Unit,
    hover: str,
    mode: Mode,
) -> None:
    """Draw before a little above the track and after a little below it, joined, so that both intervals can be read."""
    colours, (before, after) = COLOURS[mode], sides
    if not (math.isnan(before.value) or math.isnan(after.value)):
        ends = ((before.value, y + ABOVE), (after.value, y + BELOW))
        line = {"color": faded(colours.quiet, 0.7), "width": 2.4}
        strips.add_line(figure, ends, index=index, line=line, layer="below")
    for estimate, colour, shift, name in (
        (before, colours.before, ABOVE, "before"),
        (after, colours.after, BELOW, "after"),
    ):
        text = f"{hover}<br>{name}: {estimate_text(estimate, unit)}"
        dot = strips.Dot(colour, colours.ground, hollow=name == "before", name=name)
        strips.add_dot(figure, panel, index, estimate, y=y + shift, dot=dot, hover=text)


def _change_sentence(paired: PairedAudit, changes: Sequence[Change], labels: Mapping[str, str]) -> str:
    parts = []
    for verdict in ("improved", "worsened", "changed", "cannot tell", "undefined"):
        named = [in_sentence(labels.get(c.name) or short_label(c.name)) for c in changes if c.verdict == verdict]
        if named:
            parts.append(f"{verdict_words(verdict).words}: {listed(named)}")
    said = "; ".join(parts)
    mark = f" The repaired network is degenerate: {paired.after.degenerate}" if paired.after.degenerate else ""
    return f"{said[:1].upper()}{said[1:]}.{mark}"


def _change_table(changes: Sequence[Change], labels: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "metric": labels.get(c.name) or short_label(c.name),
            "before": c.before.value,
            "before low": c.before.low,
            "before high": c.before.high,
            "after": c.after.value,
            "after low": c.after.low,
            "after high": c.after.high,
            "change": c.difference.value,
            "change low": c.difference.low,
            "change high": c.difference.high,
            "n": c.difference.n,
            "verdict": c.verdict,
        }
        for c in changes
    )


def group_shift(paired: PairedAudit, rate: str, *, mode: Mode = "light", label: str | None = None) -> Chart:
    """Return one rate of every group before → after: was a gap closed by raising one group or by lowering the other?"""
    label = label or metric_label(rate)
    title = f"{label} of each group, before and after"
    after = {g.group: g.rates[rate] for g in paired.after.groups if rate in g.rates}
    shared = [(g.group, g.rates[rate], after[g.group]) for g in paired.before.groups if g.group in after]
    if not shared:
        return empty_chart(title, "There is no group to compare.", mode)
    unit = metric_unit(rate)
    rows = tuple(_shift_row(name, (b, a), unit=unit, paired=paired, mode=mode) for name, b, a in shared)
    top = strips.nice_top([v for _, b, a in shared for e in (b, a) for v in (e.value, e.high)], floor=0.1, ceiling=1.0)
    panel = strips.Panel(rows, high=top, heading=key(mode), tickformat=".0%", row=strips.PAIR_ROW)
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    for r, (name, b, a) in enumerate(shared):
        _pair(figure, panel, 1, (b, a), y=-r, unit=unit, hover=f"<b>{plain(name)}</b><br>{label}", mode=mode)
    moved = [f"{name} {_direction(b, a)}" for name, b, a in shared if name not in paired.before.set_aside]
    sentence = f"{label}: {listed(moved)}." if moved else "All groups are too small to be compared."
    return Chart(title, figure, sentence, _shift_table(shared))


def _shift_row(
    name: str, sides: tuple[Estimate, Estimate], *, unit: Unit, paired: PairedAudit, mode: Mode
) -> strips.Row:
    b, a = sides
    role = " <i>reference</i>" if name == paired.before.reference else ""
    small = " <i>small</i>" if name in paired.before.set_aside else ""
    right = f"{quantity(b.value, unit)} → <b>{quantity(a.value, unit)}</b> · n = {count(a.n)}"
    colours = COLOURS[mode]
    difference = a.value - b.value
    if math.isnan(difference):
        return strips.Row(plain(clipped(name, limit=20)) + role + small, right, "○ undefined")
    words = _direction(b, a).split(" (")[0]
    shape, tone = {"rose": ("↑", colours.raised), "fell": ("↓", colours.lowered)}.get(
        words.split()[0], ("=", colours.quiet)
    )
    aside = f"<b>{shape} {quantity(difference, 'points', signed=True)}</b>"
    return strips.Row(plain(clipped(name, limit=20)) + role + small, right, aside, tone)


def _direction(before: Estimate, after: Estimate) -> str:
    difference = after.value - before.value
    if math.isnan(difference):
        return "is undefined"
    if abs(difference) < 5e-4:
        return "did not move"
    size = quantity(abs(difference), "points")
    return f"rose by {size}" if difference > 0 else f"fell by {size}"


def _shift_table(shared: Sequence[tuple[str, Estimate, Estimate]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": name,
            "before": b.value,
            "before low": b.low,
            "before high": b.high,
            "after": a.value,
            "after low": a.low,
            "after high": a.high,
            "change": a.value - b.value,
            "n": a.n,
        }
        for name, b, a in shared
    )


def flips(paired: PairedAudit, *, mode: Mode = "light") -> Chart:
    """Return, for every group, the share of its rows whose decision was raised or lowered.

    Reads `paired.counts` (groups, label, before, after): raised = [:, :, 0, 1], lowered = [:, :, 1, 0].
    """
    title = f"Whose decision changed, by {paired.before.attribute}"
    table = _flip_table(paired)
    if table.empty or not table["rows"].sum():
        return empty_chart(title, "There are no rows to compare.", mode)
    colours, records = COLOURS[mode], table.to_dict("records")
    shares = [(r["lowered"] / r["rows"], r["raised"] / r["rows"]) if r["rows"] else (0.0, 0.0) for r in records]
    top = strips.nice_top([s for pair in shares for s in pair], floor=0.02, ceiling=1.0)
    rows = tuple(
        strips.Row(
            f"{plain(clipped(str(r['group']), limit=16))}  <i>n = {count(r['rows'])}</i>",
            f"<span style='color:{colours.lowered}'>↓ {count(r['lowered'])} lowered</span>   "
            f"<span style='color:{colours.raised}'>↑ {count(r['raised'])} raised</span>",
        )
        for r in records
    )
    ticks = strips.in_points(top, low=-top)
    ticks["ticktext"] = tuple(f"{text.lstrip(MINUS)} %" for text in ticks["ticktext"])
    panel = strips.Panel(rows, high=top, low=-top, **ticks)
    figure = strips.strip_figure([panel], mode=mode)
    for r, (record, (down, up)) in enumerate(zip(records, shares, strict=True)):
        for share, word, sign, colour in ((down, "lowered", -1, colours.lowered), (up, "raised", 1, colours.raised)):
            hover = f"<b>{plain(record['group'])}</b><br>{word}: {count(record[word])} of {count(record['rows'])}"
            hover += f" ({quantity(share, 'percent')})"
            strips.add_bar(figure, (0, sign * share), -r, index=1, colour=colour, hover=hover)
    total, all_rows = int(table["lowered"].sum() + table["raised"].sum()), int(table["rows"].sum())
    each = listed(
        [f"{r['group']} {count(r['raised'])} raised, {count(r['lowered'])} lowered" for r in records], joint="and"
    )
    sentence = f"{counted(total, 'decision')} of {count(all_rows)} changed: {each}."
    return Chart(title, figure, sentence, table)


def _flip_table(paired: PairedAudit) -> pd.DataFrame:
    """Return one row per group: rows, raised and lowered decisions, and how many of each became right or wrong."""
    counts = np.asarray(paired.counts)  # (groups, label, before, after)
    names = [g.group for g in paired.before.groups]
    return pd.DataFrame(
        {
            "group": names,
            "rows": counts.sum(axis=(1, 2, 3)).astype(int),
            "raised": counts[:, :, 0, 1].sum(axis=1).astype(int),
            "lowered": counts[:, :, 1, 0].sum(axis=1).astype(int),
            "raised, now right": counts[:, 1, 0, 1].astype(int),
            "raised, now wrong": counts[:, 0, 0, 1].astype(int),
            "lowered, now right": counts[:, 0, 1, 0].astype(int),
            "lowered, now wrong": counts[:, 1, 1, 0].astype(int),
        }
    )
