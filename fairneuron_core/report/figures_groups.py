"""Charts of one audit: rates by group, gaps against the user's lines, base rates, make-up of a part of the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.metrics import METRICS, Line, verdict
from fairneuron_core.report import strips
from fairneuron_core.report.names import gap_names, metric_label, metric_unit, short_label
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded, group_styles
from fairneuron_core.report.words import (
    clipped,
    count,
    counted,
    estimate_text,
    folded,
    interval,
    listed,
    plain,
    quantity,
    verdict_words,
)
from fairneuron_core.types import Audit, Estimate, GroupRates, Metric

_TICKS = {"percent": ".0%", "points": ".0%", "ratio": ".1f", "number": ""}


def group_rates(audit: Audit, rate: str, *, mode: Mode = "light", label: str | None = None) -> Chart:
    """Return one rate of every group with its interval and the n it rests on; the reference group is grey."""
    label = label or metric_label(rate)
    groups = [g for g in audit.groups if rate in g.rates]
    if not groups:
        return empty_chart(f"{label} by {audit.attribute}", "There is no group to show.", mode)
    unit = metric_unit(rate)
    styles = group_styles([g.group for g in audit.groups], audit.reference, mode)
    estimates = [g.rates[rate] for g in groups]
    rows = tuple(_group_row(g, e, audit, unit) for g, e in zip(groups, estimates, strict=True))
    top = strips.nice_top([e.high for e in estimates] + [e.value for e in estimates], floor=0.1, ceiling=1.0)
    panel = strips.Panel(rows, high=top, tickformat=_TICKS[unit])
    figure = strips.strip_figure([panel], mode=mode)
    for r, (group, e) in enumerate(zip(groups, estimates, strict=True)):
        colour = styles[group.group].colour
        hover = f"<b>{plain(group.group)}</b><br>{label}: {estimate_text(e, unit)}"
        if not math.isnan(e.value):
            strips.add_bar(figure, (0, e.value), -r, index=1, colour=faded(colour, 0.30), hover=hover)
        small = group.group in audit.set_aside
        dot = strips.Dot(colour, COLOURS[mode].ground, styles[group.group].symbol, hollow=small, name=group.group)
        strips.add_dot(figure, panel, 1, e, y=-r, dot=dot, hover=hover)
    return Chart(
        f"{label} by {audit.attribute}",
        figure,
        _rates_sentence(label, audit, rate),
        pd.DataFrame(
            {
                "group": [g.group for g in groups],
                "role": [_role(g.group, audit) for g in groups],
                label: [e.value for e in estimates],
                "low": [e.low for e in estimates],
                "high": [e.high for e in estimates],
                "n": [e.n for e in estimates],
                "rows in group": [g.n for g in groups],
            }
        ),
    )


def _role(group: str, audit: Audit) -> str:
    return "reference" if group == audit.reference else "small" if group in audit.set_aside else ""


def _group_row(group: GroupRates, estimate: Estimate, audit: Audit, unit: str) -> strips.Row:
    role = _role(group.group, audit)
    tail = f" <i>{role}</i>" if role else ""
    name = clipped(group.group, limit=28 - len(role))
    right = f"<b>{quantity(estimate.value, unit)}</b> {interval(estimate, unit)} · n = {count(estimate.n)}"
    return strips.Row(f"{plain(name)}{tail}", right)


def _rates_sentence(label: str, audit: Audit, rate: str) -> str:
    groups = [g for g in audit.groups if rate in g.rates]
    counted_in = [g for g in groups if g.group not in audit.set_aside and not math.isnan(g.rates[rate].value)]
    known = sorted(counted_in, key=lambda g: g.rates[rate].value, reverse=True)
    unknown = [g.group for g in groups if math.isnan(g.rates[rate].value)]
    parts = []
    if len(known) >= 2:
        first, last = known[0], known[-1]
        high, low = first.rates[rate].value, last.rates[rate].value
        parts.append(
            f"{label} is highest for {first.group} ({quantity(high, 'percent')}) and lowest for {last.group} "
            f"({quantity(low, 'percent')}): {quantity(high - low, 'points')} apart."
        )
    elif known:
        parts.append(f"{label} of {known[0].group} is {quantity(known[0].rates[rate].value, 'percent')}.")
    if unknown:
        parts.append(f"It is undefined for {listed(unknown)}: no rows to count.")
    if audit.set_aside:
        parts.append(f"Too small to be compared: {listed(list(audit.set_aside))}.")
    return " ".join(parts)


def gap_overview(
    audit: Audit,
    lines: Mapping[str, float | Line] | None = None,
    *,
    mode: Mode = "light",
    names: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Chart:
    """Return every gap with its interval, the user's line where `lines` has one, and what that says in words.

    Differences are drawn in points from 0 (equal), ratios from 0 to 1 (equal).
    """
    lines = {n: line.value if isinstance(line, Line) else line for n, line in (lines or {}).items()}
    labels = labels or {}
    chosen = [n for n in (names or gap_names(audit.metrics)) if n in audit.metrics]
    title = f"Gaps between groups of {audit.attribute}"
    if not chosen:
        return empty_chart(title, audit.degenerate or "No gap can be computed for these groups.", mode)
    halves = [[n for n in chosen if metric_unit(n) == unit] for unit in ("points", "ratio")]
    halves = [half for half in halves if half]
    verdicts = {n: verdict(audit.metrics[n].estimate, lines[n], METRICS[n].direction) for n in chosen if n in lines}
    panels = [_gap_panel(audit, half, lines=lines, verdicts=verdicts, labels=labels, mode=mode) for half in halves]
    figure = strips.strip_figure(panels, mode=mode)
    for index, (half, panel) in enumerate(zip(halves, panels, strict=True), start=1):
        strips.add_track(figure, panel, index, mode=mode)
        _draw_gaps(figure, panel, index, [audit.metrics[n] for n in half], lines=lines, labels=labels, mode=mode)
    table = pd.DataFrame([_gap_record(audit.metrics[n], lines.get(n), verdicts.get(n), labels) for n in chosen])
    return Chart(title, figure, _gap_sentence(audit, chosen, verdicts), table)


def _gap_panel(
    audit: Audit,
    names: Sequence[str],
    *,
    lines: Mapping[str, float],
    verdicts: Mapping[str, str],
    labels: Mapping[str, str],
    mode: Mode,
) -> strips.Panel:
    colours, unit = COLOURS[mode], metric_unit(names[0])
    rows = []
    for name in names:
        estimate, shown = audit.metrics[name].estimate, verdict_words(verdicts[name]) if name in verdicts else None
        rows.append(
            strips.Row(
                labels.get(name) or short_label(name),
                f"<b>{quantity(estimate.value, unit, short=True)}</b> {interval(estimate, unit)}",
                shown.text.replace(" your line", "") if shown else "",
                colours.tone(shown.tone) if shown else None,
            )
        )
    edges = [edge for n in names for edge in _edges(n, lines)]
    low, top = strips.span([audit.metrics[n].estimate for n in names], unit, also=edges)
    if unit == "ratio":
        return strips.Panel(tuple(rows), high=top, heading="Ratios · 1 = equal", tickformat=".1f")
    heading = "Differences in points · 0 = equal" + _line_key(lines, mode)
    return strips.Panel(tuple(rows), high=top, low=low, heading=heading, **strips.in_points(top, low=low))


def _edges(name: str, lines: Mapping[str, float]) -> tuple[float, ...]:
    """Where the user's line stands on the axis: on both sides of the ideal for a metric that can miss it both ways."""
    if name not in lines:
        return ()
    line, way = lines[name], METRICS[name].direction
    return (-line, line) if way == "towards 0" else (line, 1 / line) if way == "towards 1" and line > 0 else (line,)


