"""First guess at the roles of a table's columns, for a person to correct."""

from __future__ import annotations

import re

import pandas as pd

from fairneuron_core.data.columns import (
    BinnedColumn,
    binned_column,
    distinct_texts,
    kind_of,
    more_values_than,
    ordered_levels,
)
from fairneuron_core.data.dates import REASON, are_dates
from fairneuron_core.data.favourable import guess_favourable, plain_name
from fairneuron_core.data.schema import default_edges, needs_groups, schema_of
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING, Schema

TARGET_NAMES = re.compile(
    r"^(two_year_recid|target|label|labels|class|y|outcome|income|decision|result|approved|approval|hired|admitted|"
    r"accepted|granted|credit_?(risk|class|standing)?|default|loan_status|passed|pass_bar|.*_recid|.*_label|.*_target|"
    r".*_outcome|.*_decision|.*(hired|admitted|approved|accepted|granted))$"
)
PROTECTED_WORDS = {
    "sex": 0,
    "gender": 0,
    "race": 1,
    "racial": 1,
    "ethnic": 1,
    "ethnicity": 1,
    "ethnics": 1,
    "age": 2,
    "religion": 3,
    "nationality": 3,
    "foreign": 3,
    "disability": 3,
    "disabled": 3,
    "marital": 4,
}
PERSONAL = re.compile(r"^(id|.*_id|uid|uuid|.*name|first|last|dob|birth.*|.*case_number|ssn|e?mail|phone|index|row)$")
WEIGHT = re.compile(r"^(fnlwgt|weight|weights|sample_weight|instance_weight|.*_wgt|wgt)$")
MOST_LEVELS = 50
MOST_PROTECTED_LEVELS = 20
MOST_PROTECTED = 6
"""A wide table may have hundreds of columns that are named like a protected attribute (sex_1, sex_2, ...)."""


def guess_schema(frame: pd.DataFrame) -> Schema:
    """Return a first guess at target, favourable value, protected attributes, reference groups and left-out columns.

    Target: a column named like one (income, label, y, two_year_recid, ...) with two values, else the last column
    with two values, else the last column. Reference: the largest group. The guess may be unusable (a target with many
    values, no protected attribute); `check_schema` says so.

    Raises
    ------
    DataError : fewer than two columns or rows.
    """
    if frame.shape[1] < 2 or len(frame) < 2:
        size = f"{len(frame):,} row{'s' * (len(frame) != 1)} and {frame.shape[1]} column{'s' * (frame.shape[1] != 1)}"
        noted = "".join(f" {note}" for note in frame.attrs.get("notes", ()))
        raise DataError(f"The table has {size} with values: at least 2 of each are needed.{noted}")
    target = _guess_target(frame)
    attributes, binned = _guess_protected(frame, target)
    left_out = {
        name: why
        for name in map(str, frame.columns)
        if name != target and name not in attributes and (why := _reason_to_leave_out(frame[name]))
    }
    cut = {column.derived_from for column in binned}
    values = ordered_levels(distinct_texts(frame[target]) - {MISSING})
    return schema_of(
        frame,
        target=target,
        favourable=guess_favourable(target, values),
        protected=attributes,
        left_out=[n for n in left_out if n not in cut],
        binned=binned,
        notes={n: why for n, why in left_out.items() if n not in cut},
    )


def _guess_target(frame: pd.DataFrame) -> str:
    names = [str(n) for n in frame.columns]
    two = [n for n in names if _rank(n) is None and not more_values_than(2, frame[n]) and frame[n].nunique() == 2]
    named = [n for n in names if TARGET_NAMES.match(plain_name(n))]
    exact = [n for n in named if "two_year" in n.lower()]
    preferred = [n for n in (*exact, *reversed(named)) if n in two]
    return next(iter([*preferred, *reversed(two), *named]), names[-1])


def _rank(name: str) -> int | None:
    """Return how early a protected attribute of that name is listed (sex, race, age, others), None when it is none."""
    ranks = [PROTECTED_WORDS[word] for word in plain_name(name).split("_") if word in PROTECTED_WORDS]
    return min(ranks) if ranks else None


def _guess_protected(frame: pd.DataFrame, target: str) -> tuple[list[str], list[BinnedColumn]]:
    found = [(rank, str(n)) for n in frame.columns if n != target and (rank := _rank(str(n))) is not None]
    ages = [n for rank, n in found if rank == PROTECTED_WORDS["age"]]
    ready_ages = [n for n in ages if not needs_groups(frame[n])]
    names, binned = [], []
    for _, name in sorted(found, key=lambda pair: pair[0]):
        if len(names) == MOST_PROTECTED:
            break
        if needs_groups(frame[name]):
            edges = () if name in ages and ready_ages else default_edges(frame[name])
            if edges and f"{name}_group" not in frame.columns:
                binned.append(binned_column(f"{name}_group", frame[name], edges=edges))
                names.append(binned[-1].name)
        elif 2 <= frame[name].nunique() <= MOST_PROTECTED_LEVELS:
            names.append(name)
    return names, binned


def _reason_to_leave_out(values: pd.Series) -> str:
    """Return why a column is no feature at first sight, "" when it is one."""
    name = plain_name(values.name)
    if not more_values_than(1, values):
        return "one value only"
    if WEIGHT.match(name):
        return "a survey weight says nothing about the person"
    if are_dates(values):
        return REASON
    if kind_of(values) == "numeric":
        named = PERSONAL.match(name) and values.nunique() == len(values)
        return "a running number or identifier" if named or _counts_up(values) else ""
    if PERSONAL.match(name) and more_values_than(MOST_PROTECTED_LEVELS, values):
        return "a name or identifier"
    return f"{values.nunique():,} different values" if more_values_than(MOST_LEVELS, values) else ""


def _counts_up(values: pd.Series) -> bool:
    parts = (values.iloc[:1000], values)
    return len(values) > 2 and all(bool((part.diff().iloc[1:] == 1).all()) for part in parts)
