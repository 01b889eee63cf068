"""What an experiment says over its seeds: paired differences to no repair, and the rates of each group."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.report import strips
from fairneuron_core.report.experiment_result import ORDER, Experiment, GroupShift, Picked, heading
from fairneuron_core.report.experiment_words import by_verdict
from fairneuron_core.report.figures_change import ABOVE, BELOW, key
from fairneuron_core.report.figures_experiment import MethodStyle, method_styles
from fairneuron_core.report.names import metric_label, short_label
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded
from fairneuron_core.report.words import (
    clipped,
    count,
    counted,
    estimate_text,
    interval,
    listed,
    plain,
    quantity,
    verdict_words,
)

_ROW = 58
"""Pixels of a row: numbers, verdict and a remark stand below one another beside its strip."""


def seed_strips(found: Experiment, picked: Sequence[Picked], metric: str, *, mode: Mode = "light") -> Chart:
    """Return one row per method: a dot per seed (paired difference to no repair), the mean, its interval, the verdict.

    The axis has 0 in it and is the same for the three lists of methods.
    """
    label = short_label(metric)
    title = f"{label}: difference to no repair, per seed"
    parts = [(part, [one for one in picked if one.method.part == part]) for part in ORDER]
    parts = [(part, rows) for part, rows in parts if rows]
    if not parts:
        return empty_chart(title, "There is no method to compare.", mode)
    every = [v for one in picked for v in one.per_seed[metric] if not math.isnan(v)]
    low, high = _both_sides([*every, *(one.change[metric].value for one in picked)])
    styles = method_styles(found.methods, mode)
    panels = [
        strips.Panel(
            tuple(_seed_row(one, metric, styles[one.method.name], mode) for one in rows),
            high=high,
            low=low,
            heading=f"{plain(heading(part, found.attribute))} · points",
            row=_ROW,
            **strips.in_points(high, low=low),
        )
        for part, rows in parts
    ]
    figure = strips.strip_figure(panels, mode=mode)
    for index, ((_, rows), panel) in enumerate(zip(parts, panels, strict=True), start=1):
        _zero_line(figure, panel, index, mode=mode)
        for r, one in enumerate(rows):
            _seed_dots(figure, panel, index, one, metric, y=-r, style=styles[one.method.name], mode=mode)
    return Chart(title, figure, _seed_sentence(picked, metric, found), _seed_table(found, picked, metric))


def _both_sides(values: Sequence[float]) -> tuple[float, float]:
    below, above = [v for v in values if v < 0], [v for v in values if v > 0]
    top = strips.nice_top(above, floor=0.01)
    bottom = strips.nice_top(below, floor=0.01)
    # The shorter side keeps a tenth of the longer one, so that zero never sits on the edge.
    return -max(bottom, round(top / 10, 4)), max(top, round(bottom / 10, 4))


def _seed_row(one: Picked, metric: str, style: MethodStyle, mode: Mode) -> strips.Row:
    verdict = one.verdict[metric]
    colours = COLOURS[mode]
    name = f"<span style='color:{style.colour}'>{style.glyph}</span> {plain(clipped(one.method.title, limit=36))}"
    if verdict == "reference":
        return strips.Row(name, "0", "the reference", colours.quiet)
    shown = verdict_words(verdict)
    change = one.change[metric]
    right = f"{quantity(change.value, 'points', signed=True, short=True)} {interval(change, 'points')}"
    mark = f"<br><span style='font-size:11px'>{_short_note(one)}</span>" if _short_note(one) else ""
    return strips.Row(name, right.strip(), f"<b>{shown.text}</b>{mark}", colours.tone(shown.tone))


def _short_note(one: Picked) -> str:
    """The most important remark in so few words that they fit beside a strip."""
    if one.degenerate:
        return f"degenerate on {one.degenerate}"
    if one.over_budget:
        return "over the budget"
    return f"no repair on {one.kept}" if one.kept else ""


def _zero_line(figure: go.Figure, panel: strips.Panel, index: int, *, mode: Mode) -> None:
    strips.add_track(figure, panel, index, mode=mode)
    line = {"color": COLOURS[mode].reference, "width": 1.4}
    ends = ((0.0, 0.3), (0.0, -len(panel.rows) + 0.7))
    strips.add_line(figure, ends, index=index, line=line, layer="below")


def _seed_dots(
    figure: go.Figure,
    panel: strips.Panel,
    index: int,
    one: Picked,
    metric: str,
    *,
    y: float,
    style: MethodStyle,
    mode: Mode,
) -> None:
    if one.verdict[metric] == "reference":
        return
    values = one.per_seed[metric]
    known = values[~np.isnan(values)]
    number = "" if index == 1 else str(index)
    axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
    figure.add_scatter(
        x=known,
        y=np.full(known.size, y + 0.07),
        mode="markers",
        marker={"size": 7, "color": faded(style.colour, 0.55), "line": {"width": 0}},
        customdata=100 * known,
        hovertemplate=f"<b>{plain(one.method.title)}</b><br>one seed: %{{customdata:+.1f}} points<extra></extra>",
        cliponaxis=False,
        **axes,
    )
    change = one.change[metric]
    hover = f"<b>{plain(one.method.title)}</b><br>mean {estimate_text(change, 'points', signed=True, with_n=False)}"
    hover += f"<br>{counted(change.n, 'seed')}: {one.verdict[metric]}"
    dot = strips.Dot(style.colour, COLOURS[mode].ground, symbol="diamond-tall", name=one.method.title)
    strips.add_dot(figure, panel, index, change, y=y - 0.14, dot=dot, hover=hover)


def _seed_sentence(picked: Sequence[Picked], metric: str, found: Experiment) -> str:
    return (
        f"{by_verdict(picked, metric)} Small dots: one seed each; diamond: mean of {counted(found.seeds, 'seed')} "
        "with its 95 % interval, test rows."
    )


def _seed_table(found: Experiment, picked: Sequence[Picked], metric: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": one.method.title,
            "list": heading(one.method.part, found.attribute),
            "mean difference": one.change[metric].value,
            "low": one.change[metric].low,
            "high": one.change[metric].high,
            "seeds": one.change[metric].n,
            "verdict": one.verdict[metric],
            **{f"seed {s}": v for s, v in zip(found.table.seeds, one.per_seed[metric], strict=True)},
        }
        for one in picked
    )


def rate_shifts(one: Picked, rate: str, *, mode: Mode = "light", label: str | None = None) -> Chart:
    """Return one rate of every group before → after the method's chosen point, means over seeds."""
    label = label or metric_label(rate)
    title = f"{label} of each group"
    shifts = [shift for shift in one.rates if shift.rate == rate]
    if not shifts:
        return empty_chart(title, "There is no group to compare.", mode)
    values = [v for s in shifts for e in (s.before, s.after) for v in (e.value, e.high)]
    top = strips.nice_top(values, floor=0.1, ceiling=1.0)
    rows = tuple(_shift_row(shift, mode) for shift in shifts)
    panel = strips.Panel(rows, high=top, heading=key(mode), tickformat=".0%", row=strips.PAIR_ROW)
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    colours = COLOURS[mode]
    for r, shift in enumerate(shifts):
        if not math.isnan(shift.before.value + shift.after.value):
            ends = ((shift.before.value, -r + ABOVE), (shift.after.value, -r + BELOW))
            line = {"color": faded(colours.quiet, 0.7), "width": 2.4}
            strips.add_line(figure, ends, index=1, line=line, layer="below")
        sides = ((shift.before, colours.before, ABOVE, "before"), (shift.after, colours.after, BELOW, "after"))
        for estimate, colour, up, name in sides:
            hover = f"<b>{plain(shift.group)}</b><br>{name}: {estimate_text(estimate, 'percent', with_n=False)}"
            dot = strips.Dot(colour, colours.ground, hollow=name == "before", name=name)
            strips.add_dot(figure, panel, 1, estimate, y=-r + up, dot=dot, hover=hover)
    moved = listed([f"{shift.group} {_moved(shift)}" for shift in shifts])
    return Chart(title, figure, f"{label}: {moved}.", _shift_table(shifts))


