"""Paths: the neurons and synapses that a network's decision about one row rests on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.paths import conflict_makeup, path_graph, to_graphml, to_json
from fairneuron_core.report.path_tables import compared_synapses, synapses_table
from fairneuron_core.report.words import count, listed, quantity
from pages.ui import cache, neuron_view, path_settings, path_view, row_picker, state, views
from pages.ui.network_view import network_view
from pages.ui.path_view import Sample, sample_of
from pages.ui.pickers import pick_network

QUESTION = "Which neurons decide about this person?"
NETWORK = "paths.network"
SHOWN = {"18 largest": 18, "60 largest": 60, "all": None}


def show() -> None:
    picked = pick_network(key="paths", question=QUESTION)
    if picked is not None:
        _page(*picked)


@st.fragment
def _page(data: str, model: str, attribute: str) -> None:
    try:
        _answered(data, model, attribute)
    except FairNeuronError as error:
        views.error_box(error)


def _answered(data: str, model: str, attribute: str) -> None:
    head = st.container()
    part, row, second = _row_controls(data, model, attribute)
    setting = _setting_controls(data, model)
    path_settings.publish("paths", {"part": part, "row": row, "second": second, **setting})
    traced = [
        sample_of(data, model, attribute, part=part, row=number, setting=setting)
        for number in (row, second)
        if number is not None
    ]
    with head:
        views.page_header(QUESTION, path_view.answer(traced[0], part=row_picker.PARTS[part].lower()))
        shared = st.empty()
    _picture_and_list(data, model, attribute, part, traced)
    _export(traced[0], part)
    neuron_view.show_usage(data, model, attribute, part=part, setting=setting)
    with shared.container():
        _sharing(data, model, attribute, part=part, row=row, setting=setting)


def _row_controls(data: str, model: str, attribute: str) -> tuple[str, int, int | None]:
    part_cell, row_cell, example, button, second_cell = path_settings.cells(5, at_least=168)
    with part_cell:
        part = row_picker.pick_part("paths")
    rows = len(cache.batch(data, model, part).rows)
    with row_cell:
        row = row_picker.pick_row("paths", rows=rows)
    row_picker.pick_example("paths", data, model, attribute, part=part, cells=(example, button))
    with second_cell:
        second = row_picker.pick_second("paths", rows=rows)
    return part, row, second if second != row else None


def _setting_controls(data: str, model: str) -> dict[str, Any]:
    slider, layer, more = path_settings.cells(3, at_least=200)
    with more:
        reading, granularity = path_settings.reading_popover("paths")
    with layer:
        layers = path_settings.layer_count(data, model)
        first = path_settings.first_layer_box("paths", layers=layers, reading=reading)
    with slider:
        coverage = path_settings.coverage_slider("paths", 0.0)
    return {"coverage": coverage, "first_layer": first, "reading": reading, "granularity": granularity}


def _picture_and_list(data: str, model: str, attribute: str, part: str, traced: list[Sample]) -> None:
    left, right = views.side_by_side()
    with left:
        _picture(data, model, attribute, traced)
    with right:
        if len(traced) > 1:
            _two_paths(traced[0], traced[1], part)
        else:
            _one_path(traced[0], cache.material(data, model).classifier.encoder.feature_names)
        _row(data, model, traced)


def _picture(data: str, model: str, attribute: str, traced: list[Sample]) -> None:
    classifier, clicked = cache.material(data, model).classifier, _clicked(model)
    first, second = traced[0], traced[1] if len(traced) > 1 else None
    picture = {**cache.network_picture(data, model), "output_labels": ["score"]}
    place = st.container()
    coloured = neuron_view.colour_choice(data, model, attribute)
    with place:
        network_view(
            {**picture, "notes": path_view.neuron_notes(first, classifier.means)},
            path_view.lit(first),
            second_path=path_view.lit(second) if second else None,
            path_names=(f"row {first.row}", f"row {second.row}") if second else ("", ""),
            key=NETWORK,
            height=440,
            on_click=lambda: _remember_click(model),
            chosen=clicked,
            neuron_values=coloured,
            value_name="conflict",
        )
    path_view.show_clicked(first, clicked, features=classifier.encoder.feature_names, means=classifier.means)


def _one_path(sample: Sample, features: tuple[str, ...]) -> None:
    views.section("The strongest chain", "The largest contribution to each neuron, from the score back.")
    path_view.show_chain(sample, reading=sample.path.reading)
    shown = SHOWN[str(state.widget("paths.shown") or "18 largest")]
    path_view.show_synapses(sample, features=features, shown=shown, key="paths.synapses")
    if sample.table.synapses > 18:
        st.segmented_control("Show", list(SHOWN), default="18 largest", required=True, key="paths.shown")


def _clicked(model: str) -> dict[str, Any] | None:
    of, event = state.remembered("paths.clicked", (None, None))
    return event if of == model else None


def _remember_click(model: str) -> None:
    event = (state.widget(NETWORK) or {}).get("click")
    if event:
        state.remember("paths.clicked", (model, dict(event)))


def _two_paths(first: Sample, second: Sample, part: str) -> None:
    names = f"row {first.row}", f"row {second.row}"
    table = compared_synapses(first.table.rows, second.table.rows, names=names)
    views.section(f"{names[0].capitalize()} against {names[1]}", path_view.parting_words(first, second))
    path_view.rows_shown(table[["from", "to", *names]], key="paths.compared", most=11)
    views.quiet(path_view.answer(second, part=row_picker.PARTS[part].lower()))


def _row(data: str, model: str, traced: list[Sample]) -> None:
    views.section("The row", path_view.decision_words(traced[0], cache.dataset(data).schema.favourable_words))
    table = path_view.row_table(data, model, traced)
    st.dataframe(table, hide_index=True, key="paths.row_table", height="content")


def _export(sample: Sample, part: str) -> None:
    views.section("Take the path with you", "The graph as GraphML (Gephi, yEd, Cytoscape, networkx) or node-link JSON.")
    name = f"path-{part}-{sample.row}"

    def graph() -> Any:
        found = path_graph(sample.path, 0)
        found.graph.update(row=sample.row, part=part)
        return found

    with st.container(horizontal=True):
        for label, kind, content in (
            ("GraphML", "graphml", lambda: to_graphml(graph())),
            ("JSON", "json", lambda: to_json(graph())),
        ):
            st.download_button(
                label,
                content,
                file_name=f"{name}.{kind}",
                key=f"paths.{kind}",
                on_click="ignore",
                icon=":material/download:",
            )
        views.csv_button(synapses_table(sample.table.rows), key="paths.csv", name=name, label="Synapses as CSV")


def _sharing(data: str, model: str, attribute: str, *, part: str, row: int, setting: dict[str, Any]) -> None:
    """Say how many rows take the same path, and how their groups compare with the other rows."""
    frequency, batch = cache.path_frequency(data, model, part, setting), cache.batch(data, model, part)
    mine = frequency.path_of_row[row]
    shared = int(frequency.count[mine])
    total = count(frequency.samples)
    if shared == 1:
        views.quiet(f"No other of the {total} rows of this part takes exactly this path.")
        return
    makeup = conflict_makeup(frequency.path_of_row == mine, batch.codes(attribute), levels=batch.levels(attribute))
    groups = [
        f"{level.level} {quantity(level.conflict_share.value, 'percent')} "
        f"({quantity(level.ordinary_share.value, 'percent')} of the others)"
        for level in makeup
        if level.conflict_count
    ]
    views.quiet(f"{count(shared)} of {total} rows of this part take exactly this path: {listed(groups)}.")


show()
