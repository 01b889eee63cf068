"""Horizontal rows under a zero-based axis: the layout that most charts share.

A row is a line of text (name left, numbers right) with a strip below it in which dots, bars and intervals are drawn.
The text sits inside the plot, so a row reads the same on a phone as on a wall; the page never needs a left margin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from fairneuron_core.report.style import COLOURS, Mode, add_notes, as_note, new_figure
from fairneuron_core.report.words import MINUS, Unit
from fairneuron_core.types import Estimate

# Pixels: a row, a row of two dots, the heading of a panel, its axis, and the room that end labels need left and right.
ROW, PAIR_ROW, HEADING, AXIS, EDGE = 48, 66, 30, 30, 12
HEADING_LINE = 17  # every further line of a heading


@dataclass(frozen=True)
class Row:
    """The texts of one row; `aside` stands right of the strip, in `aside_colour`."""

    left: str
    right: str = ""
    aside: str = ""
    aside_colour: str | None = None


@dataclass(frozen=True)
class Panel:
    """Rows that share one axis from `low` (0 unless the values go below) to `high`; `row` is their height in pixels."""

    rows: tuple[Row, ...]
    high: float
    low: float = 0.0
    heading: str = ""
    tickformat: str = ""
    tickvals: tuple[float, ...] = field(default=())
    ticktext: tuple[str, ...] = field(default=())
    row: int = ROW


def nice_top(values: Sequence[float], *, floor: float, ceiling: float | None = None) -> float:
    """Return a round axis end at or above every finite value, at least `floor` and at most `ceiling`.

    >>> nice_top([0.07, float("nan")], floor=0.05), nice_top([0.93], floor=0.1, ceiling=1.0)
    (0.08, 1.0)
    """
    largest = max([abs(v) for v in values if v is not None and math.isfinite(v)] + [floor])
    power = 10.0 ** math.floor(math.log10(largest))
    steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    top = float(next(round(s * power, 10) for s in steps if s * power >= largest - 1e-12))
    return min(top, ceiling) if ceiling is not None else top


def span(estimates: Sequence[Estimate], unit: Unit, *, also: Sequence[float] = ()) -> tuple[float, float]:
    """Return (low, high) of an axis for these estimates: from 0, and below it only where a value is negative."""
    reach = [v for e in estimates for v in (e.value, e.high)] + list(also)
    if unit == "ratio":
        values = nice_top([e.value for e in estimates] + list(also), floor=1.0)
        return 0.0, max(values, nice_top(reach, floor=1.0, ceiling=2.5))
    below = [v for v in [v for e in estimates for v in (e.value, e.low)] + list(also) if v < 0]
    above = [v for v in reach if v > 0]
    low = -nice_top(below, floor=0.05, ceiling=1.0) if below else 0.0
    return low, nice_top(above, floor=1.0 if unit == "percent" else 0.05, ceiling=1.0)


def in_points(top: float, *, low: float = 0.0) -> dict[str, tuple]:
    """Return tick values and texts of an axis of shares that is labelled in points.

    >>> in_points(0.1)["ticktext"], in_points(0.1, low=-0.1)["ticktext"]
    (('0', '2', '4', '6', '8', '10'), ('−10', '−5', '0', '5', '10'))
    """
    step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1) if (top - low) / s <= 6.01)
    first, last = -int(-low / step + 1e-9), int(top / step + 1e-9)
    values = tuple(round(i * step, 4) for i in range(first, last + 1))
    return {"tickvals": values, "ticktext": tuple(f"{100 * v:g}".replace("-", MINUS) for v in values)}


def heights(panels: Sequence[Panel]) -> list[int]:
    """Pixels of every panel: its heading, its rows and its axis."""
    return [_heading(panel) + panel.row * len(panel.rows) + AXIS for panel in panels]


def _heading(panel: Panel) -> int:
    return HEADING + HEADING_LINE * panel.heading.count("<br>") if panel.heading else 6


def strip_figure(panels: Sequence[Panel], *, mode: Mode) -> go.Figure:
    """Return a figure with the texts and axes of all panels; row r of a panel lies at y = -r of its own axes."""
    pixels = heights(panels)
    total = sum(pixels)
    figure = new_figure(mode, height=total)
    figure.update_layout(margin={"l": EDGE, "r": EDGE, "t": 0, "b": 0}, barmode="overlay")
    used, notes = 0, []
    for index, (panel, height) in enumerate(zip(panels, pixels, strict=True), start=1):
        top, bottom = 1 - (used + _heading(panel)) / total, 1 - (used + height - AXIS) / total
        _axes(figure, panel, index, domain=(bottom, top), mode=mode)
        notes += _texts(panel, index, top=1 - used / total, mode=mode)
        used += height
    add_notes(figure, notes)
    return figure


def _number(index: int) -> str:
    return "" if index == 1 else str(index)


def _axes(figure: go.Figure, panel: Panel, index: int, *, domain: tuple[float, float], mode: Mode) -> None:
    has_aside = any(row.aside for row in panel.rows)
    ticks = {"tickvals": panel.tickvals, "ticktext": panel.ticktext} if panel.tickvals else {"nticks": 6}
    figure.layout[f"xaxis{_number(index)}"] = {
        "domain": (0.012 if panel.low < 0 else 0.0, 0.66 if has_aside else 0.985),
        "anchor": f"y{_number(index)}",
        "range": (panel.low, panel.high),
        "tickformat": panel.tickformat,
        "automargin": False,
        "zeroline": True,
        "zerolinecolor": COLOURS[mode].axis,
        **ticks,
    }
    figure.layout[f"yaxis{_number(index)}"] = {
        "domain": domain,
        "anchor": f"x{_number(index)}",
        "range": (-len(panel.rows) + 0.62, 0.62),
        "visible": False,
        "automargin": False,
    }


def _texts(panel: Panel, index: int, *, top: float, mode: Mode) -> Iterator[dict[str, object]]:
    colours = COLOURS[mode]
    left = {"x": 0, "xref": "paper", "xanchor": "left", "xshift": -EDGE}
    right = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": EDGE, "align": "right"}
    quiet = {"size": 12, "color": colours.quiet}
    if panel.heading:
        yield as_note(panel.heading, font=quiet, y=top, yref="paper", yanchor="top", yshift=-4, **left)
    for r, row in enumerate(panel.rows):
        line = {"y": -r, "yref": f"y{_number(index)}", "yanchor": "bottom", "yshift": panel.row * 0.17}
        yield as_note(row.left, font={"size": 13, "color": colours.text}, **left, **line)
        if row.right:
            yield as_note(row.right, font=quiet, **right, **line)
        if row.aside:
            below = {"yanchor": "middle", "yshift": -10 if "<br>" in row.aside else -3}
            font = {"size": 12, "color": row.aside_colour or colours.quiet}
            yield as_note(row.aside, font=font, **right, **{**line, **below})


def add_track(figure: go.Figure, panel: Panel, index: int, *, mode: Mode) -> None:
    """Draw the thin line on which the dots of every row sit."""
    for r in range(len(panel.rows)):
        ends = {"x0": panel.low, "x1": panel.high, "y0": -r, "y1": -r}
        axes = {"xref": f"x{_number(index)}", "yref": f"y{_number(index)}"}
        figure.add_shape(type="line", layer="below", line={"color": COLOURS[mode].grid, "width": 1}, **axes, **ends)


def add_line(
    figure: go.Figure, ends: tuple[tuple[float, float], tuple[float, float]], *, index: int, line: dict, layer: str
) -> None:
    """Draw a line between two points (x, y) of a panel."""
    (x0, y0), (x1, y1) = ends
    axes = {"xref": f"x{_number(index)}", "yref": f"y{_number(index)}"}
    figure.add_shape(type="line", x0=x0, x1=x1, y0=y0, y1=y1, line=line, layer=layer, **axes)


@dataclass(frozen=True)
class Dot:
    """How one dot with its interval looks; `ground` is the page's colour, which parts it from what lies below."""

    colour: str
    ground: str
    symbol: str = "circle"
    hollow: bool = False
    name: str = ""


