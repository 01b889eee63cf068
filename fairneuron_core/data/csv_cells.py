"""Cells of CSV files that a spreadsheet cannot mistake for a program."""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the wide forms of = + - @ that spreadsheets of East Asia read alike."""

_NUMBER = re.compile(r"[+-](\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def safe_cell(cell: object) -> object:
    """Return `cell`; text that a spreadsheet would run as a formula gets a leading apostrophe. Numbers stay numbers.

    >>> safe_cell("=1+1"), safe_cell(-3), safe_cell("-3"), safe_cell("women")
    ("'=1+1", -3, '-3', 'women')
    """
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