def _line_key(lines: Mapping[str, float], mode: Mode) -> str:
    return f"      <span style='color:{COLOURS[mode].accent}'><b>┆ your line</b></span>" if lines else ""


def _draw_gaps(
    figure: go.Figure,
    panel: strips.Panel,
    index: int,
    metrics: Sequence[Metric],
    *,
    lines: Mapping[str, float],
    labels: Mapping[str, str],
    mode: Mode,
) -> None:
    colours = COLOURS[mode]
    for r, metric in enumerate(metrics):
        unit = metric_unit(metric.name)
        hover = (
            f"<b>{labels.get(metric.name) or metric_label(metric.name)}</b><br>{estimate_text(metric.estimate, unit)}"
        )
        hover += f"<br>{folded(plain(metric.words))}" if metric.words else ""
        if metric.name in lines:
            hover += f"<br>your line: {quantity(lines[metric.name], unit)}"
        for edge in _edges(metric.name, lines):
            line = {"color": colours.accent, "width": 2.4, "dash": "3px,2px"}
            strips.add_line(figure, ((edge, -r - 0.2), (edge, -r + 0.13)), index=index, line=line, layer="above")
        dot = strips.Dot(colours.text, colours.ground, name=metric.name)
        strips.add_dot(figure, panel, index, metric.estimate, y=-r, dot=dot, hover=hover)


