"""Dates: recognised as people write them, left out of the network with a reason."""

from __future__ import annotations

import pandas as pd
import pytest

from fairneuron_core.data import guess_schema
from fairneuron_core.data.dates import are_dates


@pytest.mark.parametrize(
    "texts",
    [
        ["2020-01-05", "2021-12-31"],
        ["2020-01-05T12:30:00Z", "2021-12-31 23:59:59.5"],
        ["2020/1/5", "2021/12/31"],
        ["5.1.2020", "31.12.2021"],
        ["01/05/20 12:30 PM", "12/31/21 1:05"],
        ["5 Jan 2020", "31-Dec-21"],
        ["January 5, 2020", "Dec 31 2021"],
        ["3. M\u00e4rz 2020", "31 Dezember 2021"],
    ],
)
def test_dates_are_told_by_their_writing(texts):
    assert are_dates(pd.Series([*texts, None]))
    assert not are_dates(pd.Series([*texts, "never"]))


def test_whole_numbers_are_dates_only_when_month_and_day_exist():
    assert are_dates(pd.Series([20200105, 19991231]))
    assert not are_dates(pd.Series([20200105, 20201301]))
    assert not are_dates(pd.Series([1, 2]))
    assert not are_dates(pd.Series([0.5, 20200105]))
    assert not are_dates(pd.Series([None, None], dtype=object))


def test_a_date_is_left_out_with_the_reason():
    frame = pd.DataFrame({"sex": ["a", "b"] * 9, "hired_on": ["5.1.2020", "31.12.2021"] * 9, "x": range(0, 36, 2)})
    column = guess_schema(frame.assign(y=["yes", "yes", "no"] * 6)).column("hired_on")
    assert column.role == "left_out"
    assert column.note.startswith("a date says when, not who")
