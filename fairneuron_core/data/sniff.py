"""What a file is, told from its first and last bytes and never from its name."""

from __future__ import annotations

import re
from typing import Literal

from fairneuron_core.data.encodings import WIDE, encoding_of
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

AS_CSV = "open it in the program that wrote it and save the table as CSV, then upload that"
AS_SHEET = "open it in Excel or LibreOffice, save the sheet as CSV UTF-8 (File, Save as), and upload that"
UNPACKED = "unpack it first and upload the table that is inside"
SAVE_AS = "save the table as CSV, Parquet or ARFF and upload that"
PICKLE = "a Python pickle, which is never opened because it can run code"

# First bytes -> what the file is, in words that a person knows, and what to do; none of them can begin a text table.
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file, or one with a password", AS_SHEET),
    (b"\x1f\x8b", "a gzip archive", UNPACKED),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", UNPACKED),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACKED),
    (b"\xfd7zXZ\x00", "an xz archive", UNPACKED),
    (b"BZh", "a bzip2 archive", UNPACKED),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACKED),
    (b"$FL2", "an SPSS file", AS_CSV),
    (b"$FL3", "an SPSS file", AS_CSV),
    (b"<stata_dta>", "a Stata file", AS_CSV),
    (b"RDX", "an R data file", AS_CSV),
    (b"Obj\x01", "an Avro file", SAVE_AS),
    (b"ORC", "an ORC file", SAVE_AS),
    (b"\x89HDF", "an HDF5 file", SAVE_AS),
    (b"\x89PNG", "a picture (PNG)", SAVE_AS),
    (b"\xff\xd8\xff", "a picture (JPEG)", SAVE_AS),
    (b"%PDF", "a PDF document", SAVE_AS),
    (b"SQLite format 3", "an SQLite database", SAVE_AS),
    (b"ARROW1\x00", "an Arrow or Feather file", SAVE_AS),
    (b"\x93NUMPY", "a NumPy array", SAVE_AS),
    (b"\x80\x02", PICKLE, SAVE_AS),
    (b"\x80\x03", PICKLE, SAVE_AS),
    (b"\x80\x04", PICKLE, SAVE_AS),
    (b"\x80\x05", PICKLE, SAVE_AS),
)
TEXT_SIGNATURES = (
    (re.compile(r"<(!doctype|html|\?xml)", re.IGNORECASE), "a web page or XML file"),
    (re.compile(r"\{\s*[\"}]|\[\s*[\[{\"\d]"), "a JSON file"),
    (re.compile(r"\{\\rtf"), "an RTF document"),
)
HEAD, TAIL = 65_536, 4096
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(head: bytes, tail: bytes, *, name: str) -> Format:
    """Return the format of a file by its first and last bytes.

    Raises
    ------
    DataError : the content is no table, or is another format than the name says.
    """
    if not head or head.isspace():
        raise DataError(f"The file '{name}' is empty: choose a file with a header row and data rows.")
    found: Format = "delimited"
    if head.startswith(b"PAR1"):
        found = "parquet"
    elif other := _other_kind(head, tail):
        raise DataError(f"The file '{name}' looks like {other[0]}: {other[1]}.")
    elif _is_arff(head):
        found = "arff"
    said = EXTENSIONS.get(name.rsplit(".", 1)[-1].lower() if "." in name else "")
    if said and said != found:
        raise DataError(
            f"The file '{name}' is named like {FORMAT_WORDS[said]} but its content looks like {FORMAT_WORDS[found]}: "
            "rename it to what it is, or save it again in the format of its name."
        )
    return found


def _other_kind(head: bytes, tail: bytes) -> tuple[str, str] | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(head, tail)
    for signature, words, advice in SIGNATURES:
        if head.startswith(signature):
            return words, advice
    if encoding_of(head) in WIDE:
        return None
    # A few stray zeros among text are told later, with their line.
    if len(CONTROL.findall(head)) > 0.01 * len(head):
        return "a binary file that is none of CSV, Parquet or ARFF", SAVE_AS
    text = _beginning(head)
    return next(((words, SAVE_AS) for pattern, words in TEXT_SIGNATURES if pattern.match(text)), None)


def _zip_kind(head: bytes, tail: bytes) -> tuple[str, str]:
    if b"opendocument" in head[:4096]:
        return "an OpenDocument file", AS_SHEET
    if b"xl/" in head[:4096] or b"xl/workbook" in tail:
        return "an Excel workbook", AS_SHEET
    return "a zip archive", UNPACKED


def _beginning(head: bytes) -> str:
    return head[:4096].decode("latin-1").removeprefix("\xef\xbb\xbf").lstrip(" \t\r\n")


def _is_arff(head: bytes) -> bool:
    encoding = encoding_of(head)
    text = head.decode(encoding, errors="ignore") if encoding else head.decode("latin-1")
    lines = text.removeprefix("\ufeff").splitlines()
    first = next((line.strip() for line in lines if line.strip() and not line.lstrip().startswith("%")), "")
    return bool(re.match(r"@(relation|attribute)\b", first, re.IGNORECASE))
