"""Slicing: the paper's worked example, the rule in small numbers, keys, threads, cancelling and errors."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.errors import Cancelled, DataError, ModelError, SettingError
from fairneuron_core.models.layers import build_network, linear_layers, network_of
from fairneuron_core.paths import slice_paths
from fairneuron_core.paths.reference import reference_path
from fairneuron_core.types import Classifier, Encoder, ModelRecord
from tests.paths.networks import profile_of, stack

FIGURE_2 = ([[2, -1], [1, -2], [1, 3]], [[1, 2, -1], [-1, -1, 2], [-1, 1, 1]], [[2, 1, -4], [3, 2, -3]])


@pytest.fixture(scope="module")
def medium():
    network = build_network((40, 32, 32, 1), seed=3)
    features = np.random.default_rng(5).normal(size=(300, 40)).astype(np.float32)
    return network, features, profile_of(network, features)


@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_figure_2_of_the_paper(activation):
    paths = slice_paths(stack(FIGURE_2, activation=activation), np.array([[3, 1]], np.float32), coverage=0.8, means=0)
    assert paths.decode([0]) == [{(3, 1, 1), (2, 2, 1), (1, 0, 2), (1, 1, 2)}]
    assert paths.synapses.tolist() == [4]
    assert paths.hidden_sizes == (3, 3)
    assert paths.active_neurons([0]).tolist() == [[False, False, True, False, True, False]]


def test_plain_python_gives_figure_2_too():
    layers = linear_layers(stack(FIGURE_2))
    assert reference_path(layers, [3, 1], coverage=0.8) == {(3, 1, 1), (2, 2, 1), (1, 0, 2), (1, 1, 2)}


def test_coverage_0_is_a_chain_of_one_synapse_per_layer(medium):
    network, features, means = medium
    paths = slice_paths(network, features, coverage=0, means=means)
    assert set(paths.synapses.tolist()) == {3}


def test_ties_are_taken_by_index_and_only_as_many_as_needed():
    paths = slice_paths(stack([[[1, 1, 1, 1]]]), np.ones((1, 4), np.float32), coverage=0.5, means=0)
    assert paths.decode([0]) == [{(1, 0, 0), (1, 1, 0), (1, 2, 0)}]  # 2 is not more than 2, 3 is


def test_coverage_1_takes_all_positive_contributions_and_no_other():
    paths = slice_paths(stack([[[5, -1, 0, 1]]]), np.ones((1, 4), np.float32), coverage=1, means=0)
    assert paths.decode([0]) == [{(1, 0, 0), (1, 3, 0)}]


def test_contributions_that_sum_to_zero_take_none():
    paths = slice_paths(stack([[[1, -1]]]), np.ones((1, 2), np.float32), coverage=0.5, means=0)
    assert paths.decode([0]) == [set()]
    assert paths.key.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("values", "bias", "expected"),
    [
        ([3, 2, 1], 0, {0, 1, 2}),  # 3 + 2 < 6: the running sum must reach z
        ([3, 2, 1], -1, {0, 1}),  # 3 + 2 >= 5: reaching is enough
        ([3, 2, -1], 9, {0, 1, 2}),  # z = 13 is never reached: all, the negative one too
        ([-3, -1, -1], 9, {0, 1, 2}),  # z = 4
        ([-3, -1, -1], 0, {1}),  # z = -5: the largest is the first of the ties
        ([0, 0, 0], 0, {0}),
        ([0, 0, 0], 1, {0, 1, 2}),
    ],
)
def test_released_stops_when_the_signed_running_sum_reaches_z_with_bias(values, bias, expected):
    network = stack([np.diag(values), [[1, 1, 1]]], [[0, 0, 0], [bias]], activation="identity")
    paths = slice_paths(network, np.ones((1, 3), np.float32), coverage=1, reading="released")
    assert paths.decode([0]) == [{(2, k, 0) for k in expected}]


def test_released_has_no_synapse_of_the_first_layer(medium):
    network, features, _ = medium
    paths = slice_paths(network, features, coverage=0.9, reading="released")
    assert {layer for path in paths.decode(range(20)) for layer, _, _ in path} == {2, 3}


def test_batch_norm_in_eval_mode_and_dropout_do_not_stand_in_the_way():
    network = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 1)).train()
    features = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    paths = slice_paths(network, features, coverage=0.8, means=0)
    folded = network_of(linear_layers(network))
    assert paths.decode(range(3)) == slice_paths(folded, features, coverage=0.8, means=0).decode(range(3))
    assert network.training
    assert not network[0]._forward_hooks


def test_the_network_keeps_its_weights_mode_and_hooks(medium):
    network, features, means = medium
    before = [parameter.clone() for parameter in network.parameters()]
    slice_paths(network, features, coverage=0.8, means=means)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert not network.training
    assert not any(module._forward_hooks for module in network)


@pytest.mark.parametrize("granularity", ["synapses", "neurons"])
def test_threads_and_chunks_do_not_change_a_bit(medium, monkeypatch, granularity):
    network, features, means = medium
    wanted = {"coverage": 0.8, "means": means, "granularity": granularity}
    one = slice_paths(network, features, threads=1, **wanted)
    two = slice_paths(network, features, threads=2, **wanted)
    monkeypatch.setattr("fairneuron_core.paths.slicer.CHUNK_BYTES", 1)
    small = slice_paths(network, features, threads=3, **wanted)
    assert small.slicer.chunk_rows == 16
    for other in (two, small):
        assert np.array_equal(one.key, other.key)
        assert np.array_equal(one.synapses, other.synapses)
        assert np.array_equal(one.frequency, other.frequency)


@pytest.mark.parametrize("first_layer", [1, 2, 3])
def test_equal_sets_and_only_these_have_equal_keys(first_layer):
    network = build_network((8, 6, 6, 2), seed=7)
    features = np.random.default_rng(1).integers(0, 2, (3000, 8)).astype(np.float32)
    paths = slice_paths(network, features, coverage=0.4, reading="activation", first_layer=first_layer)
    sets = [frozenset(path) for path in paths.decode(range(3000))]
    keys = [tuple(key) for key in paths.key.tolist()]
    assert len(set(sets)) == len(set(keys)) == len(set(zip(sets, keys, strict=True))) == paths.unique_paths
    assert paths.synapses.tolist() == [len(path) for path in sets]
    assert min(layer for path in sets for layer, _, _ in path) == first_layer


def test_neuron_keys_are_equal_where_the_active_neurons_are():
    network = build_network((8, 6, 6, 2), seed=7)
    features = np.random.default_rng(1).integers(0, 2, (500, 8)).astype(np.float32)
    paths = slice_paths(network, features, coverage=0.4, reading="activation", granularity="neurons")
    sets = [
        frozenset({(layer - 1, k) for layer, k, _ in path} | {(layer, j) for layer, _, j in path})
        for path in paths.decode(range(500))
    ]
    keys = [tuple(key) for key in paths.key.tolist()]
    assert len(set(sets)) == len(set(keys)) == len(set(zip(sets, keys, strict=True)))


def test_active_neurons_are_the_sources_of_the_decoded_path(medium):
    network, features, means = medium
    paths = slice_paths(network, features, coverage=0.3, means=means)
    for path, active in zip(paths.decode([4, 2]), paths.active_neurons([4, 2]), strict=True):
        assert {(1 + i // 32, i % 32) for i in np.flatnonzero(active)} == {(n - 1, k) for n, k, _ in path if n > 1}


def test_the_output_neuron_is_the_largest_logit():
    network = stack([np.eye(3)], activation="identity")
    paths = slice_paths(network, np.array([[1, 5, 2], [7, 5, 2]], np.float32), coverage=0.5, means=0)
    assert paths.decode([0, 1]) == [{(1, 1, 1)}, {(1, 0, 0)}]


def test_means_given_are_subtracted():
    paths = slice_paths(stack([[[1, 1]]]), np.array([[5, 3]], np.float32), coverage=0.5, means=[np.array([5, 0])])
    assert paths.decode([0]) == [{(1, 1, 0)}]


def test_the_profile_stored_with_a_classifier_is_used(medium):
    network, features, means = medium
    record = ModelRecord(data="made", data_sha256="", made_by="test")
    stored = Classifier(network, Encoder(()), 0.5, record, tuple(means))
    paths = slice_paths(stored, features, coverage=0.8)
    assert np.array_equal(paths.key, slice_paths(network, features, coverage=0.8, means=means).key)
    with pytest.raises(ModelError, match="training profile"):
        slice_paths(replace(stored, means=()), features, coverage=0.8)


def test_paths_can_be_pickled_and_decoded_afterwards(medium):
    network, features, means = medium
    paths = slice_paths(network, features[:20], coverage=0.2, means=means)
    assert pickle.loads(pickle.dumps(paths)).decode([3]) == paths.decode([3])


def test_memory_mapped_features_give_the_same_paths(medium, tmp_path):
    network, features, means = medium
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    paths = slice_paths(network, mapped, coverage=0.8, means=means)
    assert np.array_equal(paths.key, slice_paths(network, features, coverage=0.8, means=means).key)


def test_no_rows_give_no_paths(medium):
    network, features, means = medium
    paths = slice_paths(network, features[:0], coverage=0.8, means=means)
    assert (len(paths), paths.unique_paths, paths.most_frequent) == (0, 0, 0)


def test_progress_ends_at_1_and_counts_up(medium, monkeypatch):
    network, features, means = medium
    monkeypatch.setattr("fairneuron_core.paths.slicer.CHUNK_BYTES", 1)
    seen = []
    slice_paths(network, features, coverage=0.8, means=means, progress=lambda p: seen.append(p.share))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 19


@pytest.mark.parametrize("threads", [1, 2])
def test_cancelling_in_progress_stops_the_rest(medium, monkeypatch, threads):
    network, features, means = medium
    monkeypatch.setattr("fairneuron_core.paths.slicer.CHUNK_BYTES", 1)
    calls = []

    def cancel(progress):
        calls.append(progress)
        raise Cancelled

    with pytest.raises(Cancelled):
        slice_paths(network, features, coverage=0.8, means=means, threads=threads, progress=cancel)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"coverage": 1.2}, SettingError, "1.2"),
        ({"coverage": float("nan")}, SettingError, "nan"),
        ({"reading": "deltas"}, SettingError, "deltas"),
        ({"granularity": "layers"}, SettingError, "layers"),
        ({"first_layer": 4}, SettingError, "1 to 3"),
        ({"first_layer": 0}, SettingError, "1 to 3"),
        ({"threads": 0}, SettingError, "threads"),
        ({"means": None}, ModelError, "training profile"),
        ({"means": 1}, SettingError, "means"),
        ({"means": [np.zeros(40), np.zeros(3), np.zeros(32)]}, ModelError, r"\[40, 3, 32\]"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(medium, wrong, error, words):
    network, features, _ = medium
    with pytest.raises(error, match=words):
        slice_paths(network, features, **{"coverage": 0.5, "means": 0, **wrong})


def test_rows_of_another_width_or_with_missing_values_are_refused(medium):
    network, features, _ = medium
    with pytest.raises(DataError, match="40 inputs"):
        slice_paths(network, features[:, :5], coverage=0.5, means=0)
    broken = features[:3].copy()
    broken[1, 2] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        slice_paths(network, broken, coverage=0.5, means=0)


def test_a_row_that_does_not_exist_is_refused(medium):
    network, features, means = medium
    paths = slice_paths(network, features, coverage=0.5, means=means)
    with pytest.raises(SettingError, match="300"):
        paths.decode([300])
