"""Frequencies of paths and the split by theta: Figure 3 of the paper and the sentences people read."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.errors import SettingError
from fairneuron_core.paths import cluster, cluster_counts, conflict_makeup, count_keys

FIGURE_3 = {"A": 25, "B": 10, "C": 3, "D": 2}


def keys_of(counts):
    return np.repeat(np.arange(len(counts) * 2, dtype=np.uint64).reshape(-1, 2), counts, axis=0)


def test_figure_3_of_the_paper():
    split = cluster(count_keys(keys_of(list(FIGURE_3.values()))), 0.3)
    assert split.threshold == 7.5
    assert split.threshold_count == 7
    assert split.rare_paths == 2
    assert split.conflict_samples == 5
    assert split.conflicting.tolist() == [False] * 35 + [True] * 5
    assert split.words == (
        "Rare = at most 7 samples on the path (theta × M = 0.3 × 25 = 7.5): 2 of 4 paths, 5 of 40 samples (12.5 %)."
    )


def test_nothing_changes_between_two_neighbouring_counts():
    split = cluster(count_keys(keys_of(list(FIGURE_3.values()))), 0.3)
    assert split.neighbours == (3 / 25, 10 / 25)
    for theta, rare in ((3 / 25, 2), (0.399, 2), (10 / 25, 3), (0.119, 1)):
        assert cluster_counts(np.array([25, 10, 3, 2]), theta).rare_paths == rare


def test_a_path_exactly_at_theta_times_m_is_rare_in_spite_of_rounding():
    assert 0.29 * 100 < 29
    assert cluster_counts(np.array([100, 29]), 0.29).conflict_samples == 29


def test_theta_1_makes_every_sample_a_conflict_sample():
    cut = cluster_counts(np.array([25, 10]), 1)
    assert cut.conflict_samples == 35
    assert cut.unchanged_below == float("inf")
    assert not cut.separates
    assert "dropout for all" in cut.words


def test_a_threshold_below_one_sample_equals_plain_retraining():
    cut = cluster_counts(np.array([6, 5, 5]), 0.03)
    assert cut.threshold_count == 0
    assert not cut.separates
    assert cut.words == "No conflict samples (theta × M = 0.03 × 6 = 0.18): this equals plain retraining."


def test_it_says_so_when_nearly_every_sample_has_a_path_of_its_own():
    cut = cluster_counts(np.array([6, *[1] * 94]), 0.5)
    assert "94 of 100 samples have a path of their own: theta cannot separate anything" in cut.words
    assert not cut.separates
    assert cluster_counts(np.array([50, 40, 5, 5]), 0.2).separates


def test_no_samples_at_all():
    assert cluster_counts(np.array([], int), 0.1).words == "There are no samples."


@pytest.mark.parametrize("theta", [-0.1, 1.5, float("nan")])
def test_theta_out_of_range_is_refused(theta):
    with pytest.raises(SettingError, match="between 0 and 1"):
        cluster_counts(np.array([3]), theta)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(2**63, 2**63 + 2)), max_size=40), st.floats(0, 1))
def test_counts_and_masks_agree_with_plain_python(keys, theta):
    frequency = count_keys(np.array(keys, np.uint64).reshape(-1, 2))
    assert frequency.frequency.tolist() == [keys.count(key) for key in keys]
    assert frequency.unique_paths == len(set(keys))
    assert frequency.count.tolist() == sorted(frequency.count.tolist(), reverse=True)
    assert [tuple(key) for key in frequency.key[frequency.path_of_row].tolist()] == keys
    assert [keys.index(tuple(key)) for key in frequency.key.tolist()] == frequency.first_row.tolist()
    split = cluster(frequency, theta)
    assert int(split.conflicting.sum()) == split.conflict_samples
    low, below = split.neighbours
    assert low <= theta * (1 + 1e-9)
    assert theta < below


def test_makeup_counts_each_level_on_both_sides():
    conflicting = np.array([True, True, True, True, False, False])
    women, men = conflict_makeup(conflicting, np.array([0, 0, 0, 1, 0, 1]), levels=("Female", "Male"))
    assert (women.conflict_count, women.ordinary_count) == (3, 1)
    assert (women.conflict_share.value, women.ordinary_share.value) == (0.75, 0.5)
    assert women.conflict_share.low < 0.75 < women.conflict_share.high
    assert (men.level, men.conflict_share.n, men.ordinary_share.n) == ("Male", 4, 2)


def test_a_share_of_no_samples_is_undefined():
    (row,) = conflict_makeup(np.array([False]), np.array([0]), levels=("all",))
    assert np.isnan(row.conflict_share.value)
    assert row.conflict_share.n == 0
    assert row.ordinary_share.value == 1


def test_counting_paths_needs_neither_torch_nor_numba():
    code = "import sys, fairneuron_core.paths; print(sorted({'torch', 'numba', 'networkx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
