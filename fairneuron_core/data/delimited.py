"""Delimited text (comma, semicolon, tab or |) to columns, strictly: every row has as many fields as the header."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from fairneuron_core.data.columns import as_numbers
from fairneuron_core.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
MISSING_WORDS = frozenset({"", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null"})
UNKNOWN = "?"
"""Left as a category of its own among texts, but a missing value among numbers."""

RAGGED = re.compile(r"Expected (\d+) columns, got (\d+)")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def read_delimited(text: str, *, name: str) -> tuple[list[str], list[pd.Series]]:
    """Return column names and columns of delimited text; the delimiter is found from the header row.

    Raises
    ------
    DataError : one column only, ragged rows, a first row that holds data instead of names.
    """
    lines = text.lstrip("\r\n \ufeff") if not text.startswith("\t") else text
    delimiter, width = find_delimiter(lines, name=name)
    table = _parse(lines, delimiter, width=width, name=name)
    names = [str(column[0]).strip() for column in table.columns]
    _refuse_missing_header(names, name=name)
    columns = [
        typed_column(column.slice(1).to_pandas().astype(object), decimal_comma=delimiter != ",")
        for column in table.columns
    ]
    return names, columns


def find_delimiter(text: str, *, name: str) -> tuple[str, int]:
    """Return the delimiter that stands most often outside quotes in the header row, and the number of columns."""
    header = _first_record(text)
    outside = re.sub(r'"[^"]*"', "", header)
    counts = {mark: outside.count(mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    if not counts[best]:
        shown = " ".join(header.split())[:60]
        raise DataError(
            f"The file '{name}' reads as one column only ('{shown}'): separate the columns by comma, semicolon, "
            "tab or |."
        )
    return best, counts[best] + 1


def _first_record(text: str) -> str:
    lines = text.splitlines()
    header = ""
    for line in lines[:100]:
        header = f"{header}\n{line}" if header else line
        if header.strip() and header.count('"') % 2 == 0:
            break
    return header


def _parse(text: str, delimiter: str, *, width: int, name: str) -> pa.Table:
    labels = [str(i) for i in range(width)]
    try:
        return pa_csv.read_csv(
            io.BytesIO(text.encode("utf-8", errors="replace")),
            read_options=pa_csv.ReadOptions(column_names=labels, block_size=max(2**20, min(len(text) * 4, 2**27))),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in text),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(labels, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        found = RAGGED.search(str(error))
        if found:
            raise DataError(
                f"The rows of '{name}' have different lengths (the header has {found[1]} fields, another row "
                f"{found[2]}): quote values that contain a {DELIMITERS[delimiter]}, or fill the short rows."
            ) from error
        raise DataError(f"The text of '{name}' cannot be cut into columns: save it again as plain CSV.") from error


def _refuse_missing_header(names: list[str], *, name: str) -> None:
    numbers = [n for n in names if NUMBER.fullmatch(n)]
    counted = [str(i) for i in range(len(numbers))] == numbers
    if len(numbers) * 3 >= len(names) and not counted:
        shown = ", ".join(names[:4])
        raise DataError(f"The first row of '{name}' looks like data ({shown}, ...): add a row with column names above.")


def typed_column(texts: pd.Series, *, numbers: bool = True, decimal_comma: bool = False) -> pd.Series:
    """Return a column of texts as numbers where all its known values are numbers, else as text, None for missing.

    "?" counts as missing among numbers and stays a value among texts.
    """
    codes, found = pd.factorize(texts)
    values = [str(v).strip() for v in found]
    known = [v for v in values if v not in MISSING_WORDS and v != UNKNOWN]
    if numbers and known:
        plain = [v.replace(",", ".") if decimal_comma else v for v in known]
        if all(NUMBER.fullmatch(v) for v in plain):
            lookup = dict(zip(known, map(float, plain), strict=True))
            parsed = np.array([*(lookup.get(v, np.nan) for v in values), np.nan])
            return as_numbers(pd.Series(parsed[codes]))
    written = np.array([*(None if v in MISSING_WORDS else v for v in values), None], dtype=object)
    return pd.Series(written[codes].tolist(), dtype=None if len(codes) else object)
