"""How columns become the inputs of a network from elsewhere: a table to edit, with the count that must add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from fairneuron_core.data.mapping import InputMapping, Scaling
from fairneuron_core.data.mapping_json import mapping_from_json, mapping_to_json
from fairneuron_core.errors import DataError
from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.report.words import count, counted, markdown_plain
from pages.ui import cache, network_cache, state, views
from pages.ui import mapping_table as table

_KEPT = "model.mapping"
_RESTORED = "model.mapping_before"
_AS_LISTED = "as listed"
_MAX_JSON_MB = 4
_MOST_LAYOUTS = 40
_ROWS_SHOWN = 12


def mapping_form(start: InputMapping, data: str, file: NetworkFile, *, key: str) -> InputMapping:
    """Draw the table and what belongs to it; return the mapping as stated now."""
    head, table_place, foot = st.container(), st.container(), st.container()
    with foot:
        given = _json_upload(key)
    with head:
        base = _base(start, given, data, file, key=key)
    fresh = f"{key}.{views.content_key(mapping_to_json(base))}"
    with head:
        favourable, threshold = _decision_fields(base, file, key=fresh)
    with table_place:
        mapping = _editor(base, data, key=fresh)
        mapping = replace(mapping, favourable_class=favourable, threshold=threshold)
        _count(mapping, data, file.inputs)
    state.remember(_KEPT, (key, mapping))
    with foot:
        _json_download(mapping, key=key)
    return mapping


def _base(start: InputMapping, given: InputMapping | None, data: str, file: NetworkFile, *, key: str) -> InputMapping:
    """Return what the table begins with: a file, a usual layout, or what was stated before on this page."""
    layouts = network_cache.possible_layouts(data, file.inputs, file.input_names)[:_MOST_LAYOUTS]
    names = [f"{one.words} ({counted(one.width, 'input')})" for one in layouts]
    # Another page forgets the fields of this one; what they said then is where they begin now.
    if state.widget(f"model.start.{key}") is None:
        of, before = state.remembered(_KEPT, (None, None))
        state.remember(_RESTORED, (key, before) if of == key else (None, None))
    of, before = state.remembered(_RESTORED, (None, None))
    own = "the file of the mapping" if given else "what was stated before" if of == key else "the mapping above"
    left, right = views.side_by_side()
    chosen = left.selectbox(
        "Begin with",
        range(-1, len(names)),
        format_func=lambda i: own if i < 0 else names[i],
        key=f"model.start.{key}",
        disabled=given is not None,
        help="The usual ways to write the columns of this table as inputs; the table below starts from the chosen one.",
    )
    scaling = right.selectbox(
        "Scaling of all numbers",
        [_AS_LISTED, *table.SCALINGS.values()],
        format_func=_scaling_words,
        key=f"model.scaling.{key}",
    )
    base = given or (before if of == key and before else start)
    if chosen >= 0 and given is None:
        base = replace(base, columns=layouts[chosen].columns)
    return base if scaling == _AS_LISTED else _rescaled(base, scaling)


def _scaling_words(name: str) -> str:
    return {
        "none": "none: the numbers as they are",
        "min-max": "min-max: training rows to [0, 1]",
        "standard": "standard: mean 0, standard deviation 1",
        "given": "given: (number − subtract) ÷ divide by",
    }.get(name, name)


def _rescaled(mapping: InputMapping, words: str) -> InputMapping:
    scaling: Scaling = next(name for name, shown in table.SCALINGS.items() if shown == words)
    columns = tuple(replace(c, scaling=scaling) if c.how == "number" else c for c in mapping.columns)
    return replace(mapping, columns=columns)


def _decision_fields(base: InputMapping, file: NetworkFile, *, key: str) -> tuple[int, float]:
    left, right = views.side_by_side()
    favourable = left.selectbox(
        "Favourable class of the network",
        (1, 0),
        index=0 if base.favourable_class == 1 else 1,
        format_func=lambda number: _class_words(number, file.classes),
        key=f"model.favourable.{key}",
    )
    threshold = right.number_input(
        "Decision threshold",
        min_value=0.0,
        max_value=1.0,
        value=float(base.threshold),
        step=0.05,
        key=f"model.threshold.{key}",
        help="The decision is favourable from this score of the favourable class on.",
    )
    return int(favourable), float(threshold)


def _class_words(number: int, classes: Sequence[str]) -> str:
    named = f" (“{classes[number]}”)" if len(classes) == 2 else ""
    direction = "high outputs are favourable" if number == 1 else "low outputs are favourable"
    return f"Class {number}{named}: {direction}"


def _editor(base: InputMapping, data: str, *, key: str) -> InputMapping:
    dataset = cache.dataset(data)
    begun, key = table.mapping_table(base, dataset), f"model.columns.{key}"
    changes = (state.widget(key) or {}).get("edited_rows", {})
    stated = table.edited(begun, changes)
    shown = table.with_inputs(begun, stated, _counter(data))
    st.data_editor(
        shown,
        key=key,
        # Rows are fixed, so that the numbers of inputs follow every edit without losing the place in the table.
        num_rows="fixed",
        hide_index=True,
        disabled=(table.NAME, table.INPUTS),
        column_config=_columns(),
        height="content" if len(shown) <= _ROWS_SHOWN else 35 * (_ROWS_SHOWN + 1) + 2,
    )
    views.quiet(
        "One row per column of the data; place 1 is the network's first input. Levels stand in the order of their "
        "inputs or codes, with a bar between them: empty means all, in reading order; a level left out is all zeros."
    )
    return table.mapping_of(stated, begun)


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    choice, tick = st.column_config.SelectboxColumn, st.column_config.CheckboxColumn
    scalings = list(table.SCALINGS.values())
    return {
        table.READ: tick(width=68, help="Whether the network reads this column."),
        table.PLACE: number(width=72, format="%g", help="Write 2 to make it the second column."),
        table.NAME: text(width=140),
        table.INPUTS: number(width=64, help="How many inputs the column becomes."),
        table.HOW: choice(options=list(table.HOWS.values()), required=True, width=96),
        table.LEVELS: text(width=230, help="For example: north | south"),
        table.SCALING: choice(options=scalings, required=True, width=100, help="Of numbers and codes."),
        table.SUBTRACT: number(width=92, format="%g", help="Where the scaling is given."),
        table.DIVIDE: number(width=96, format="%g", help="Where the scaling is given."),
    }


def _counter(data: str) -> Callable[[str], int]:
    return lambda column: network_cache.level_count(data, column)


def _count(mapping: InputMapping, data: str, inputs: int) -> None:
    """Say how many of the network's inputs the columns make."""
    made = sum(table.inputs_of(column, _counter(data)) for column in mapping.columns)
    said = f"{count(made)} of {counted(inputs, 'input')}"
    if made == inputs:
        st.markdown(f":green[:material/check: **{markdown_plain(said)}**]")
        return
    more = f"{counted(inputs - made, 'input')} missing" if made < inputs else f"{count(made - inputs)} too many"
    st.markdown(f":red[:material/close: **{markdown_plain(f'{said}: {more}')}**]")


def _json_upload(key: str) -> InputMapping | None:
    file = st.file_uploader(
        "Mapping from a JSON file",
        key=f"model.mapping_file.{key}",
        max_upload_size=_MAX_JSON_MB,
        help="As it is downloaded here, or printed by: fairneuron model mapping FILE --data NAME",
    )
    if file is None:
        return None
    try:
        return mapping_from_json(file.getvalue().decode("utf-8"))
    except UnicodeDecodeError:
        views.error_box(f"'{file.name}' is no text in UTF-8: give a mapping as it is downloaded here.")
    except DataError as error:
        views.error_box(error)
    return None


def _json_download(mapping: InputMapping, *, key: str) -> None:
    st.download_button(
        "Download this mapping",
        mapping_to_json(mapping),
        file_name="mapping.json",
        mime="application/json",
        key=f"model.mapping_download.{key}",
        on_click="ignore",
        icon=":material/download:",
    )
