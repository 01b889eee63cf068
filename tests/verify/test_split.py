import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.verify.branch import bracket
from fairneuron_core.verify.certificate import PROVED, REFUTED, UNKNOWN
from fairneuron_core.verify.columns import InputColumn
from fairneuron_core.verify.milp import find_pair
from fairneuron_core.verify.split import split_boxes
from tests.verify.columns_of import plain_logits, random_layers, stacked


def rows_with_two_free_inputs(seed, n=12):
    low = np.random.default_rng(seed).uniform(-1, 1, (n, 5)).astype(np.float32)
    high = low.copy()
    low[:, :2], high[:, :2] = -1, 1
    return low, high


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_answers_agree_with_a_fine_grid_and_the_solver(seed):
    layers = random_layers((5, 8, 6, 1), seed, scale=2.0)
    low, high = rows_with_two_free_inputs(seed)
    answer = split_boxes(layers, low, high, cut=0.0)
    steps = np.linspace(-1, 1, 61, dtype=np.float32)
    for row in range(len(low)):
        grid = np.repeat(low[[row]], 61 * 61, axis=0)
        grid[:, 0], grid[:, 1] = np.repeat(steps, 61), np.tile(steps, 61)
        decided = plain_logits(layers, grid) >= 0
        if decided.any() and not decided.all():
            assert answer.status[row] == REFUTED
    free = [InputColumn(i, 1, "reals", np.array([[-1], [1]], np.float32), free=True) for i in (0, 1)]
    for row in (0, 1, 2):
        solved = find_pair(layers, free, cut=0.0, base=low[row])
        assert {"none": PROVED, "found": REFUTED, "failed": UNKNOWN}[solved.status] == answer.status[row]


def test_pairs_lie_in_their_box_and_are_decided_differently():
    layers = random_layers((5, 8, 6, 1), 11, scale=2.0)
    low, high = rows_with_two_free_inputs(11, 200)
    cut = float(np.median(plain_logits(layers, low)))
    answer = split_boxes(layers, low, high, cut=cut)
    refuted = answer.status == REFUTED
    assert 0 < refuted.sum() < 200
    assert (plain_logits(layers, answer.this[refuted]) >= cut).all()
    assert (plain_logits(layers, answer.other[refuted]) < cut).all()
    for pair in (answer.this, answer.other):
        assert (low[refuted] <= pair[refuted]).all()
        assert (pair[refuted] <= high[refuted]).all()
        assert np.isnan(pair[~refuted]).all()


def test_several_boxes_of_one_owner_are_one_row():
    layers = stacked([[1, 0]], biases=[[-0.5]])  # favourable from x = 0.5 on
    low, high = np.array([[0.0, 0], [0.6, 0], [0.7, 0]]), np.array([[0.4, 0], [1.0, 0], [0.9, 0]])
    apart = split_boxes(layers, low, high, cut=0.0)
    assert apart.status.tolist() == [PROVED, PROVED, PROVED]
    together = split_boxes(layers, low, high, cut=0.0, owners=np.array([0, 0, 1]))
    assert together.status.tolist() == [REFUTED, PROVED]


def test_a_relaxed_box_refutes_nothing():
    layers = stacked([[1]], biases=[[-0.5]])
    assert split_boxes(layers, [[0.0]], [[1.0]], cut=0.0).status.tolist() == [REFUTED]
    assert split_boxes(layers, [[0.0]], [[1.0]], cut=0.0, refute=False).status.tolist() == [UNKNOWN]
    assert split_boxes(layers, [[0.6]], [[1.0]], cut=0.0, refute=False).status.tolist() == [PROVED]


def test_a_logit_at_the_cut_is_unknown_and_ends():
    layers = stacked([[0]], biases=[[0.00005]])
    assert split_boxes(layers, [[0.0]], [[1.0]], cut=0.0).status.tolist() == [UNKNOWN]


def test_without_budget_all_rows_are_unknown():
    layers = random_layers((5, 8, 6, 1), 0)
    assert (split_boxes(layers, *rows_with_two_free_inputs(0), cut=0.0, budget=0).status == UNKNOWN).all()


def test_no_row_is_no_answer():
    layers = random_layers((5, 4, 1), 0)
    assert split_boxes(layers, np.zeros((0, 5)), np.zeros((0, 5)), cut=0.0).status.shape == (0,)


@pytest.mark.parametrize("seed", range(3))
def test_cells_with_a_real_free_column_agree_with_a_fine_grid(seed):
    layers = random_layers((3, 6, 4, 1), seed, scale=4.0)
    count = InputColumn(0, 1, "integers", np.linspace(-1, 1, 9, dtype=np.float32)[:, None])
    group = InputColumn(1, 1, "integers", np.array([[0], [1]], np.float32), free=True)
    length = InputColumn(2, 1, "reals", np.array([[-1], [1]], np.float32), free=True)
    found = bracket(layers, [count, group, length], cut=0.0, budget=30)
    unfair = 0
    for value in count.values[:, 0]:
        grid = np.array([[value, g, x] for g in (0, 1) for x in np.linspace(-1, 1, 2001)], np.float32)
        decided = plain_logits(layers, grid) >= 0
        unfair += bool(decided.any() and not decided.all())
    assert (found.refuted_cells, found.proved_cells) == (unfair, 9 - unfair)
