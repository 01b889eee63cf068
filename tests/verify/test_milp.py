import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.errors import SettingError
from fairneuron_core.models import planted_network
from fairneuron_core.verify.bounds import forward, layers64
from fairneuron_core.verify.columns import InputColumn
from fairneuron_core.verify.crown import crown
from fairneuron_core.verify.encoding_milp import Program, add_network
from fairneuron_core.verify.milp import find_pair
from tests.verify.columns_of import COUNT, FLAG, GRADE, LEVELS, SMALL, plain_logits, random_layers, unfair_cells

UNIT = InputColumn(0, 1, "reals", np.array([[0], [1]], np.float32))


@pytest.mark.parametrize("sizes", [(5, 1), (5, 7, 1), (5, 8, 6, 1)])
def test_the_encoded_network_computes_the_forward_pass(sizes):
    layers = random_layers(sizes, 2)
    low, high = np.full((1, 5), -2.0), np.full((1, 5), 2.0)
    bounds = [(a[0].numpy(), b[0].numpy()) for a, b in crown(layers, low, high).layers]
    for point in np.random.default_rng(0).uniform(-2, 2, (6, 5)):
        program = Program()
        nodes = add_network(program, layers, bounds, program.variables(point, point))
        for sign in (1.0, -1.0):
            objective = np.zeros(len(program.low))
            objective[nodes[-1]] = sign
            answer = program.solve(10.0, objective)
            assert answer.status == 0
            assert abs(answer.x[nodes[-1][0]] - forward(layers, point[None]).item()) < 1e-6


def test_a_planted_pair_is_found_and_is_decided_differently():
    network = planted_network(3, merit=(0, 1), group=2, penalty=0.3, cut=0.5)
    grades = np.linspace(0, 1, 11, dtype=np.float32)[:, None]
    columns = (
        InputColumn(0, 1, "integers", grades),
        InputColumn(1, 1, "integers", grades),
        InputColumn(2, 1, "integers", np.array([[0], [1]], np.float32), free=True),
    )
    answer = find_pair(layers64(network), columns, cut=0.0)
    assert answer.status == "found"
    assert answer.this[:2].tolist() == answer.other[:2].tolist()
    assert (answer.this[2], answer.other[2]) == (0, 1)
    merit = answer.this[:2].mean()
    assert merit >= 0.5 > merit - 0.3 + 1e-6
    assert np.isin(answer.this[:2], grades).all()


def test_without_penalty_nobody_s_group_matters_and_no_pair_is_left():
    layers = layers64(planted_network(3, merit=(0, 1), group=2, penalty=0.0))
    unit = np.array([[0], [1]], np.float32)
    columns = [InputColumn(i, 1, "reals", unit) for i in (0, 1)] + [InputColumn(2, 1, "integers", unit, free=True)]
    assert find_pair(layers, columns, cut=0.0).status == "none"


def test_a_network_with_zeroed_free_columns_has_no_pair_at_all():
    layers = random_layers((6, 8, 6, 1), 1)
    layers[0][0][:, 0] = 0
    answer = find_pair(layers, SMALL, cut=0.0)
    assert (answer.status, answer.margin) == ("none", 0.0)


def test_a_time_out_is_a_time_out():
    answer = find_pair(random_layers((6, 8, 6, 1), 1), SMALL, cut=0.0, budget=0.0)
    assert (answer.status, answer.this, answer.other) == ("time-out", None, None)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), hidden=st.sampled_from([(4,), (6, 4)]))
def test_brute_force_agrees_on_small_domains(seed, hidden):
    layers = random_layers((6, *hidden, 1), seed)
    unfair, _ = unfair_cells(layers, SMALL)
    answer = find_pair(layers, SMALL, cut=0.0)
    assert answer.status == ("found" if unfair else "none")
    if unfair:
        assert (plain_logits(layers, np.stack((answer.this, answer.other))) >= 0).tolist() == [True, False]
        assert answer.this[1:].tolist() == answer.other[1:].tolist()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_brute_force_agrees_on_the_similar_individuals_of_one_row(seed):
    draw = np.random.default_rng(seed)
    layers = random_layers((6, 6, 4, 1), seed)
    free = (FLAG, InputColumn(4, 1, "integers", GRADE.values, free=True))
    base = np.array([0, *np.eye(3)[draw.integers(3)], 0.25, draw.uniform(-1, 2)], np.float32)
    similar = np.repeat(base[None], 10, axis=0)
    similar[:, 0], similar[:, 4] = np.tile([0, 1], 5), np.repeat(GRADE.values[:, 0], 2)
    decided = plain_logits(layers, similar) >= 0
    answer = find_pair(layers, free, cut=0.0, base=base)
    assert answer.status == ("none" if decided.all() or not decided.any() else "found")


def test_individuals_between_the_whole_numbers_are_no_counterexample():
    # relu(x - 0.2) - relu(x - 0.5) - ...: a bump that only x = 0.5 would reach, and x is 0 or 1.
    layers = layers64_of_a_bump()
    whole = InputColumn(0, 1, "integers", np.array([[0], [1]], np.float32), free=True)
    between = InputColumn(0, 1, "reals", np.array([[0], [1]], np.float32), free=True)
    assert find_pair(layers, [whole], cut=0.0).status == "none"
    assert find_pair(layers, [between], cut=0.0).status == "found"


def layers64_of_a_bump():
    from tests.verify.columns_of import stacked

    return stacked([[1], [1], [1]], [[1, -2, 1]], biases=[[-0.2, -0.5, -0.8], [-0.1]])


def test_a_reach_keeps_both_individuals_close():
    layers = random_layers((6, 1), 0)
    layers[0][0][:] = 0
    layers[0][0][0, 5] = 1.0  # the logit is COUNT - 0.45, COUNT runs in steps of 0.5 from -1 to 2
    layers[0][1][:] = -0.45
    near = InputColumn(5, 1, "integers", COUNT.values, free=True, reach=1)
    answer = find_pair(layers, (InputColumn(0, 1, "integers", FLAG.values), LEVELS, GRADE, near), cut=0.0)
    assert answer.status == "found"
    assert abs(answer.this[5] - 0.5) < 1e-6
    assert abs(answer.other[5]) < 1e-6


def test_the_reach_around_a_row_ends_where_it_says():
    layers = random_layers((6, 1), 0)
    layers[0][0][:] = 0
    layers[0][0][0, 5] = 1.0
    layers[0][1][:] = -1.25
    base = np.array([0, 1, 0, 0, 0, 0.5], np.float32)
    one, two = (InputColumn(5, 1, "integers", COUNT.values, free=True, reach=reach) for reach in (1, 2))
    assert find_pair(layers, [one], cut=0.0, base=base).status == "none"
    assert find_pair(layers, [two], cut=0.0, base=base).status == "found"


def test_inputs_without_a_column_need_a_row():
    with pytest.raises(SettingError, match="4 to none"):
        find_pair(random_layers((6, 4, 1), 0), [FLAG, GRADE], cut=0.0)
