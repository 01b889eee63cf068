"""ARFF (the format of Weka, as OpenML has it too): @relation, @attribute lines, then @data rows; ? is missing.

Quotes are ' or ", a backslash escapes; % begins a comment, at the start of a line or after white space outside
quotes; values are separated by commas, or by white space where there are no commas; a weight in braces may end a row.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from fairneuron_core.errors import DataError

QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
ATTRIBUTE = re.compile(rf"@attribute\s+({QUOTED}|[^\s{{]+)\s*(.*)", re.IGNORECASE)
FIELD = re.compile(rf"(?:^|,)\s*({QUOTED}|[^,]*)\s*(?=,|$)")
WORD = re.compile(rf"({QUOTED}|\S+)")
COMMENT = re.compile(rf"(?:{QUOTED}|[^'\"%]|(?<=\S)%)*")
WEIGHT = re.compile(r",?\s*\{([^{}]*)\}\s*$")
NUMERIC = re.compile(r"(numeric|real|integer)\b", re.IGNORECASE)
TYPE = re.compile(r"(numeric|real|integer|string|date|relational)\b|\{", re.IGNORECASE)
ESCAPE = re.compile(r"\\(.)")
ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
WEIGHT_NAME = "instance_weight"


def read_arff(content: bytes, *, name: str) -> tuple[list[str], list[pa.ChunkedArray], list[bool]]:
    """Return column names, columns of texts (null = missing), and which of them are declared as numbers.

    Raises
    ------
    DataError : no @data line, sparse rows, a relational attribute, an unknown type, ragged rows.
    """
    start = re.search(rb"(?im)^[ \t]*@data\b[^\n\r]*(\r\n|\n|\r|$)", content)
    if start is None:
        raise DataError(f"The ARFF file '{name}' has no @data line: it was cut short, or holds no rows.")
    lines = [line.strip() for line in content[: start.start()].decode("utf-8").splitlines()]
    attributes = [_attribute(line, name=name) for line in lines if line.lower().startswith("@attribute")]
    if not attributes:
        raise DataError(f"The ARFF file '{name}' has no @attribute line: its columns have no names.")
    data = content[start.end() :]
    names, numeric = [label for label, _ in attributes], [is_number for _, is_number in attributes]
    columns = _fast(data, len(names))
    if columns is None:
        columns = _careful(data.decode("utf-8"), len(names), name=name)
        if len(columns) > len(names):
            names, numeric = [*names, WEIGHT_NAME], [*numeric, True]
    return names, columns, numeric


def _attribute(line: str, *, name: str) -> tuple[str, bool]:
    found = ATTRIBUTE.match(_without_comment(line))
    if not found or not TYPE.match(found[2]):
        raise DataError(f"The line '{line[:60]}' of '{name}' names no attribute and type: correct it.")
    if found[2].lower().startswith("relational"):
        raise DataError(f"Attribute '{found[1]}' of '{name}' is relational: keep one plain value per cell.")
    return _unquoted(found[1]), bool(NUMERIC.match(found[2]))


def _fast(data: bytes, width: int) -> list[pa.ChunkedArray] | None:
    """Read rows without quotes, escapes, comments and braces as what they are: plain commas. None: it is not so."""
    if any(mark in data for mark in (b"'", b'"', b"\\", b"%", b"{")) or not data.strip():
        return None
    labels = [str(i) for i in range(width)]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(column_names=labels, block_size=2**23),
            parse_options=pa_csv.ParseOptions(quote_char=False),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(labels, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    return [_without_unknown(column) for column in table.columns]


def _without_unknown(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(trimmed, pa.array(["?", ""])), None, trimmed)


def _careful(text: str, width: int, *, name: str) -> list[pa.ChunkedArray]:
    rows = [row for line in text.splitlines() if (row := _without_comment(line.strip()))]
    if rows and rows[0].startswith("{"):
        raise DataError(
            f"The ARFF file '{name}' is sparse (rows in braces): save it dense, or as CSV, and upload that."
        )
    values, weights = [], []
    for number, row in enumerate(rows, start=1):
        weight = WEIGHT.search(row)
        fields = _fields(row[: weight.start()] if weight else row, width)
        weights.append(weight[1].strip() if weight else "1")
        if len(fields) != width:
            raise DataError(
                f"Data row {number:,} of '{name}' has {len(fields)} values but there are {width} attributes: quote "
                "values that contain a comma or a space."
            )
        values.append(fields)
    columns = list(zip(*values, strict=True)) if values else [()] * width
    weighted = [tuple(weights)] if any(weight != "1" for weight in weights) else []
    return [pa.chunked_array([pa.array(column, pa.string())]) for column in (*columns, *weighted)]


def _without_comment(line: str) -> str:
    if "%" not in line:
        return line
    found = COMMENT.match(line)
    end = found.end() if found else 0
    return line[:end].rstrip() if line[end : end + 1] in ("%", "") else line


def _fields(line: str, width: int) -> list[str | None]:
    """Cut one data row; an unquoted ? is missing."""
    quoted = "'" in line or '"' in line or "\\" in line
    if "," not in line and width > 1:
        return [_value(found[0]) for found in WORD.finditer(line)]
    if not quoted:
        return [_known(part) for part in line.split(",")]
    return [_value(found[1]) for found in FIELD.finditer(line)]


def _value(text: str) -> str | None:
    return _unquoted(text) if text[:1] in ("'", '"') else _known(text)


def _known(text: str) -> str | None:
    return None if text.strip() in ("?", "") else text.strip()


def _unquoted(text: str) -> str:
    if text[:1] not in ("'", '"'):
        return text
    return ESCAPE.sub(lambda found: ESCAPED.get(found[1], found[1]), text[1:-1])
