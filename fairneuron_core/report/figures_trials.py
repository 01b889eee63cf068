"""Charts of a search's trials: accuracy against gap, and what each setting did to every figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fairneuron_core.report import strips
from fairneuron_core.report.figures_search import LOGARITHMIC, trial_table
from fairneuron_core.report.names import in_sentence, metric_label, metric_unit, short_label
from fairneuron_core.report.style import COLOURS, Chart, Colours, Mode, empty_chart, faded, new_figure, note, template
from fairneuron_core.report.words import count, counted, listed, plain, quantity

WORDS = {
    "theta": "rarity (theta)",
    "gamma": "coverage (gamma)",
    "first_layer": "first layer that counts",
    "dropout": "dropout p",
    "learning_rate": "learning rate",
}
PANELS = ("accuracy", "demographic_parity_difference", "equal_opportunity_difference")
MOST_VALUES, BINS = 8, 6


def search_scatter(
    trials: Sequence[Mapping[str, Any]], *, mode: Mode = "light", gap_name: str = "demographic_parity_difference"
) -> Chart:
    """Return accuracy against gap of every trial on the validation part, the chosen one and the start marked.

    A trial has accuracy, gap, and optionally label, eligible (default True), chosen, before (the given network). The
    line is the frontier of these two: left and above it there is no eligible trial.
    """
    title = f"Every trial: accuracy against {metric_label(gap_name).lower()}"
    table = pd.DataFrame([dict(t) for t in trials])
    if table.empty:
        return empty_chart(title, "No trial has finished yet.", mode)
    for column, usual in (("eligible", True), ("chosen", False), ("before", False), ("label", "")):
        table[column] = table[column].fillna(usual) if column in table else usual
    colours = COLOURS[mode]
    flags = {c: table[c].astype(bool) for c in ("eligible", "chosen", "before")}
    plain_trials = flags["eligible"] & ~flags["chosen"] & ~flags["before"]
    figure = new_figure(mode, height=400)
    _frontier(figure, table[flags["eligible"] & ~flags["before"]], colour=colours.accent)
    kinds = (
        (plain_trials, "trial", faded(colours.accent, 0.65), "circle", 10),
        (~flags["eligible"], "not eligible", colours.quiet, "x-thin", 9),
        (flags["before"], "before", colours.before, "circle-open", 14),
        (flags["chosen"], "chosen", colours.after, "star", 17),
    )
    for mask, name, colour, symbol, size in kinds:
        if mask.any():
            _trials(figure, table[mask], name, colour=colour, symbol=symbol, size=size, ground=colours.ground)
    known = table.dropna(subset=["accuracy", "gap"])
    top = strips.nice_top(list(known["gap"]), floor=0.05, ceiling=1.0)
    low = float(max(0.0, math.floor((min([*known["accuracy"], 0.8]) - 0.02) * 10) / 10))
    figure.update_xaxes(range=(0, top), title_text="Gap in points · 0 = equal", **strips.in_points(top))
    high = float(min(1.0, math.ceil((max([*known["accuracy"], low + 0.1]) + 0.02) * 20) / 20))
    figure.update_yaxes(range=(low, high), tickformat=".0%", title_text=f"Accuracy (axis from {low:.0%})")
    figure.update_layout(showlegend=True)
    return Chart(title, figure, _search_sentence(table, flags), table)


def _frontier(figure: go.Figure, eligible: pd.DataFrame, *, colour: str) -> None:
    """Draw the steps between the trials that none beats in accuracy and this gap."""
    known = eligible.dropna(subset=["accuracy", "gap"]).sort_values(["gap", "accuracy"], ascending=[True, False])
    best = known[known["accuracy"] > known["accuracy"].cummax().shift(fill_value=-np.inf)]
    if len(best) > 1:
        figure.add_scatter(
            x=best["gap"],
            y=best["accuracy"],
            mode="lines",
            name="frontier",
            line={"color": colour, "width": 1.4, "shape": "hv"},
            hoverinfo="skip",
        )


def _trials(
    figure: go.Figure, part: pd.DataFrame, name: str, *, colour: str, symbol: str, size: int, ground: str
) -> None:
    edge = {"width": 2 if "open" in symbol or "thin" in symbol else 1, "color": colour if "thin" in symbol else ground}
    marker = {
        "color": colour,
        "symbol": symbol,
        "size": size,
        "line": {**edge, "color": colour} if "open" in symbol else edge,
    }
    figure.add_scatter(
        x=part["gap"],
        y=part["accuracy"],
        mode="markers",
        name=name,
        marker=marker,
        text=[plain(label) for label in part["label"]],
        customdata=100 * np.asarray(part["gap"], dtype=float),
        hovertemplate=f"<b>{name}</b> %{{text}}<br>accuracy %{{y:.1%}}"
        "<br>gap %{customdata:.1f} points<extra></extra>",
        cliponaxis=False,
    )


def _search_sentence(table: pd.DataFrame, flags: Mapping[str, pd.Series]) -> str:
    tried = table[~flags["before"]]
    refused = int((~flags["eligible"]).sum())
    head = counted(len(tried), "trial") + (f", {count(refused)} not eligible" if refused else "")
    chosen = table[flags["chosen"]]
    if chosen.empty:
        return f"{head}; none is chosen yet."
    best = chosen.iloc[0]
    at = f"accuracy {quantity(float(best['accuracy']), 'percent')}, gap {quantity(float(best['gap']), 'points')}"
    label = f" {best['label']}:" if best["label"] else ""
    return f"{head}; chosen:{label} {at}, on the validation part."


def setting_effect(results: Mapping[str, Any], setting: str, *, mode: Mode = "light") -> Chart:
    """Return what one setting did to accuracy and both gaps: every trial, and mean and range at each value.

    Values of a setting that was drawn anew for each trial are put into BINS parts of equal width (of the logarithm,
    for theta and the learning rate). Trials that are not eligible are drawn and left out of mean and range.
    """
    title = f"Effect of {WORDS[setting]}"
    table = trial_table(results)
    if table.empty:
        return empty_chart(title, "No trial has finished yet.", mode)
    figure = make_subplots(rows=len(PANELS), cols=1, shared_xaxes=True, vertical_spacing=0.1)
    figure.update_layout(template=template(mode), height=470, showlegend=False, margin={"r": 16, "t": 26, "l": 8})
    summary = effect_table(table, setting)
    for row, name in enumerate(PANELS, start=1):
        _effect_panel(figure, table, summary, setting, name, row=row, colours=COLOURS[mode])
        _before(figure, results["validation_before"][name], row=row, colours=COLOURS[mode])
        _effect_axis(figure, table[name], results["validation_before"][name], name, row=row, colours=COLOURS[mode])
    _setting_axis(figure, table[setting].astype(float), setting)
    return Chart(title, figure, _effect_sentence(summary, setting, len(PANELS)), summary)


def effect_table(table: pd.DataFrame, setting: str) -> pd.DataFrame:
    """Return trials, mean, lowest and highest of every panel's metric at each value (or part) of a setting."""
    eligible = table[~table["standing"].eq("not eligible")]
    values = eligible[setting].astype(float)
    groups = values if values.nunique() <= MOST_VALUES else _parts(values, logarithmic=setting in LOGARITHMIC)
    rows = []
    for _, part in eligible.groupby(groups.to_numpy(), sort=True):
        row: dict[str, Any] = {setting: float(part[setting].astype(float).mean()), "trials": len(part)}
        for name in PANELS:
            row |= {f"{name} {word}": getattr(part[name], word)() for word in ("mean", "min", "max")}
        rows.append(row)
    return pd.DataFrame(rows)


