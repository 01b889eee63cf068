"""Charts of activation paths: how often paths occur, where theta cuts, and whom the conflict samples are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.report import strips
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded, new_figure, note
from fairneuron_core.report.words import clipped, count, counted, estimate_text, interval, listed, plain, quantity
from fairneuron_core.types import Estimate

if TYPE_CHECKING:
    from fairneuron_core.paths import MakeupRow


def frequency_bins(counts: np.ndarray, *, cut: float = 0, most: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Return (edges, paths per bin) of path counts: every small count has its own bin, larger ones share log bins.

    Edges lie at half-integers, so a whole number never falls on one; one edge follows `cut`, so no bin straddles it.

    >>> edges, paths = frequency_bins(np.array([1, 1, 2, 5]))
    >>> edges.tolist(), paths.tolist()
    ([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], [2, 1, 0, 0, 1])
    """
    largest = int(counts.max())
    raw = np.floor(np.geomspace(1, largest + 1, most + 1)).astype(int)
    after_cut = [math.floor(cut) + 1] if 1 <= cut < largest else []
    starts = np.unique(np.concatenate([raw, np.arange(1, min(largest, 6) + 1), after_cut, [largest + 1]]))
    edges = starts - 0.5
    return edges, np.histogram(counts, edges)[0]


def path_frequency_histogram(counts: np.ndarray, *, threshold_count: float, mode: Mode = "light") -> Chart:
    """Return how many paths are taken by how many samples (both axes logarithmic) with the theta line.

    counts (paths,) samples of each distinct path; a path is rare when its count <= threshold_count.
    """
    title = "How many samples share a path?"
    counts = np.asarray(counts)
    if not counts.size:
        return empty_chart(title, "No path was found.", mode)
    colours = COLOURS[mode]
    edges, paths = frequency_bins(counts, cut=threshold_count)
    rare = edges[1:] - 0.5 <= threshold_count
    figure = new_figure(mode, height=330)
    centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    for chosen, colour, name in ((~rare, faded(colours.accent, 0.75), "ordinary"), (rare, colours.conflict, "rare")):
        shown = chosen & (paths > 0)
        figure.add_bar(
            x=centres[shown],
            y=paths[shown],
            width=widths[shown] * 0.94,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            customdata=np.stack([edges[:-1][shown] + 0.5, edges[1:][shown] - 0.5], axis=1),
            hovertemplate="%{y:,} paths of %{customdata[0]:.0f} to %{customdata[1]:.0f} samples each"
            f"<br>{name}<extra></extra>",
        )
    right, top = math.log10(edges[-1]) + 0.03, math.log10(max(paths.max(), 1)) + 0.25
    left, floor = math.log10(0.45), math.log10(0.6)
    figure.update_xaxes(type="log", range=(left, max(right, 1.0)), title_text="Samples on the path (log)")
    figure.update_yaxes(type="log", range=(floor, max(top, 0.7)), title_text="Paths (log)")
    figure.update_xaxes(tickvals=_decades(edges[-1]), ticktext=[count(v) for v in _decades(edges[-1])], showgrid=False)
    ceiling = 10 ** max(top, 0.7)
    figure.update_yaxes(tickvals=_decades(ceiling), ticktext=[count(v) for v in _decades(ceiling)])
    _theta_line(figure, threshold_count, mode, words=f"rare: up to {counted(math.floor(threshold_count), 'sample')}")
    return Chart(
        title, figure, frequency_sentence(counts, threshold_count), _frequency_table(edges, paths, rare, counts)
    )


def frequency_sentence(counts: np.ndarray, threshold_count: float) -> str:
    """Return what the theta line separates; it says plainly when it separates nothing."""
    counts = np.asarray(counts)
    samples, rare = int(counts.sum()), counts[counts <= threshold_count]
    alone = int((counts == 1).sum())
    head = f"{counted(samples, 'sample')} take {counted(len(counts), 'distinct path')}; "
    if counts.max() == 1:
        return (
            head + "no path is shared, so theta cannot separate anything: "
            "lower the coverage or look at the upper layers only."
        )
    if not rare.size:
        return (
            head + "the threshold lies below every path's count: there are no conflict samples, "
            "and a repair equals plain retraining."
        )
    share = quantity(rare.sum() / samples, "percent")
    said = f"{counted(len(rare), 'rare path')} with {counted(int(rare.sum()), 'conflict sample')} ({share})."
    mostly = f" {count(alone)} samples have a path of their own." if alone > samples / 2 else ""
    return head + said + mostly


def _decades(top: float) -> list[int]:
    return (
        [v for p in range(7) for v in (10**p, 3 * 10**p) if v <= top]
        if top < 300
        else [10**p for p in range(8) if 10**p <= top]
    )


def _theta_line(figure: go.Figure, threshold_count: float, mode: Mode, *, words: str) -> None:
    if threshold_count < 1:
        return
    colours, at = COLOURS[mode], math.floor(threshold_count) + 0.5
    line = {"color": colours.text, "width": 1.6, "dash": "4px,3px"}
    figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, yref="y domain", line=line)
    low, high = figure.layout.xaxis.range
    beyond = math.log10(at) > low + 0.55 * (high - low)
    place = {"x": math.log10(at), "y": 1, "yref": "y domain", "xanchor": "right" if beyond else "left"}
    figure.update_layout(margin={"t": 26})
    note(figure, words, **place, yanchor="bottom", yshift=3, font={"size": 12, "color": colours.text})


