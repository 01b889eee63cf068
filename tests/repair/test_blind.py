"""Blindness: weights of 0 prove every input, and the folded constant is the one that costs least."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.models import decide, linear_layers, logits
from fairneuron_core.repair import repair
from fairneuron_core.repair.blind import BLIND, BlindParams, all_but, best_constant, folded
from fairneuron_core.repair.individual import space_of
from tests.repair.individual_task import biased_task, hand_network, turned


@pytest.fixture(scope="module")
def task():
    return biased_task()


def test_a_folded_network_takes_everybody_for_the_constant(task):
    plain = replace(task.classifier, network=folded(task.classifier.network, np.array([1, 2]), np.array([0.0, 1.0])))
    as_men = task.train.features.copy()
    as_men[:, 1:] = 0, 1
    assert np.allclose(logits(plain, task.train.features), logits(task.classifier, as_men), atol=1e-5)


def test_after_the_repair_no_change_of_sex_reaches_the_logit(task):
    result = repair(task, BLIND, BlindParams(epochs=3))
    assert not linear_layers(result.classifier.network)[0].weight[:, 1:].any()
    for values in (task.train.features, np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)):
        assert np.array_equal(logits(result.classifier, values), logits(result.classifier, turned(values)))


def test_the_facts_say_that_every_input_is_proved_and_how_many_rows_were_before(task):
    facts = repair(task, BLIND, BlindParams(epochs=1)).facts["individual"]
    rows = task.train.features
    equal = decide(task.classifier, rows) == decide(task.classifier, turned(rows))
    assert facts["every_input"]
    assert facts["sentence"].startswith("For every possible individual no change of sex")
    assert facts["train"] == {"rows": 600, "proved_before": int(equal.sum()), "proved_after": 600}
    assert equal.sum() < 600


def test_the_constant_is_the_one_with_the_highest_training_accuracy(task):
    _, accuracy = best_constant(task, space_of(task, BlindParams()))
    found = []
    for constant in ((1, 0), (0, 1), tuple(task.train.features[:, 1:].mean(0))):
        rows = task.train.features.copy()
        rows[:, 1:] = constant
        found.append((decide(task.classifier, rows) == task.train.labels).mean())
    assert accuracy == pytest.approx(max(found))


def test_only_the_weights_on_the_free_inputs_are_frozen():
    parts = all_but(hand_network(), np.array([1, 2]))
    assert parts[0].tolist() == [[True, False, False]] * 2
    assert all(part.all() for part in parts[1:])


def test_fresh_weights_are_made_blind_too(task):
    result = repair(task, BLIND, BlindParams(epochs=1, start="scratch"))
    assert not linear_layers(result.classifier.network)[0].weight[:, 1:].any()


def test_a_network_that_does_not_read_the_attribute_stays_as_it_is(task):
    blind = replace(task, classifier=replace(task.classifier, network=hand_network(man=0.0)))
    with_zero = folded(blind.classifier.network, np.array([1, 2]), np.zeros(2))
    blind = replace(blind, classifier=replace(blind.classifier, network=with_zero))
    result = repair(blind, BLIND, BlindParams())
    assert result.classifier.network is with_zero
    assert result.facts["individual"]["unread"] == ["sex"]
    assert result.facts["individual"]["every_input"]
