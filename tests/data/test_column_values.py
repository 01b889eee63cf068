"""Values of one column: text, numbers, groups cut from a number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairneuron_core.data.columns import (
    as_numbers,
    as_text,
    bin_values,
    binned_column,
    distinct_texts,
    kind_of,
    ordered_levels,
    quartile_edges,
)
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING


def test_whole_floats_read_as_integers_and_blanks_as_missing():
    assert as_text(pd.Series([1.0, 2.5, np.nan])).tolist() == ["1", "2.5", MISSING]
    assert as_text(pd.Series([" a ", "", None])).tolist() == ["a", MISSING, MISSING]
    assert as_text(pd.Series([True, False])).tolist() == ["True", "False"]


def test_distinct_texts_are_those_of_the_whole_column():
    values = pd.Series([" a", "a", None, "b ", ""])
    assert distinct_texts(values) == set(as_text(values)) == {"a", "b", MISSING}


def test_levels_stand_by_number_where_all_are_numbers_and_missing_last():
    assert ordered_levels(["10", "9", MISSING, "2"]) == ("2", "9", "10", MISSING)
    assert ordered_levels(["b", "10", "a"]) == ("10", "a", "b")


def test_infinite_numbers_are_missing():
    assert as_numbers(pd.Series([1.0, np.inf, -np.inf])).isna().tolist() == [False, True, True]
    assert as_numbers(pd.Series([1.0, 2.0])).dtype == "int64"


def test_true_and_false_are_a_category_and_not_a_number():
    assert kind_of(pd.Series([True, False])) == "category"
    assert kind_of(pd.Series([1, 0])) == "numeric"


def test_an_edge_belongs_to_the_upper_group_and_missing_is_a_group():
    ages = pd.Series([24, 25, 59, 60, np.nan], name="age")
    column = binned_column("age_group", ages, edges=[25, 60])
    assert column.derived_from == "age"
    assert bin_values(ages, column).tolist() == ["under 25", "25 to 59", "25 to 59", "60 and over", MISSING]


def test_groups_of_fractions_say_under():
    column = binned_column("g", pd.Series([0.1, 0.5, 2.5], name="x"), edges=[0.5, 2])
    assert column.levels == ("under 0.5", "0.5 to under 2", "2 and over")


@pytest.mark.parametrize("edges", [[], [2, 1], [1, 1], [float("nan")]])
def test_edges_that_do_not_rise_are_refused(edges):
    with pytest.raises(DataError, match="of column 'age' do not rise"):
        binned_column("age_group", pd.Series([1, 2], name="age"), edges=edges)


def test_quartile_edges_leave_rows_on_both_sides():
    assert quartile_edges(pd.Series(range(1, 101))) == (25.75, 50.5, 75.25)
    assert quartile_edges(pd.Series([0] * 90 + list(range(1, 11)))) == ()
