"""Tables in the label-encoded form of the literature on verification: every input is one unscaled whole number.

A category becomes the position of its level, a number stays as it is or becomes the number of its bin, and each column
has a fixed integer domain. Protected attributes are groups cut from the coded column, so that freeing the attribute
frees what the network reads.

Source of the encodings: the published set-up of ProF ("Provable Fairness Repair for Deep Neural Networks", ASE 2025).
What our tables cannot give exactly stands in `LabelEncoded.differs`, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from fairneuron_core.data import load_dataset, make_dataset, schema_of, schema_to_json
from fairneuron_core.data.columns import binned_column
from fairneuron_core.data.compas import published_filter
from fairneuron_core.errors import NotFoundError
from fairneuron_core.experiments.coded_columns import (
    Coded,
    by_level,
    grouped,
    in_bins,
    number,
    quartiles,
    uniform_bins,
)
from fairneuron_core.types import Dataset, EncodedColumn, Encoder
from fairneuron_core.workspace import digest

_SPLIT = "Rows are split 7:1:2 with our seeds; the published set-up has one split without a validation part."
_NETWORKS = "The networks are trained here: before any repair their figures differ from those of the published ones."


@dataclass(frozen=True)
class Group:
    """A protected attribute: groups of a coded column, each edge belonging to the upper group."""

    name: str
    source: str
    edges: tuple[float, ...]
    levels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LabelEncoded:
    """A label-encoded table, and the encoder that hands its numbers on unscaled.

    differs   what differs from the published set-up, one sentence each
    """

    dataset: Dataset
    encoder: Encoder
    differs: tuple[str, ...]


Make = Callable[[], LabelEncoded]


@cache
def label_encoded(name: str) -> LabelEncoded:
    """Return a label-encoded table by its name in LABEL_ENCODED (NotFoundError with the known names otherwise)."""
    if name not in LABEL_ENCODED:
        raise NotFoundError(f"There is no label-encoded table '{name}': choose one of {', '.join(LABEL_ENCODED)}.")
    return LABEL_ENCODED[name]()


def build(
    name: str,
    coded: Sequence[Coded],
    groups: Sequence[Group],
    target: pd.Series,
    *,
    favourable: str,
    hidden: tuple[int, ...],
    differs: Sequence[str],
) -> LabelEncoded:
    """Return the table of these columns; `target` (n,) holds the label as text, its name is the target's."""
    source = load_dataset(name)
    label = str(target.name)
    frame = pd.DataFrame({c.name: c.values.astype(np.int64) for c in coded} | {label: target.to_numpy()})
    schema = schema_of(
        frame,
        target=label,
        favourable=favourable,
        protected=[g.name for g in groups],
        binned=[binned_column(g.name, frame[g.source], edges=g.edges, levels=g.levels) for g in groups],
        notes={c.name: c.note for c in coded if c.note},
    )
    title = f"{source.title}, label-encoded"
    made = make_dataset(
        frame, schema, name=f"{name}_coded", title=title, source=source.source, include_protected=True, hidden=hidden
    )
    encoder = Encoder(tuple(EncodedColumn(c.name, "numeric", fill=float(np.median(c.values))) for c in coded))
    return LabelEncoded(_with_domains(made, coded), encoder, (*differs, _SPLIT, _NETWORKS))


def _with_domains(dataset: Dataset, coded: Sequence[Coded]) -> Dataset:
    """Give the columns their stated domains, which may reach beyond the values that occur."""
    known = {c.name: c for c in coded}
    columns = tuple(
        replace(column, low=float(own.low), high=float(own.high), integer=True)
        if (own := known.get(column.name))
        else column
        for column in dataset.schema.columns
    )
    schema = replace(dataset.schema, columns=columns)
    return replace(dataset, schema=schema, sha256=digest(f"{dataset.sha256}|{schema_to_json(schema)}".encode()))


def adult() -> LabelEncoded:
    """Adult: both published files without the rows that have a '?', 45,222 rows and 13 inputs."""
    source = load_dataset("census")
    frame = pd.concat([source.holdout, source.frame], ignore_index=True)
    frame = frame[~(frame.astype(str) == "?").any(axis=1)].reset_index(drop=True)
    sex, race = by_level("sex_code", frame["sex"]), by_level("race_code", frame["race"])
    coded = (
        number("age", frame["age"], 10, 100),
        by_level("workclass", frame["workclass"]),
        by_level("education", frame["education"]),
        number("education_num", frame["education_num"], 1, 16),
        by_level("marital_status", frame["marital_status"]),
        by_level("occupation", frame["occupation"]),
        by_level("relationship", frame["relationship"]),
        race,
        sex,
        uniform_bins("capital_gain", frame["capital_gain"], 20),
        uniform_bins("capital_loss", frame["capital_loss"], 20),
        number("hours_per_week", frame["hours_per_week"], 1, 100),
        by_level("native_country", frame["native_country"]),
    )
    groups = (
        Group("sex", "sex_code", (1,), sex.levels),
        Group("race", "race_code", (1, 2, 3, 4), race.levels),
        Group("age_group", "age", (25, 60), ("under 25", "25 to 59", "60 and over")),
    )
    return build("census", coded, groups, frame["income"], favourable=">50K", hidden=(16, 8), differs=())


