"""Confusion matrices by group."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded, template
from fairneuron_core.report.words import clipped, count, plain, quantity
from fairneuron_core.types import Audit

_CELLS = (("correctly refused", "wrongly selected"), ("wrongly refused", "correctly selected"))  # [label][decision]


def confusion(audit: Audit, *, mode: Mode = "light", columns: int = 3, heading: str = "Decisions") -> Chart:
    """Return one 2 x 2 matrix per group: percent of the people with that label, and the count."""
    groups = [g for g in audit.groups if g.n]
    title = f"{heading} against true labels, by {audit.attribute}"
    if not groups:
        return empty_chart(title, "There is no group with rows.", mode)
    columns = min(columns, len(groups))
    lines = -(-len(groups) // columns)
    titles = [f"{plain(clipped(g.group, limit=22))} · n = {count(g.n)}" for g in groups]
    spacing = {"horizontal_spacing": 0.13 / columns, "vertical_spacing": 0.24 / lines}
    figure = make_subplots(rows=lines, cols=columns, subplot_titles=titles, **spacing)
    figure.update_layout(template=template(mode), height=198 * lines + 30, showlegend=False, margin={"t": 26, "l": 66})
    figure.update_annotations(font={"size": 12, "color": COLOURS[mode].text})
    for i, group in enumerate(groups):
        _matrix(figure, group.counts, group.group, row=i // columns + 1, col=i % columns + 1, mode=mode)
    records = [_matrix_record(g.group, np.asarray(g.counts)) for g in groups]
    compared = [r for r in records if r["group"] not in audit.set_aside] or records
    worst = max(compared, key=lambda r: -1.0 if math.isnan(r["wrongly refused share"]) else r["wrongly refused share"])
    sentence = "Each row of a matrix adds up to 100 % of the people with that label"
    if not math.isnan(worst["wrongly refused share"]):
        missed = quantity(worst["wrongly refused share"], "percent")
        sentence += f"; the favourable label is missed most often for {worst['group']} ({missed})"
    return Chart(title, figure, sentence + ".", pd.DataFrame(records))


def _matrix(figure: go.Figure, counts: np.ndarray, group: str, *, row: int, col: int, mode: Mode) -> None:
    colours = COLOURS[mode]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    text = [[f"<b>{quantity(shares[y, d], 'percent')}</b><br>{count(counts[y, d])}" for d in (0, 1)] for y in (0, 1)]
    hover = [[f"<b>{plain(group)}</b><br>{_CELLS[y][d]}: {count(counts[y, d])}" for d in (0, 1)] for y in (0, 1)]
    figure.add_heatmap(
        z=shares,
        x=["refused", "selected"],
        y=["unfavourable", "favourable"],
        text=text,
        texttemplate="%{text}",
        textfont={"size": 12, "color": colours.text},
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
        zmin=0,
        zmax=1,
        colorscale=[[0, colours.panel], [1, faded(colours.accent, 0.55)]],
        showscale=False,
        xgap=3,
        ygap=3,
        row=row,
        col=col,
    )
    figure.update_xaxes(showgrid=False, showline=False, ticks="", side="bottom", row=row, col=col)
    tick = {"showgrid": False, "showline": False, "ticks": "", "autorange": "reversed", "zeroline": False}
    figure.update_yaxes(**tick, showticklabels=col == 1, tickangle=0, row=row, col=col)


def _matrix_record(group: str, counts: np.ndarray) -> dict[str, object]:
    record: dict[str, object] = {"group": group}
    for label in (1, 0):
        total = counts[label].sum()
        for decision in (1, 0):
            record[_CELLS[label][decision]] = int(counts[label, decision])
            record[f"{_CELLS[label][decision]} share"] = counts[label, decision] / total if total else math.nan
    return record
