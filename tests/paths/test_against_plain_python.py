"""The kernels against plain per-sample Python, edge for edge, on cases that hypothesis makes up."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairneuron_core.models.layers import build_network, linear_layers
from fairneuron_core.paths import slice_paths
from fairneuron_core.paths.agreement import agreement
from fairneuron_core.paths.reference import reference_path, take_released, take_signed
from tests.paths.networks import READINGS, profile_of, stack

ROWS = 20
EXAMPLES = 500  # of 20 rows each: 10,000 paths per reading
COVERAGES = st.sampled_from([0.0, 0.25, 0.5, 0.8, 0.9, 1.0]) | st.floats(0, 1)


@pytest.fixture(scope="module")
def medium():
    network = build_network((40, 32, 32, 1), seed=3)
    features = np.random.default_rng(5).normal(size=(300, 40)).astype(np.float32)
    return network, features, profile_of(network, features)


def expected_paths(network, features, **setting):
    layers = linear_layers(network)
    return [reference_path(layers, row, **setting) for row in features]


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=EXAMPLES, deadline=None)
@example(sizes=[1, 2], seed=2, spread=1, coverage=5e-324)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    spread=st.integers(1, 4),
    coverage=COVERAGES,
)
def test_networks_of_whole_numbers_agree_edge_for_edge(reading, sizes, seed, spread, coverage):
    if reading == "released" and len(sizes) < 3:
        sizes = [*sizes, 2]
    draw = np.random.default_rng(seed)
    weights = [draw.integers(-spread, spread + 1, (b, a)) for a, b in itertools.pairwise(sizes)]
    network = stack(weights, [draw.integers(-2, 3, len(w)) for w in weights])
    features = draw.integers(-2, 3, (ROWS, sizes[0])).astype(np.float32)
    means = [draw.integers(-1, 2, size).astype(np.float32) for size in sizes[:-1]]
    setting = {"coverage": coverage, "reading": reading, "means": means}
    paths = slice_paths(network, features, threads=1, **setting)
    expected = expected_paths(network, features, **setting)
    assert paths.decode(range(ROWS)) == expected
    assert paths.synapses.tolist() == [len(path) for path in expected]


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    hidden=st.lists(st.integers(2, 24), min_size=1, max_size=2),
    inputs=st.integers(1, 24),
    outputs=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
    sparse=st.booleans(),
    coverage=COVERAGES,
)
def test_networks_of_floats_agree_but_for_rounding(reading, hidden, inputs, outputs, seed, sparse, coverage):
    draw = np.random.default_rng(seed)
    sizes = [inputs, *hidden, outputs]
    weights = [draw.normal(size=(b, a)).astype(np.float32) for a, b in itertools.pairwise(sizes)]
    network = stack(weights, [draw.normal(-0.5, 1, len(w)) for w in weights])
    features = draw.normal(size=(ROWS, inputs)).astype(np.float32)
    if sparse:  # as one-hot encoding makes them: many inputs are zero, some rows are equal
        features = np.round(features.clip(0, 1))
    means = [draw.normal(size=size).astype(np.float32) for size in sizes[:-1]]
    setting = {"coverage": coverage, "reading": reading, "means": means}
    paths = slice_paths(network, features, threads=1, **setting)
    found = agreement(paths, range(ROWS), expected_paths(network, features, **setting))
    assert found.rows == ROWS
    assert found.only_rounding, found


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.integers(-3, 3), min_size=1, max_size=150),
    coverage=st.floats(0, 1),
    reading=st.sampled_from(["activation", "released"]),
)
def test_wide_neurons_with_many_ties_agree(values, coverage, reading):
    network = stack([np.eye(len(values)), [values]], activation="identity")
    paths = slice_paths(network, np.ones((1, len(values)), np.float32), coverage=coverage, reading=reading, threads=1)
    plain = [float(value) for value in values]
    taken = take_signed(plain, coverage) if reading == "activation" else take_released(plain, coverage * sum(plain))
    assert {k for layer, k, _ in paths.decode([0])[0] if layer == 2} == set(taken)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("coverage", [0.0, 0.3, 0.8, 0.99, 1.0])
def test_a_network_of_usual_size_agrees(medium, reading, coverage):
    network, features, means = medium
    setting = {"coverage": coverage, "reading": reading, "means": means}
    paths = slice_paths(network, features[:12], **setting)
    assert paths.decode(range(12)) == expected_paths(network, features[:12], **setting)


@settings(max_examples=60, deadline=None)
@given(
    width=st.sampled_from([17, 31, 32, 33, 49, 63, 64, 65]),
    coverage=COVERAGES,
    seed=st.integers(0, 2**32 - 1),
    zeros=st.sampled_from([0.0, 0.5, 0.95]),
    decades=st.sampled_from([0, 3, 8]),
)
def test_layers_that_are_sorted_in_registers_agree(width, coverage, seed, zeros, decades):
    draw = np.random.default_rng(seed)
    weights = [draw.normal(size=(width, 9)), draw.normal(size=(width, width)), draw.normal(size=(1, width))]
    weights[1] *= (draw.random((width, width)) >= zeros) * 10.0 ** draw.uniform(-decades, 0, (width, width))
    network = stack(weights, [draw.normal(size=len(w)) for w in weights])
    features = draw.normal(size=(4, 9)).astype(np.float32)
    means = [draw.normal(size=size).astype(np.float32) for size in (9, width, width)]
    setting = {"coverage": coverage, "reading": "delta", "means": means}
    paths = slice_paths(network, features, threads=1, **setting)
    found = agreement(paths, range(4), expected_paths(network, features, **setting))
    assert found.only_rounding, found


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_other_activations_agree(activation):
    network = build_network((6, 9, 5, 3), activation=activation, seed=1)
    features = np.random.default_rng(2).normal(size=(8, 6)).astype(np.float32)
    paths = slice_paths(network, features, coverage=0.7, reading="activation")
    assert paths.decode(range(8)) == expected_paths(network, features, coverage=0.7, reading="activation")
