"""One row's path in words and tables: its strongest chain, its synapses, one neuron of it, and the row itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.paths import ActivationPaths, PathTable, SynapseRow, TracedPath, path_table
from fairneuron_core.report.path_tables import synapses_table
from fairneuron_core.report.words import count, counted, markdown_plain, number, quantity
from fairneuron_core.types import Encoder
from pages.ui import cache, views

ARROW = " → "
SHARE_OF = {"delta": "of its change", "activation": "of its input", "released": "of its input"}

_VALUE = {"delta": "difference from the mean", "activation": "activation", "released": "value before the activation"}


@dataclass(frozen=True)
class Sample:
    """One row with its path at the chosen setting, its dominant chain, and what the network says about it."""

    row: int
    path: ActivationPaths
    trace: TracedPath
    table: PathTable
    chain: tuple[SynapseRow, ...]
    score: float
    selected: bool
    label: int
    group: str
    position: int


def sample_of(data: str, model: str, attribute: str, *, part: str, row: int, setting: dict[str, Any]) -> Sample:
    """Trace one row: a few milliseconds at any setting."""
    material, batch = cache.material(data, model), cache.batch(data, model, part)
    features = material.classifier.encoder.feature_names
    path = cache.row_path(data, model, part, row, setting)
    dominant = cache.row_path(data, model, part, row, {**setting, "coverage": 0.0})
    chain = path_table(dominant, 0, feature_names=features).rows
    score = float(cache.scores(data, model, part)[row])
    return Sample(
        row=row,
        path=path,
        trace=path.trace(0),
        table=path_table(path, 0, feature_names=features),
        chain=tuple(sorted(chain, key=lambda synapse: synapse.layer)),
        score=score,
        selected=bool(cache.decisions(data, model, part)[row]),
        label=int(batch.labels[row]),
        group=batch.levels(attribute)[batch.codes(attribute)[row]],
        position=int(batch.rows[row]),
    )


def neuron_name(level: int, unit: int, sizes: Sequence[int], features: Sequence[str]) -> str:
    """Return `age`, `neuron 7 of hidden layer 2`, or `the score`."""
    if level == 0:
        return features[unit]
    return "the score, before the sigmoid" if level == len(sizes) - 1 else f"neuron {unit} of hidden layer {level}"


def _short(name: str) -> str:
    """Shorten a neuron's name for a chain: `17 in hidden 1`."""
    name = name.replace("neuron ", "").replace("of hidden layer", "in hidden")
    return "score" if name.startswith("output ") else name


def chain_text(chain: Sequence[SynapseRow]) -> str:
    """Return the chain as `education-num → 17 in hidden 1 → ... → score`."""
    return ARROW.join([*(_short(step.source_name) for step in chain), _short(chain[-1].target_name)])


def answer(sample: Sample, *, part: str) -> str:
    """Answer the page's question about one row: its decision, its strongest chain, and how large the path is."""
    decided = "selected" if sample.selected else "not selected"
    head = f"Row {count(sample.row)} of the {part} rows ({sample.group}) has score {number(sample.score, digits=3)}"
    if not sample.chain:
        return f"{head} and is {decided}. {sample.table.words}"
    said = f"{head} and is {decided}. Strongest chain behind it: {chain_text(sample.chain)}."
    if sample.table.synapses > len(sample.chain):
        neurons = {(r.layer - 1, r.source) for r in sample.table.rows} | {
            (r.layer, r.target) for r in sample.table.rows
        }
        said += (
            f" At this coverage {count(sample.table.synapses)} synapses and {count(len(neurons))} neurons take part."
        )
    return said


def show_chain(sample: Sample, *, reading: str) -> None:
    """Show the dominant chain as numbered steps that can be read aloud."""
    if not sample.chain:
        views.quiet(sample.table.words)
        return
    st.markdown("\n".join(f"{i}. {_step(s, reading)}" for i, s in enumerate(sample.chain, start=1)))


