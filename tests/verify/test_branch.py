import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.types import Progress
from fairneuron_core.verify import branch
from fairneuron_core.verify.branch import bracket
from fairneuron_core.verify.columns import InputColumn
from tests.verify.columns_of import COUNT, FLAG, GRADE, LEVELS, SMALL, plain_logits, random_layers, unfair_cells

AGES = InputColumn(0, 1, "integers", np.linspace(0, 1, 91, dtype=np.float32)[:, None], free=True)


@pytest.fixture
def bounds_alone(monkeypatch):
    """No box is enumerated before it is down to one cell."""
    monkeypatch.setattr(branch, "_FEW_CELLS", 1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.sampled_from([0.0, -0.5, 0.7]))
def test_small_spaces_agree_with_trying_every_individual(seed, cut):
    layers = random_layers((6, 6, 4, 1), seed)
    found = bracket(layers, SMALL, cut=cut, budget=60)
    unfair, cells = unfair_cells(layers, SMALL, cut)
    assert (found.cells, found.refuted_cells, found.proved_cells) == (cells, unfair, cells - unfair)
    assert (found.unknown, found.proved + found.refuted) == (0, 1)


@pytest.mark.parametrize("seed", range(12))
def test_the_bounds_alone_agree_too(seed, bounds_alone):
    layers = random_layers((6, 5, 1), seed)
    found = bracket(layers, SMALL, cut=0.0, budget=60)
    unfair, cells = unfair_cells(layers, SMALL)
    assert (found.refuted_cells, found.proved_cells) == (unfair, cells - unfair)


@pytest.mark.parametrize("seed", range(4))
def test_many_free_values_are_bounded_in_blocks_and_still_exact(seed):
    layers = random_layers((6, 6, 1), seed)
    columns = (AGES, LEVELS, GRADE, InputColumn(5, 1, "integers", COUNT.values, free=True))
    found = bracket(layers, columns, cut=0.0, budget=60)
    unfair, cells = unfair_cells(layers, columns)
    assert (found.refuted_cells, found.proved_cells) == (unfair, cells - unfair)


@pytest.mark.parametrize("seed", range(4))
def test_witnesses_are_similar_individuals_that_are_decided_differently(seed):
    layers = random_layers((6, 6, 1), seed)
    found = bracket(layers, SMALL, cut=0.0, budget=60, most=5)
    assert len(found.witnesses) == min(5, found.refuted_cells)
    for this, other in found.witnesses:
        assert (plain_logits(layers, np.stack((this, other))) >= 0).tolist() == [True, False]
        assert this[1:].tolist() == other[1:].tolist()


def test_shares_add_up_to_one_when_the_budget_ends_first():
    layers = random_layers((6, 16, 8, 1), 3)
    reals = [InputColumn(i, 1, "reals", np.array([[-2], [2]], np.float32), free=i == 0) for i in range(6)]
    found = bracket(layers, reals, cut=0.0, budget=0.5)
    assert found.cells is None
    assert found.unknown > 0
    assert np.isclose(found.proved + found.refuted + found.unknown, 1)


def test_without_any_budget_everything_is_unknown():
    found = bracket(random_layers((6, 6, 1), 0), SMALL, cut=0.0, budget=0)
    assert (found.proved, found.refuted, found.unknown) == (0, 0, 1)


def test_the_share_of_a_real_column_is_a_length():
    # The logit is x - 1 + group: unfair exactly for x in [0, 1) of [-1, 3].
    layers = random_layers((2, 1), 0)
    layers[0][0][:] = 1
    layers[0][1][:] = -1
    x = InputColumn(0, 1, "reals", np.array([[-1], [3]], np.float32))
    group = InputColumn(1, 1, "integers", np.array([[0], [1]], np.float32), free=True)
    found = bracket(layers, [x, group], cut=0.0, budget=1.0)
    assert 0.24 < found.refuted <= 0.25
    assert 0.74 < found.proved <= 0.75


def test_a_network_that_does_not_read_the_free_columns_is_fair_everywhere():
    layers = random_layers((6, 8, 4, 1), 6)
    layers[0][0][:, 0] = 0
    found = bracket(layers, SMALL, cut=0.0, budget=60)
    assert (found.proved, found.refuted_cells, found.witnesses) == (1, 0, ())


def test_a_reach_compares_neighbours_only():
    # The logit is COUNT - 0.45 with COUNT in -1, -0.5 ... 2: only 0 and 0.5 have a neighbour on the other side.
    layers = random_layers((6, 1), 0)
    layers[0][0][:] = 0
    layers[0][0][0, 5] = 1.0
    layers[0][1][:] = -0.45
    near = InputColumn(5, 1, "integers", COUNT.values, free=True, reach=1)
    found = bracket(layers, (InputColumn(0, 1, "integers", FLAG.values), LEVELS, GRADE, near), cut=0.0, budget=60)
    assert (found.cells, found.refuted_cells) == (2 * 3 * 5 * 7, 2 * 3 * 5 * 2)


def test_progress_is_told_and_may_cancel():
    shares: list[Progress] = []
    bracket(random_layers((6, 6, 1), 0), SMALL, cut=0.0, budget=60, progress=shares.append)
    assert shares[-1].share == 1