def _parts(values: pd.Series, *, logarithmic: bool) -> pd.Series:
    places = np.log10(values) if logarithmic else values
    return pd.cut(places, BINS, labels=False)


def _effect_panel(
    figure: go.Figure,
    table: pd.DataFrame,
    summary: pd.DataFrame,
    setting: str,
    name: str,
    *,
    row: int,
    colours: Colours,
) -> None:
    """Draw band and line of the means, then the trials, then the chosen one on top."""
    factor = 1 if metric_unit(name) == "percent" else 100
    place = {"row": row, "col": 1}
    if not summary.empty:
        x, low, high = (summary[c].to_numpy() for c in (setting, f"{name} min", f"{name} max"))
        band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(x=x, y=low, **band, **place)
        figure.add_scatter(x=x, y=high, fill="tonexty", fillcolor=faded(colours.accent, 0.13), **band, **place)
        line = {"color": colours.accent, "width": 2.2}
        figure.add_scatter(
            x=x, y=summary[f"{name} mean"], mode="lines", name="mean", line=line, hoverinfo="skip", **place
        )
    looks = (
        (~table["standing"].isin(["not eligible", "chosen"]), faded(colours.accent, 0.55), "circle", 6, "trial"),
        (table["standing"] == "not eligible", colours.quiet, "x-thin", 7, "not eligible"),
        (table["standing"] == "chosen", colours.after, "star", 14, "chosen"),
    )
    shown = "%{y:.1%}" if metric_unit(name) == "percent" else "%{customdata:.1f} points"
    for mask, colour, symbol, size, word in looks:
        part = table[mask]
        edge = {"width": 1.6, "color": colour} if "thin" in symbol else {"width": 0.8, "color": colours.ground}
        figure.add_scatter(
            x=part[setting].astype(float),
            y=part[name],
            customdata=factor * part[name],
            mode="markers",
            name=word,
            marker={"color": colour, "symbol": symbol, "size": size, "line": edge},
            hovertemplate=f"<b>{word}</b>, {setting.replace('_', ' ')} %{{x:.3g}}<br>{shown}<extra></extra>",
            cliponaxis=False,
            **place,
        )


