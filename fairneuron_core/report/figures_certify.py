"""Charts of a certificate: answers as one bar, brackets of the whole space, and where two people part in a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fairneuron_core.jobs.parting import NeuronChange, Parting
from fairneuron_core.report import strips
from fairneuron_core.report.certificate_words import (
    SHAPES,
    changed_words,
    method_words,
    rows_words,
    share_words,
    stand_in_words,
)
from fairneuron_core.report.style import COLOURS, Chart, Mode, empty_chart, faded
from fairneuron_core.report.words import clipped, count, counted, listed, number, plain, quantity
from fairneuron_core.types import Estimate

SHOWN = 8
UNIFORM, HELD_OUT = "Uniform draw", "Test rows"
_HALF = 0.19


def answers(found: Mapping[str, Any], *, mode: Mode = "light") -> Chart:
    """Return the shares of people that are proved, refuted and open: the rows, and below them the whole space."""
    title = "Proved, refuted and open"
    if not found["n"]:
        return empty_chart(title, "There is no row to certify.", mode)
    bars = [_rows_bar(found)]
    if found.get("space"):
        bars.append(_space_bar(found["space"]))
    rows = tuple(strips.Row(plain(name), _open_words(shares, words)) for name, shares, words in bars)
    panel = strips.Panel(rows, high=1.0, heading=_legend(mode), tickformat=".0%")
    figure = strips.strip_figure([panel], mode=mode)
    figure.update_layout(barmode="stack")
    for r, (name, shares, words) in enumerate(bars):
        _stacked(figure, -r, name, shares, words, mode=mode)
    table = pd.DataFrame(
        [
            {"of": name, "answer": answer, "share": shares[answer], "people": words[answer]}
            for name, shares, words in bars
            for answer in SHAPES
        ]
    )
    return Chart(title, figure, _answers_sentence(found), table)


def _rows_bar(found: Mapping[str, Any]) -> tuple[str, dict[str, float], dict[str, str]]:
    shares = {answer: found[answer] / found["n"] for answer in SHAPES}
    return rows_words(found), shares, {answer: count(found[answer]) for answer in SHAPES}


def _space_bar(space: Mapping[str, Any]) -> tuple[str, dict[str, float], dict[str, str]]:
    shares = {answer: float(space[answer]) for answer in SHAPES}
    cells = {answer: space.get(f"{answer}_cells") for answer in SHAPES}
    words = {a: share_words(shares[a]) if cells[a] is None else count(cells[a]) for a in SHAPES}
    name = "Whole space"
    return name, shares, words


def _open_words(shares: Mapping[str, float], words: Mapping[str, str]) -> str:
    said = [f"<b>{words['refuted']}</b> refuted"] if shares["refuted"] else [f"<b>{words['proved']}</b> proved"]
    return " · ".join([*said, *([f"{words['unknown']} open"] if shares["unknown"] else [])])


def _colours(mode: Mode) -> dict[str, str]:
    colours = COLOURS[mode]
    return {"proved": faded(colours.good, 0.5), "refuted": colours.bad, "unknown": faded(colours.quiet, 0.35)}


def _legend(mode: Mode) -> str:
    colours = COLOURS[mode]
    ink = {"proved": colours.good, "refuted": colours.bad, "unknown": colours.quiet}
    names = {"proved": "proved", "refuted": "refuted", "unknown": "open"}
    return "   ".join(
        f"<span style='color:{ink[answer]}'><b>{shape} {names[answer]}</b></span>" for answer, shape in SHAPES.items()
    )


def _stacked(
    figure: go.Figure, y: float, name: str, shares: Mapping[str, float], words: Mapping[str, str], *, mode: Mode
) -> None:
    ink = _colours(mode)
    base = 0.0
    for answer in ("refuted", "unknown", "proved"):
        if not shares[answer]:
            continue
        figure.add_bar(
            x=[shares[answer]],
            y=[y],
            base=[base],
            orientation="h",
            width=[2 * _HALF],
            name=answer,
            marker={
                "color": ink[answer],
                "line": {"width": 0},
                "pattern": {"shape": "/", "size": 6, "fillmode": "overlay", "fgcolor": COLOURS[mode].ground}
                if answer == "unknown"
                else None,
            },
            hovertemplate=f"<b>{plain(name)}</b><br>{answer}: {words[answer]} ({share_words(shares[answer])})"
            "<extra></extra>",
        )
        base += shares[answer]


def _answers_sentence(found: Mapping[str, Any]) -> str:
    parts = [f"{count(found[a])} {w}" for a, w in (("proved", "proved"), ("refuted", "refuted"), ("unknown", "open"))]
    size = (
        f", {counted(found['size'], 'possibility', 'possibilities')} for each" if (found.get("size") or 0) > 1 else ""
    )
    return f"Of {rows_words(found)}: {', '.join(parts)}. Settled by: {method_words(found)}{size}."


def space_brackets(found: Mapping[str, Any], *, mode: Mode = "light") -> Chart:
    """Return the share of people whose decision some change alters: what is proven, and beside it what was sampled.

    The bracket [refuted, 1 - proved] holds the true share of the whole space for certain. The dots are drawn from it
    (uniformly) and from the test rows; they speak of different people and are never merged with the bracket.
    """
    title = f"Share of people whose decision a change of {changed_words(found)} alters"
    space = found.get("space")
    if not space:
        return empty_chart(title, "The whole space was not asked for.", mode)
    low, high = float(space["refuted"]), 1.0 - float(space["proved"])
    sampled = [
        (name, _estimate(space[key])) for name, key in ((UNIFORM, "uniform"), (HELD_OUT, "held_out")) if space[key]
    ]
    top = strips.nice_top([high, *(e.high for _, e in sampled)], floor=0.01, ceiling=1.0)
    exact = space["unknown"] == 0
    proven = share_words(low) if exact else f"{share_words(low)} to {share_words(high)}"
    rows = [strips.Row("Whole space, exact" if exact else "Whole space, proven", f"<b>{proven}</b>")]
    rows += [strips.Row(name, _sampled_words(e)) for name, e in sampled]
    panel = strips.Panel(tuple(rows), high=top, tickformat=".0%" if top >= 0.05 else ".1%")
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    _bracket(figure, panel, low, high, mode=mode)
    for r, (name, estimate) in enumerate(sampled, start=1):
        dot = strips.Dot(COLOURS[mode].text, COLOURS[mode].ground, hollow=name != HELD_OUT, name=name)
        hover = f"<b>{name}</b><br>{_sampled_words(estimate)}"
        strips.add_dot(figure, panel, 1, estimate, y=-r, dot=dot, hover=hover)
    records = [{"of": "whole space, proven", "share": low if exact else None, "low": low, "high": high, "n": None}]
    records += [{"of": name, "share": e.value, "low": e.low, "high": e.high, "n": e.n} for name, e in sampled]
    return Chart(title, figure, _brackets_sentence(proven, sampled, exact=exact), pd.DataFrame(records))


def _brackets_sentence(proven: str, sampled: Sequence[tuple[str, Estimate]], *, exact: bool) -> str:
    found = f"{proven} of all possible people, exactly" if exact else f"For certain {proven} of all possible people"
    said = [f"{share_words(e.value)} of {count(e.n)} {_DRAWN[name]}" for name, e in sampled if e.n]
    beside = f"; sampled, and not part of the proof: {listed(said)}" if said else ""
    return f"{found}{beside}."


_DRAWN = {UNIFORM: "people drawn uniformly", HELD_OUT: "test rows"}


def _estimate(value: Mapping[str, Any]) -> Estimate:
    bounds = (float("nan") if value[name] is None else float(value[name]) for name in ("value", "low", "high"))
    return Estimate(*bounds, int(value["n"]))  # type: ignore[misc]


def _sampled_words(estimate: Estimate) -> str:
    if estimate.value != estimate.value:
        return "undefined, n = 0"
    ends = " to ".join(share_words(end) for end in (estimate.low, estimate.high))
    return f"<b>{share_words(estimate.value)}</b> ({ends}), n = {count(estimate.n)}"


def _bracket(figure: go.Figure, panel: strips.Panel, low: float, high: float, *, mode: Mode) -> None:
    colours = COLOURS[mode]
    if high > low:
        hover = f"proven: between {share_words(low)} and {share_words(high)}"
        strips.add_bar(figure, (low, high), 0, index=1, colour=faded(colours.accent, 0.35), hover=hover)
    line = {"color": colours.accent, "width": 3}
    for end in {low, high}:
        strips.add_line(figure, ((end, -0.17), (end, 0.17)), index=1, line=line, layer="above")


def stand_in_bars(attribute: str, known: Sequence[Mapping[str, Any]], *, mode: Mode = "light") -> Chart:
    """Return how well the columns that stay guess the attribute: from what guessing without them gives, upwards."""
    title = f"What still tells {attribute}"
    sentence = stand_in_words(attribute, known)
    table = pd.DataFrame(list(known), columns=["column", "accuracy", "base", "n"])
    if not known:
        return empty_chart(title, sentence, mode, columns=tuple(table.columns))
    colours = COLOURS[mode]
    rows = tuple(
        strips.Row(plain(clipped(one["column"])), f"<b>{quantity(one['accuracy'], 'percent')}</b> guessed right")
        for one in known
    )
    panel = strips.Panel(rows, high=1.0, tickformat=".0%", row=40)
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    for r, one in enumerate(known):
        hover = (
            f"<b>{plain(one['column'])}</b><br>guesses {quantity(one['accuracy'], 'percent')} right, "
            f"{quantity(one['base'], 'percent')} without it, n = {count(one['n'])}"
        )
        strips.add_bar(figure, (0, one["base"]), -r, index=1, colour=faded(colours.reference, 0.3), hover=hover)
        strips.add_bar(figure, (one["base"], one["accuracy"]), -r, index=1, colour=colours.conflict, hover=hover)
    return Chart(title, figure, sentence, table)


def parting_strip(found: Parting, *, mode: Mode = "light", most: int = SHOWN) -> Chart:
    """Return the hidden neurons whose activation differs most between the two people, as dumbbells from 0."""
    title = "Neurons that differ most between the two"
    shown = found.neurons[:most]
    table = neurons_table(found)
    if not shown:
        words = "No hidden neuron differs: the decision rule parts these two, not the network."
        return empty_chart(title, words, mode, columns=tuple(table.columns))
    colours = COLOURS[mode]
    ends = [value for one in shown for value in (one.this, one.other)]
    top = strips.nice_top([v for v in ends if v > 0], floor=0.1)
    low = -strips.nice_top([v for v in ends if v < 0], floor=0.1) if min(ends) < 0 else 0.0
    heading = (
        f"<span style='color:{colours.before}'><b>● this person</b></span>   "
        f"<span style='color:{colours.after}'><b>◆ the other</b></span>   activation"
    )
    rows = tuple(strips.Row(f"{one.neuron} in hidden {one.layer}", _change_words(one)) for one in shown)
    panel = strips.Panel(rows, high=top, low=low, heading=heading, row=40)
    figure = strips.strip_figure([panel], mode=mode)
    strips.add_track(figure, panel, 1, mode=mode)
    for r, one in enumerate(shown):
        line = {"color": colours.reference, "width": 2}
        strips.add_line(figure, ((one.this, -r), (one.other, -r)), index=1, line=line, layer="below")
        hover = f"<b>neuron {one.neuron} of hidden layer {one.layer}</b><br>{_change_words(one)}"
        for value, colour, symbol in ((one.this, colours.before, "circle"), (one.other, colours.after, "diamond")):
            at = Estimate(value, float("nan"), float("nan"), 1)
            strips.add_dot(figure, panel, 1, at, y=-r, dot=strips.Dot(colour, colours.ground, symbol), hover=hover)
    return Chart(title, figure, parting_sentence(found), table)


def _change_words(one: NeuronChange) -> str:
    said = f"{number(one.this, digits=2)} → <b>{number(one.other, digits=2)}</b>"
    if one.into_logit is None:
        return said
    return f"{said} · logit {number(one.into_logit, digits=2, signed=True)}"


def parting_sentence(found: Parting) -> str:
    """Say how many neurons differ, which one most, and what that does to the logit."""
    differ, (first, second) = len(found.neurons), found.logits
    moved = f"the logit moves from {number(first, digits=2)} to {number(second, digits=2)}"
    if not differ:
        return f"None of {counted(found.hidden, 'hidden neuron')} differs; {moved}."
    lead = found.neurons[0]
    return (
        f"{count(differ)} of {counted(found.hidden, 'hidden neuron')} differ, most of all neuron {lead.neuron} of "
        f"hidden layer {lead.layer} (by {number(lead.change, digits=2, signed=True)}); {moved}."
    )


def neurons_table(found: Parting) -> pd.DataFrame:
    """Return every hidden neuron that differs, largest difference first."""
    return pd.DataFrame(
        [
            {
                "hidden layer": one.layer,
                "neuron": one.neuron,
                "this person": one.this,
                "the other": one.other,
                "difference": one.change,
                "change of the logit": one.into_logit,
            }
            for one in found.neurons
        ],
        columns=["hidden layer", "neuron", "this person", "the other", "difference", "change of the logit"],
    )
