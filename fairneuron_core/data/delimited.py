"""Delimited text (comma, semicolon, tab or |) to columns, strictly: every row has as many fields as the header."""

from __future__ import annotations

import csv
import io
import re

import pyarrow as pa
import pyarrow.csv as pa_csv

from fairneuron_core.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
MOST_COLUMNS = 5_000
LONGEST_ROW = 2**23
"""Bytes; no row of a table about people is longer, but all that follows a quote that nobody closes is."""

SAMPLE = 2**16
CLOSING = b"(end of table)\n"
RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SAID_DELIMITER = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
SPACED_QUOTE = re.compile(r'[,;\t|] +"')


def read_delimited(content: bytes, *, name: str) -> tuple[list[str], list[pa.ChunkedArray], str]:
    """Return column names, columns of texts, and the delimiter of UTF-8 text; it is found from the first rows.

    Raises
    ------
    DataError : one column only, ragged rows, too many columns, a quote that is never closed, a first row that holds
        data instead of names.
    """
    text = content if content[:1] == b"\t" else content.lstrip(b"\r\n ")
    head = _head(text)
    said = SAID_DELIMITER.match(head)
    if said and said[1] in DELIMITERS:
        text, head = text[len(said[0]) :], head[len(said[0]) :]
    delimiter, width = find_delimiter(head, name=name, said=said[1] if said else None)
    if width > MOST_COLUMNS:
        raise DataError(
            f"The first row of '{name}' has {width:,} fields, more than {MOST_COLUMNS:,} columns: check that rows are "
            "people and columns are what is known of them."
        )
    if SPACED_QUOTE.search(head):
        text = _without_spaces(text, delimiter)
    columns = _parse(text, delimiter, width=width, name=name)
    names = [(column[0].as_py() or "").strip() for column in columns]
    _refuse_missing_header(names, name=name)
    return names, [column.slice(1) for column in columns], delimiter


def _head(text: bytes) -> str:
    """Return the header row, however long, and about 64 KB of what follows it."""
    end = text.find(b"\n", 0, LONGEST_ROW)
    size = (LONGEST_ROW if end < 0 else end) + SAMPLE
    return text[:size].decode("utf-8", errors="ignore")


def find_delimiter(head: str, *, name: str, said: str | None = None) -> tuple[str, int]:
    """Return the delimiter and the number of columns.

    Of the delimiters in the header row, the one by which the first rows all have the same length and the most
    fields; if there is none, the one that stands most often outside quotes in the header row.
    """
    header = _first_record(head)
    outside = re.sub(r'"[^"]*"', "", header)
    counts = {mark: outside.count(mark) for mark in DELIMITERS if said in (None, mark)}
    best = max(counts, key=lambda mark: counts[mark], default="")
    if not counts.get(best):
        shown = " ".join(header.split())[:60]
        raise DataError(
            f"The file '{name}' reads as one column only ('{shown}'): separate the columns by comma, semicolon, "
            "tab or |."
        )
    even = [mark for mark in counts if counts[mark] and _rows_are_even(head, mark, counts[mark] + 1)]
    best = max(even, key=lambda mark: counts[mark]) if even and best not in even else best
    return best, counts[best] + 1


def _rows_are_even(head: str, mark: str, width: int) -> bool:
    try:
        rows = [row for row in csv.reader(io.StringIO(head, newline=""), delimiter=mark) if row]
    except csv.Error:
        return False
    # The last row of the sample may be cut off.
    return len(rows) > 2 and all(len(row) == width for row in rows[:-1])


def _first_record(text: str) -> str:
    header = ""
    for line in io.StringIO(text, newline=None):
        header += line
        if header.strip() and header.count('"') % 2 == 0:
            break
    return header


def _without_spaces(text: bytes, delimiter: str) -> bytes:
    """Write the table again without the spaces before quotes, which would make the quotes part of the value."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=delimiter)
    reader = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        writer.writerows(row for row in reader if row)
    except csv.Error:
        return text
    return sink.getvalue().encode()


def _parse(text: bytes, delimiter: str, *, width: int, name: str) -> list[pa.ChunkedArray]:
    # An odd number of quotes: one of them may be open until the end and swallow rows. A last row of our own tells,
    # because it is swallowed too.
    odd = text.count(b'"') % 2 == 1
    source = text.rstrip(b"\r\n") + b"\n" + delimiter.encode() * (width - 1) + CLOSING if odd else text
    table = _table(source, delimiter, width=width, name=name)
    if odd:
        if table.column(width - 1)[-1].as_py() != CLOSING.decode().strip():
            raise DataError(
                f"A quote that opens in row {len(table):,} of '{name}' is never closed: close it, or take it out."
            )
        table = table.slice(0, len(table) - 1)
    return list(table.columns)


def _table(text: bytes, delimiter: str, *, width: int, name: str, threads: bool = True) -> pa.Table:
    labels = [str(i) for i in range(width)]
    try:
        return pa_csv.read_csv(
            pa.BufferReader(text),
            read_options=pa_csv.ReadOptions(column_names=labels, block_size=LONGEST_ROW, use_threads=threads),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in text),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(labels, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if threads:
            # Once more in one thread: only then the row is known.
            return _table(text, delimiter, width=width, name=name, threads=False)
        odd = text.count(b'"') % 2 == 1
        raise _not_even(str(error), delimiter, name=name, odd=odd) from error


def _not_even(words: str, delimiter: str, *, name: str, odd: bool) -> DataError:
    found = RAGGED.search(words)
    if found:
        row = f"row {int(found[1]):,}" if found[1] else "another row"
        also = ", or close the quote that is open" if odd else ""
        return DataError(
            f"The rows of '{name}' have different lengths (the header has {found[2]} fields, {row} has {found[3]}): "
            f"quote values that contain a {DELIMITERS[delimiter]}, or fill the short rows{also}."
        )
    if "straddling" in words or "block" in words:
        return DataError(
            f"A row of '{name}' is longer than {LONGEST_ROW // 2**20} MB: a quote is probably never closed, or the "
            "line ends are missing."
        )
    return DataError(f"The text of '{name}' cannot be cut into columns: save it again as plain CSV.")


def _refuse_missing_header(names: list[str], *, name: str) -> None:
    numbers = [n for n in names if NUMBER.fullmatch(n)]
    counted = [str(i) for i in range(len(numbers))] == numbers
    if len(numbers) * 3 >= len(names) and not counted:
        shown = ", ".join(names[:4])
        raise DataError(f"The first row of '{name}' looks like data ({shown}, ...): add a row with column names above.")