def _gap_record(metric: Metric, line: float | None, said: str | None, labels: Mapping[str, str]) -> dict:
    return {
        "metric": labels.get(metric.name) or metric_label(metric.name),
        "value": metric.estimate.value,
        "low": metric.estimate.low,
        "high": metric.estimate.high,
        "n": metric.estimate.n,
        "higher group": metric.pair[0] if metric.pair else "",
        "lower group": metric.pair[1] if metric.pair else "",
        "your line": math.nan if line is None else line,
        "verdict": verdict_words(said).words if said else "",
        "in words": metric.words,
    }


def _gap_sentence(audit: Audit, names: Sequence[str], verdicts: Mapping[str, str]) -> str:
    if audit.degenerate:
        return f"Read nothing into these gaps: {audit.degenerate}"
    aside = f" Too small to enter a gap: {listed(list(audit.set_aside))}." if audit.set_aside else ""
    if not verdicts:
        first = audit.metrics[names[0]]
        return f"{first.words}{aside}" if first.words else f"{counted(len(names), 'gap')} with intervals.{aside}"
    tally = {word: sum(v == word for v in verdicts.values()) for word in dict.fromkeys(verdicts.values())}
    said = listed([f"{n} {_tally_words(word, n)}" for word, n in tally.items()])
    return f"Of {counted(len(verdicts), 'gap')} with a line, {said}.{aside}"


def _tally_words(said: str, n: int) -> str:
    if said == "not enough evidence":
        return "cannot be decided with this many rows"
    if n == 1:
        return verdict_words(said).words
    return {"meets your line": "meet your line", "does not meet": "do not meet your line"}[said]


def base_rates(table: pd.DataFrame, *, mode: Mode = "light", favourable_words: str = "favourable outcome") -> Chart:
    """Return the share with the favourable label in every group, before any model.

    `table` has the columns group, n, share, favourable (a count), base_rate, and low and high where known.
    """
    title = f"Base rate by group: {favourable_words}"
    if table.empty:
        return empty_chart(title, "The data set has no rows to show.", mode)
    records = table.to_dict("records")
    nan = math.nan
    estimates = [Estimate(r["base_rate"], r.get("low", nan), r.get("high", nan), int(r["n"])) for r in records]
    rows = tuple(
        strips.Row(
            f"{plain(clipped(str(r['group'])))}  <i>{count(r['n'])} rows, {100 * r['share']:.1f} %</i>",
            f"<b>{quantity(e.value, 'percent')}</b> {interval(e, 'percent')}",
        )
        for r, e in zip(records, estimates, strict=True)
    )
    top = strips.nice_top([v for e in estimates for v in (e.value, e.high)], floor=0.1, ceiling=1.0)
    panel = strips.Panel(rows, high=top, tickformat=".0%")
    figure = strips.strip_figure([panel], mode=mode)
    for r, (record, e) in enumerate(zip(records, estimates, strict=True)):
        colour, favourable = COLOURS[mode].accent, int(record["favourable"])
        hover = f"<b>{plain(record['group'])}</b><br>{count(favourable)} of {counted(e.n, 'row')}"
        if not math.isnan(e.value):
            strips.add_bar(figure, (0, e.value), -r, index=1, colour=faded(colour, 0.75), hover=hover)
    known = [(r, e) for r, e in zip(records, estimates, strict=True) if not math.isnan(e.value)]
    low, high = (f(known, key=lambda p: p[1].value) for f in (min, max)) if known else (None, None)
    sentence = (
        f"In the data {quantity(high[1].value, 'percent')} of {high[0]['group']} and "
        f"{quantity(low[1].value, 'percent')} of {low[0]['group']} have the label “{favourable_words}”."
        if known
        else "No group has rows."
    )
    return Chart(title, figure, sentence, table.reset_index(drop=True))
