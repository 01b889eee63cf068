"""Mappings as JSON: written for a person to edit, and read strictly, since a stranger may have written it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from fairneuron_core.data.mapping import HOWS, SCALINGS, InputMapping, MappedColumn
from fairneuron_core.errors import DataError

FORMAT = "fairneuron input mapping"
VERSION = 1
MAX_CHARACTERS = 4_000_000
MOST_COLUMNS, MOST_LEVELS = 10_000, 10_000
_EDIT = "print one with `fairneuron model mapping FILE --data NAME` and edit it"


def mapping_to_json(mapping: InputMapping) -> str:
    """Return the mapping as JSON, one column a line; what a column leaves at its default is left out."""
    columns = [json.dumps(_told(column), ensure_ascii=False) for column in mapping.columns]
    head = json.dumps({"format": FORMAT, "version": VERSION, "favourable_class": mapping.favourable_class})
    inner = ",\n    ".join(columns)
    return f'{head[:-1]}, "threshold": {mapping.threshold!r},\n  "columns": [\n    {inner}\n  ]}}\n'


def _told(column: MappedColumn) -> dict[str, Any]:
    usual = asdict(MappedColumn(column.name, column.how))
    said = {k: v for k, v in asdict(column).items() if k in ("name", "how") or v != usual[k]}
    return said | ({"levels": list(column.levels)} if column.levels else {})


def mapping_from_json(text: str) -> InputMapping:
    """Read a mapping; DataError in one sentence for anything that is not one."""
    if len(text) > MAX_CHARACTERS:
        raise DataError(f"The mapping has {len(text):,} characters, more than {MAX_CHARACTERS:,}: {_EDIT}.")
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DataError(f"The mapping is no JSON ({str(error)[:80]}): {_EDIT}.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("version") != VERSION:
        raise DataError(f"This JSON does not call itself '{FORMAT}', version {VERSION}: {_EDIT}.")
    _only(found, {"format", "version", "favourable_class", "threshold", "columns"}, "The mapping")
    favourable, threshold, listed = found.get("favourable_class", 1), found.get("threshold", 0.5), found.get("columns")
    if type(favourable) is not int or favourable not in (0, 1):
        raise DataError(f"favourable_class is {_shown(favourable)}: write 0 or 1.")
    if not _is_number(threshold) or not 0 <= threshold <= 1:
        raise DataError(f"The threshold of the mapping is {_shown(threshold)}: write a number from 0 to 1.")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_COLUMNS:
        raise DataError(f"The mapping needs a list of 1 to {MOST_COLUMNS:,} columns: {_EDIT}.")
    columns = tuple(_column(entry, place) for place, entry in enumerate(listed, start=1))
    names = [column.name for column in columns]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(f"The mapping names column '{sorted(twice)[0]}' twice: give every column one place.")
    return InputMapping(columns, favourable, float(threshold))


def _column(entry: Any, place: int) -> MappedColumn:
    what = f"Column {place} of the mapping"
    if not isinstance(entry, dict) or not isinstance(name := entry.get("name"), str) or not name:
        raise DataError(f'{what} has no name: write {{"name": "age", "how": "number"}}.')
    _only(entry, {"name", "how", "levels", "scaling", "subtract", "divide"}, what)
    how, scaling, levels = entry.get("how"), entry.get("scaling", "none"), entry.get("levels", [])
    if how not in HOWS:
        raise DataError(f"{what} ('{name[:40]}') is read as {_shown(how)}: choose one of {', '.join(HOWS)}.")
    if scaling not in SCALINGS:
        raise DataError(f"{what} ('{name[:40]}') is scaled by {_shown(scaling)}: choose of {', '.join(SCALINGS)}.")
    if not isinstance(levels, list) or len(levels) > MOST_LEVELS or not all(isinstance(v, str) for v in levels):
        raise DataError(
            f"The levels of '{name[:40]}' are no list of at most {MOST_LEVELS:,} texts: write them in quotes."
        )
    if len(set(levels)) != len(levels):
        raise DataError(f"The mapping names a level of '{name[:40]}' twice: give every level one place.")
    subtract, divide = entry.get("subtract", 0.0), entry.get("divide", 1.0)
    if not _is_number(subtract) or not _is_number(divide) or divide <= 0:
        raise DataError(
            f"'{name[:40]}' is scaled by numbers that cannot be: subtract any number, divide by one above 0."
        )
    return MappedColumn(name, how, tuple(levels), scaling, float(subtract), float(divide))


def _only(found: dict[str, Any], known: set[str], what: str) -> None:
    if unknown := sorted(set(found) - known):
        raise DataError(f"{what} says '{unknown[0][:40]}', which means nothing here: use {', '.join(sorted(known))}.")


def _is_number(value: Any) -> bool:
    # A whole number too large for a float would raise.
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value)
    )


def _shown(value: Any) -> str:
    return repr(value)[:40]


def _refuse(text: str) -> float:
    raise ValueError(f"'{text}' is no number")
