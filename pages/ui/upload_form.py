"""The upload of an own table: its columns get their roles, checked live, and it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from fairneuron_core.data import AS_GUESSED, MAX_UPLOAD_MB, BinnedColumn, Reading, make_dataset
from fairneuron_core.data.server_files import server_file, server_files
from fairneuron_core.errors import DataError, FairNeuronError
from fairneuron_core.report.words import count, markdown_plain
from fairneuron_core.types import Schema
from pages.ui import data_cache, data_view, state, views
from pages.ui.data_cache import RoleChoices

_EXAMPLE_NAMES = {".csv": "Example as CSV", ".parquet": "as Parquet", ".arff": "as ARFF"}
MOST_NOTES, MOST_ATTRIBUTES = 30, 12
EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"


@dataclass(frozen=True)
class _OwnTable:
    """A table to be read: its key changes with its content; `content` gives its bytes, or where it lies."""

    key: str
    name: str
    content: Callable[[], bytes | Path]


def upload_table() -> str | None:
    """Show the upload and, once a table is read, the form of its roles; return the id of a data set just kept."""
    _before_the_upload()
    # Any file may be dropped: what it is, its content tells, and a workbook gets the sentence how to export it.
    file = st.file_uploader(
        "Table to audit", key=f"data.upload{state.remembered('data.kept', '')}", max_upload_size=MAX_UPLOAD_MB
    )
    try:
        found = _OwnTable(file.file_id, file.name, file.getvalue) if file else _on_the_server()
        if found is None:
            return None
        frame = data_cache.uploaded_table(found.key, found.name, AS_GUESSED, found.content)
        reading = _reading(frame, found.key)
        upload = found.key
        if reading != AS_GUESSED:
            frame = data_cache.uploaded_table(found.key, found.name, reading, found.content)
            upload = f"{found.key}.{views.content_key(reading)}"
        return _roles_form(frame, upload, name=Path(found.name).stem)
    except FairNeuronError as error:
        views.error_box(error)
        return None


def _on_the_server() -> _OwnTable | None:
    """Offer the tables of the server's own folder, where one is named; they may be larger than an upload."""
    names = server_files()
    if not names:
        return None
    chosen = st.selectbox(
        "Or a table on the server",
        names,
        index=None,
        key=f"data.server{state.remembered('data.kept', '')}",
        help="The folder that FAIRNEURON_DATA_DIR names. Large tables are read there without an upload.",
    )
    if chosen is None:
        return None
    path = server_file(chosen)
    about = path.stat()
    key = views.content_key(path, about.st_mtime_ns, about.st_size)
    return _OwnTable(key, path.name, lambda: path)


def _reading(frame: pd.DataFrame, upload: str) -> Reading:
    """Ask what only a person knows: a decimal mark that can be either, and words that stand among numbers."""
    words = {f"{c}: {w}": (c, w) for c, found in frame.attrs["words_among_numbers"].items() for w in found}
    decimal, missing = None, []
    if frame.attrs["two_readings"]:
        shown = ", ".join(frame.attrs["two_readings"][:6])
        decimal = st.segmented_control(
            "Decimal mark",
            (".", ","),
            format_func={".": "Point: 1,234 is a thousand", ",": "Comma: 1.234 is a thousand"}.__getitem__,
            key=f"data.decimal.{upload}",
            help=markdown_plain(f"Nothing in the file tells how these columns are meant: {shown}."),
        )
    if words:
        missing = st.multiselect(
            "Words that mean a missing number",
            list(words),
            key=f"data.missing.{upload}",
            help="Columns of numbers with a few words are text until you say that the words mean: not known.",
        )
    chosen: dict[str, list[str]] = {}
    for column, word in (words[label] for label in missing):
        chosen.setdefault(column, []).append(word)
    return Reading(decimal, tuple((column, tuple(found)) for column, found in chosen.items()))


def _before_the_upload() -> None:
    views.quiet(
        f"CSV, Parquet or ARFF with a header row, up to {MAX_UPLOAD_MB} MB; larger tables can be read on the command "
        "line. One row per person; one column with the outcome (two values), one or more protected attributes."
    )
    with st.container(horizontal=True, gap="small"):
        for path in (EXAMPLES / f"hiring{suffix}" for suffix in _EXAMPLE_NAMES):
            st.download_button(
                _EXAMPLE_NAMES[path.suffix],
                path.read_bytes(),
                file_name=path.name,
                on_click="ignore",
                key=f"data.example{path.suffix}",
                type="tertiary",
                icon=":material/download:",
            )


