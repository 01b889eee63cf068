"""The front of every method in an experiment: accuracy against a gap, the points within the budget marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.experiments.spec import GIVEN
from fairneuron_core.report import strips
from fairneuron_core.report.experiment_result import Experiment, Method, Picked, heading
from fairneuron_core.report.names import in_sentence, short_label
from fairneuron_core.report.style import COLOURS, DASHES, Chart, Mode, empty_chart, faded, new_figure, note
from fairneuron_core.report.words import clipped, counted, interval, plain, quantity
from fairneuron_core.types import Estimate

Part = Literal["validation", "test"]
_SYMBOLS = (
    ("circle", "●", "○"),
    ("diamond", "◆", "◇"),
    ("square", "■", "□"),
    ("triangle-up", "▲", "△"),
    ("pentagon", "⬟", "⬠"),
    ("star", "★", "☆"),
    ("triangle-down", "▼", "▽"),
    ("hexagon", "⬢", "⬡"),
)
_CONTROL_SYMBOLS = (("cross", "✚"), ("hash-open", "#"), ("asterisk-open", "✱"), ("y-up-open", "Y"), ("bowtie", "⋈"))


@dataclass(frozen=True)
class MethodStyle:
    """How one method is drawn everywhere: colour, marker, dash, and the glyph that stands for the marker in text."""

    colour: str
    symbol: str
    dash: str
    glyph: str


def method_styles(methods: Sequence[Method], mode: Mode) -> dict[str, MethodStyle]:
    """Return the style of every method: controls are grey, those that read the attribute have open markers."""
    colours = COLOURS[mode]
    # Without the hues that mean before and after; the text colour is a hue of its own.
    free = [colour for colour in colours.groups if colour not in (colours.before, colours.after)][:4]
    hues = [*free, colours.text, colours.bad, colours.accent]
    styles: dict[str, MethodStyle] = {}
    controls = rest = 0
    for method in methods:
        if method.name == GIVEN:
            styles[method.name] = MethodStyle(colours.reference, "x", "solid", "✕")
        elif method.kind == "control":
            symbol, glyph = _CONTROL_SYMBOLS[controls % len(_CONTROL_SYMBOLS)]
            styles[method.name] = MethodStyle(colours.reference, symbol, "dot", glyph)
            controls += 1
        else:
            symbol, full, hollow = _SYMBOLS[rest % len(_SYMBOLS)]
            aware = method.needs_protected
            shown = (f"{symbol}-open", hollow) if aware else (symbol, full)
            dash = DASHES[rest // len(hues) % len(DASHES)]
            styles[method.name] = MethodStyle(hues[rest % len(hues)], shown[0], dash, shown[1])
            rest += 1
    return styles


def pareto_front(
    found: Experiment, gap: str, picked: Sequence[Picked], *, part: Part = "test", mode: Mode = "light"
) -> Chart:
    """Return accuracy against the gap of every method at every strength, means over seeds with their intervals.

    A ring marks the point that validation chose within the budget (the mean over seeds of what each seed chose). The
    gap axis starts at 0, the accuracy axis a little below the accuracy of always giving the more frequent answer.
    """
    label = in_sentence(short_label(gap))
    title = f"Accuracy against {label}, {part} rows"
    table = _front_table(found, gap, part)
    known = table.dropna(subset=["accuracy", "gap"])
    if known.empty:
        return empty_chart(title, "No method has a defined point here.", mode)
    colours = COLOURS[mode]
    styles = method_styles(found.methods, mode)
    figure = new_figure(mode, height=600)
    # The network as given lies on top: every line starts there.
    for method in sorted(found.methods, key=lambda method: method.name == GIVEN):
        own = known[known["name"] == method.name]
        if not own.empty:
            _line(figure, own, method, styles[method.name], attribute=found.attribute, mode=mode)
    _rings(figure, picked, gap, part, mode=mode)
    low, words = _accuracy_axis(figure, known, found.majority(part), mode=mode)
    top = strips.nice_top([*known["gap"], *known["gap high"].clip(upper=float(known["gap"].max()) * 1.1)], floor=0.02)
    figure.update_xaxes(range=(0, top), **strips.in_points(top), title_text=f"{short_label(gap)} in points · 0 = equal")
    figure.update_yaxes(range=(low, min(1.0, float(known["accuracy high"].fillna(known["accuracy"]).max()) + 0.006)))
    figure.update_yaxes(tickformat=".1%", nticks=7, title_text=words)
    legend = {"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top", "itemsizing": "constant"}
    legend |= {"font": {"size": 11, "color": colours.text}, "grouptitlefont": {"size": 11, "color": colours.quiet}}
    figure.update_layout(showlegend=True, legend={**legend, "tracegroupgap": 2, "groupclick": "toggleitem"})
    return Chart(title, figure, _front_sentence(found, table, gap, picked, part), table)


def _front_table(found: Experiment, gap: str, part: Part) -> pd.DataFrame:
    rows = [
        {
            "name": front["method"],
            "method": found.of(front["method"]).title,
            "list": heading(found.of(front["method"]).part, found.attribute),
            "strength": point["strength"],
            **_three("accuracy", point["accuracy"]),
            **_three("gap", point["gap"]),
            "seeds": point["seeds"],
            "degenerate share": point["degenerate"],
        }
        for front in found.source["pareto"][gap]
        for point in front["points"]
        if point["split"] == part
    ]
    return pd.DataFrame(rows).astype({"accuracy": float, "gap": float}) if rows else pd.DataFrame()


def _three(name: str, given: Mapping[str, Any]) -> dict[str, float]:
    values = (math.nan if given[key] is None else float(given[key]) for key in ("value", "low", "high"))
    return dict(zip((name, f"{name} low", f"{name} high"), values, strict=True))


def _line(
    figure: go.Figure, own: pd.DataFrame, method: Method, style: MethodStyle, *, attribute: str, mode: Mode
) -> None:
    own = own.sort_values("strength")
    width = 1.4 if "open" in style.symbol or method.kind == "control" else 0.8
    ground = COLOURS[mode].ground
    edge = style.colour if "open" in style.symbol or method.kind == "control" else ground
    bars = {"type": "data", "symmetric": False, "thickness": 1, "width": 0, "color": faded(style.colour, 0.4)}
    figure.add_scatter(
        x=own["gap"],
        y=own["accuracy"],
        mode="lines+markers",
        name=plain(clipped(method.title, limit=34)),
        legendgroup=method.part,
        legendgrouptitle={"text": plain(heading(method.part, attribute))},
        legendrank={"blind": 100, "aware": 200, "control": 300}[method.part] + (method.name != GIVEN),
        line={"color": faded(style.colour, 0.75), "width": 1.8, "dash": style.dash},
        marker={
            "symbol": style.symbol,
            "color": style.colour,
            "size": 13 if method.name == GIVEN else 9,
            "line": {"width": width, "color": edge},
            "opacity": [0.4 if share else 1.0 for share in own["degenerate share"].fillna(0)],
        },
        error_x={**bars, **_reach(own, "gap")},
        error_y={**bars, **_reach(own, "accuracy")},
        text=[_hover(row, method) for row in own.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def _reach(own: pd.DataFrame, name: str) -> dict[str, list[float]]:
    up, down = own[f"{name} high"] - own[name], own[name] - own[f"{name} low"]
    return {"array": up.fillna(0).tolist(), "arrayminus": down.fillna(0).tolist()}


def _hover(row: Mapping[str, Any], method: Method) -> str:
    strength = "" if pd.isna(row["strength"]) else f", strength {row['strength']:g}"
    lines = [f"<b>{plain(method.title)}</b>{strength}"]
    for name, unit in (("accuracy", "percent"), ("gap", "points")):
        estimate = Estimate(row[name], row[f"{name} low"], row[f"{name} high"], int(row["seeds"]))
        lines.append(f"{name} {quantity(estimate.value, unit)} {interval(estimate, unit)}")
    lines.append(f"mean of {counted(int(row['seeds']), 'seed')}")
    if row["degenerate share"]:
        lines.append(f"degenerate or failed on {row['degenerate share']:.0%} of the seeds")
    return "<br>".join(lines)


def _rings(figure: go.Figure, picked: Sequence[Picked], gap: str, part: Part, *, mode: Mode) -> None:
    """Mark the chosen point of every method that has strengths to choose from."""
    colours = COLOURS[mode]
    chosen = [one for one in picked if any(s is not None for s in one.strengths)]
    side = [one.on_validation if part == "validation" else one.level for one in chosen]
    figure.add_scatter(
        x=[level[gap].value for level in side],
        y=[level["accuracy"].value for level in side],
        mode="markers",
        name="chosen on validation within the budget",
        legendrank=1000,
        marker={"symbol": "circle-open", "size": 19, "color": colours.after, "line": {"width": 2.4}},
        text=[plain(one.method.title) for one in chosen],
        hovertemplate="<b>%{text}</b><br>chosen on validation within the budget<extra></extra>",
    )


def _accuracy_axis(figure: go.Figure, known: pd.DataFrame, majority: float, *, mode: Mode) -> tuple[float, str]:
    """Draw the line of the more frequent answer; return where the axis starts and the words that say so."""
    lowest = float(known["accuracy"].min())
    if math.isnan(majority):
        low = math.floor((lowest - 0.01) * 50) / 50
        return max(0.0, low), f"Accuracy (axis from {max(0.0, low):.0%})"
    colours = COLOURS[mode]
    low = max(0.0, min(majority, lowest) - 0.004)
    figure.add_hline(y=majority, line={"color": colours.reference, "width": 1.2, "dash": "dash"}, layer="below")
    text = f"always the more frequent answer: {quantity(majority, 'percent')}"
    place = {"x": 0.995, "xref": "paper", "y": majority, "yref": "y", "xanchor": "right", "yanchor": "bottom"}
    note(figure, text, **place, font={"size": 11, "color": colours.quiet})
    return low, "Accuracy (axis from the majority class)"


def _front_sentence(found: Experiment, table: pd.DataFrame, gap: str, picked: Sequence[Picked], part: Part) -> str:
    start = table[table["name"] == GIVEN]
    said = f"Mean of {counted(found.seeds, 'seed')}, bars are 95 % intervals over seeds; up and left is better."
    if not start.empty:
        row = start.iloc[0]
        said += (
            f" The network as given (grey ✕): accuracy {quantity(row['accuracy'], 'percent')}, "
            f"gap {quantity(row['gap'], 'points')}."
        )
    best = next((one for one in picked if one.ranked and one.method.part == "blind"), None)
    if best:
        level = best.on_validation if part == "validation" else best.level
        said += (
            f" {best.method.title}, chosen on validation: accuracy {quantity(level['accuracy'].value, 'percent')}, "
            f"gap {quantity(level[gap].value, 'points')}."
        )
    if bad := int((table["degenerate share"].fillna(0) > 0).sum()):
        said += f" {counted(bad, 'pale point is', 'pale points are')} degenerate on some seed and never chosen there."
    return said
