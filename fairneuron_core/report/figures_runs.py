"""Charts of work in progress: training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fairneuron_core.report import strips
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, note, template
from fairneuron_core.report.words import count, number, quantity

LOSSES = {"train_loss": ("training", "solid"), "loss": ("training", "solid"), "validation_loss": ("validation", "dash")}
SHARES = {"accuracy": ("accuracy", "solid"), "gap": ("gap", "dash"), "opportunity": ("opportunity", "dot")}
TRACED = {
    "validation_accuracy": "accuracy",
    "demographic_parity_difference": "gap",
    "equal_opportunity_difference": "opportunity",
}
"""Names in a training's trace -> names in this file."""


def training_curves(
    points: Sequence[Mapping[str, Any]],
    *,
    mode: Mode = "light",
    epochs: int | None = None,
    gap_label: str = "parity gap",
) -> Chart:
    """Return the losses, and accuracy and gap where recorded, of the epochs so far.

    Each point has `epoch` and any of train_loss (or loss), validation_loss, accuracy, gap, opportunity (the equal
    opportunity gap), or their names in TRACED; missing values are skipped.
    """
    title = "Training so far"
    table = pd.DataFrame([dict(p) for p in points]).rename(columns=TRACED)
    if table.empty or "epoch" not in table:
        return empty_chart(title, "The first epoch has not finished yet.", mode)
    colours = COLOURS[mode]
    shares = [c for c in SHARES if c in table and table[c].notna().any()]
    figure = make_subplots(rows=2 if shares else 1, cols=1, shared_xaxes=True, vertical_spacing=0.14)
    figure.update_layout(
        template=template(mode), height=400 if shares else 240, showlegend=False, margin={"r": 78, "t": 22}
    )
    names = {"accuracy": "accuracy", "gap": gap_label, "opportunity": "opportunity gap"}
    losses = [c for c in LOSSES if c in table and table[c].notna().any()]
    tints = {
        "training": colours.quiet,
        "validation": colours.accent,
        "accuracy": colours.accent,
        "gap": colours.conflict,
        "opportunity": colours.quiet,
    }
    ends = {c: float(table[c].dropna().iloc[-1]) for c in losses}
    for column in losses:
        word, dash = LOSSES[column]
        shift = 0 if len(losses) == 1 else 15 if ends[column] == max(ends.values()) else -15
        _curve(figure, table, column, word=word, dash=dash, colour=tints[word], row=1, percent=False, shift=shift)
    for column in shares:
        word, dash = SHARES[column]
        shift = {"gap": 13, "opportunity": -13}.get(column, 0) if "opportunity" in shares else 0
        _curve(figure, table, column, word=names[word], dash=dash, colour=tints[word], row=2, percent=True, shift=shift)
    top = strips.nice_top([float(table[c].max()) for c in losses] or [1.0], floor=1e-3)
    figure.update_yaxes(range=(0, top), row=1, col=1)
    if shares:
        figure.update_yaxes(range=(0, 1.02), tickformat=".0%", row=2, col=1)
    last = max(int(table["epoch"].max()), epochs or 0, 2)
    first = min(int(table["epoch"].min()), 1)
    figure.update_xaxes(range=(first, last), showgrid=False, nticks=8, tickformat="d")
    figure.update_xaxes(title_text="Epoch", row=2 if shares else 1, col=1)
    for row, word in ((1, "Loss"), (2, "Share")) if shares else ((1, "Loss"),):
        place = {"x": 0, "y": 1, "xref": "paper", "yref": f"y{'' if row == 1 else row} domain", "yanchor": "bottom"}
        note(figure, word, **place, xanchor="left", yshift=3, font={"size": 12, "color": colours.quiet})
    return Chart(title, figure, _training_sentence(table, epochs, gap_label), table)


def _curve(
    figure: go.Figure,
    table: pd.DataFrame,
    column: str,
    *,
    word: str,
    dash: str,
    colour: str,
    row: int,
    percent: bool,
    shift: int,
) -> None:
    part = table[["epoch", column]].dropna()
    shown = "%{y:.1%}" if percent else "%{y:.4f}"
    figure.add_scatter(
        x=part["epoch"],
        y=part[column],
        mode="lines+markers" if len(part) < 3 else "lines",
        name=word,
        line={"color": colour, "width": 2.2, "dash": dash},
        hovertemplate=f"epoch %{{x}}<br>{word} {shown}<extra></extra>",
        row=row,
        col=1,
    )
    end = float(part[column].iloc[-1])
    shown = quantity(end, "points", short=True) if column == "gap" else quantity(end, "percent")
    words = f"{word}<br><b>{shown if percent else number(end, digits=3)}</b>"
    place = {"x": 1, "y": end, "xref": "paper", "yref": f"y{'' if row == 1 else row}", "xanchor": "left"}
    note(figure, words, **place, xshift=6, yshift=shift, font={"size": 11, "color": colour})


def _training_sentence(table: pd.DataFrame, epochs: int | None, gap_label: str) -> str:
    last = table.iloc[-1]
    said = [f"Epoch {count(last['epoch'])}{f' of {count(epochs)}' if epochs else ''}"]
    for column, words in (
        ("train_loss", "training loss"),
        ("loss", "training loss"),
        ("validation_loss", "validation loss"),
    ):
        if column in table and not pd.isna(last[column]):
            said.append(f"{words} {number(float(last[column]), digits=3)}")
    if "accuracy" in table and not pd.isna(last["accuracy"]):
        said.append(f"accuracy {quantity(float(last['accuracy']), 'percent')}")
    if "gap" in table and not pd.isna(last["gap"]):
        said.append(f"{gap_label} {quantity(float(last['gap']), 'points')}")
    return ", ".join(said) + "."
