"""fairlearn's ExponentiatedGradient with our network as its learner."""

import numpy as np
import pytest

from fairneuron_core.models import decide, linear_layers
from fairneuron_core.models.layers import LinearLayer, network_of
from fairneuron_core.repair import repair, repair_front
from fairneuron_core.repair.peers.exponentiated_gradient import (
    EXPONENTIATED_GRADIENT,
    ExponentiatedGradientParams,
    RandomMix,
    fit_reduction,
)
from tests.repair.merit_task import accuracy, gap, merit_batch, merit_task

PARAMS = ExponentiatedGradientParams(epochs=3, learning_rate=0.02, batch_size=128, iterations=8)


@pytest.fixture(scope="module")
def task():
    return merit_task()


@pytest.fixture(scope="module")
def front(task):
    return repair_front(task, EXPONENTIATED_GRADIENT, PARAMS, strengths=(0.5, 1.0))


def test_more_strength_leaves_less_of_the_gap(task, front):
    rows = merit_batch(4000, seed=8)
    before = gap(rows, decide(task.classifier, rows.features))
    gaps = [gap(rows, result.decisions(rows)) for result in front]
    assert before > gaps[0] > gaps[1]
    assert gaps[1] < 0.5 * before
    assert accuracy(rows, front[1].decisions(rows)) > 0.75


def test_each_row_draws_one_network_by_the_weights_and_always_the_same(task, front):
    mix, rows = front[1].decisions, merit_batch(4000, seed=8)
    assert sum(mix.shares) == pytest.approx(1)
    assert np.array_equal(mix(rows), mix(rows))
    assert mix(rows).mean() == pytest.approx(mix.probabilities(rows).mean(), abs=0.02)


def test_the_mix_has_the_probabilities_of_fairlearn_s_own_reduction(task):
    reduction, before, bound = fit_reduction(task, PARAMS)
    assert before > 0
    assert bound == 0
    theirs = reduction._pmf_predict(np.arange(len(task.train.labels))[:, None])[:, 1]
    (result,) = repair_front(task, EXPONENTIATED_GRADIENT, PARAMS, strengths=(1.0,))
    assert result.decisions.probabilities(task.train) == pytest.approx(theirs, abs=1e-6)


def test_a_mix_of_two_constants_decides_by_their_shares():
    task = merit_task(n=40)
    yes, no = (
        network_of([LinearLayer(np.zeros((1, 2), np.float32), np.array([bias], np.float32), "identity")])
        for bias in (5, -5)
    )
    members = tuple(type(task.classifier)(**{**vars(task.classifier), "network": net}) for net in (yes, no))
    decided = RandomMix(members, (0.3, 0.7), seed=4)(merit_batch(10_000, seed=0))
    assert decided.mean() == pytest.approx(0.3, abs=0.02)


def test_the_heaviest_member_is_the_result_s_network_and_the_given_one_stays_as_it_was(task, front):
    result = front[1]
    heaviest = linear_layers(result.decisions.members[0].network)
    assert max(result.decisions.shares) == result.decisions.shares[0]
    for own, other in zip(linear_layers(result.classifier.network), heaviest, strict=True):
        assert np.array_equal(own.weight, other.weight)
    assert result.classifier.record.made_by == "repair exponentiated_gradient"
    assert not np.array_equal(heaviest[0].weight, linear_layers(task.classifier.network)[0].weight)
    assert not EXPONENTIATED_GRADIENT.one_network


def test_equal_settings_give_equal_decisions(task):
    params = ExponentiatedGradientParams(epochs=1, iterations=3)
    first, second = (repair(task, EXPONENTIATED_GRADIENT, params).decisions(task.validation) for _ in range(2))
    assert np.array_equal(first, second)
