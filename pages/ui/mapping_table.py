"""An input mapping as a table that a person edits, and back: one row per column of the data set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from fairneuron_core.data.mapping import How, InputMapping, MappedColumn, Scaling
from fairneuron_core.types import Dataset

HOWS: dict[How, str] = {"number": "number", "one_hot": "one-hot", "codes": "codes"}
SCALINGS: dict[Scaling, str] = {"none": "none", "min_max": "min-max", "standard": "standard", "given": "given"}
READ, PLACE, NAME, INPUTS, HOW = "Read", "Place", "Column", "Inputs", "How"
LEVELS, SCALING, SUBTRACT, DIVIDE = "Levels in order", "Scaling", "Subtract", "Divide by"
ORDER = (READ, PLACE, NAME, INPUTS, HOW, LEVELS, SCALING, SUBTRACT, DIVIDE)
_HOW_OF = {words: how for how, words in HOWS.items()}
_SCALING_OF = {words: scaling for scaling, words in SCALINGS.items()}
_BETWEEN = " | "


def mapping_table(mapping: InputMapping, dataset: Dataset) -> pd.DataFrame:
    """Return one row per column: those that the mapping reads, in its order, then the others, unread."""
    schema = dataset.schema
    read = {column.name: column for column in mapping.columns if column.name in schema.names}
    others = [n for n in schema.names if n not in read and n != schema.target.name]
    unread = [_usual(schema.column(name).kind, name) for name in others]
    rows = [*((True, column) for column in read.values()), *((False, column) for column in unread)]
    return pd.DataFrame(
        [
            {
                READ: is_read,
                PLACE: float(place),
                NAME: column.name,
                HOW: HOWS[column.how],
                LEVELS: levels_text(column.levels),
                SCALING: SCALINGS[column.scaling],
                SUBTRACT: column.subtract,
                DIVIDE: column.divide,
            }
            for place, (is_read, column) in enumerate(rows, start=1)
        ]
    )


def _usual(kind: str, name: str) -> MappedColumn:
    return MappedColumn(name, "number", scaling="min_max") if kind == "numeric" else MappedColumn(name, "one_hot")


def edited(table: pd.DataFrame, changes: Mapping[Any, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table with the cells that a person changed: row number -> column -> value."""
    found = table.astype(object).copy()
    for row, cells in changes.items():
        for column, value in cells.items():
            if column in found.columns and int(row) < len(found):
                found.loc[int(row), column] = value
    return found


def mapping_of(
    table: pd.DataFrame, before: pd.DataFrame, *, favourable_class: int = 1, threshold: float = 0.5
) -> InputMapping:
    """Return the mapping that an edited table states.

    Rows stand by their place. Of two with one place the moved one comes first when it came from below, and last when
    it came from above: whoever writes 2 gets place 2.
    """
    placed = []
    for row, old in zip(table.to_dict("records"), before[PLACE], strict=True):
        place = old if _missing(row[PLACE]) else float(row[PLACE])
        placed.append(((place, (place > old) - (place < old)), row))
    chosen = [row for _, row in sorted(placed, key=lambda one: one[0]) if row[READ] is True or row[READ] == 1]
    return InputMapping(tuple(_column(row) for row in chosen), favourable_class, threshold)


def _column(row: Mapping[str, Any]) -> MappedColumn:
    how, scaling = _HOW_OF.get(row[HOW], "number"), _SCALING_OF.get(row[SCALING], "none")
    return MappedColumn(
        str(row[NAME]),
        how,
        levels=() if how == "number" else levels_of(row[LEVELS]),
        scaling="none" if how == "one_hot" else scaling,
        subtract=0.0 if _missing(row[SUBTRACT]) else float(row[SUBTRACT]),
        divide=1.0 if _missing(row[DIVIDE]) else float(row[DIVIDE]),
    )


def inputs_of(column: MappedColumn, count_levels: Callable[[str], int]) -> int:
    """Return how many inputs a column becomes."""
    if column.how != "one_hot":
        return 1
    return len(column.levels) or count_levels(column.name)


def with_inputs(table: pd.DataFrame, stated: pd.DataFrame, count_levels: Callable[[str], int]) -> pd.DataFrame:
    """Return `table` with the number of inputs of every column as it is `stated` now; 0 for one that is not read."""
    widths = [
        inputs_of(_column(row), count_levels) if row[READ] is True or row[READ] == 1 else 0
        for row in stated.to_dict("records")
    ]
    return table.assign(**{INPUTS: widths})[list(ORDER)]


def levels_text(levels: tuple[str, ...]) -> str:
    """Return levels as one cell: `north | south`; a bar or backslash in a level is written after a backslash.

    >>> levels_text(("a", "b|c"))
    'a | b\\\\|c'
    """
    return _BETWEEN.join(re.sub(r"([\\|])", r"\\\1", level) for level in levels)


def levels_of(text: object) -> tuple[str, ...]:
    """Read a cell of levels; empty = all levels of the data.

    >>> levels_of("north | south"), levels_of(levels_text(("a", "b|c"))), levels_of(None)
    (('north', 'south'), ('a', 'b|c'), ())
    """
    if not isinstance(text, str) or not text.strip():
        return ()
    parts = re.findall(r"(?:\\.|[^\\|]|\\$)+", text)
    return tuple(re.sub(r"\\(.)", r"\1", part.strip()) for part in parts if part.strip())


def _missing(value: Any) -> bool:
    return value is None or value != value
