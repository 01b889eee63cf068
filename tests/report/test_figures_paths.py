"""The charts of path frequency agree with counting by hand (40 samples: 25, 10, 3, 2)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.paths import MakeupRow
from fairneuron_core.report import figures
from fairneuron_core.report.figures_paths import frequency_bins
from fairneuron_core.types import Estimate

WORKED = np.array([25, 10, 3, 2])


def test_the_worked_example_has_two_rare_paths_with_five_samples():
    chart = figures.path_frequency_histogram(WORKED, threshold_count=7.5)
    assert "40 samples take 4 distinct paths; 2 rare paths with 5 conflict samples (12.5 %)" in chart.sentence
    rare = chart.table[chart.table["side of theta"] == "rare"]
    assert (rare["paths"].sum(), rare["samples"].sum()) == (2, 5)


def test_the_cumulative_share_at_theta_is_the_share_of_conflict_samples():
    chart = figures.cumulative_share(WORKED, threshold_count=7.5)
    assert chart.sentence.startswith("12.5 % of the samples (5 of 40)")
    assert chart.table["share of samples"].iloc[-1] == pytest.approx(1.0)


def test_unshared_paths_are_said_to_separate_nothing():
    chart = figures.path_frequency_histogram(np.ones(500, dtype=int), threshold_count=1)
    assert "theta cannot separate anything" in chart.sentence


def test_a_threshold_below_every_path_equals_plain_retraining():
    assert "equals plain retraining" in figures.frequency_sentence(WORKED, 1.9)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=200), st.integers(0, 5000))
def test_bins_hold_every_path_once_and_none_straddles_the_threshold(counts, cut):
    counts = np.array(counts)
    edges, paths = frequency_bins(counts, cut=cut)
    assert paths.sum() == len(counts)
    rare = edges[1:] - 0.5 <= cut
    assert paths[rare].sum() == (counts <= cut).sum()


def makeup(share_conflict, spread, *, samples=100):
    def around(share):
        return Estimate(share, share - spread, share + spread, samples)

    return [MakeupRow("F", samples, samples, around(share_conflict), around(0.3))]


def test_a_difference_beyond_both_intervals_is_named():
    assert "F more often (43.0 % against 30.0 %)" in figures.conflict_makeup(makeup(0.43, 0.02)).sentence


def test_overlapping_intervals_are_not_called_a_difference():
    assert "not shown to differ" in figures.conflict_makeup(makeup(0.33, 0.05)).sentence


def test_no_conflict_samples_give_an_empty_chart_with_the_reason():
    chart = figures.conflict_makeup(makeup(0.3, 0.1, samples=0))
    assert "no conflict samples" in chart.sentence
    assert not chart.figure.data