def _roles_form(frame: pd.DataFrame, upload: str, *, name: str) -> str | None:
    guess = data_cache.first_guess(upload, frame)
    views.section(
        "Roles of the columns", f"{count(len(frame))} rows, {len(frame.columns)} columns. Guessed: please check them."
    )
    st.dataframe(frame.head(5), hide_index=True, key=f"data.preview.{upload}")
    if notes := frame.attrs["notes"]:
        with st.expander(f"Noted while reading ({len(notes)})", icon=":material/info:", expanded=True):
            st.markdown("\n".join(f"- {markdown_plain(note)}" for note in notes[:MOST_NOTES]))
    choices = _reference_groups(_roles(frame, guess, upload), frame, guess, upload)
    left, right = views.side_by_side()
    title = left.text_input("Name of the data set", value=name, key=f"data.title.{upload}", max_chars=120)
    words = right.text_input(
        "Favourable outcome in words",
        placeholder=f"{choices.target} = {choices.favourable}",
        key=f"data.words.{upload}",
        max_chars=80,
        help="As it would stand in a sentence, for example: is hired.",
    )
    choices = replace(choices, words=words.strip() or f"{choices.target} = {choices.favourable}")
    schema = data_cache.with_choices(upload, choices, frame, guess)
    table, warnings = data_cache.checked(upload, choices, frame, schema)
    with st.expander("Columns and their roles", icon=":material/table_rows:"):
        data_view.show_roles(schema, key=f"data.roles.{upload}")
    keep = st.button("Keep this data set", type="primary", key=f"data.keep.{upload}", icon=":material/save:")
    data_view.show_groups(schema, table, key=f"data.own.{upload}")
    data_view.show_warnings(warnings)
    if not keep:
        return None
    kept = data_cache.keep_dataset(make_dataset(frame, schema, name=name, title=title.strip() or name))
    # Under another key the next upload begins empty: this table is done.
    state.remember("data.kept", f".{upload}")
    return kept


def _roles(frame: pd.DataFrame, guess: Schema, upload: str) -> RoleChoices:
    names = [str(column) for column in frame.columns]
    first, second = views.side_by_side(), views.side_by_side()
    target = first[0].selectbox(
        "Outcome (target)",
        names,
        index=names.index(guess.target.name),
        key=f"data.target.{upload}",
        help="The column that the network predicts. It must have two values.",
    )
    started = data_cache.with_target(upload, target, frame, guess)
    # Another target asks every other question anew.
    key = f"{upload}.{views.content_key(target)}"
    favourable = first[1].selectbox(
        "Favourable value",
        started.target.levels,
        index=started.target.levels.index(started.favourable),
        key=f"data.favourable.{key}",
        help="The outcome that a person hopes for.",
    )
    cut = [c.name for c in started.columns if isinstance(c, BinnedColumn) and c.name not in names]
    protected = second[0].multiselect(
        "Protected attributes",
        [*(n for n in names if n != target), *cut],
        default=list(started.protected),
        key=f"data.protected.{key}",
        max_selections=MOST_ATTRIBUTES,
        help="Numbers are cut into groups. The first one is audited first.",
    )
    left_out = second[1].multiselect(
        "Left out of the network",
        [n for n in names if n != target],
        default=[c.name for c in started.of_role("left_out")],
        key=f"data.left_out.{key}",
        help="Identifiers, weights, and whatever is only known afterwards. A protected attribute stays one.",
    )
    return RoleChoices(target, favourable, tuple(protected), tuple(n for n in left_out if n not in protected))


def _reference_groups(choices: RoleChoices, frame: pd.DataFrame, guess: Schema, upload: str) -> RoleChoices:
    """Ask where numbers are cut into groups, and with which group the others are compared."""
    if not choices.protected:
        return choices
    schema = data_cache.with_choices(upload, choices, frame, guess)
    grid = st.grid(min(len(schema.protected), 3), min_column_width=240, gap=("small", "medium"))
    edges, reference = {}, {}
    for attribute in schema.protected:
        with grid.cell():
            column = schema.column(attribute)
            if isinstance(column, BinnedColumn):
                edges[attribute] = _cut_points(column, key=f"{upload}.{views.content_key(attribute)}")
                choices = replace(choices, edges=tuple(edges.items()))
                column = data_cache.with_choices(upload, choices, frame, guess).column(attribute)
            reference[attribute] = _reference(attribute, column.levels, schema.reference, upload)
    return replace(choices, reference=tuple(reference.items()))


def _cut_points(column: BinnedColumn, *, key: str) -> tuple[float, ...]:
    usual = ", ".join(f"{edge:g}" for edge in column.edges)
    source = markdown_plain(column.derived_from or column.name)
    text = st.text_input(f"Cut {source} at", value=usual, key=f"data.cut.{key}", max_chars=120)
    try:
        return tuple(sorted({float(part) for part in text.replace(";", ",").split(",") if part.strip()}))
    except ValueError as error:
        raise DataError(f"The cut points '{text}' are no numbers: write them like {usual}.") from error


def _reference(attribute: str, levels: tuple[str, ...], usual: Mapping[str, str], upload: str) -> str:
    start = usual.get(attribute, "")
    chosen = st.selectbox(
        f"Reference group of {markdown_plain(attribute)}",
        levels,
        index=levels.index(start) if start in levels else 0,
        key=f"data.reference.{upload}.{views.content_key(attribute, *levels)}",
    )
    return str(chosen)
