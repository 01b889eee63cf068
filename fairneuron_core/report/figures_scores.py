"""Charts of scores by group: ROC curves, calibration, score histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fairneuron_core.metrics import CalibrationCurve, RocCurve
from fairneuron_core.report.style import (
    COLOURS,
    GLYPHS,
    Chart,
    GroupStyle,
    Mode,
    empty_chart,
    faded,
    group_styles,
    new_figure,
    note,
    template,
)
from fairneuron_core.report.words import clipped, count, listed, number, plain, quantity


def roc(
    curves: Sequence[RocCurve],
    *,
    threshold: float | Mapping[str, float],
    counts: np.ndarray | None = None,
    mode: Mode = "light",
    reference: str | None = None,
) -> Chart:
    """Return the ROC curve of every group with the point at its threshold.

    threshold   one for all groups, or one per group; a decision is favourable at score >= threshold
    counts      (groups, label, decision) at that threshold, for exact points; without it the curve's nearest point
    """
    title = "True-positive against false-positive rate, by group"
    drawn = [(i, c) for i, c in enumerate(curves) if c.positives and c.negatives]
    if not drawn:
        return empty_chart(title, "No group has both labels, so there is no curve to draw.", mode)
    styles = group_styles([c.group for c in curves], reference, mode)
    figure, records = new_figure(mode, height=430), []
    _diagonal(figure, mode)
    for i, curve in drawn:
        cut = threshold[curve.group] if isinstance(threshold, Mapping) else threshold
        record = _roc_record(curve, cut, None if counts is None else counts[i])
        _roc_curve(figure, curve, record, style=styles[curve.group], ground=COLOURS[mode].ground)
        records.append(record)
    _roc_key(figure, records, styles)
    figure.update_xaxes(title_text="False-positive rate", range=(0, 1.01), dtick=0.2, tickformat=".0%")
    figure.update_yaxes(title_text="True-positive rate", range=(0, 1.01), dtick=0.2, tickformat=".0%")
    return Chart(title, figure, _roc_sentence(curves, records), pd.DataFrame(records))


def _diagonal(figure: go.Figure, mode: Mode) -> None:
    line = {"color": COLOURS[mode].axis, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _roc_record(curve: RocCurve, cut: float, counts: np.ndarray | None) -> dict[str, Any]:
    at = max(int(np.searchsorted(-np.asarray(curve.thresholds), -cut, side="right")) - 1, 0)
    fpr, tpr = float(curve.fpr[at]), float(curve.tpr[at])
    if counts is not None:
        fpr, tpr = (float(counts[label, 1] / counts[label].sum()) for label in (0, 1))
    return {
        "group": curve.group,
        "threshold": cut,
        "false-positive rate": fpr,
        "true-positive rate": tpr,
        "area under the curve": curve.area,
        "rows with the favourable label": curve.positives,
        "rows without it": curve.negatives,
    }


def _roc_curve(
    figure: go.Figure, curve: RocCurve, record: Mapping[str, Any], *, style: GroupStyle, ground: str
) -> None:
    line = {"color": style.colour, "width": 2.2, "dash": style.dash}
    figure.add_scatter(x=curve.fpr, y=curve.tpr, mode="lines", name=curve.group, line=line, hoverinfo="skip")
    marker = {"size": 13, "symbol": style.symbol, "color": style.colour, "line": {"color": ground, "width": 2}}
    figure.add_scatter(
        x=[record["false-positive rate"]],
        y=[record["true-positive rate"]],
        mode="markers",
        marker=marker,
        hovertemplate=f"<b>{plain(curve.group)}</b> at {number(record['threshold'], digits=2)}"
        f"<br>true-positive rate %{{y:.1%}} of {count(curve.positives)}"
        f"<br>false-positive rate %{{x:.1%}} of {count(curve.negatives)}"
        f"<br>area under the curve {number(curve.area, digits=3)}<extra></extra>",
        cliponaxis=False,
    )


def _roc_sentence(curves: Sequence[RocCurve], records: Sequence[Mapping[str, Any]]) -> str:
    said = [
        f"{r['group']} {quantity(r['true-positive rate'], 'percent')} of those with the favourable label and "
        f"{quantity(r['false-positive rate'], 'percent')} of the others"
        for r in records
    ]
    missing = [c.group for c in curves if not (c.positives and c.negatives)]
    without = f" Without both labels there is no curve: {listed(missing)}." if missing else ""
    return f"At the current threshold the network selects: {'; '.join(said)}.{without}"


def _roc_key(figure: go.Figure, records: Sequence[Mapping[str, Any]], styles: Mapping[str, GroupStyle]) -> None:
    """Name the groups in the empty corner below the curves: names beside the points would collide."""
    for place, record in enumerate(reversed(records)):
        style = styles[record["group"]]
        words = f"{GLYPHS[style.symbol]} <b>{plain(clipped(record['group']))}</b>"
        corner = {"x": 0.98, "y": 0.03, "xref": "x domain", "yref": "y domain", "xanchor": "right", "yanchor": "bottom"}
        note(figure, words, **corner, yshift=19 * place, font={"size": 13, "color": style.colour})


def calibration(curves: Sequence[CalibrationCurve], *, mode: Mode = "light", reference: str | None = None) -> Chart:
    """Return the observed favourable share against the mean score, bin by bin with intervals, for every group."""
    title = "Do scores tell the truth in every group?"
    table = pd.DataFrame([record for curve in curves for record in _bins(curve)])
    if table.empty:
        return empty_chart(title, "No bin holds a row.", mode)
    styles = group_styles([c.group for c in curves], reference, mode)
    figure = new_figure(mode, height=430)
    _diagonal(figure, mode)
    gaps = {}
    for group, part in table.groupby("group", sort=False):
        gaps[group] = float(np.average(part["observed"] - part["mean score"], weights=part["n"]))
        _calibration_curve(figure, str(group), part, styles[str(group)])
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text="Mean score in the bin", range=(0, 1.01), tickformat=".1f")
    figure.update_yaxes(title_text="Observed favourable share", range=(0, 1.02), tickformat=".0%")
    said = [f"{g} {quantity(v, 'points', signed=True)}" for g, v in gaps.items()]
    sentence = (
        f"Observed share minus score, averaged over rows: {listed(said)}. On the dotted line scores tell the truth."
    )
    return Chart(title, figure, sentence, table)


def _bins(curve: CalibrationCurve) -> list[dict[str, Any]]:
    return [
        {
            "group": curve.group,
            "score from": float(curve.edges[b]),
            "score to": float(curve.edges[b + 1]),
            "mean score": float(curve.mean_score[b]),
            "observed": seen.value,
            "low": seen.low,
            "high": seen.high,
            "n": seen.n,
        }
        for b, seen in enumerate(curve.observed)
        if seen.n
    ]


def _calibration_curve(figure: go.Figure, group: str, part: pd.DataFrame, style: GroupStyle) -> None:
    figure.add_scatter(
        x=part["mean score"],
        y=part["observed"],
        mode="lines+markers",
        name=plain(clipped(group)),
        line={"color": style.colour, "width": 1.6, "dash": style.dash},
        marker={"size": 9, "symbol": style.symbol, "color": style.colour},
        error_y={
            "symmetric": False,
            "array": (part["high"] - part["observed"]).clip(lower=0),
            "arrayminus": (part["observed"] - part["low"]).clip(lower=0),
            "color": faded(style.colour, 0.55),
            "thickness": 1.3,
            "width": 3,
        },
        customdata=part["n"],
        hovertemplate=f"<b>{plain(group)}</b><br>mean score %{{x:.2f}}<br>observed %{{y:.1%}}"
        "<br>n = %{customdata:,}<extra></extra>",
    )


def score_histogram(
    scores: Mapping[str, np.ndarray],
    *,
    threshold: float | Mapping[str, float] = 0.5,
    mode: Mode = "light",
    reference: str | None = None,
    bins: int = 40,
) -> Chart:
    """Return how the scores of every group are spread, one strip per group, with the threshold drawn through."""
    title = "Scores by group"
    groups = [g for g, values in scores.items() if len(values)]
    if not groups:
        return empty_chart(title, "There are no scores to show.", mode)
    edges = np.linspace(0, 1, bins + 1)
    shares = {g: np.histogram(np.clip(scores[g], 0, 1), edges)[0] / len(scores[g]) for g in groups}
    colours, styles = COLOURS[mode], group_styles(list(scores), reference, mode)
    figure = make_subplots(rows=len(groups), cols=1, shared_xaxes=True, vertical_spacing=0.22 / len(groups))
    figure.update_layout(template=template(mode), height=98 * len(groups) + 46, showlegend=False, margin={"t": 24})
    records = []
    for r, group in enumerate(groups, start=1):
        cut = threshold[group] if isinstance(threshold, Mapping) else threshold
        selected = float(np.mean(np.asarray(scores[group]) >= cut))
        records.append({"group": group, "threshold": cut, "n": len(scores[group]), "at or above": selected})
        _score_strip(figure, group, shares[group], cut, row=r, colour=styles[group].colour, mode=mode)
        left, right = {"x": 0, "xanchor": "left"}, {"x": 1, "xanchor": "right"}
        place = {"y": 1, "yanchor": "bottom", "xref": "paper", "yref": f"y{'' if r == 1 else r} domain"}
        note(
            figure,
            f"{plain(clipped(group))}  <i>n = {count(len(scores[group]))}</i>",
            **left,
            **place,
            font={"size": 13},
        )
        words = f"<b>{quantity(selected, 'percent')}</b> at or above {number(cut, digits=2)}"
        note(figure, words, **right, **place, font={"size": 12, "color": colours.quiet})
    figure.update_yaxes(range=(0, max(s.max() for s in shares.values()) * 1.05), visible=False)
    figure.update_xaxes(range=(0, 1), showgrid=False)
    figure.update_xaxes(title_text="Score: estimated probability of the favourable outcome", row=len(groups), col=1)
    said = listed([f"{quantity(r['at or above'], 'percent')} of {r['group']}" for r in records])
    table = pd.DataFrame(
        {"score from": edges[:-1], "score to": edges[1:], **{f"share of {g}": shares[g] for g in groups}}
    )
    return Chart(title, figure, f"At or above the threshold: {said}.", table)


def _score_strip(
    figure: go.Figure, group: str, shares: Sequence[float], cut: float, *, row: int, colour: str, mode: Mode
) -> None:
    width = 1 / len(shares)
    centres = (np.arange(len(shares)) + 0.5) * width
    fills = [colour if centre >= cut else faded(colour, 0.38) for centre in centres]
    figure.add_bar(
        x=centres,
        y=shares,
        width=[width * 0.9] * len(shares),
        marker={"color": fills, "line": {"width": 0}},
        hovertemplate=f"<b>{plain(group)}</b><br>score about %{{x:.2f}}<br>%{{y:.1%}} of the group<extra></extra>",
        row=row,
        col=1,
    )
    line = {"color": COLOURS[mode].text, "width": 1.4, "dash": "4px,3px"}
    figure.add_shape(type="line", x0=cut, x1=cut, y0=0, y1=1, yref="y domain", line=line, row=row, col=1)
