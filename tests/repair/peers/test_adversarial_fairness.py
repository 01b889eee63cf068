"""fairlearn's AdversarialFairnessClassifier from the given network, and the extra that the peers need."""

import importlib.util

import numpy as np
import pytest
import torch

from fairneuron_core.errors import SettingError
from fairneuron_core.models import decide, linear_layers, logits, read_model, to_safetensors
from fairneuron_core.models.layers import LinearLayer
from fairneuron_core.repair import REPAIRS, repair, repair_front
from fairneuron_core.repair.peers.adversarial_fairness import (
    ADVERSARIAL_FAIRNESS,
    AdversarialFairnessParams,
    OneVector,
    one_logit,
)
from fairneuron_core.repair.peers.extra import peers_missing
from tests.repair.merit_task import gap, merit_batch, merit_task

PARAMS = AdversarialFairnessParams(epochs=3, learning_rate=3e-3, batch_size=128)


@pytest.fixture(scope="module")
def task():
    return merit_task()


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_the_adversary_moves_the_gap_of_one_network_without_a_rule(task, constraint):
    params = AdversarialFairnessParams(**{**vars(PARAMS), "constraint": constraint, "strength": 0.3})
    found = repair(task, ADVERSARIAL_FAIRNESS, params).classifier
    rows = merit_batch(2000, seed=3)
    assert found.rule is None
    assert gap(rows, decide(found, rows.features)) != gap(rows, decide(task.classifier, rows.features))
    assert found.record.made_by == "repair adversarial_fairness"
    again = read_model(to_safetensors(found))
    assert np.array_equal(logits(again, rows.features), logits(found, rows.features))


def test_it_narrows_the_gap(task):
    params = AdversarialFairnessParams(epochs=20, learning_rate=0.01, batch_size=128)
    found = repair_front(task, ADVERSARIAL_FAIRNESS, params, strengths=(0.3, 1.0))
    rows = merit_batch(2000, seed=3)
    before = gap(rows, decide(task.classifier, rows.features))
    assert min(gap(rows, decide(result.classifier, rows.features)) for result in found) < 0.7 * before


def test_equal_settings_give_equal_networks_and_other_seeds_others(task):
    first, second, other = (
        linear_layers(repair(given, ADVERSARIAL_FAIRNESS, PARAMS).classifier.network)[0].weight
        for given in (task, task, type(task)(**{**vars(task), "seed": 1}))
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_the_given_network_and_torch_s_random_state_stay_as_they_were(task):
    before = [layer.weight.copy() for layer in linear_layers(task.classifier.network)]
    state = torch.random.get_rng_state()
    repair(task, ADVERSARIAL_FAIRNESS, PARAMS)
    assert torch.equal(state, torch.random.get_rng_state())
    after = linear_layers(task.classifier.network)
    assert all(np.array_equal(old, layer.weight) for old, layer in zip(before, after, strict=True))


def test_three_groups_are_told_apart():
    task = merit_task(levels=("A", "B", "C"), n=300)
    result = repair(task, ADVERSARIAL_FAIRNESS, PARAMS)
    assert np.isfinite(logits(result.classifier, task.train.features)).all()


def test_one_group_alone_is_refused_in_one_sentence(task):
    alone = type(task.train)(**{**vars(task.train), "groups": np.zeros_like(task.train.groups)})
    with pytest.raises(SettingError, match="needs 2 to tell apart"):
        repair(type(task)(**{**vars(task), "train": alone}), ADVERSARIAL_FAIRNESS, PARAMS)


def test_one_vector_computes_what_the_network_computes(task):
    rows = torch.from_numpy(task.train.features)
    module = OneVector(one_logit(linear_layers(task.classifier.network)))
    assert len(list(module.parameters())) == 1
    with torch.no_grad():
        expected = torch.sigmoid(task.classifier.network(rows))
        assert torch.allclose(module(rows), expected, atol=1e-6)
        module.vector += 0.1
        assert torch.allclose(torch.sigmoid(module.settle()(rows)), module(rows), atol=1e-6)


def test_two_outputs_become_favourable_minus_other():
    weight = np.array([[1, 2], [5, 3]], np.float32)
    network = one_logit([LinearLayer(weight, np.array([1, 4], np.float32), "identity")])
    assert network(torch.tensor([[1.0, 1.0]])).tolist() == [[(5 + 3 + 4) - (1 + 2 + 1)]]


def test_progress_is_told_step_by_step_and_can_stop_the_training(task):
    seen = []
    given = type(task)(**{**vars(task), "progress": lambda p: seen.append(p.share)})
    repair(given, ADVERSARIAL_FAIRNESS, PARAMS)
    assert len(seen) == 3 * 5
    assert seen == sorted(seen)


def test_without_fairlearn_one_sentence_says_how_to_install_it(monkeypatch):
    assert peers_missing() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'fairneuron[peers]'" in peers_missing()
    assert [name for name, row in REPAIRS.items() if row.missing()] == [
        name for name, row in REPAIRS.items() if row.kind == "peer"
    ]
