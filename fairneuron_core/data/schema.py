"""Roles and domains of the columns of a table: built, changed by a person's choices, written as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import (
    BinnedColumn,
    are_whole,
    as_numbers,
    as_text,
    bin_values,
    binned_column,
    distinct_texts,
    kind_of,
    more_values_than,
    ordered_levels,
    quartile_edges,
)
from fairneuron_core.data.favourable import guess_favourable
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING, Column, Role, Schema
from fairneuron_core.workspace import canonical_json

MOST_GROUPS = 10
"""A numeric protected attribute with more distinct values than this is cut into groups."""

AGE_EDGES = (25.0, 60.0)


def schema_of(
    frame: pd.DataFrame,
    *,
    target: str,
    favourable: str,
    protected: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    left_out: Sequence[str] = (),
    binned: Sequence[BinnedColumn] = (),
    favourable_words: str = "",
    notes: Mapping[str, str] | None = None,
) -> Schema:
    """Describe every column of `frame`: protected ones first in the order given, then features, left out, target.

    `binned` lists protected columns that are cut from a number; name them in `protected` to use them.
    Reference groups that are not given are the largest ones.

    Raises
    ------
    DataError : a named column is not in the table, or plays two roles.
    """
    derived = {column.name: column for column in binned}
    names = [str(n) for n in frame.columns if n not in derived]
    require_columns(frame, [target, *left_out, *(p for p in protected if p not in derived)])
    if target in protected:
        raise DataError(f"Column '{target}' is the target and cannot be a protected attribute too: choose one role.")
    rest = [n for n in names if n != target and n not in protected]
    ordered = [*protected, *(n for n in rest if n not in left_out), *(n for n in rest if n in left_out), target]
    columns = []
    for name in ordered:
        role: Role = "target" if name == target else "protected" if name in protected else "feature"
        role = "left_out" if name in left_out and role == "feature" else role
        column = describe(frame, derived.get(name) or Column(name, role, "category"))
        columns.append(replace(column, note=(notes or {}).get(name, column.note)))
    chosen = {p: (reference or {}).get(p) or largest_group(frame, c) for p, c in zip(protected, columns, strict=False)}
    return Schema(tuple(columns), favourable, chosen, favourable_words or f"{target} = {favourable}")


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise a DataError that names the first of `names` that the table does not have."""
    for name in names:
        if name not in frame.columns:
            known = ", ".join(str(n) for n in list(frame.columns)[:12])
            raise DataError(f"There is no column '{name}' in the table: its columns are {known}.")


def needed_columns(schema: Schema) -> tuple[str, ...]:
    """Return the columns that a raw table must have: the schema's own, without the groups that are cut from one."""
    return tuple(c.name for c in schema.columns if not isinstance(c, BinnedColumn))


def describe(frame: pd.DataFrame, column: Column) -> Column:
    """Return `column` with its kind and domain (levels, or range of a number) as found in `frame`."""
    if isinstance(column, BinnedColumn):
        has_gaps = bool(frame[column.derived_from].isna().any())
        # A group without rows stays a level: `bin_values` finds a group by its position among the labels.
        return replace(column, levels=(*column.levels[: len(column.edges) + 1], *((MISSING,) if has_gaps else ())))
    values = frame[column.name]
    if column.role in ("target", "protected") or kind_of(values) == "category":
        texts = distinct_texts(values)
        found = texts - {MISSING} if column.role == "target" else texts
        return replace(column, kind="category", levels=ordered_levels(found))
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return replace(column, kind="numeric")
    whole = are_whole(numbers)
    return replace(column, kind="numeric", low=float(numbers.min()), high=float(numbers.max()), integer=whole)


def largest_group(frame: pd.DataFrame, column: Column) -> str:
    """Return the level with most rows, `(missing)` only when there is nothing else."""
    texts = protected_text(frame, column)
    counts = texts[texts != MISSING].value_counts()
    top = counts[counts == counts.max()].index if len(counts) else [MISSING]
    return ordered_levels(top)[0]


def protected_text(frame: pd.DataFrame, column: Column) -> pd.Series:
    """Return the groups of one protected column as text, cut from its source where it is derived."""
    if isinstance(column, BinnedColumn):
        return bin_values(frame[column.derived_from], column)
    return as_text(frame[column.name])


