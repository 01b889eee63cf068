"""What a careful person would want to know before an audit: warnings about columns and groups, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import as_text, kind_of
from fairneuron_core.data.dependence import cells_of, cramers_v, crosstab, guess_by
from fairneuron_core.data.schema import describe, needed_columns, protected_text, require_columns
from fairneuron_core.data.table import require_usable
from fairneuron_core.types import MISSING, Column, Schema

WarningKind = Literal["note", "missing", "small group", "leak", "proxy", "constant", "many levels", "few rows"]

TOO_SMALL, SMALL = 30, 100
LEAK_ACCURACY, LEAK_GAIN = 0.95, 0.5
PROXY_ACCURACY, PROXY_GAIN, PROXY_V = 0.95, 0.5, 0.6
PURE, PURE_ROWS = 0.98, 0.01
MANY_LEVELS = 50
FEW_ROWS = 500
SAMPLED_ROWS = 500_000
SAMPLED_WORDS = "How much a column tells of the label and of the groups was measured on one row in {} ({:,} rows)."
"""A share is known to a tenth of a percentage point from half a million rows; more of them only take time."""


@dataclass(frozen=True)
class SchemaWarning:
    """Something to know about one column (empty for the whole table), in one or two sentences."""

    kind: WarningKind
    column: str
    words: str


def check_schema(frame: pd.DataFrame, schema: Schema) -> list[SchemaWarning]:
    """Return warnings about a table under these roles, the gravest kinds first.

    Checked: columns that nearly determine the label, near-perfect proxies of a protected attribute, small groups,
    missing values, constant columns, columns with many levels, few rows, and what the reader noted.

    Raises
    ------
    DataError : the roles cannot carry an audit (see `make_dataset`).
    """
    require_columns(frame, needed_columns(schema))
    target = schema.target.name
    labelled = (as_text(frame[target]) != MISSING).to_numpy()
    table = frame[labelled].reset_index(drop=True)
    groups = {c.name: protected_text(table, c) for c in schema.of_role("protected")}
    usable = table.assign(**groups, **{target: as_text(table[target])})
    require_usable(usable, replace(schema, columns=tuple(describe(table, c) for c in schema.columns)))
    favourable = (usable[target] == schema.favourable).to_numpy(dtype=np.int64)
    readable = (*schema.of_role("protected"), *schema.of_role("feature"))
    step = -(-len(table) // SAMPLED_ROWS)
    seen = table.iloc[::step]
    cells = {c.name: cells_of(seen[c.name]) for c in readable if not _is_cut(c)}
    return [
        *_leaks(cells, schema, favourable[::step]),
        *(w for c in schema.of_role("protected") for w in _proxies(seen, cells, c, groups[c.name].iloc[::step])),
        *(w for name, values in groups.items() for w in _small_groups(name, values)),
        *_missing(frame, schema, int((~labelled).sum())),
        *_shapes(table, schema),
        *(SchemaWarning("note", "", note) for note in frame.attrs.get("notes", ())),
        *([SchemaWarning("note", "", SAMPLED_WORDS.format(step, len(seen)))] if step > 1 else []),
    ]


def _is_cut(column: Column) -> bool:
    return column.derived_from is not None


def _leaks(cells: Mapping[str, np.ndarray], schema: Schema, favourable: np.ndarray) -> Iterator[SchemaWarning]:
    for column in schema.of_role("feature"):
        guess = guess_by(cells[column.name], favourable)
        if guess.accuracy >= LEAK_ACCURACY and guess.gain >= LEAK_GAIN:
            yield SchemaWarning(
                "leak",
                column.name,
                f"'{column.name}' alone tells the label in {guess.accuracy:.1%} of the rows (always guessing the "
                f"commoner label: {guess.base:.1%}). It may only be known afterwards: leave it out unless you are "
                "sure that it is known before the decision.",
            )


def _proxies(
    table: pd.DataFrame, cells: Mapping[str, np.ndarray], attribute: Column, groups: pd.Series
) -> Iterator[SchemaWarning]:
    codes, names = pd.factorize(groups)
    for name, cell in cells.items():
        if name in (attribute.name, attribute.derived_from):
            continue
        guess = guess_by(cell, codes)
        strength = cramers_v(crosstab(cell, codes))
        certain = guess.accuracy >= PROXY_ACCURACY and guess.gain >= PROXY_GAIN
        if certain or strength >= PROXY_V:
            given = _pure_levels(table[name], codes, names)
            yield SchemaWarning(
                "proxy",
                name,
                f"'{name}' tells much about '{attribute.name}' (right in {guess.accuracy:.1%} of the rows, "
                f"Cramer's V {strength:.2f}){given}. A network without '{attribute.name}' can still act on it.",
            )


def _pure_levels(values: pd.Series, codes: np.ndarray, names: pd.Index) -> str:
    """Name up to three levels that (almost) only one group has: `; relationship=Husband is 100.0% Male`."""
    if kind_of(values) != "category":
        return ""
    cells, levels = pd.factorize(as_text(values))
    table = crosstab(cells, codes)
    sizes, tops = table.sum(axis=1), table.max(axis=1)
    pure = [i for i in np.argsort(-sizes, kind="stable") if tops[i] >= PURE * sizes[i] >= PURE * PURE_ROWS * len(codes)]
    said = [f"{levels[i]} is {tops[i] / sizes[i]:.1%} {names[table[i].argmax()]} ({sizes[i]:,} rows)" for i in pure[:3]]
    return f": {', '.join(said)}" if said else ""


def _small_groups(name: str, values: pd.Series) -> Iterator[SchemaWarning]:
    counts = values.value_counts()
    for group, n in counts[counts < SMALL].items():
        words = (
            f"Group '{group}' of '{name}' has {n} row{'s' * (n != 1)}: too few for a reliable rate (fewer than "
            f"{TOO_SMALL}). It stays visible but enters no gap; merge it with another group if that makes sense."
            if n < TOO_SMALL
            else f"Group '{group}' of '{name}' has {n} rows, about {round(n * 0.2)} of them in the test part: "
            "its intervals will be wide."
        )
        yield SchemaWarning("small group", name, words)


def _missing(frame: pd.DataFrame, schema: Schema, unlabelled: int) -> Iterator[SchemaWarning]:
    target = schema.target.name
    if unlabelled:
        yield SchemaWarning(
            "missing", target, f"{unlabelled:,} rows have no value in the target '{target}': they will be left out."
        )
    for column in schema.columns:
        source = column.derived_from or column.name
        gaps = int(frame[source].isna().sum()) if source in frame.columns else 0
        if not gaps or column.role in ("target", "left_out"):
            continue
        if column.role == "protected":
            what = f"they form the group '{MISSING}'"
        else:
            what = f"they form the level '{MISSING}'" if column.kind == "category" else "they get the training median"
        share = f"{gaps:,} rows ({gaps / len(frame):.1%})"
        yield SchemaWarning("missing", column.name, f"{share} have no value in '{column.name}': {what}.")


def _shapes(table: pd.DataFrame, schema: Schema) -> Iterator[SchemaWarning]:
    if len(table) < FEW_ROWS:
        words = (
            f"The table has {len(table):,} rows, {round(len(table) * 0.2)} of them in the test part: wide intervals."
        )
        yield SchemaWarning("few rows", "", words)
    for column in schema.of_role("feature"):
        values = table[column.name]
        distinct = values.nunique(dropna=False)
        if distinct < 2:
            yield SchemaWarning("constant", column.name, f"'{column.name}' has one value only and tells nothing.")
        elif column.kind == "category" and distinct > MANY_LEVELS:
            yield SchemaWarning(
                "many levels",
                column.name,
                f"'{column.name}' has {distinct:,} different values, a network input each: leave it out or merge some.",
            )
