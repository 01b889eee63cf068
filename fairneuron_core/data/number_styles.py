"""The ways in which numbers are written in tables, as one visible table, and which of them a column fits.

A style reads a column only when it reads EVERY known value of it. Where two styles fit and give other numbers
("1,234": one thousand or one and a bit), the caller decides and says which reading was taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Decimal = Literal[".", ","]

_SIGN = "[+\u2212-]?"
_EXPONENT = r"([eE][+-]?\d+)?"
_SPACES = "[ \u00a0\u2009\u202f]"
_APOSTROPHES = "['\u2019]"


@dataclass(frozen=True)
class NumberStyle:
    """One way to write numbers: the whole text matches `pattern`; `marks` (a regex) stand between thousands."""

    words: str
    pattern: str
    decimal: Decimal
    marks: str = ""


def _grouped(mark: str, decimal: str) -> str:
    # No group begins with 0: 0,123 is a fraction and no thousand.
    return rf"^{_SIGN}([1-9]\d{{0,2}}({mark}\d{{3}})+|\d+)({decimal}\d*)?$"


PLAIN = NumberStyle("a decimal point", rf"^{_SIGN}(\d+\.?\d*|\.\d+){_EXPONENT}$", ".")
POINT_GROUPS = NumberStyle("a decimal comma and points between thousands", _grouped(r"\.", ","), ",", r"\.")
STYLES = (
    PLAIN,
    NumberStyle("a decimal comma", rf"^{_SIGN}(\d+,?\d*|,\d+){_EXPONENT}$", ","),
    NumberStyle("commas between thousands", _grouped(",", r"\."), ".", ","),
    POINT_GROUPS,
    NumberStyle("spaces between thousands", _grouped(_SPACES, r"\."), ".", _SPACES),
    NumberStyle("a decimal comma and spaces between thousands", _grouped(_SPACES, ","), ",", _SPACES),
    NumberStyle("apostrophes between thousands", _grouped(_APOSTROPHES, r"\."), ".", _APOSTROPHES),
    NumberStyle("a decimal comma and apostrophes between thousands", _grouped(_APOSTROPHES, ","), ",", _APOSTROPHES),
    NumberStyle(
        "commas between lakhs and thousands", rf"^{_SIGN}([1-9]\d?(,\d{{2}})*,\d{{3}}|\d{{1,3}})(\.\d*)?$", ".", ","
    ),
)


def fits(texts: pa.Array, style: NumberStyle) -> bool:
    """True when the style reads every text (n,) as a finite number; a few are tried first."""
    for part in (texts.slice(0, 100), texts):
        if not pc.all(pc.match_substring_regex(part, style.pattern), min_count=0).as_py():
            return False
    return bool(np.isfinite(numbers_of(texts, style)).all())


def fitting_styles(texts: pa.Array) -> list[NumberStyle]:
    """Return the styles that read every text, the plainest first; none for no texts at all."""
    return [style for style in STYLES if fits(texts, style)] if len(texts) else []


def numbers_of(texts: pa.Array, style: NumberStyle) -> np.ndarray:
    """Return the texts (n,) as numbers (n,) float64, NaN for null; every text must match the style's pattern."""
    plain = pc.replace_substring_regex(texts, style.marks, "") if style.marks else texts
    plain = pc.replace_substring(plain, ",", ".") if style.decimal == "," else plain
    plain = pc.replace_substring(plain, "\u2212", "-")
    return plain.cast(pa.float64()).to_numpy(zero_copy_only=False)


def readings(texts: pa.Array) -> list[NumberStyle]:
    """Return one style per different reading of the texts: two of them when the column is ambiguous."""
    found: list[NumberStyle] = []
    for style in fitting_styles(texts):
        numbers = numbers_of(texts, style)
        if not any(np.array_equal(numbers, numbers_of(texts, other)) for other in found):
            found.append(style)
    return found
