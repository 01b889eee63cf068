import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.errors import ModelError
from fairneuron_core.models.layers import build_network
from fairneuron_core.verify.bounds import forward, ibp, layers64, rounding
from fairneuron_core.verify.columns import Grid, RangesFirst
from fairneuron_core.verify.crown import crown, linear_bounds
from fairneuron_core.verify.relaxation import ranges
from tests.verify.columns_of import SMALL, every_individual, plain_logits, random_layers, stacked

SIZES = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(lambda sizes: (*sizes, 1))
NEAR = 1e-9


def boxes(draw, n, width):
    low = draw.normal(size=(n, width))
    return low, low + draw.uniform(0, 2, (n, width)) * (draw.random((n, width)) < 0.6)


def samples(draw, low, high, count=40):
    corners = draw.random((count, *low.shape)) < 0.5
    inside = draw.random((count, *low.shape))
    return low + (high - low) * np.where(np.arange(count)[:, None, None] % 2, corners, inside)


@settings(max_examples=15, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1))
def test_every_bound_holds_for_every_sampled_input(sizes, seed):
    draw = np.random.default_rng(seed)
    layers = random_layers(sizes, seed)
    low, high = boxes(draw, 5, sizes[0])
    bounds, interval = crown(layers, low, high), ibp(layers, low, high)
    tight = crown(layers, low, high, alpha_steps=6)
    for inputs in samples(draw, low, high):
        values = torch.from_numpy(inputs)
        for level, (weight, bias) in enumerate(layers):
            before = values @ weight.T + bias
            for below, above in (interval[level], bounds.layers[level], tight.layers[level]):
                assert (below - NEAR <= before).all()
                assert (before <= above + NEAR).all()
            values = before.clamp(min=0)


@settings(max_examples=12, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1))
def test_alpha_is_never_looser_than_crown_and_crown_never_looser_than_intervals(sizes, seed):
    layers = random_layers(sizes, seed)
    low, high = boxes(np.random.default_rng(seed), 6, sizes[0])
    bounds, interval = crown(layers, low, high), ibp(layers, low, high)
    tight = crown(layers, low, high, alpha_steps=8)
    towards_zero = crown(layers, low, high, alpha_steps=8, cut=0.0)
    assert (bounds.low >= interval[-1][0][:, 0] - NEAR).all()
    assert (bounds.high <= interval[-1][1][:, 0] + NEAR).all()
    for found in (tight, towards_zero):
        assert (found.low >= bounds.low).all()
        assert (found.high <= bounds.high).all()


def test_crown_of_one_layer_is_exact():
    layers = stacked([[2, -3, 1]], biases=[[0.5]])
    bounds = crown(layers, [[0.0, -1.0, 4.0]], [[1.0, 2.0, 4.0]])
    assert bounds.low.tolist() == [0.5 - 6 + 4]
    assert bounds.high.tolist() == [0.5 + 2 + 3 + 4]


def test_crown_sees_that_two_neurons_cancel_where_intervals_do_not():
    layers = stacked([[1], [1]], [[1, -1]], biases=[[0, 0], [0]])  # relu(x) - relu(x) = 0
    low, high = [[1.0]], [[3.0]]
    assert [side.item() for side in ibp(layers, low, high)[-1]] == [-2.0, 2.0]
    bounds = crown(layers, low, high)
    assert (bounds.low.item(), bounds.high.item()) == (0.0, 0.0)


def test_alpha_finds_the_slope_that_crown_s_rule_misses():
    # relu(x) - 0.4 x over [-1, 2]: the slope 1 gives -0.6 at x = -1, 0 gives -0.8 at x = 2, and 0.4 the true minimum 0.
    layers = stacked([[1], [1]], [[1, -0.4]], biases=[[0, 1], [0.4]])
    low, high = [[-1.0]], [[2.0]]
    assert np.isclose(crown(layers, low, high).low.item(), -0.6)
    assert crown(layers, low, high, alpha_steps=60).low.item() > -0.05


