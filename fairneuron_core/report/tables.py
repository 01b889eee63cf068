"""Tables as files: CSV that a spreadsheet cannot mistake for a program."""

from __future__ import annotations

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_text(cell: object) -> object:
    """Return `cell`; text that a spreadsheet would run as a formula gets a leading apostrophe. Numbers stay numbers.

    >>> as_text("=1+1"), as_text(-3), as_text("women")
    ("'=1+1", -3, 'women')
    """
    return "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return UTF-8 CSV with a byte-order mark (so that spreadsheets read accents), formulas neutralised."""
    safe = table.map(as_text)
    safe.columns = [as_text(str(name)) for name in table.columns]
    return safe.to_csv(index=False).encode("utf-8-sig")
