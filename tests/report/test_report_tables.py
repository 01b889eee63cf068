"""CSV files that no spreadsheet runs."""

import io

import pandas as pd
import pytest

from fairneuron_core.report.tables import csv_bytes


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start):
    table = pd.DataFrame({"group": [f"{start}HYPERLINK(1)"]})
    assert pd.read_csv(io.BytesIO(csv_bytes(table)))["group"][0] == f"'{start}HYPERLINK(1)"


def test_negative_numbers_stay_numbers():
    table = pd.DataFrame({"change": [-0.25, 0.5]})
    assert pd.read_csv(io.BytesIO(csv_bytes(table)))["change"].tolist() == [-0.25, 0.5]


def test_column_names_are_neutralised_too():
    assert csv_bytes(pd.DataFrame({"=cmd": [1]})).decode("utf-8-sig").startswith("'=cmd")


def test_accents_survive():
    assert pd.read_csv(io.BytesIO(csv_bytes(pd.DataFrame({"g": ["Française"]}))))["g"][0] == "Française"