def test_a_point_s_bounds_are_its_logit():
    layers = random_layers((4, 6, 5, 1), 3)
    points = np.random.default_rng(0).normal(size=(7, 4))
    bounds = crown(layers, points, points)
    assert torch.allclose(bounds.low, forward(layers, points), atol=1e-12)
    assert torch.allclose(bounds.high, forward(layers, points), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1))
def test_linear_bounds_hold_for_every_sampled_activation(sizes, seed):
    draw = np.random.default_rng(seed)
    layers = random_layers(sizes, seed)
    low, high = boxes(draw, 4, sizes[0])
    lines = linear_bounds(layers, low, high)
    for inputs in samples(draw, low, high):
        values = torch.from_numpy(inputs)
        below = (lines.lower_slopes @ values[..., None])[..., 0] + lines.lower
        above = (lines.upper_slopes @ values[..., None])[..., 0] + lines.upper
        for weight, bias in layers[:-1]:
            values = (values @ weight.T + bias).clamp(min=0)
        assert (below - NEAR <= values).all()
        assert (values <= above + NEAR).all()
        assert (lines.low - NEAR <= values).all()
        assert (values <= lines.high + NEAR).all()


def test_widths_of_linear_bounds_can_be_trained_down():
    layers = [(w.clone().requires_grad_(), b.clone().requires_grad_()) for w, b in random_layers((4, 8, 6, 1), 1)]
    low, high = boxes(np.random.default_rng(1), 9, 4)
    width = []
    optimiser = torch.optim.Adam([part for layer in layers[:-1] for part in layer], lr=0.02)
    for _ in range(20):
        lines = linear_bounds(layers, low, high)
        loss = (lines.high - lines.low).sum()
        width.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert width[-1] < 0.7 * width[0]


def test_a_network_without_hidden_layer_has_no_linear_bounds():
    with pytest.raises(ModelError, match="no hidden layer"):
        linear_bounds(stacked([[1, 2]]), [[0.0, 0.0]], [[1.0, 1.0]])


def test_networks_without_relu_are_refused():
    with pytest.raises(ModelError, match="tanh"):
        layers64(build_network((3, 4, 1), activation="tanh"))


def test_two_outputs_become_their_difference():
    network = build_network((3, 4, 2), seed=5)
    points = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)
    with torch.no_grad():
        outputs = network(torch.from_numpy(points)).numpy()
    found = forward(layers64(network), points).numpy()
    assert np.allclose(found, outputs[:, 1] - outputs[:, 0], atol=1e-6)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1.0, 100.0, 1e4]))
def test_float32_never_errs_more_than_the_rounding_bound(seed, scale):
    layers = random_layers((6, 8, 8, 1), seed)
    points = (np.random.default_rng(seed).normal(size=(30, 6)) * scale).astype(np.float32)
    errors = np.abs(plain_logits(layers, points) - forward(layers, points).numpy())
    assert (errors <= rounding(layers, points, points).numpy()).all()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_ranges_of_levels_hold_for_every_individual_in_them(seed):
    draw = np.random.default_rng(seed)
    layers = random_layers((6, 7, 4, 1), seed)
    grid = Grid(layers, SMALL)
    ends = np.sort(draw.integers(0, grid.sizes.astype(int), (2, 6, 4)), axis=0).astype(float)
    first, last = ends
    low, high = (side[:, 0].numpy() for side in ranges(layers, RangesFirst(grid, first, last))[-1])
    for row in range(6):
        for _ in range(20):
            at = draw.integers(first[row].astype(int), last[row].astype(int) + 1).astype(float)
            logit = forward(layers, grid.features(at[None], 6)).item()
            assert low[row] - 1e-6 <= logit <= high[row] + 1e-6


def test_one_layer_over_levels_is_exact():
    layers = random_layers((6, 1), 4)
    grid = Grid(layers, SMALL)
    first, last = grid.whole()
    low, high = ranges(layers, RangesFirst(grid, first[None], last[None]))[-1]
    logits = [forward(layers, inputs[None]).item() for _, inputs in every_individual(SMALL, 6)]
    assert np.isclose(low.item(), min(logits))
    assert np.isclose(high.item(), max(logits))