def _before(figure: go.Figure, value: float | None, *, row: int, colours: Colours) -> None:
    if value is None:
        return
    figure.add_hline(y=value, line={"color": colours.before, "width": 1.4, "dash": "dash"}, row=row, col=1)
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": value, "yref": f"y{'' if row == 1 else row}"}
    note(figure, "before", **place, yanchor="bottom", font={"size": 11, "color": colours.before})


def _effect_axis(figure: go.Figure, values: pd.Series, before: float, name: str, *, row: int, colours: Colours) -> None:
    """Gaps start at 0; accuracy starts at a round share near its lowest value, which the heading says."""
    known = [v for v in (*values, before) if v is not None and math.isfinite(v)]
    label = short_label(name)
    if metric_unit(name) == "percent":
        low = math.floor((min(known) - 0.005) * 50) / 50
        high = min(1.0, math.ceil((max(known) + 0.005) * 50) / 50)
        figure.update_yaxes(range=(low, high), tickformat=".0%", nticks=4, row=row, col=1)
        label += f" (axis from {low:.0%})"
    else:
        top = strips.nice_top(known, floor=0.05, ceiling=1.0)
        ticks = strips.in_points(top)
        few = slice(None, None, 2 if len(ticks["tickvals"]) > 4 else 1)
        ticks = {key: value[few] for key, value in ticks.items()}
        figure.update_yaxes(range=(0, top), **ticks, row=row, col=1)
        label += ", points"
    place = {"x": 0, "y": 1, "xref": "paper", "yref": f"y{'' if row == 1 else row} domain", "yanchor": "bottom"}
    note(figure, label, **place, xanchor="left", yshift=3, font={"size": 12, "color": colours.quiet})


def _setting_axis(figure: go.Figure, values: pd.Series, setting: str) -> None:
    distinct = sorted(values.dropna().unique())
    ticks = {"tickvals": distinct, "ticktext": [f"{v:.3g}" for v in distinct]} if len(distinct) <= MOST_VALUES else {}
    scale = (
        {"type": "log", "dtick": 1, "exponentformat": "none"}
        if setting in LOGARITHMIC and min(distinct) > 0
        else {"nticks": 6}
    )
    figure.update_xaxes(showgrid=False, **{**scale, **ticks})
    figure.update_xaxes(title_text=f"{WORDS[setting][0].upper()}{WORDS[setting][1:]}", row=len(PANELS), col=1)


def _effect_sentence(summary: pd.DataFrame, setting: str, panels: int) -> str:
    if len(summary) < 2:
        return "Too few eligible trials with different values to see an effect."
    first, last = summary.iloc[0], summary.iloc[-1]
    said = []
    for name in PANELS[:panels]:
        start, end = (quantity(float(row[f"{name} mean"]), metric_unit(name)) for row in (first, last))
        said.append(f"{in_sentence(short_label(name))} {start} to {end}")
    head = (
        f"From the lowest to the highest {WORDS[setting]}, {first[setting]:.3g} to {last[setting]:.3g}, the mean goes: "
    )
    return f"{head}{listed(said)}. Line and band: mean and range of the eligible trials; their other settings vary too."
