"""A first guess at the input mapping of a foreign network: from the names of its inputs, else from their number.

Widths alone do not prove an order: whoever takes a guess looks at what the network then decides.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fairneuron_core.data.encoding import input_columns
from fairneuron_core.data.mapping import InputMapping, MappedColumn, levels_in
from fairneuron_core.types import MISSING, Column, Dataset

_PREFIX = re.compile(r"^[A-Za-z][A-Za-z0-9-]*__")
_SEPARATORS = ("=", "__", "_", ": ", ":", ".", " ", "-")


@dataclass(frozen=True)
class Layout:
    """One way in which columns may have become inputs: words about it, the columns, and their width."""

    words: str
    columns: tuple[MappedColumn, ...]

    @property
    def width(self) -> int:
        return sum(len(c.levels) if c.how == "one_hot" else 1 for c in self.columns)


def guess_mapping(dataset: Dataset, inputs: int, names: Sequence[str] = ()) -> tuple[InputMapping | None, str]:
    """Return the first mapping that makes `inputs` inputs and a sentence why; None and what was tried otherwise.

    1. The names of the inputs, where they are names of columns, or of columns and levels: `age`, `num__age`,
       `sex=Male`, `sex_Male`, `cat__sex_Male`. Levels that are missing were dropped as the first one.
    2. The layouts of `layouts`, by their width.
    Numbers that the names do not speak of are taken as scaled to [0, 1].
    """
    found = fitting_layouts(dataset, inputs, names)
    if found:
        return InputMapping(found[0].columns), why(found[0])
    tried = {layout.width: layout.words for layout in reversed(list(layouts(dataset)))}
    listed = "; ".join(f"{width} inputs: {words}" for width, words in sorted(tried.items()))
    return None, f"No layout of the columns of '{dataset.title}' makes {inputs} inputs. Tried {listed}."


def why(layout: Layout) -> str:
    """Return `12 columns in table order, categories one-hot: 105 inputs, as the network expects`."""
    n, width = len(layout.columns), layout.width
    inputs = f"{width} input{'s' * (width != 1)}"
    return f"{n} column{'s' * (n != 1)} {layout.words}: {inputs}, as the network expects."


def fitting_layouts(dataset: Dataset, inputs: int, names: Sequence[str] = ()) -> list[Layout]:
    """Return every layout that makes `inputs` inputs, the most likely one first; of names alone where they tell."""
    if len(names) == inputs and (columns := columns_of_names(dataset, names)):
        return [Layout("as the file names its inputs", columns)]
    return [layout for layout in layouts(dataset) if layout.width == inputs]


def layouts(dataset: Dataset) -> Iterator[Layout]:
    """Yield the usual layouts, the most likely one first, each list of inputs once.

    Categories one-hot, then in its less usual forms (first level left out, two levels as one input, `(missing)` left
    out), then as codes. Of each: all columns, then without the protected ones; in table order, then numbers first
    (scikit-learn, pandas), categories first, protected ones last.
    """
    seen: set[tuple[MappedColumn, ...]] = set()
    for (style, as_column), (chosen, names), (order, arranged) in itertools.product(_STYLES, _sets(dataset), _ORDERS):
        columns = tuple(as_column(column) for column in arranged([dataset.schema.column(n) for n in names]))
        if columns and columns not in seen:
            seen.add(columns)
            yield Layout(f"{order}{chosen}, {style}", columns)


def _sets(dataset: Dataset) -> list[tuple[str, tuple[str, ...]]]:
    schema = dataset.schema
    found = [("", input_columns(dataset, include_protected=True))]
    for attributes in (schema.protected[:1], schema.protected):
        names = input_columns(dataset, include_protected=False, protected=attributes)
        found.append((f" without {' and '.join(attributes)}", names))
    return found


def _one_hot(column: Column) -> MappedColumn:
    return _with_levels(column, column.levels)


def _drop_first(column: Column) -> MappedColumn:
    return _with_levels(column, column.levels[1:])


def _known_levels(column: Column) -> MappedColumn:
    return _with_levels(column, tuple(level for level in column.levels if level != MISSING))


def _drop_binary(column: Column) -> MappedColumn:
    return _with_levels(column, column.levels[1:] if len(column.levels) == 2 else column.levels)


def _with_levels(column: Column, levels: tuple[str, ...]) -> MappedColumn:
    if column.kind == "numeric" or not levels:
        return _number(column)
    return MappedColumn(column.name, "one_hot", levels=levels)


def _codes(column: Column) -> MappedColumn:
    if column.kind == "numeric" or _evenly_spaced(column):
        return _number(column)
    return MappedColumn(column.name, "codes", levels=column.levels, scaling="min_max")


def _number(column: Column) -> MappedColumn:
    return MappedColumn(column.name, "number", scaling="min_max")


_STYLES = (
    ("categories one-hot", _one_hot),
    ("categories one-hot without their first level", _drop_first),
    ("categories one-hot, two levels as one input", _drop_binary),
    ("categories one-hot, missing values all 0", _known_levels),
    ("categories as codes", _codes),
)
_ORDERS = (
    ("in table order", lambda columns: columns),
    ("with numbers first", lambda columns: sorted(columns, key=lambda c: c.kind == "category")),
    ("with categories first", lambda columns: sorted(columns, key=lambda c: c.kind != "category")),
    ("with the protected ones last", lambda columns: sorted(columns, key=lambda c: c.role == "protected")),
    (
        "with numbers first and the protected ones last",
        lambda columns: sorted(columns, key=lambda c: (c.kind == "category", c.role == "protected")),
    ),
)


def _evenly_spaced(column: Column) -> bool:
    """Say whether the levels are numbers in steps of one size, so that the numbers themselves can be inputs."""
    try:
        numbers = np.array(sorted(float(level) for level in column.levels if level != MISSING))
    except ValueError:
        return False
    steps = np.diff(numbers)
    return bool(len(numbers)) and bool(np.isfinite(numbers).all()) and bool(np.allclose(steps, steps[:1]))


def columns_of_names(dataset: Dataset, names: Sequence[str]) -> tuple[MappedColumn, ...] | None:
    """Return the columns that the names of the inputs speak of; None where one speaks of none or a column is torn."""
    readable = [c for c in dataset.schema.columns if c.role != "target"]
    known = [(c, _levels_as_written(dataset, c)) for c in sorted(readable, key=lambda c: -len(c.name))]
    parsed = [_parsed(known, name) for name in names]
    if any(one is None for one in parsed):
        parsed = [_parsed(known, _PREFIX.sub("", name)) for name in names]
    found: list[MappedColumn] = []
    for one in parsed:
        if one is None:
            return None
        column, level = one
        if level is None:
            found.append(_whole(column))
        elif found and found[-1].name == column.name and found[-1].how == "one_hot":
            found[-1] = replace(found[-1], levels=(*found[-1].levels, level))
        else:
            found.append(MappedColumn(column.name, "one_hot", levels=(level,)))
    unique = len({c.name for c in found}) == len(found) and all(len(set(c.levels)) == len(c.levels) for c in found)
    return tuple(found) if unique else None


def _levels_as_written(dataset: Dataset, column: Column) -> dict[str, str]:
    """Return the levels by the text that exporters write for them; empty for numbers that are no levels."""
    levels = levels_in(dataset, column.name) if column.kind == "category" or column.integer else ()
    return {_plain(level): level for level in levels}


def _whole(column: Column) -> MappedColumn:
    mapped = _codes(column)
    return replace(mapped, scaling="none") if mapped.how == "codes" else mapped


def _parsed(known: Sequence[tuple[Column, dict[str, str]]], name: str) -> tuple[Column, str | None] | None:
    """Return the column of an input's name, and the level where the name says one; the longest column name wins."""
    for column, levels in known:
        if name == column.name:
            return column, None
        if not name.startswith(column.name):
            continue
        rest = name[len(column.name) :]
        for mark in _SEPARATORS:
            if rest.startswith(mark) and (level := levels.get(_plain(rest[len(mark) :]))) is not None:
                return column, level
    return None


def _plain(level: str) -> str:
    """Return a level as exporters may write it: `1.0` is `1`, a missing one `nan` or `None`."""
    text = level.strip()
    if text in (MISSING, "nan", "None", "NaN"):
        return "nan"
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text
