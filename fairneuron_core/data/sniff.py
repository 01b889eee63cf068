"""What a file is, told from its first bytes and never from its name; and how its text is decoded."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from fairneuron_core.errors import DataError

Format = Literal["parquet", "arff", "delimited"]

EXTENSIONS: dict[str, Format] = {
    "csv": "delimited",
    "tsv": "delimited",
    "parquet": "parquet",
    "pq": "parquet",
    "arff": "arff",
}
FORMAT_WORDS = {"parquet": "Parquet", "arff": "ARFF", "delimited": "delimited text (CSV)"}

# First bytes -> what the file is, in words that a person knows; none of them can begin a text table.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1\x00", "an Arrow or Feather file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle, which is never opened because it can run code"),
    (b"\x80\x03", "a Python pickle, which is never opened because it can run code"),
    (b"\x80\x04", "a Python pickle, which is never opened because it can run code"),
    (b"\x80\x05", "a Python pickle, which is never opened because it can run code"),
)
TEXT_SIGNATURES = (
    (re.compile(r"<(!doctype|html|\?xml)", re.IGNORECASE), "a web page or XML file"),
    (re.compile(r"\{\s*[\"}]|\[\s*[\[{\"\d]"), "a JSON file"),
    (re.compile(r"\{\\rtf"), "an RTF document"),
)
SAVE_AS = "save the table as CSV, Parquet or ARFF and upload that"
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def sniff(content: bytes, *, name: str) -> Format:
    """Return the format of the content.

    Raises
    ------
    DataError : the content is no table, or is another format than the name says.
    """
    if not content.strip():
        raise DataError(f"The file '{name}' is empty: choose a file with a header row and data rows.")
    found: Format = "delimited"
    if content.startswith(b"PAR1"):
        found = "parquet"
    elif other := _other_kind(content):
        raise DataError(f"The file '{name}' looks like {other}: {SAVE_AS}.")
    elif _is_arff(content):
        found = "arff"
    said = EXTENSIONS.get(name.rsplit(".", 1)[-1].lower() if "." in name else "")
    if said and said != found:
        raise DataError(
            f"The file '{name}' is named like {FORMAT_WORDS[said]} but its content looks like {FORMAT_WORDS[found]}: "
            "rename it to what it is, or save it again in the format of its name."
        )
    return found


def _other_kind(content: bytes) -> str | None:
    if content.startswith(b"PK\x03\x04"):
        is_book = b"xl/" in content[:4096] or b"xl/workbook" in content[-4096:]
        return "an Excel workbook" if is_book else "a zip archive"
    for signature, words in SIGNATURES:
        if content.startswith(signature):
            return words
    if content.startswith(UTF16_MARKS):
        return None
    head = content[:65536]
    if len(CONTROL.findall(head)) > 0.01 * len(head) or b"\x00" in head:
        return "a binary file that is none of CSV, Parquet or ARFF"
    text = head[:4096].decode("latin-1").lstrip("\xef\xbb\xbf \t\r\n")
    return next((words for pattern, words in TEXT_SIGNATURES if pattern.match(text)), None)


def _is_arff(content: bytes) -> bool:
    if content.startswith(UTF16_MARKS):
        return False
    lines = content[:65536].decode("latin-1").removeprefix("\xef\xbb\xbf").splitlines()
    first = next((line.strip() for line in lines if line.strip() and not line.lstrip().startswith("%")), "")
    return bool(re.match(r"@(relation|attribute)\b", first, re.IGNORECASE))


def decode_text(content: bytes, *, name: str) -> tuple[str, str | None]:
    """Return the text (UTF-8, UTF-16 with a byte order mark, else Latin-1) and a note when it had to be guessed."""
    try:
        if content.startswith(UTF16_MARKS):
            return content.decode("utf-16"), None
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        if content.startswith(UTF16_MARKS):
            raise DataError(f"The file '{name}' starts like UTF-16 text but is damaged: save it as UTF-8.") from error
        note = "The text is not UTF-8 and was read as Latin-1: look at accented letters, or save the file as UTF-8."
        return content.decode("latin-1"), note