def add_dot(figure: go.Figure, panel: Panel, index: int, estimate: Estimate, *, y: float, dot: Dot, hover: str) -> None:
    """Draw an estimate at height y with its interval, cut at the axis ends; an undefined one draws nothing."""
    if not math.isfinite(estimate.value):
        return
    low = estimate.value if math.isnan(estimate.low) else max(estimate.low, panel.low)
    high = estimate.value if math.isnan(estimate.high) else min(estimate.high, panel.high)
    figure.add_scatter(
        x=[estimate.value],
        y=[y],
        mode="markers",
        name=dot.name,
        xaxis=f"x{_number(index)}",
        yaxis=f"y{_number(index)}",
        marker={
            "size": 11,
            "symbol": dot.symbol,
            "color": dot.ground if dot.hollow else dot.colour,
            "line": {"color": dot.colour if dot.hollow else dot.ground, "width": 2 if dot.hollow else 1.2},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(high - estimate.value, 0)],
            "arrayminus": [max(estimate.value - low, 0)],
            "thickness": 1.6,
            "width": 4,
            "color": dot.colour,
        },
        hovertemplate=hover + "<extra></extra>",
        cliponaxis=False,
    )


def add_bar(
    figure: go.Figure, ends: tuple[float, float], y: float, *, index: int, colour: str, hover: str, half: float = 0.13
) -> None:
    """Draw a bar from ends[0] to ends[1] (given from zero outwards) at height y."""
    figure.add_bar(
        x=[ends[1] - ends[0]],
        y=[y],
        base=[ends[0]],
        orientation="h",
        width=[2 * half],
        xaxis=f"x{_number(index)}",
        yaxis=f"y{_number(index)}",
        marker={"color": colour, "line": {"width": 0}},
        hovertemplate=hover + "<extra></extra>",
    )
