"""ARFF (the format of Weka): @relation, @attribute lines, then @data rows; '?' is a missing value."""

from __future__ import annotations

import re

import pandas as pd

from fairneuron_core.data.delimited import typed_column
from fairneuron_core.errors import DataError

ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*(.*)""", re.IGNORECASE)
FIELD = re.compile(r"""(?:^|,)\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]*)\s*(?=,|$)""")
NUMERIC = re.compile(r"(numeric|real|integer)\b", re.IGNORECASE)
ESCAPE = re.compile(r"\\(.)")


def read_arff(text: str, *, name: str) -> tuple[list[str], list[pd.Series]]:
    """Return column names and columns of a dense ARFF file.

    Raises
    ------
    DataError : no @data line, sparse rows, a relational attribute, ragged rows.
    """
    lines = [line.strip() for line in text.splitlines()]
    start = next((i for i, line in enumerate(lines) if line.lower().startswith("@data")), None)
    if start is None:
        raise DataError(f"The ARFF file '{name}' has no @data line: it was cut short, or holds no rows.")
    attributes = [_attribute(line, name=name) for line in lines[:start] if line.lower().startswith("@attribute")]
    if not attributes:
        raise DataError(f"The ARFF file '{name}' has no @attribute line: its columns have no names.")
    rows = [line for line in lines[start + 1 :] if line and not line.startswith("%")]
    if rows and rows[0].startswith("{"):
        raise DataError(
            f"The ARFF file '{name}' is sparse (rows in braces): save it dense, or as CSV, and upload that."
        )
    values = [_fields(line) for line in rows]
    for number, row in enumerate(values, start=1):
        if len(row) != len(attributes):
            raise DataError(
                f"Data row {number} of '{name}' has {len(row)} values but there are {len(attributes)} attributes: "
                "quote values that contain a comma."
            )
    columns = []
    for place, (_, numeric) in enumerate(attributes):
        texts = pd.Series([row[place] for row in values], dtype=object)
        columns.append(typed_column(texts, numbers=numeric))
    return [label for label, _ in attributes], columns


def _attribute(line: str, *, name: str) -> tuple[str, bool]:
    found = ATTRIBUTE.match(line)
    if not found or not found[2]:
        raise DataError(f"The line '{line[:60]}' of '{name}' names no attribute and type: correct it.")
    if found[2].lower().startswith("relational"):
        raise DataError(f"Attribute '{found[1]}' of '{name}' is relational: keep one plain value per cell.")
    return _unquoted(found[1]), bool(NUMERIC.match(found[2]))


def _fields(line: str) -> list[str | None]:
    """Cut one data row; quotes are ' or ", a backslash escapes, an unquoted ? is missing."""
    if "'" not in line and '"' not in line and "\\" not in line:
        return [_known(part) for part in line.split(",")]
    return [_unquoted(found[1]) if found[1][:1] in ("'", '"') else _known(found[1]) for found in FIELD.finditer(line)]


def _known(text: str) -> str | None:
    return None if text.strip() in ("?", "") else text.strip()


def _unquoted(text: str) -> str:
    return ESCAPE.sub(r"\1", text[1:-1]) if text[:1] in "'\"" else text
