"""Colours, shapes and the one plotly template, for light and dark, and the chart with its sentence and table."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.report.words import Tone, folded

Mode = Literal["light", "dark"]
FONT = "Inter, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Colours:
    """One palette. Blue is before and orange is after on every page; grey is the reference group."""

    text: str
    quiet: str
    grid: str
    axis: str
    ground: str
    panel: str
    before: str
    after: str
    reference: str
    accent: str
    conflict: str
    raised: str
    lowered: str
    good: str
    bad: str
    groups: tuple[str, ...]

    def tone(self, tone: Tone) -> str:
        """Colour of a verdict; the words and the shape beside it say the same."""
        return {"good": self.good, "bad": self.bad, "open": self.quiet, "none": self.quiet}[tone]


# Okabe and Ito (2008), minus the hues that mean before and after in that mode.
COLOURS: dict[Mode, Colours] = {
    "light": Colours(
        text="#1c242c",
        quiet="#5d6976",
        grid="#e9ecef",
        axis="#b9c2cb",
        ground="#ffffff",
        panel="#f3f5f6",
        before="#0072b2",
        after="#d55e00",
        reference="#7d8894",
        accent="#0f6e6b",
        conflict="#b0578a",
        raised="#007d5b",
        lowered="#b0578a",
        good="#00694f",
        bad="#a62f27",
        groups=("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#d55e00", "#0072b2"),
    ),
    "dark": Colours(
        text="#e5e9ed",
        quiet="#a3aeb9",
        grid="#28313a",
        axis="#4b5763",
        ground="#13181d",
        panel="#1d242b",
        before="#56b4e9",
        after="#f0a04b",
        reference="#93a0ac",
        accent="#3fb3aa",
        conflict="#d78fb6",
        raised="#2bb88d",
        lowered="#d78fb6",
        good="#4fcfa6",
        bad="#f59a90",
        groups=("#2bb88d", "#d78fb6", "#f0e442", "#56b4e9", "#e9813b", "#4a9fd0"),
    ),
}
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "pentagon", "star")
GLYPHS = dict(zip(SYMBOLS, "●◆■▲⬟★", strict=True))
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class Chart:
    """A figure with what it says in one sentence and the numbers behind it, so that screen and export agree."""

    title: str
    figure: go.Figure
    sentence: str
    table: pd.DataFrame


@dataclass(frozen=True)
class GroupStyle:
    """How one group is drawn everywhere: colour, marker and dash each tell it apart."""

    colour: str
    symbol: str
    dash: str


def group_styles(groups: list[str] | tuple[str, ...], reference: str | None, mode: Mode) -> dict[str, GroupStyle]:
    """Return the style of every group: the reference is grey, the others take the palette in their given order."""
    colours, styles, position = COLOURS[mode], {}, 0
    for group in groups:
        if group == reference:
            styles[group] = GroupStyle(colours.reference, "circle", "solid")
            continue
        turn = position % len(colours.groups)
        marker = SYMBOLS[(position + 1) % len(SYMBOLS)]
        styles[group] = GroupStyle(colours.groups[turn], marker, DASHES[(position + 1) % len(DASHES)])
        position += 1
    return styles


def faded(colour: str, opacity: float) -> str:
    """Return a #rrggbb colour with an opacity, as plotly's rgba().

    >>> faded("#ff8000", 0.5)
    'rgba(255,128,0,0.5)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


@functools.cache
def template(mode: Mode) -> go.layout.Template:
    """Return the plotly template of one mode."""
    colours = COLOURS[mode]
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.axis,
        "tickcolor": colours.axis,
        "zerolinecolor": colours.axis,
        "zerolinewidth": 1,
        "tickfont": {"size": 11, "color": colours.quiet},
        "title": {"font": {"size": 12, "color": colours.quiet}, "standoff": 6},
        "automargin": True,
        "fixedrange": True,
        "ticklabeloverflow": "allow",
        "ticklabelstandoff": 3,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": colours.text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": colours.groups,
            "margin": {"l": 4, "r": 4, "t": 8, "b": 8, "pad": 0},
            "xaxis": axis,
            "yaxis": axis,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": colours.panel,
                "bordercolor": colours.axis,
                "align": "left",
                "font": {"family": FONT, "size": 12, "color": colours.text},
            },
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
            "bargap": 0.08,
            "dragmode": False,
        }
    )


def new_figure(mode: Mode, *, height: int) -> go.Figure:
    """Return an empty figure in the house style."""
    return go.Figure(layout={"template": template(mode), "height": height, "showlegend": False})


def note(figure: go.Figure, text: str, **place: object) -> None:
    """Write text without an arrow; `place` is plotly's annotation placement."""
    figure.add_annotation(**as_note(text, **place))


def as_note(text: str, **place: object) -> dict[str, object]:
    """Return the text as an annotation, for `add_notes`."""
    return {"text": text, "showarrow": False, "align": "left", **place}


def add_notes(figure: go.Figure, notes: Iterable[dict[str, object]]) -> None:
    """Write many texts at once: one at a time, plotly checks all earlier ones again."""
    figure.layout.annotations = [*figure.layout.annotations, *notes]


def empty_chart(title: str, words: str, mode: Mode, *, columns: tuple[str, ...] = ()) -> Chart:
    """Return a chart that says why there is nothing to draw."""
    figure = new_figure(mode, height=120)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    note(
        figure,
        folded(words, width=46),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        font={"color": COLOURS[mode].quiet, "size": 13},
    )
    return Chart(title, figure, words, pd.DataFrame(columns=list(columns)))
