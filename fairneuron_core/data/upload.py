"""Reading an uploaded table: CSV and its relatives, Parquet, ARFF, told apart by content. No code in a file is run."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fairneuron_core.data.arff import read_arff
from fairneuron_core.data.columns import as_numbers
from fairneuron_core.data.delimited import read_delimited, typed_column
from fairneuron_core.data.sniff import decode_text, sniff
from fairneuron_core.errors import DataError

MAX_UPLOAD_MB = 200
MAX_CELLS = 50_000_000
"""Parquet packs well: a small file can hold a table that does not fit into memory."""


def read_table(content: bytes, *, name: str) -> pd.DataFrame:
    """Read an uploaded table; numbers become int64 or float64, everything else text with None for missing.

    What was done to the table on the way (empty columns left out, encoding guessed) is listed in
    `frame.attrs["notes"]`, and `check_schema` repeats it.

    Raises
    ------
    DataError : too large, empty, no table, damaged, named like another format, ragged, doubled column names.
    """
    if len(content) > MAX_UPLOAD_MB * 2**20:
        raise DataError(
            f"The file '{name}' has {len(content) / 2**20:,.0f} MB; the limit is {MAX_UPLOAD_MB} MB: "
            "upload a sample of its rows, or save it as Parquet."
        )
    notes: list[str] = []
    form = sniff(content, name=name)
    if form == "parquet":
        names, columns = _read_parquet(content, name=name)
    else:
        text, note = decode_text(content, name=name)
        notes += [note] if note else []
        if not text.strip():
            raise DataError(f"The file '{name}' is empty: choose a file with a header row and data rows.")
        read = read_arff if form == "arff" else read_delimited
        names, columns = read(text, name=name)
    rows = len(columns[0]) if columns else 0
    if not rows:
        raise DataError(f"The file '{name}' has column names but no rows: add the data rows and upload it again.")
    if rows * len(columns) > MAX_CELLS:
        raise DataError(
            f"The file '{name}' has {rows:,} rows x {len(columns)} columns, more than {MAX_CELLS:,} values: "
            "upload a sample of its rows."
        )
    frame = _assemble(names, columns, notes, name=name)
    frame.attrs["notes"] = notes
    return frame


def _assemble(names: Sequence[str], columns: Sequence[pd.Series], notes: list[str], *, name: str) -> pd.DataFrame:
    """Name the columns, leave out row numbers, twins and empty columns, and say so in `notes`."""
    kept: dict[str, pd.Series] = {}
    empty = []
    for place, (label, values) in enumerate(zip(names, columns, strict=True), start=1):
        title = " ".join(label.split())
        if place == 1 and title in ("", "Unnamed: 0", "__index_level_0__") and _counts_rows(values):
            notes.append("The first column has no name and only numbers the rows: left out.")
            continue
        title = title or f"column_{place}"
        if title in kept:
            if not values.equals(kept[title]):
                raise DataError(
                    f"The file '{name}' has two columns named '{title}': give every column a name of its own."
                )
            notes.append(f"Column '{title}' stands in the file twice with equal values: kept once.")
        elif values.isna().all():
            empty.append(title)
        else:
            kept[title] = values
    if not kept:
        raise DataError(f"The file '{name}' holds no values at all, only missing ones: check how it was saved.")
    if len(kept) == 1 and not empty:
        raise DataError(
            f"The file '{name}' reads as one column only ('{next(iter(kept))[:60]}'): separate the columns by comma, "
            "semicolon, tab or |."
        )
    if empty:
        notes.append(f"Left out because all their values are missing: {', '.join(empty)}.")
    return pd.DataFrame(kept)


def _counts_rows(values: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(values) or values.isna().any():
        return False
    steps = values.diff().iloc[1:]
    return bool(values.iloc[0] in (0, 1) and (steps == 1).all())


def _read_parquet(content: bytes, *, name: str) -> tuple[list[str], list[pd.Series]]:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        size = file.metadata.num_rows * file.metadata.num_columns
        if size > MAX_CELLS:
            raise DataError(f"The file '{name}' holds {size:,} values, more than {MAX_CELLS:,}: upload a sample.")
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"The file '{name}' starts like Parquet but is damaged or was cut short: save and upload it again."
        ) from error
    names, columns = [], []
    for field, values in zip(table.schema, table.columns, strict=True):
        if field.name.startswith("__index_level_"):
            continue
        names.append(field.name)
        columns.append(_plain(values, field.type, column=field.name, name=name))
    return names, columns


def _plain(values: pa.ChunkedArray, kind: pa.DataType, *, column: str, name: str) -> pd.Series:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        values = values.cast(kind)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(
            f"Column '{column}' of '{name}' holds lists, records or raw bytes ({kind}): keep one plain value per cell."
        )
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return as_numbers(values.cast(pa.float64(), safe=False).to_pandas())
    if pa.types.is_boolean(kind):
        texts = values.to_pandas().map({True: "True", False: "False"})
    else:
        texts = values.cast(pa.string()).to_pandas()
    return typed_column(texts.astype(object), numbers=False)
