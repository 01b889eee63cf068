"""Dates in a table: recognised in their usual ways of writing, so that they can be left out with a reason.

A date of its own says when something was, not who somebody is: as a category every day would be a network input, and
as a number of days it would mix the time of the record with the person. What it may stand for (an age, a duration) is
known to a person only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_TIME = r"([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)? ?([aApP][mM])?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?"
_MONTH = r"(Jan|Feb|M[aä]r|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz])[a-zé]*\.?"
PATTERNS = (
    rf"^\d{{4}}([-/.])\d{{1,2}}[-/.]\d{{1,2}}{_TIME}$",  # 2020-01-05, 2020/1/5 12:30
    rf"^\d{{1,2}}[./-]\d{{1,2}}[./-](\d{{4}}|\d{{2}}){_TIME}$",  # 5.1.2020, 01/05/20
    rf"^\d{{1,2}}[. -]+{_MONTH}[ -]+\d{{2,4}}{_TIME}$",  # 5 Jan 2020, 05-Jan-20
    rf"^{_MONTH} \d{{1,2}},? \d{{4}}{_TIME}$",  # January 5, 2020
)
REASON = "a date says when, not who: to use it, turn it into an age or a number of days before the upload"


def are_dates(values: pd.Series) -> bool:
    """True when every known value of a column is a date: as text, or as a whole number like 20200105."""
    known = values.dropna()
    if not len(known):
        return False
    if pd.api.types.is_integer_dtype(known):
        return _are_compact_dates(known.to_numpy())
    if pd.api.types.is_numeric_dtype(known):
        return False
    return any(_all_match(known, pattern) for pattern in PATTERNS)


def _all_match(known: pd.Series, pattern: str) -> bool:
    for part in (known.iloc[:50], known):
        texts = pa.array(part.astype(str), pa.large_string())
        if not pc.all(pc.match_substring_regex(texts, pattern)).as_py():
            return False
    return True


def _are_compact_dates(numbers: np.ndarray) -> bool:
    if numbers.min() < 19_000_101 or numbers.max() > 21_001_231:
        return False
    months, days = numbers // 100 % 100, numbers % 100
    return bool(((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)).all())
