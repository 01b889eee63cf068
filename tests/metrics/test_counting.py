"""Counts by group, and combined protected attributes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.errors import DataError
from fairneuron_core.metrics import group_counts, intersections, joint_counts

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40
)


@settings(deadline=None)
@given(ROWS)
def test_counts_equal_counting_row_by_row(rows):
    groups, labels, before, after = np.array(rows).T
    expected = Counter(rows)
    found = joint_counts(labels, before, after, groups, 3)
    assert all(found[cell] == expected[cell] for cell in np.ndindex(3, 2, 2, 2))
    assert found.dtype == np.int64
    assert np.array_equal(found.sum(axis=3), group_counts(labels, before, groups, 3))
    assert np.array_equal(found.sum(axis=2), group_counts(labels, after, groups, 3))


def test_boolean_and_unsigned_columns_count_as_zero_and_one():
    counts = group_counts(np.array([True, False]), np.array([1, 1], np.uint8), np.array([0, 0], np.int16), 1)
    assert counts.tolist() == [[[0, 1], [0, 1]]]


@pytest.mark.parametrize(
    ("labels", "decisions", "groups", "said"),
    [
        ([], [], [], "no rows"),
        ([1, 0], [1], [0, 0], r"shape \(1,\)"),
        ([1, 2], [1, 0], [0, 0], "labels hold 2"),
        ([1, 0], [0.5, 0], [0, 0], "decisions hold 0.5"),
        ([1, 0], [1, 0], [0, -1], "groups hold -1"),
        ([1, 0], [1, 0], [0, 5], "0 to 1"),
    ],
)
def test_unusable_columns_are_refused_with_their_value(labels, decisions, groups, said):
    with pytest.raises(DataError, match=said):
        group_counts(labels, decisions, groups, 2)


def test_intersections_keep_only_combinations_that_occur_unless_asked():
    groups, levels = np.array([[0, 1], [1, 1], [0, 1]]), [("F", "M"), ("old", "young")]
    codes, names = intersections(groups, levels)
    assert names == ("F × young", "M × young")
    assert [names[c] for c in codes] == ["F × young", "M × young", "F × young"]
    codes, names = intersections(groups, levels, keep_empty=True)
    assert names == ("F × old", "F × young", "M × old", "M × young")
    assert codes.tolist() == [1, 3, 1]


def test_intersections_refuse_a_missing_column():
    with pytest.raises(DataError, match="one column for each of 2 attributes"):
        intersections(np.zeros((4, 1), int), [("a",), ("b",)])