def with_roles(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    target: str | None = None,
    favourable: str | None = None,
    protected: Sequence[str] | None = None,
    reference: Mapping[str, str] | None = None,
    left_out: Sequence[str] | None = None,
    edges: Mapping[str, Sequence[float]] | None = None,
    favourable_words: str | None = None,
) -> Schema:
    """Return `schema` after a person's choices; what is None stays as it was.

    `protected` names columns of the table or derived groups; a numeric column with more than ten values is cut into
    `<name>_group` at `edges[name]` (default: age at 25 and 60, others at their quartiles). A column that was
    protected and no longer is becomes a feature; a derived one disappears.

    Raises
    ------
    DataError : a column does not exist, plays two roles, or the favourable value or reference group is unknown.
    """
    goal = target or schema.target.name
    require_columns(frame, [goal])
    values = ordered_levels(distinct_texts(frame[goal]) - {MISSING})
    unchanged = goal == schema.target.name and schema.favourable in values
    wanted = favourable or (schema.favourable if unchanged else guess_favourable(goal, values))
    if wanted not in values:
        raise DataError(
            f"The favourable value '{wanted}' is not a value of column '{goal}': choose one of {', '.join(values[:8])}."
        )
    names, binned = _protected_columns(frame, schema, schema.protected if protected is None else protected, edges or {})
    same_goal = goal == schema.target.name and wanted == schema.favourable
    words = favourable_words or (schema.favourable_words if same_goal else "")
    out = [c.name for c in schema.of_role("left_out")] if left_out is None else list(left_out)
    kept = {c.name: c.note for c in schema.columns if c.note and not isinstance(c, BinnedColumn)}
    picked = {**{k: v for k, v in schema.reference.items() if k in names}, **(reference or {})}
    made = schema_of(
        frame.drop(columns=[c.name for c in schema.columns if isinstance(c, BinnedColumn)], errors="ignore"),
        target=goal,
        favourable=wanted,
        protected=names,
        left_out=[n for n in out if n not in names and n != goal],
        binned=binned,
        favourable_words=words,
        notes=kept,
    )
    return _with_reference(made, picked, strict=reference or {})


def _with_reference(schema: Schema, picked: Mapping[str, str], *, strict: Mapping[str, str]) -> Schema:
    final = dict(schema.reference)
    for name, group in picked.items():
        levels = schema.column(name).levels if name in final else ()
        if group in levels:
            final[name] = group
        elif name in strict:
            known = (
                f"choose one of {', '.join(levels[:8])}" if levels else f"'{name}' is not a protected attribute here"
            )
            raise DataError(f"The reference group '{group}' of '{name}' does not exist: {known}.")
    return replace(schema, reference=final)


def _protected_columns(
    frame: pd.DataFrame, schema: Schema, chosen: Sequence[str], edges: Mapping[str, Sequence[float]]
) -> tuple[list[str], list[BinnedColumn]]:
    known = {c.name: c for c in schema.columns if isinstance(c, BinnedColumn)}
    by_source = {c.derived_from: c for c in known.values()}
    names, binned = [], []
    for name in dict.fromkeys(chosen):
        column = known.get(name) or by_source.get(name)
        source = (column.derived_from or name) if column else name
        require_columns(frame, [source])
        cuts = edges.get(name) or edges.get(source)
        if cuts or (column is None and needs_groups(frame[source])):
            label = column.name if column else f"{source}_group"
            column = binned_column(label, frame[source], edges=cuts or default_edges(frame[source]))
        names.append(column.name if column else name)
        if column:
            binned.append(column)
    return list(dict.fromkeys(names)), binned


def needs_groups(values: pd.Series) -> bool:
    """True for a number with more distinct values than can be groups."""
    return kind_of(values) == "numeric" and more_values_than(MOST_GROUPS, values)


def default_edges(values: pd.Series) -> tuple[float, ...]:
    """Return where a numeric protected attribute is cut: an age at 25 and 60, anything else at its quartiles."""
    numbers = as_numbers(values).dropna()
    if "age" in str(values.name).lower() and numbers.between(0, 120).all() and numbers.min() < AGE_EDGES[0]:
        return tuple(e for e in AGE_EDGES if e <= numbers.max()) or quartile_edges(values)
    return quartile_edges(values)


def schema_to_json(schema: Schema) -> str:
    """Write a schema as canonical JSON (equal schemas have equal text)."""
    return canonical_json(
        {
            "columns": [_told(asdict(c)) for c in schema.columns],
            "favourable": schema.favourable,
            "favourable_words": schema.favourable_words,
            "reference": dict(schema.reference),
        }
    )


def _told(column: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in column.items() if v is not None and v is not False and v not in ((), "")}


def schema_from_json(text: str) -> Schema:
    """Read a schema that `schema_to_json` wrote (DataError when the text is something else)."""
    try:
        value = json.loads(text)
        columns = tuple(_column_from(entry) for entry in value["columns"])
        schema = Schema(columns, value["favourable"], dict(value["reference"]), value["favourable_words"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"The stored column roles cannot be read ({error}): upload the table again.") from error
    if len(schema.of_role("target")) != 1:
        raise DataError("The stored column roles name no target, or several: upload the table again.")
    return schema


def _column_from(entry: Mapping[str, Any]) -> Column:
    value: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return BinnedColumn(**value) if "edges" in value else Column(**value)
