"""The trials of a search as a table, and as parallel coordinates: one line through settings, figures and score.

Both take the JSON that a search leaves (`fairneuron search --json`), so that screen, export and command line agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.report.names import metric_unit
from fairneuron_core.report.style import (
    COLOURS,
    Chart,
    Colours,
    Mode,
    add_notes,
    as_note,
    empty_chart,
    faded,
    new_figure,
)
from fairneuron_core.report.words import count, counted, folded, number, quantity

SETTINGS = ("theta", "gamma", "first_layer", "dropout", "learning_rate")
LOGARITHMIC = ("theta", "learning_rate")
SHOWN = {
    "theta": "theta",
    "gamma": "gamma",
    "first_layer": "layer",
    "dropout": "dropout",
    "learning_rate": "rate",
    "accuracy": "accuracy",
    "demographic_parity_difference": "parity",
    "equal_opportunity_difference": "opportunity",
    "score": "score",
}
"""Axes of the parallel coordinates -> the word at their top."""
STANDINGS = ("not eligible", "eligible", "on the frontier", "chosen")


def trial_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per trial: settings, figures on validation, score, standing, and why it cannot win.

    `standing` is one of STANDINGS; the chosen trial is on the frontier unless the score weighs what the frontier
    does not. Values that an older search did not vary come from its common settings.
    """
    common, rows = results.get("params", {}), []
    for position, trial in enumerate(results["trials"]):
        standing = "eligible" if trial["ineligible"] is None else "not eligible"
        standing = "on the frontier" if trial.get("pareto") else standing
        settings = {name: trial.get(name, common.get(name)) for name in SETTINGS}
        rows.append(
            {
                "trial": position + 1,
                **settings,
                "conflict_samples": trial["conflict_samples"],
                **trial["metrics"],
                "score": trial["score"],
                "standing": "chosen" if position == results["chosen"] else standing,
                "not eligible because": trial["ineligible"] or "",
                "same training as trial": None if trial["same_as"] is None else trial["same_as"] + 1,
            }
        )
    table = pd.DataFrame(rows)
    if "same training as trial" in table:
        table["same training as trial"] = table["same training as trial"].astype("Int64")
    numbers = [name for name in (*SETTINGS, "score", *_metrics(results)) if name in table]
    return table.astype(dict.fromkeys(numbers, float)).astype({"first_layer": "Int64"} if numbers else {})


def _metrics(results: Mapping[str, Any]) -> list[str]:
    return list(results["trials"][0]["metrics"]) if results["trials"] else []


def varied(table: pd.DataFrame) -> list[str]:
    """Return the settings that differ between trials."""
    return [name for name in SETTINGS if table[name].nunique(dropna=True) > 1]


@dataclass(frozen=True)
class _Axis:
    """One vertical axis: height 0 to 1 of every trial, and where its ticks stand with which text."""

    name: str
    heights: np.ndarray
    ticks: list[float]
    texts: list[str]


@dataclass(frozen=True)
class _Look:
    """How the lines of one standing are drawn; shape and dash say the same as the colour."""

    colour: str
    width: float
    dash: str
    symbol: str
    size: int


def search_parallel(results: Mapping[str, Any], *, mode: Mode = "light") -> Chart:
    """Return every trial as one line through its settings, its figures on validation and its score.

    Lines, not plotly's own parallel coordinates: those need WebGL, and know neither dashes nor a hover text.
    """
    title = "Every trial: settings, figures and score"
    table = trial_table(results)
    if table.empty:
        return empty_chart(title, "No trial has finished yet.", mode)
    colours = COLOURS[mode]
    names = [*varied(table), *(name for name in tuple(SHOWN)[5:] if name in table)]
    axes = [_axis(name, table[name].astype(float).to_numpy()) for name in names]
    figure = new_figure(mode, height=390)
    for standing, look in _looks(colours).items():
        rows = np.flatnonzero(table["standing"] == standing)
        if len(rows):
            _lines(figure, table, axes, rows, standing=standing, look=look)
    add_notes(figure, _axis_texts(figure, axes, colours))
    figure.update_xaxes(range=(0, len(axes) - 1), visible=False, automargin=False)
    figure.update_yaxes(range=(-0.04, 1.14), visible=False, automargin=False)
    figure.update_layout(showlegend=True, margin={"l": 44, "r": 26, "t": 34, "b": 4}, legend={"traceorder": "reversed"})
    return Chart(title, figure, _parallel_sentence(table, names), table)


def _looks(colours: Colours) -> dict[str, _Look]:
    looks = (
        _Look(colours.quiet, 1.0, "dot", "x-thin", 5),
        _Look(faded(colours.reference, 0.45), 1.0, "solid", "circle", 4),
        _Look(faded(colours.accent, 0.75), 1.5, "solid", "diamond", 5),
        _Look(colours.after, 3.0, "solid", "star", 12),
    )
    return dict(zip(STANDINGS, looks, strict=True))


def _lines(
    figure: go.Figure, table: pd.DataFrame, axes: Sequence[_Axis], rows: np.ndarray, *, standing: str, look: _Look
) -> None:
    """Draw the lines of some trials as one trace; a missing point parts one line from the next."""
    places = np.append(np.arange(len(axes), dtype=float), np.nan)
    heights = np.column_stack([*(axis.heights[rows] for axis in axes), np.full(len(rows), np.nan)])
    words = [folded(_trial_words(table.iloc[row], axes), width=44) for row in rows]
    thin = {"width": 1.2, "color": look.colour} if "thin" in look.symbol else {"width": 0}
    figure.add_scatter(
        x=np.tile(places, len(rows)),
        y=heights.ravel(),
        mode="lines+markers",
        name=standing,
        line={"color": look.colour, "width": look.width, "dash": look.dash},
        marker={"color": look.colour, "symbol": look.symbol, "size": look.size, "line": thin},
        text=np.repeat(words, len(places)),
        hovertemplate=f"<b>{standing}</b><br>%{{text}}<extra></extra>",
        cliponaxis=False,
        connectgaps=False,
    )