def _moved(shift: GroupShift) -> str:
    difference = shift.after.value - shift.before.value
    if math.isnan(difference):
        return "is undefined"
    if abs(difference) < 5e-4:
        return "did not move"
    return f"{'rose' if difference > 0 else 'fell'} by {quantity(abs(difference), 'points')}"


def _shift_row(shift: GroupShift, mode: Mode) -> strips.Row:
    colours, moved = COLOURS[mode], _moved(shift)
    right = f"{quantity(shift.before.value, 'percent')} → <b>{quantity(shift.after.value, 'percent')}</b>"
    right += f" · n = {count(shift.n)}"
    shape, tone = {"rose": ("↑", colours.raised), "fell": ("↓", colours.lowered)}.get(
        moved.split()[0], ("=", colours.quiet)
    )
    size = quantity(shift.after.value - shift.before.value, "points", signed=True)
    return strips.Row(plain(clipped(shift.group, limit=20)), right, f"<b>{shape} {size}</b>", tone)


def _shift_table(shifts: Sequence[GroupShift]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": s.group,
            "before": s.before.value,
            "before low": s.before.low,
            "before high": s.before.high,
            "after": s.after.value,
            "after low": s.after.low,
            "after high": s.after.high,
            "n per seed": s.n,
        }
        for s in shifts
    )
