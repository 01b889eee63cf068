"""The drawing of `fairneuron bench paths`: seconds against rows, one panel per size, as SVG text.

SVG is written here because no library the product depends on can write a picture file without a browser.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from fairneuron_core.bench.sizes import SCALES

FONT = "Inter, 'Helvetica Neue', Arial, sans-serif"
TEXT, QUIET, GRID, GROUND = "#1c242c", "#5d6976", "#e9ecef", "#ffffff"
# Okabe and Ito (2008); grey is what the engines are measured against.
STYLES: dict[str, tuple[str, str]] = {
    "python": ("plain Python", "#d55e00"),
    "torch_sort_dense": ("torch.sort, all neurons", "#cc79a7"),
    "torch_sort": ("torch.sort, active neurons", "#b0578a"),
    "numba_1": ("numba, 1 thread", "#56b4e9"),
    "numba_2": ("numba, 2 threads", "#0072b2"),
    "gpu": ("GPU", "#009e73"),
    "forward": ("dense forward pass", "#7d8894"),
}
TITLES = {"german": "German", "compas": "COMPAS", "census": "Census", "wide": "Wide (Census)"}
PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, LABELS, GAP = 300, 250, 64, 92, 170, 66
LINE_HEIGHT = 15


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis: values of [low, high] onto [start, stop] pixels."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def powers(self) -> list[float]:
        """Powers of ten inside the axis."""
        exponents = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
        return [10.0**exponent for exponent in exponents]


def draw(results: Mapping[str, Any]) -> str:
    """Return the SVG: a line per engine, solid where it was measured, dashed where its rows per second are drawn on."""
    rows = [row for row in results["results"] if row["engine"] in STYLES and row["reading"] in ("delta", None)]
    panels = [(size, list(group)) for size, group in itertools.groupby(rows, key=lambda row: row["size"])]
    panels = [(size, group) for size, group in panels if size != "stream"]
    columns = min(len(panels), 2)
    width = LEFT + max(columns, 1) * (PANEL_WIDTH + LABELS + GAP) - GAP + 8
    height = TOP + -(-len(panels) // 2) * (PANEL_HEIGHT + GAP + 24)
    parts = [_text(LEFT, 30, "Seconds to slice a table into activation paths", size=17, weight=600)]
    parts.append(_text(LEFT, 52, _subtitle(results), size=12, colour=QUIET))
    for number, (size, group) in enumerate(panels):
        x = LEFT + number % 2 * (PANEL_WIDTH + LABELS + GAP)
        y = TOP + number // 2 * (PANEL_HEIGHT + GAP + 24)
        parts += _panel(size, group, x, y)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" role="img" aria-label="Seconds against rows, both logarithmic, one line per engine">\n'
        f'<rect width="{width}" height="{height}" fill="{GROUND}"/>\n{body}\n</svg>\n'
    )


def _subtitle(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    return (
        f"Both axes logarithmic; lower is faster. Median of {results['repeats']} rounds on {machine['processor']}, "
        f"{machine['cores']} cores. Dashed: drawn on from measured rows per second."
    )


def _panel(size: str, rows: Sequence[Mapping[str, Any]], x: float, y: float) -> list[str]:
    first = max(row["rows"] for row in rows if row["scale"] == 1)
    across = Axis(first, first * SCALES[-1], x, x + PANEL_WIDTH)
    ends = {engine: _seconds(found, across.high) for engine, found in _by_engine(rows).items()}
    starts = [_seconds(found, across.low) for found in _by_engine(rows).values()]
    low, high = (10.0 ** f(math.log10(v)) for f, v in ((math.floor, min(starts)), (math.ceil, max(ends.values()))))
    up = Axis(low, high, y + PANEL_HEIGHT, y)
    parts = [_text(x, y - 12, f"{TITLES.get(size, size)}, {rows[0]['network']}", size=13, weight=600)]
    parts += _grid(across, up)
    for engine, found in _by_engine(rows).items():
        parts += _line(found, STYLES[engine][1], across, up)
    wanted = sorted((up.at(seconds), engine) for engine, seconds in ends.items())
    for (_, engine), place in zip(wanted, apart([at for at, _ in wanted], y + PANEL_HEIGHT), strict=True):
        name, colour = STYLES[engine]
        parts.append(_text(x + PANEL_WIDTH + 10, place + 4, name, size=12, colour=colour))
    return parts


def _by_engine(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    return {engine: found for engine in STYLES if (found := [row for row in rows if row["engine"] == engine])}


def _seconds(found: Sequence[Mapping[str, Any]], rows: float) -> float:
    """Return the seconds at `rows`: measured, or drawn on from the nearest measurement."""
    nearest = min(found, key=lambda row: abs(math.log(row["rows"] / rows)))
    return float(rows / nearest["rows_per_second"])


def _line(found: Sequence[Mapping[str, Any]], colour: str, across: Axis, up: Axis) -> list[str]:
    inside = sorted((row["rows"], row["seconds"]) for row in found if row["rows"] >= across.low)
    edges = [(rows, _seconds(found, rows)) for rows in (across.low, across.high)]
    dashed = edges if not inside else [inside[-1], edges[1]]
    parts = []
    if len(inside) > 1:
        parts.append(_path(inside, colour, across, up))
    if dashed[0][0] < dashed[1][0]:
        parts.append(_path(dashed, colour, across, up, dashes="4 4"))
    return parts + [f'<circle cx="{across.at(n):.1f}" cy="{up.at(s):.1f}" r="3.5" fill="{colour}"/>' for n, s in inside]


def _path(points: Sequence[tuple[float, float]], colour: str, across: Axis, up: Axis, *, dashes: str = "none") -> str:
    places = " ".join(f"{across.at(n):.1f},{up.at(s):.1f}" for n, s in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'


def _grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for seconds in up.powers():
        at = up.at(seconds)
        parts.append(f'<path d="M{across.start} {at:.1f}H{across.stop}" stroke="{GRID}"/>')
        parts.append(_text(across.start - 8, at + 4, f"{seconds:,.10g} s", size=11, colour=QUIET, anchor="end"))
    ticks = [across.low * factor for factor in SCALES]
    for rows in ticks:
        at = across.at(rows)
        parts.append(f'<path d="M{at:.1f} {up.start}v5" stroke="{QUIET}"/>')
        parts.append(_text(at, up.start + 19, f"{rows:,.0f}", size=11, colour=QUIET, anchor="middle"))
    parts.append(_text((across.start + across.stop) / 2, up.start + 38, "rows", size=11, colour=QUIET, anchor="middle"))
    return parts


def apart(places: Sequence[float], lowest: float) -> list[float]:
    """Move labels (ascending pixels) so that none covers another and none lies below `lowest`.

    >>> apart([10, 12, 100], 105)
    [10, 25, 100]
    >>> apart([90, 99, 100], 100)
    [70, 85, 100]
    """
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + LINE_HEIGHT) if found else place)
    limit = lowest
    for index in range(len(found) - 1, -1, -1):
        found[index] = min(found[index], limit)
        limit = found[index] - LINE_HEIGHT
    return found


def _text(
    x: float, y: float, words: str, *, size: int, colour: str = TEXT, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