def _frequency_table(edges: np.ndarray, paths: np.ndarray, rare: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    samples = np.histogram(counts, edges, weights=counts)[0].astype(int)
    table = pd.DataFrame(
        {
            "samples on the path, from": (edges[:-1] + 0.5).astype(int),
            "to": (edges[1:] - 0.5).astype(int),
            "paths": paths,
            "samples": samples,
            "side of theta": np.where(rare, "rare", "ordinary"),
        }
    )
    return table[table["paths"] > 0].reset_index(drop=True)


def cumulative_share(counts: np.ndarray, *, threshold_count: float, mode: Mode = "light") -> Chart:
    """Return the share of samples on paths of at most x samples, with the theta line and the share it cuts off."""
    title = "Share of samples on paths at most this frequent"
    counts = np.sort(np.asarray(counts))
    if not counts.size:
        return empty_chart(title, "No path was found.", mode)
    colours = COLOURS[mode]
    sizes, first = np.unique(counts, return_index=True)
    last = np.append(first[1:], len(counts))
    share = np.cumsum(counts)[last - 1] / counts.sum()
    figure = new_figure(mode, height=330)
    end = max(sizes[-1], 2) * 1.12
    x, y = np.concatenate([[0.5], sizes, [end]]), np.concatenate([[0.0], share, [1.0]])
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colours.accent, "width": 2.2, "shape": "hv"},
        fill="tozeroy",
        fillcolor=faded(colours.accent, 0.10),
        hovertemplate="%{y:.1%} of samples on paths of<br>at most %{x:,} samples<extra></extra>",
    )
    cut = float(share[sizes <= threshold_count][-1]) if (sizes <= threshold_count).any() else 0.0
    right = math.log10(end)
    figure.update_xaxes(type="log", range=(math.log10(0.7), right), title_text="Samples on the path (log)")
    figure.update_xaxes(tickvals=_decades(sizes[-1]), ticktext=[count(v) for v in _decades(sizes[-1])], showgrid=False)
    figure.update_yaxes(range=(0, 1.02), tickformat=".0%", title_text="Samples")
    _theta_line(figure, threshold_count, mode, words=f"{quantity(cut, 'percent')} are conflict samples")
    inside = round(cut * float(counts.sum()))
    sentence = (
        f"{quantity(cut, 'percent')} of the samples ({count(inside)} of {count(counts.sum())}) lie on paths of at most "
        f"{counted(math.floor(threshold_count), 'sample')}."
    )
    table = pd.DataFrame({"samples on the path, at most": sizes, "share of samples": share})
    return Chart(title, figure, sentence, table)


def conflict_makeup(makeup: Sequence[MakeupRow], *, mode: Mode = "light", by: str = "group") -> Chart:
    """Return the share of every level among the conflict samples and among the ordinary ones, with intervals."""
    title = f"Who are the conflict samples? Make-up by {by}"
    if not any(row.conflict_count for row in makeup):
        return empty_chart(title, "There are no conflict samples at this setting.", mode)
    colours = COLOURS[mode]
    pairs = [(row.level, row.conflict_share, row.ordinary_share) for row in makeup]
    rows = tuple(
        strips.Row(
            plain(clipped(g)),
            f"<b>{quantity(c.value, 'percent')}</b> {interval(c, 'percent')} against {quantity(o.value, 'percent')}",
        )
        for g, c, o in pairs
    )
    top = strips.nice_top([v for _, c, o in pairs for e in (c, o) for v in (e.value, e.high)], floor=0.1, ceiling=1.0)
    heading = (
        f"<span style='color:{colours.conflict}'><b>◆ conflict</b></span>   "
        f"<span style='color:{colours.quiet}'><b>● ordinary</b></span>   in percent of the part"
    )
    panel = strips.Panel(rows, high=top, heading=heading, **strips.in_points(top))
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    for r, (group, conflict, ordinary) in enumerate(pairs):
        for e, word, colour, symbol, shift in (
            (ordinary, "ordinary", colours.reference, "circle", -0.1),
            (conflict, "conflict", colours.conflict, "diamond", 0.1),
        ):
            hover = f"<b>{plain(group)}</b><br>{word}: {estimate_text(e, 'percent')}"
            dot = strips.Dot(colour, colours.ground, symbol, name=word)
            strips.add_dot(figure, panel, 1, e, y=-r + shift, dot=dot, hover=hover)
    return Chart(title, figure, _makeup_sentence(pairs), _makeup_table(makeup))


def _makeup_table(makeup: Sequence[MakeupRow]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "level": row.level,
            "conflict samples": row.conflict_count,
            "share of conflict samples": row.conflict_share.value,
            "conflict low": row.conflict_share.low,
            "conflict high": row.conflict_share.high,
            "ordinary samples": row.ordinary_count,
            "share of ordinary samples": row.ordinary_share.value,
            "ordinary low": row.ordinary_share.low,
            "ordinary high": row.ordinary_share.high,
        }
        for row in makeup
    )


def _makeup_sentence(pairs: list[tuple[str, Estimate, Estimate]]) -> str:
    known = [(g, c, o) for g, c, o in pairs if not (math.isnan(c.value) or math.isnan(o.value))]
    apart = [(g, c, o) for g, c, o in known if c.low > o.high or c.high < o.low]
    if not known:
        return "One of the two parts is empty, so there is nothing to compare."
    if not apart:
        return "The intervals overlap for every group: conflict samples are not shown to differ from ordinary ones."
    said = [
        f"{g} {'more' if c.value > o.value else 'less'} often ({quantity(c.value, 'percent')} against "
        f"{quantity(o.value, 'percent')})"
        for g, c, o in apart
    ]
    return f"Among the conflict samples are {listed(said)}."
