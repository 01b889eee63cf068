"""What an experiment costs and reaches: the gap at fixed accuracy budgets, the hypervolume, and the time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fairneuron_core.report import strips
from fairneuron_core.report.experiment_result import ORDER, Experiment, Method, heading
from fairneuron_core.report.experiment_words import points_words
from fairneuron_core.report.figures_experiment import MethodStyle, method_styles
from fairneuron_core.report.names import in_sentence, short_label
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded
from fairneuron_core.report.words import clipped, duration, estimate_text, number, plain, quantity
from fairneuron_core.types import Estimate

_BUDGET_SHIFTS = (0.1, -0.04, -0.18)


def _estimate(given: Mapping[str, Any], seeds: int) -> Estimate:
    value, low, high = (math.nan if given.get(k) is None else float(given[k]) for k in ("value", "low", "high"))
    return Estimate(value, low, high, seeds)


def _fronts(found: Experiment, gap: str) -> list[tuple[str, list[tuple[Method, Mapping[str, Any]]]]]:
    by_part: dict[str, list[tuple[Method, Mapping[str, Any]]]] = {part: [] for part in ORDER}
    for front in found.source["pareto"][gap]:
        method = found.of(front["method"])
        by_part[method.part].append((method, front))
    return [(part, rows) for part, rows in by_part.items() if rows]


def gaps_at_budgets(found: Experiment, gap: str, *, mode: Mode = "light") -> Chart:
    """Return the gap that every method reaches at each of the fixed accuracy budgets, on test rows."""
    title = f"{short_label(gap)} at fixed accuracy budgets"
    parts = _fronts(found, gap)
    if not parts:
        return empty_chart(title, "There is no method to compare.", mode)
    budgets = list(parts[0][1][0][1]["budgets"])
    tints = [faded(COLOURS[mode].accent, o) for o in (0.55, 0.78)] + [COLOURS[mode].accent]
    cells = {
        method.name: [_estimate(front["budgets"][b]["gap"], found.seeds) for b in budgets]
        for _, rows in parts
        for method, front in rows
    }
    top = strips.nice_top([e.value for row in cells.values() for e in row], floor=0.02)
    signs = [f"{mark} {100 * float(b):g}" for mark, b in zip("○◐●", budgets, strict=False)]
    styles = method_styles(found.methods, mode)
    panels = [
        strips.Panel(
            tuple(_budget_row(method, cells[method.name], styles[method.name]) for method, _ in rows),
            high=top,
            heading=f"{plain(heading(part, found.attribute))} · gap in points at {', '.join(signs)} points",
            row=strips.PAIR_ROW,
            **strips.in_points(top),
        )
        for part, rows in parts
    ]
    figure = strips.strip_figure(panels, mode=mode)
    for index, ((_, rows), panel) in enumerate(zip(parts, panels, strict=True), start=1):
        strips.add_track(figure, panel, index, mode=mode)
        for r, (method, _) in enumerate(rows):
            for budget, estimate, tint, up in zip(budgets, cells[method.name], tints, _BUDGET_SHIFTS, strict=False):
                hover = f"<b>{plain(method.title)}</b><br>budget {100 * float(budget):g} points: gap "
                hover += estimate_text(estimate, "points", with_n=False)
                dot = strips.Dot(tint, COLOURS[mode].ground, hollow=up == _BUDGET_SHIFTS[0])
                strips.add_dot(figure, panel, index, estimate, y=-r + up, dot=dot, hover=hover)
    return Chart(title, figure, _budget_sentence(parts, cells, budgets, gap), _budget_table(found, parts, budgets))


def _budget_row(method: Method, cells: Sequence[Estimate], style: MethodStyle) -> strips.Row:
    name = f"<span style='color:{style.colour}'>{style.glyph}</span> {plain(clipped(method.title, limit=36))}"
    return strips.Row(name, " · ".join(quantity(e.value, "points", short=True) for e in cells))


def _budget_sentence(parts: Any, cells: Mapping[str, Sequence[Estimate]], budgets: Sequence[str], gap: str) -> str:
    said = []
    for position, budget in enumerate(budgets):
        ranked = [
            (cells[m.name][position].value, m.title)
            for part, rows in parts
            for m, _ in rows
            if part == "blind" and not math.isnan(cells[m.name][position].value)
        ]
        if ranked:
            value, title = min(ranked)
            said.append(f"{points_words(float(budget))}: {title} with {quantity(value, 'points')}")
    what = in_sentence(short_label(gap))
    start = f"Smallest mean {what} on test rows with one rule for all groups, at a budget of"
    return f"{start} {'; '.join(said)}." if said else ""


def _budget_table(found: Experiment, parts: Any, budgets: Sequence[str]) -> pd.DataFrame:
    rows = []
    for part, fronts in parts:
        for method, front in fronts:
            volume = _estimate(front["hypervolume"], found.seeds)
            row = {"method": method.title, "list": heading(part, found.attribute)}
            row |= {"hypervolume": volume.value, "hypervolume low": volume.low, "hypervolume high": volume.high}
            for budget in budgets:
                cell, name = front["budgets"][budget], f"at {100 * float(budget):g} points"
                gap, cost = (_estimate(cell[k], found.seeds) for k in ("gap", "accuracy_change"))
                row |= {f"gap {name}": gap.value, f"gap low {name}": gap.low, f"gap high {name}": gap.high}
                row |= {f"relative reduction {name}": cell.get("reduction"), f"accuracy change {name}": cost.value}
            rows.append(row)
    return pd.DataFrame(rows)


def front_areas(found: Experiment, gap: str, *, mode: Mode = "light") -> Chart:
    """Return the hypervolume of every method: how much of the plane of accuracy and gap its points improve on."""
    title = f"Area under each front (hypervolume), {in_sentence(short_label(gap))}"
    parts = _fronts(found, gap)
    if not parts:
        return empty_chart(title, "There is no method to compare.", mode)
    areas = {m.name: _scaled(_estimate(f["hypervolume"], found.seeds)) for _, rows in parts for m, f in rows}
    top = strips.nice_top([v for e in areas.values() for v in (e.value, e.high)], floor=0.1)
    styles = method_styles(found.methods, mode)
    panels = [
        strips.Panel(
            tuple(_area_row(method, areas[method.name], styles[method.name]) for method, _ in rows),
            high=top,
            heading=f"{plain(heading(part, found.attribute))} · thousandths · larger is better",
            row=strips.PAIR_ROW,
        )
        for part, rows in parts
    ]
    figure = strips.strip_figure(panels, mode=mode)
    for index, ((_, rows), panel) in enumerate(zip(parts, panels, strict=True), start=1):
        strips.add_track(figure, panel, index, mode=mode)
        for r, (method, _) in enumerate(rows):
            estimate = areas[method.name]
            hover = f"<b>{plain(method.title)}</b><br>{number(estimate.value, digits=2)} thousandths"
            dot = strips.Dot(styles[method.name].colour, COLOURS[mode].ground)
            strips.add_dot(figure, panel, index, estimate, y=-r, dot=dot, hover=hover)
    named = [(areas[m.name].value, m.title) for part, rows in parts for m, _ in rows if part == "blind"]
    known = [pair for pair in named if pair[0] > 0]
    table = pd.DataFrame(
        {"method": m.title, "list": heading(part, found.attribute), **_area_cells(areas[m.name])}
        for part, rows in parts
        for m, _ in rows
    )
    return Chart(title, figure, _area_sentence(known), table)


def _scaled(area: Estimate) -> Estimate:
    """Return an area in thousandths, with no part of its interval below 0, where no area can be."""
    return Estimate(1000 * area.value, max(0.0, 1000 * area.low), 1000 * area.high, area.n)


def _area_row(method: Method, area: Estimate, style: MethodStyle) -> strips.Row:
    name = f"<span style='color:{style.colour}'>{style.glyph}</span> {plain(clipped(method.title, limit=36))}"
    bounds = "" if math.isnan(area.low) else f" [{number(area.low, digits=2)}, {number(area.high, digits=2)}]"
    return strips.Row(name, f"{number(area.value, digits=2)}{bounds}")


def _area_cells(area: Estimate) -> dict[str, float]:
    return {"thousandths": area.value, "low": area.low, "high": area.high}


def _area_sentence(known: Sequence[tuple[float, str]]) -> str:
    rule = "Reference: always the more frequent answer, at the gap of the network as given; 0 = nothing gained."
    if not known:
        return rule
    value, title = max(known)
    return f"Largest with one rule for all groups: {title} with {number(value, digits=2)} thousandths. {rule}"


def time_bars(found: Experiment, *, mode: Mode = "light") -> Chart:
    """Return the seconds that every method took on all seeds together, the given networks' training included."""
    title = "Time of each method, all seeds together"
    seconds = {k: float(v) for k, v in found.source.get("timing", {}).get("seconds", {}).items() if v is not None}
    if not seconds:
        return empty_chart(title, "No times were recorded.", mode)
    titles = {method.name: method.title for method in found.methods}
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    named = [(titles.get(name, "Training of the given networks"), value) for name, value in ordered]
    top = strips.nice_top([value for _, value in named], floor=1.0)
    rows = tuple(strips.Row(plain(clipped(name, limit=40)), duration(value)) for name, value in named)
    panel = strips.Panel(rows, high=top, heading="Seconds · from 0", tickformat=",.0f", row=42)
    figure = strips.strip_figure([panel], mode=mode)
    for r, (name, value) in enumerate(named):
        tint = COLOURS[mode].reference if name not in titles.values() else COLOURS[mode].accent
        hover = f"<b>{plain(name)}</b><br>{value:,.1f} s"
        strips.add_bar(figure, (0, value), -r, index=1, colour=tint, hover=hover)
    sentence = f"All together {duration(math.fsum(seconds.values()))}; {named[0][0]} took most: {rows[0].right}."
    return Chart(title, figure, sentence, pd.DataFrame(named, columns=["method", "seconds"]))