def compas() -> LabelEncoded:
    """COMPAS: the score (not the outcome) from six coded columns, 6,172 rows."""
    frame = load_dataset("compas_all").frame
    frame = frame[published_filter(frame)].reset_index(drop=True)
    young, white = frame["age"] < 25, frame["race"] == "Caucasian"
    ages, races = ("under 25", "25 and over"), ("white", "not white")
    sexes, charges = ("Male", "Female"), ("F", "M")
    coded = (
        by_level("two_year_recid", frame["two_year_recid"], ("0", "1")),
        number("priors_count", frame["priors_count"], 0, 38),
        Coded("age_code", (~young).to_numpy(np.int64), 0, 1, ages),
        Coded("race_code", (~white).to_numpy(np.int64), 0, 1, races),
        by_level("sex_code", frame["sex"], sexes),
        by_level("charge_degree", frame["c_charge_degree"], charges),
    )
    groups = (
        Group("sex", "sex_code", (1,), sexes),
        Group("race", "race_code", (1,), races),
        Group("age_group", "age_code", (1,), ages),
    )
    target = pd.Series(np.where(frame["score_text"] == "Low", "low", "medium or high"), name="score")
    said = "The favourable decision is a low score; the published code calls the other one class 1 (the same networks)."
    return build("compas_all", coded, groups, target, favourable="low", hidden=(16, 8), differs=(said,))


_STATUS = {
    "200 or more": ("200 DM or more, or salary for a year",),
    "below 200": ("below 0 DM", "0 to 200 DM"),
    "none": ("no checking account",),
}
_HISTORY = {
    "delay": ("delay in the past",),
    "none or paid": (
        "no credits, or all paid back",
        "all credits at this bank paid back",
        "existing credits paid back so far",
    ),
    "other": ("critical account",),
}
_SAVINGS = {
    "500 or more": ("500 to 1000 DM", "1000 DM or more"),
    "below 500": ("below 100 DM", "100 to 500 DM"),
    "unknown or none": ("unknown or none",),
}
_EMPLOYMENT = {
    "under 4 years": ("under 1 year", "1 to 4 years"),
    "4 years or more": ("4 to 7 years", "7 years or more"),
    "unemployed": ("unemployed",),
}


def german() -> LabelEncoded:
    """German Credit: 1,000 rows and 20 inputs, four of them grouped, age cut at 26."""
    frame = load_dataset("german").frame
    ages, sexes = ("25 and under", "over 25"), ("female", "male")
    coded = (
        grouped("checking_account", frame["checking_account"], _STATUS),
        number("duration_months", frame["duration_months"], 0, 80),
        grouped("credit_history", frame["credit_history"], _HISTORY),
        by_level("purpose", frame["purpose"]),
        number("credit_amount", frame["credit_amount"], 0, 20_000),
        grouped("savings", frame["savings"], _SAVINGS),
        grouped("employment_since", frame["employment_since"], _EMPLOYMENT),
        number("instalment_rate", frame["instalment_rate"], 1, 4),
        by_level("other_debtors", frame["other_debtors"], ("none", "co-applicant", "guarantor")),
        number("residence_since", frame["residence_since"], 1, 4),
        by_level("property", frame["property"]),
        Coded("age_code", (frame["age"] >= 26).to_numpy(np.int64), 0, 1, ages),
        by_level("other_instalments", frame["other_instalments"], ("bank", "stores", "none")),
        by_level("housing", frame["housing"], ("rent", "own", "for free")),
        number("existing_credits", frame["existing_credits"], 1, 4),
        by_level("job", frame["job"]),
        number("people_liable", frame["people_liable"], 1, 2),
        by_level("telephone", frame["telephone"], ("no", "yes")),
        by_level("foreign_worker", frame["foreign_worker"], ("yes", "no")),
        by_level("sex_code", frame["sex"], sexes),
    )
    groups = (Group("sex", "sex_code", (1,), sexes), Group("age_group", "age_code", (1,), ages))
    said = "property has four values here; the published domain names three, one fewer than its table holds."
    return build("german", coded, groups, frame["credit"], favourable="good", hidden=(50,), differs=(said,))


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def bank() -> LabelEncoded:
    """Bank: every number in bins, 'unknown' replaced by the most frequent level, 16 inputs."""
    frame = load_dataset("bank").frame
    known = {column: _known(frame[column]) for column in ("job", "education", "contact", "poutcome")}
    month = pd.Series(pd.Index(_MONTHS).get_indexer(frame["month"]))
    coded = (
        in_bins("age", frame["age"], (25, 45, 65)),
        by_level("job", known["job"]),
        by_level("marital", frame["marital"]),
        by_level("education", known["education"]),
        by_level("default", frame["default"], ("no", "yes")),
        quartiles("balance", frame["balance"]),
        by_level("housing", frame["housing"], ("no", "yes")),
        by_level("loan", frame["loan"], ("no", "yes")),
        by_level("contact", known["contact"]),
        in_bins("day", frame["day"], (10, 20)),
        in_bins("month", month, (2, 5, 8)),
        *(quartiles(c, frame[c]) for c in ("duration", "campaign", "pdays", "previous")),
        by_level("poutcome", known["poutcome"]),
    )
    groups = (Group("age_group", "age", (2, 3, 4), ("25 and under", "26 to 45", "46 to 65", "over 65")),)
    said = (
        f"The table has {len(frame):,} rows; the published set-up uses the full file of 45,211, so that the figures of "
        "Bank are not comparable.",
    )
    return build("bank", coded, groups, frame["y"], favourable="yes", hidden=(64, 16), differs=said)


def _known(values: pd.Series) -> pd.Series:
    """Return the values with the most frequent known level in place of 'unknown'."""
    unknown = values == "unknown"
    return values.where(~unknown, values[~unknown].mode()[0])


LABEL_ENCODED: dict[str, Make] = {"adult": adult, "compas": compas, "german": german, "bank": bank}
