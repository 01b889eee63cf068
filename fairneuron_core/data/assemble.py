"""From the columns of a file to one table: unique names, row numbers, twins and empty columns left out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fairneuron_core.data.remarks import clipped, sentences
from fairneuron_core.data.typed import TypedColumn
from fairneuron_core.errors import DataError

LONGEST_NAME = 200
MOST_LISTED = 12
INDEX_NAMES = ("", "Unnamed: 0", "__index_level_0__")


def unique_titles(labels: Sequence[str]) -> list[str]:
    """Return a name for every column: on one line, not too long, `column_3` for none, `age_2` for a second `age`.

    >>> unique_titles(["age", "", "age"])
    ['age', 'column_2', 'age_2']
    """
    plain = [_plain_title(label) or f"column_{place}" for place, label in enumerate(labels, start=1)]
    taken, titles = set(plain), []
    seen: dict[str, int] = {}
    for title in plain:
        number = seen[title] = seen.get(title, 0) + 1
        while number > 1 and f"{title}_{number}" in taken:
            number += 1
        seen[title] = number
        titles.append(title if number == 1 else f"{title}_{number}")
        taken.add(titles[-1])
    return titles


def _plain_title(label: str) -> str:
    return clipped(label, limit=LONGEST_NAME)


def assemble(labels: Sequence[str], columns: Sequence[TypedColumn], notes: Sequence[str], *, name: str) -> pd.DataFrame:
    """Return the table of the columns; `attrs` holds the notes and what a person may read otherwise.

    Raises
    ------
    DataError : no values at all, or one column only.
    """
    kept: dict[str, pd.Series] = {}
    empty, equal, renamed, said = [], [], [], list(notes)
    for place, (label, title, column) in enumerate(zip(labels, unique_titles(labels), columns, strict=True)):
        values, first = column.values, _plain_title(label)
        if place == 0 and label.strip() in INDEX_NAMES and _counts_rows(values):
            said.append("The first column has no name and only numbers the rows: left out.")
        elif values.isna().all():
            empty.append(title)
        elif title != first and first in kept and values.equals(kept[first]):
            equal.append(first)
        else:
            kept[title] = values
            if title != first and first:
                renamed.append(f"{first} -> {title}")
    _require_two(kept, empty, name=name)
    for words, names in (
        ("Stand in the file twice with equal values and were kept once", list(dict.fromkeys(equal))),
        ("Other columns have the same names, so these were renamed", renamed),
        ("Left out because all their values are missing", empty),
    ):
        said += [f"{words}: {_listed(names)}."] if names else []
    read = [column for column in columns if column.name in kept]
    frame = pd.DataFrame(kept)
    frame.attrs["notes"] = [*said, *sentences(remark for column in read for remark in column.remarks)]
    frame.attrs["words_among_numbers"] = {column.name: column.words for column in read if column.words}
    frame.attrs["two_readings"] = [c.name for c in read if any(r.kind == "two readings" for r in c.remarks)]
    return frame


def _require_two(kept: dict[str, pd.Series], empty: Sequence[str], *, name: str) -> None:
    if not kept:
        raise DataError(f"The file '{name}' holds no values at all, only missing ones: check how it was saved.")
    if len(kept) == 1 and not empty:
        raise DataError(
            f"The file '{name}' reads as one column only ('{next(iter(kept))[:60]}'): separate the columns by comma, "
            "semicolon, tab or |."
        )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _counts_rows(values: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(values) or values.isna().any():
        return False
    steps = values.diff().iloc[1:]
    return bool(values.iloc[0] in (0, 1) and (steps == 1).all())