def _trial_words(row: pd.Series, axes: Sequence[_Axis]) -> str:
    said = ", ".join(f"{SHOWN[axis.name]} {value_text(axis.name, row[axis.name])}" for axis in axes)
    return f"trial {row['trial']}: {said}" + (f"; {row['not eligible because']}" if row["not eligible because"] else "")


def value_text(name: str, value: float) -> str:
    """Return a setting or figure as text: shares in percent, gaps in points.

    >>> value_text("accuracy", 0.85), value_text("demographic_parity_difference", 0.1), value_text("theta", 0.00312)
    ('85.0 %', '10.0 points', '0.00312')
    """
    if name in SETTINGS:
        return f"{value:.3g}"
    return number(value, digits=3) if name == "score" else quantity(value, metric_unit(name))


def _axis_texts(figure: go.Figure, axes: Sequence[_Axis], colours: Colours) -> Iterator[dict[str, object]]:
    """Draw the axes and yield their names and ticks; tick texts stand left of their axis."""
    for place, axis in enumerate(axes):
        ends = {"x0": place, "x1": place, "y0": 0, "y1": 1}
        figure.add_shape(type="line", layer="below", line={"color": colours.axis, "width": 1}, **ends)
        yield as_note(SHOWN[axis.name], x=place, y=1.05, yanchor="bottom", font={"size": 12, "color": colours.text})
        for tick, text in zip(axis.ticks, axis.texts, strict=True):
            font = {"size": 10, "color": colours.quiet}
            yield as_note(text, x=place, y=tick, xanchor="right", xshift=-4, font=font, bgcolor=colours.ground)


def _axis(name: str, values: np.ndarray) -> _Axis:
    """Return one axis: gaps and score from 0, an undefined value at a place of its own above the others."""
    if name in LOGARITHMIC:
        values = np.log10(values)
    low, high, ticks, texts = _scale(name, values[np.isfinite(values)])
    if not np.isfinite(values).all():
        place = high + 0.16 * (high - low)
        values, high = np.where(np.isfinite(values), values, place), place
        ticks, texts = [*ticks, place], [*texts, "none"]
    width = (high - low) or 1.0
    return _Axis(name, (values - low) / width, [(tick - low) / width for tick in ticks], texts)


def _scale(name: str, known: np.ndarray) -> tuple[float, float, list[float], list[str]]:
    """Return low and high end, tick places and their texts of an axis."""
    if not len(known):
        return 0.0, 1.0, [], []
    if name == "first_layer":
        ticks = list(range(int(known.min()), int(known.max()) + 1))
        return ticks[0], ticks[-1], ticks, [str(tick) for tick in ticks]
    if len(distinct := np.unique(known)) <= 8 and name in SETTINGS:
        shown = 10**distinct if name in LOGARITHMIC else distinct
        return distinct[0], distinct[-1], list(distinct), [f"{value:.3g}" for value in shown]
    if name in LOGARITHMIC:
        low, high = float(known.min()), float(known.max())
        ticks = [tick for tick in range(math.floor(low), math.ceil(high) + 1) if low - 0.1 <= tick <= high + 0.1]
        return min([low, *ticks]), max([high, *ticks]), ticks, [f"{10.0**tick:g}" for tick in ticks]
    return _linear(name, known)


def _linear(name: str, known: np.ndarray) -> tuple[float, float, list[float], list[str]]:
    gap = name.endswith("_difference")
    low = 0.0 if gap or name == "score" else float(known.min())
    step = nice_step(max(float(known.max()) - low, 0.01))
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(float(known.max()) / step - 1e-9) * step
    ticks = [float(low + i * step) for i in range(round((high - low) / step) + 1)]
    factor, unit = (100, " %") if name == "accuracy" else (100, "") if gap else (1, "")
    return low, max(high, low + step), ticks, [f"{factor * tick:.4g}{unit}" for tick in ticks]


def nice_step(width: float) -> float:
    """Return a round step that cuts `width` into at most 4 parts.

    >>> nice_step(0.42), nice_step(0.03)
    (0.2, 0.01)
    """
    power = 10.0 ** math.floor(math.log10(width / 4))
    return float(next(round(s * power, 12) for s in (1, 2, 2.5, 5, 10, 20) if s * power >= width / 4 - 1e-12))


def _parallel_sentence(table: pd.DataFrame, names: Sequence[str]) -> str:
    refused = table[table["standing"] == "not eligible"]
    said = [f"{counted(len(table), 'trial')} on the validation part; gaps in points"]
    if len(refused):
        reasons = refused["not eligible because"].value_counts()
        said.append(f"{count(len(refused))} not eligible ({'; '.join(f'{n} × {why}' for why, n in reasons.items())})")
    fixed = [f"{name.replace('_', ' ')} {table[name].iloc[0]:g}" for name in SETTINGS if name not in names]
    fixed = [words for words in fixed if not words.endswith("nan")]
    return "; ".join(said + ([f"the same in all: {', '.join(fixed)}"] if fixed else [])) + "."
