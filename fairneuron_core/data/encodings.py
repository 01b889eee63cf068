"""The bytes of a text file as UTF-8: its encoding told from marks, zero bytes and validity, and said where guessed."""

from __future__ import annotations

import codecs

import numpy as np
import pyarrow as pa

from fairneuron_core.errors import DataError

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16: the mark of UTF-32 begins with the one of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = {"utf-16": "UTF-16", "utf-32": "UTF-32", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
HEAD = 65_536


def encoding_of(head: bytes) -> str | None:
    """Return the encoding that the first bytes show: by their mark, or UTF-16 by zeros in every second place."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    pairs = np.frombuffer(head[: len(head) // 2 * 2], np.uint8).reshape(-1, 2) == 0
    if len(pairs) >= 4:
        low, high = pairs.mean(axis=0)
        if high > 0.6 and low < 0.05:
            return "utf-16-le"
        if low > 0.6 and high < 0.05:
            return "utf-16-be"
    return None


def utf8_of(content: bytes, *, name: str) -> tuple[bytes, str | None]:
    """Return the text as UTF-8 without a mark, and a note when its encoding had to be guessed.

    Tried: a byte order mark; UTF-16 without one; UTF-8; UTF-8 with a few damaged characters; else Windows-1252, or
    Latin-1 where a byte has no meaning in Windows-1252.

    Raises
    ------
    DataError : UTF-16 or UTF-32 that is damaged, or zero bytes in the text.
    """
    encoding = encoding_of(content[:HEAD])
    if encoding in WIDE:
        return _from_wide(content, encoding, name=name)
    text = content[len(codecs.BOM_UTF8) :] if encoding == "utf-8" else content
    if (place := text.find(b"\x00")) >= 0:
        line = text.count(b"\n", 0, place) + 1
        raise DataError(
            f"The file '{name}' has a zero byte in line {line:,}, which no text has: it was damaged on its way, save "
            "it again."
        )
    return (text, None) if _is_utf8(text) else _from_bytes(text)


def _from_wide(content: bytes, encoding: str, *, name: str) -> tuple[bytes, str | None]:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        words = WIDE[encoding]
        raise DataError(f"The file '{name}' starts like {words} text but is damaged: save it as UTF-8.") from error
    guessed = encoding.endswith(("-le", "-be"))
    note = "The text has no byte order mark and was read as UTF-16: look at accented letters." if guessed else None
    return text.encode("utf-8", errors="replace"), note


def _is_utf8(text: bytes) -> bool:
    # Arrow checks without making a copy of the text.
    offsets = pa.py_buffer(np.array([0, len(text)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _from_bytes(content: bytes) -> tuple[bytes, str]:
    decoded = content.decode("utf-8", errors="replace")
    damaged = decoded.count("\ufffd")
    sound = len(decoded) - len(decoded.encode("ascii", errors="ignore")) - damaged
    if sound > 10 * damaged:
        words = f"{damaged:,} character{'s' * (damaged > 1)} of the text {'are' if damaged > 1 else 'is'} damaged"
        return decoded.encode("utf-8"), f"{words} and shown as \ufffd: save the file as UTF-8 again."
    del decoded
    try:
        text, words = content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, words = content.decode("latin-1"), "Latin-1"
    note = f"The text is not UTF-8 and was read as {words}: look at accented letters, or save the file as UTF-8."
    return text.encode("utf-8"), note