def _step(step: SynapseRow, reading: str) -> str:
    moves = "raises" if step.contribution > 0 else "lowers"
    target = "the score (before the sigmoid)" if step.target_name.startswith("output ") else step.target_name
    size = number(abs(step.contribution), digits=3)
    share = f", {quantity(step.share, 'percent')} {SHARE_OF[reading]}" if step.share == step.share else ""
    return f"**{markdown_plain(step.source_name)}** {moves} {markdown_plain(f'{target} by {size}{share}')}"


def show_synapses(sample: Sample, *, features: Sequence[str], shown: int | None, key: str) -> None:
    """Show the largest synapses of the path, and how much of its contribution they are."""
    table = path_table(sample.path, 0, feature_names=features, limit=shown)
    views.quiet(table.words)
    if table.synapses > len(sample.chain):
        rows_shown(synapses_table(table.rows)[["from", "to", "contribution", "share"]], key=f"{key}.table")


def rows_shown(table: pd.DataFrame, *, key: str, most: int = 9) -> None:
    """Show a table of synapses: short names, so that its numbers are in sight, and at most `most` rows high."""
    ends = [name for name in table.columns if table[name].dtype.kind not in "if"]
    shown = table.assign(**{name: table[name].map(_short) for name in ends})
    if "share" in shown:
        shown["share"] = 100 * shown["share"]
    config = {name: st.column_config.NumberColumn(format="%.3f", width=94) for name in table.columns.difference(ends)}
    st.dataframe(
        shown,
        hide_index=True,
        key=key,
        height="content" if len(table) <= most else 33 * (most + 1),
        column_config={**config, "share": st.column_config.NumberColumn("share %", format="%.1f", width=68)},
        placeholder="–",
    )


