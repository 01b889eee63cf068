"""Parquet files column by column: what fits into memory is told from the file's own account before it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fairneuron_core.data.columns import as_numbers
from fairneuron_core.data.typed import TypedColumn, typed_column
from fairneuron_core.errors import DataError

MOST_COLUMN_MB = 2_000
"""Parquet keeps equal texts once and packs the rest: a small file can hold a million copies of a long text."""


def read_parquet(
    source: bytes | Path, *, name: str, most_cells: int, most_columns: int
) -> Iterator[tuple[str, TypedColumn]]:
    """Yield name and values of one column after the other, so that only one is in memory twice.

    Raises
    ------
    DataError : damaged, too many cells or columns, cells that hold lists, records, raw bytes or very long texts.
    """
    with _damage_as_error(name):
        about = pq.read_metadata(_opened(source))
        schema = pq.read_schema(_opened(source))
    if about.num_columns > most_columns:
        raise DataError(
            f"The file '{name}' has {about.num_columns:,} columns, more than {most_columns:,}: leave out those "
            "that are not needed."
        )
    size = about.num_rows * about.num_columns
    if size > most_cells:
        raise DataError(
            f"The file '{name}' holds {size:,} values, more than {most_cells:,}: take a sample of its rows, or leave "
            "out columns."
        )
    for place, field in enumerate(schema):
        if not field.name.startswith("__index_level_"):
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            _require_plain(kind, field.name, name=name)
            # Every column so far is flat, so this place is the column's place in the file.
            packed = sum(about.row_group(i).column(place).total_uncompressed_size for i in range(about.num_row_groups))
            _require_room(packed, field.name, name=name)
            twin = schema.names[:place].count(field.name)
            yield field.name, _read_column(source, field.name, kind, twin=twin, name=name)


def _opened(source: bytes | Path) -> pa.BufferReader | Path:
    return pa.BufferReader(source) if isinstance(source, bytes) else source


@contextmanager
def _damage_as_error(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"The file '{name}' starts like Parquet but is damaged or was cut short: save and upload it again."
        ) from error


def _require_plain(kind: pa.DataType, column: str, *, name: str) -> None:
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(
            f"Column '{column}' of '{name}' holds lists, records or raw bytes ({kind}): keep one plain value per cell."
        )


def _require_room(size: int, column: str, *, name: str) -> None:
    if size > MOST_COLUMN_MB * 2**20:
        raise DataError(
            f"Column '{column}' of '{name}' takes {size / 2**20:,.0f} MB in memory, more than {MOST_COLUMN_MB:,} MB: "
            "leave it out, or take a sample of the rows."
        )


def _read_column(source: bytes | Path, column: str, kind: pa.DataType, *, twin: int, name: str) -> TypedColumn:
    with _damage_as_error(name):
        texts = [column] if _is_text(kind) else None
        with pq.ParquetFile(_opened(source), read_dictionary=texts) as file:
            values = file.read(columns=[column]).column(twin)
        if pa.types.is_dictionary(values.type) and not _is_text(kind):
            values = values.cast(kind)
        if pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind):
            numbers = values.cast(pa.float64(), safe=False).to_pandas()
            return TypedColumn(column, as_numbers(numbers))
        if pa.types.is_boolean(kind):
            values = pc.if_else(values, "True", "False")
        elif not _is_text(kind):
            values = values.cast(pa.string())
    if pa.types.is_dictionary(values.type):
        values = values.unify_dictionaries()
        _require_room(_decoded_size(values), column, name=name)
    return typed_column(values, name=column, numbers=False)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _decoded_size(values: pa.ChunkedArray) -> int:
    """Return the bytes of all texts of a column that keeps each different text once."""
    size = 0
    for chunk in values.chunks:
        lengths = pc.binary_length(chunk.dictionary.cast(pa.large_string())).fill_null(0).to_numpy(zero_copy_only=False)
        places = chunk.indices.drop_null().to_numpy(zero_copy_only=False)
        size += int(lengths.astype(np.int64) @ np.bincount(places, minlength=len(lengths)))
    return size
