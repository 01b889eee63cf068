"""Reading a table: CSV and its relatives, Parquet, ARFF, told apart by content. No code in a file is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fairneuron_core.data.arff import read_arff
from fairneuron_core.data.assemble import assemble, unique_titles
from fairneuron_core.data.delimited import MOST_COLUMNS, read_delimited
from fairneuron_core.data.encodings import utf8_of
from fairneuron_core.data.number_styles import Decimal
from fairneuron_core.data.parquet_table import read_parquet
from fairneuron_core.data.sniff import HEAD, TAIL, Format, sniff
from fairneuron_core.data.typed import TypedColumn, decided, typed_column
from fairneuron_core.errors import DataError

MAX_UPLOAD_MB = 200
MAX_FILE_MB = 2_000
"""A file that is read by its path, not sent through a browser."""

MAX_CELLS = 50_000_000
MAX_PATH_CELLS = 200_000_000
"""Parquet packs well: a small file can hold a table that does not fit into memory."""


@dataclass(frozen=True)
class Reading:
    """What a person decides where a file can be read in two ways.

    decimal : the decimal mark of numbers like 1,234 that can be either; None: as the rest of the file has it.
    missing : column -> words that stand for a missing number there.
    """

    decimal: Decimal | None = None
    missing: tuple[tuple[str, tuple[str, ...]], ...] = ()


AS_GUESSED = Reading()


def read_table(source: bytes | Path, *, name: str, reading: Reading = AS_GUESSED) -> pd.DataFrame:
    """Read a table, uploaded (bytes) or by path; numbers become int64 or float64, all else text, None for missing.

    What was done to the table on the way (empty columns left out, encoding or numbers guessed) is listed in
    `frame.attrs["notes"]`, and `check_schema` repeats it. What a person may decide otherwise by a `Reading` is in
    `frame.attrs["words_among_numbers"]` (column -> word -> rows) and `frame.attrs["two_readings"]` (columns).

    Raises
    ------
    DataError : too large, empty, no table, damaged, named like another format, ragged.
    """
    _require_size(source, name=name)
    form = sniff(*_ends(source, name=name), name=name)
    most_cells = MAX_CELLS if isinstance(source, bytes) else MAX_PATH_CELLS
    if form == "parquet":
        read = list(read_parquet(source, name=name, most_cells=most_cells, most_columns=MOST_COLUMNS))
        labels, columns, notes = [label for label, _ in read], [column for _, column in read], []
    else:
        labels, columns, notes = _read_text(source, form, reading, most_cells=most_cells, name=name)
    _require_rows(len(columns[0].values) if columns and columns[0].values is not None else 0, name=name)
    return assemble(labels, columns, notes, name=name)


def _require_size(source: bytes | Path, *, name: str) -> None:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
    except OSError as error:
        raise DataError(f"The file '{name}' cannot be opened ({error.strerror}): check its path and rights.") from error
    limit = MAX_UPLOAD_MB if isinstance(source, bytes) else MAX_FILE_MB
    if size > limit * 2**20:
        advice = "upload a sample of its rows, or save it as Parquet" if isinstance(source, bytes) else "take a sample"
        raise DataError(f"The file '{name}' has {size / 2**20:,.0f} MB; the limit is {limit:,} MB: {advice}.")


def _ends(source: bytes | Path, *, name: str) -> tuple[bytes, bytes]:
    """Return the first and the last bytes, by which a format is told."""
    if isinstance(source, bytes):
        return source[:HEAD], source[-TAIL:]
    try:
        with source.open("rb") as file:
            head = file.read(HEAD)
            file.seek(max(0, source.stat().st_size - TAIL))
            return head, file.read(TAIL)
    except OSError as error:
        raise DataError(f"The file '{name}' cannot be read ({error.strerror}): check its path and rights.") from error


def _read_text(
    source: bytes | Path, form: Format, reading: Reading, *, most_cells: int, name: str
) -> tuple[list[str], list[TypedColumn], list[str]]:
    text, note = utf8_of(source if isinstance(source, bytes) else source.read_bytes(), name=name)
    if not text or text.isspace():
        raise DataError(f"The file '{name}' is empty: choose a file with a header row and data rows.")
    if form == "arff":
        labels, raw, numeric = read_arff(text, name=name)
        usual: Decimal = "."
    else:
        labels, raw, delimiter = read_delimited(text, name=name)
        numeric, usual = [True] * len(labels), "." if delimiter in (",", "|") else ","
    del text
    rows = len(raw[0])
    _require_rows(rows, name=name)
    if rows * len(raw) > most_cells:
        raise DataError(
            f"The file '{name}' has {rows:,} rows x {len(raw)} columns, more than {most_cells:,} values: take a sample "
            "of its rows."
        )
    words = dict(reading.missing)
    columns = []
    for title, is_number in zip(unique_titles(labels), numeric, strict=True):
        # Taken from the list, so that the texts of a column go as soon as its values are known.
        texts = raw.pop(0)
        columns.append(typed_column(texts, name=title, numbers=is_number, missing=words.get(title, ())))
    proved = {column.decimal for column in columns} - {""}
    decimal = reading.decimal or (next(iter(proved)) if len(proved) == 1 else None)
    notes = [note] if note else []
    return labels, [decided(column, decimal, usual=usual) for column in columns], notes


def _require_rows(rows: int, *, name: str) -> None:
    if not rows:
        raise DataError(f"The file '{name}' has column names but no rows: add the data rows and upload it again.")