def neuron_notes(sample: Sample, means: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Return what hovering a neuron shows: activation, training mean, and the difference."""
    notes: dict[str, dict[str, float]] = {}
    for level, values in enumerate(sample.trace.activations):
        average = means[level] if level < len(means) else None
        for unit, value in enumerate(values.tolist()):
            note = {"activation": round(value, 4)}
            if average is not None:
                mean = float(average[unit])
                note |= {"mean": round(mean, 4), "delta": round(value - mean, 4)}
            notes[f"{level}:{unit}"] = note
    return notes


def show_clicked(
    sample: Sample, event: dict[str, Any] | None, *, features: Sequence[str], means: Sequence[Any]
) -> None:
    """Show what the clicked neuron or synapse does for this row, or what can be clicked."""
    if event is None:
        views.quiet("Click a neuron or a lit synapse to see what it does for this row; arrow keys and Enter work too.")
    elif event["kind"] == "edge":
        _show_edge(sample, event, features)
    else:
        _show_neuron(sample, int(event["layer"]), int(event["unit"]), features, means)


def _show_neuron(sample: Sample, level: int, unit: int, features: Sequence[str], means: Sequence[Any]) -> None:
    sizes = sample.path.sizes
    name = neuron_name(level, unit, sizes, features)
    value = float(sample.trace.activations[level][unit])
    said = f"Value {number(value, digits=3)} for this row"
    if level < len(means):
        mean = float(means[level][unit])
        said += f", {number(mean, digits=3)} on average over the training rows: {_apart(value - mean)}"
    incoming = [row for row in sample.table.rows if (row.layer, row.target) == (level, unit)]
    outgoing = [row for row in sample.table.rows if (row.layer - 1, row.source) == (level, unit)]
    on_path = f"On the path it receives {counted(len(incoming), 'synapse')} and feeds {count(len(outgoing))}."
    views.section(
        name[:1].upper() + name[1:], f"{said}. {on_path if incoming or outgoing else 'It is not on the path.'}"
    )
    for rows, label, column in ((incoming, "comes in from", "from"), (outgoing, "goes out to", "to")):
        if rows:
            table = synapses_table(rows)[[column, "contribution", "share"]].rename(columns={column: label})
            rows_shown(table, key=f"paths.neuron.{column}", most=6)


def _apart(difference: float) -> str:
    if abs(difference) < 5e-4:
        return "no difference"
    return f"{number(abs(difference), digits=3)} {'more' if difference > 0 else 'less'}"


def _show_edge(sample: Sample, event: dict[str, Any], features: Sequence[str]) -> None:
    layer, source, target = int(event["layer"]), int(event["source"]), int(event["target"])
    sizes = sample.path.sizes
    title = neuron_name(layer, source, sizes, features) + ARROW + neuron_name(layer + 1, target, sizes, features)
    wanted = (layer + 1, source, target)
    found = next((r for r in sample.table.rows if (r.layer, r.source, r.target) == wanted), None)
    if found is None:
        views.section(title, "This synapse is not on the path of this row.")
        return
    views.section(
        title,
        f"Weight {number(found.weight, digits=3)} × {_VALUE[sample.path.reading]} "
        f"{number(sample.trace.deltas[layer][source], digits=3)} = "
        f"contribution {number(found.contribution, digits=3, signed=True)}, {quantity(found.share, 'percent')} of all "
        "contributions to its target.",
    )


def columns_on_path(encoder: Encoder, sample: Sample) -> set[str]:
    """Return the names of the table's columns that have an input on the path."""
    owner = [column.name for column in encoder.columns for _ in range(column.width)]
    return {owner[synapse.source] for synapse in sample.table.rows if synapse.layer == 1}


def row_table(data: str, model: str, samples: Sequence[Sample]) -> pd.DataFrame:
    """Return every column of the row(s): value, what the column is for, and whether the path begins there."""
    material = cache.material(data, model)
    read = {column.name for column in material.classifier.encoder.columns}
    lit = columns_on_path(material.classifier.encoder, samples[0])
    shown = [c for c in material.dataset.schema.columns if c.role != "left_out" or c.name in read]
    table = {"column": [column.name for column in shown]}
    for sample in samples:
        values = material.dataset.frame.iloc[sample.position]
        table[f"row {sample.row}"] = [str(values[column.name]) for column in shown]
    table["read"] = ["on the path" if c.name in lit else "yes" if c.name in read else _role(c.role) for c in shown]
    return pd.DataFrame(table)


def _role(role: str) -> str:
    return {"target": "label", "protected": "no, protected"}.get(role, "no")


def lit(sample: Sample) -> list[list[float]]:
    """Return the path as the network view takes it: [layer from 0, source, target, contribution]."""
    trace = sample.trace
    parts = (trace.layer - 1, trace.source, trace.target, trace.contribution)
    return [list(edge) for edge in zip(*(part.tolist() for part in parts), strict=True)]


def decision_words(sample: Sample, favourable: str) -> str:
    """Say what was decided and what is true; 1 = the favourable outcome."""
    decided = "favourable" if sample.selected else "unfavourable"
    truth = "favourable" if sample.label else "unfavourable"
    right = "right" if sample.selected == bool(sample.label) else "wrong"
    return (
        f"Score {number(sample.score, digits=3)}: decision {decided}, label {truth}, so the decision is {right}. "
        f"Favourable: {favourable}."
    )


def parting_words(first: Sample, second: Sample) -> str:
    """Say how much two paths share, and where they part when one walks back from the score."""
    sides = [{(r.layer, r.source, r.target) for r in sample.table.rows} for sample in (first, second)]
    both = len(sides[0] & sides[1])
    alone = [count(len(side) - both) for side in sides]
    said = f"{count(both)} synapses are on both paths, {alone[0]} and {alone[1]} on one only."
    apart = max((synapse[0] for synapse in sides[0] ^ sides[1]), default=0)
    if not apart:
        return f"{said} The two paths are the same."
    return f"{said} Seen from the score, they part {_between(apart, len(first.path.sizes) - 1)}."


def _between(layer: int, last: int) -> str:
    lower = "the inputs" if layer == 1 else f"hidden layer {layer - 1}"
    upper = "the score" if layer == last else f"hidden layer {layer}"
    return f"between {lower} and {upper}"
