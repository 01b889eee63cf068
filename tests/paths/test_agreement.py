"""The measure of disagreement between two ways of slicing, in numbers that fit in the head."""

import numpy as np
import pytest

from fairneuron_core.paths import slice_paths
from fairneuron_core.paths.agreement import agreement
from tests.paths.networks import stack


def one_neuron(*contributions, coverage, reading="activation"):
    network = stack([[list(contributions)]])
    return slice_paths(network, np.ones((1, len(contributions)), np.float32), coverage=coverage, reading=reading)


def synapses(*sources):
    return {(1, k, 0) for k in sources}


def test_equal_sets_have_no_gap():
    found = agreement(one_neuron(6, 3, 1, coverage=0.5), [0], [synapses(0)])
    assert (found.differing_rows, found.differing_synapses, found.largest_gap) == (0, 0, 0.0)
    assert found.only_rounding


def test_the_gap_of_a_longer_prefix_is_its_distance_from_the_target():
    found = agreement(one_neuron(6, 3, 1, coverage=0.5), [0], [synapses(0, 1)])
    assert (found.differing_rows, found.differing_synapses) == (1, 1)
    assert found.largest_gap == pytest.approx(0.1)  # 6 against the target 5, of 10
    assert not found.only_rounding


def test_a_prefix_that_misses_two_has_the_larger_of_two_gaps():
    found = agreement(one_neuron(6, 3, 1, coverage=0.5), [0], [synapses(0, 1, 2)])
    assert found.largest_gap == pytest.approx(0.4)  # 9 against 5, of 10


def test_an_exchange_counts_by_how_much_the_contributions_differ():
    found = agreement(one_neuron(8, 4, 2, coverage=0.3), [0], [synapses(1)])
    assert found.differing_synapses == 2
    assert found.largest_gap == pytest.approx(0.5)  # 8 against 4, the largest being 8


def test_a_negative_sum_is_measured_in_its_own_direction():
    found = agreement(one_neuron(-6, -3, -1, coverage=0.5), [0], [synapses(0, 1)])
    assert found.largest_gap == pytest.approx(0.1)


def test_a_difference_in_the_last_bits_is_only_rounding():
    found = agreement(one_neuron(1, 1 + 2**-20, 0.5, coverage=0.1), [0], [synapses(0)])
    assert found.differing_rows == 1
    assert found.only_rounding


def test_neurons_that_only_one_of_the_two_reaches_follow_from_the_difference_above():
    network = stack([np.eye(2), [[5, 5]]])
    paths = slice_paths(network, np.ones((1, 2), np.float32), coverage=0.3, reading="activation")
    assert paths.decode([0]) == [{(2, 0, 0), (1, 0, 0)}]
    assert agreement(paths, [0], [{(2, 1, 0), (1, 1, 1)}]).largest_gap == 0.0  # a tie taken at the other index


def test_the_reading_released_is_measured_against_z_with_its_bias():
    network = stack([np.diag([6.0, 3.0, 1.0]), [[1, 1, 1]]], [[0, 0, 0], [2]], activation="identity")
    paths = slice_paths(network, np.ones((1, 3), np.float32), coverage=0.5, reading="released")
    assert paths.decode([0]) == [{(2, 0, 0)}]  # 6 reaches half of 12
    found = agreement(paths, [0], [{(2, 0, 0), (2, 1, 0)}])
    assert found.largest_gap == 0.0  # 6 is exactly the target: the closest call there is
