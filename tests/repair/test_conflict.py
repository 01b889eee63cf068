"""Conflict repair on a small real data set: what it closes, what may move, what it says."""

import numpy as np
import pytest

from fairneuron_core.data import encode
from fairneuron_core.jobs import gather
from fairneuron_core.models import scores
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.repair import repair, repair_front
from fairneuron_core.repair.conflict import CONFLICT, ConflictParams
from fairneuron_core.repair.task import RepairTask


@pytest.fixture(scope="module")
def task(trained_german) -> RepairTask:
    material = gather("german", trained_german.model, trained_german.workspace)
    train, validation = (
        encode(material.dataset, rows, material.classifier.encoder)
        for rows in (material.split.train, material.split.validation)
    )
    return RepairTask(material.classifier, train, validation, material.attribute, material.reference, seed=0, threads=1)


def parity_gap(task: RepairTask, classifier) -> float:
    decisions = scores(classifier, task.train.features) >= classifier.threshold
    codes = task.train.codes(task.attribute)
    rates = [decisions[codes == group].mean() for group in np.unique(codes)]
    return max(rates) - min(rates)


@pytest.mark.parametrize("guide", ["trees", "penalty"])
def test_a_higher_strength_closes_more_of_the_gap(task, guide):
    params = ConflictParams(guide=guide, epochs=6, batch_size=64)
    weak, strong = repair_front(task, CONFLICT, params, strengths=(0.0, 1.0))
    assert parity_gap(task, strong.classifier) < 0.5 * parity_gap(task, weak.classifier)


def test_one_repair_is_the_point_of_its_strength_on_the_front(task):
    params = ConflictParams(strength=0.5, epochs=2)
    alone = repair(task, CONFLICT, params)
    front = repair_front(task, CONFLICT, params, strengths=(0.0, 0.5, 1.0))
    for a, b in zip(linear_layers(alone.classifier.network), linear_layers(front[1].classifier.network), strict=True):
        assert np.allclose(a.weight, b.weight, atol=1e-4)
    assert front[1].classifier.record.recipe["strength"] == 0.5
    assert front[1].facts["multipliers"][0] < front[2].facts["multipliers"][0]


def test_equalized_odds_is_trained_in_two_rounds_and_one_repair_is_still_the_point_of_its_strength(task):
    params = ConflictParams(gap="equalized_odds", strength=0.5, epochs=4, mixtures=1)
    alone = repair(task, CONFLICT, params)
    front = repair_front(task, CONFLICT, params, strengths=(0.0, 0.5))
    for a, b in zip(linear_layers(alone.classifier.network), linear_layers(front[1].classifier.network), strict=True):
        assert np.allclose(a.weight, b.weight, atol=1e-4)
    assert [line["epoch"] for line in alone.trace] == [1, 2, 3, 4, 5, 6]
    assert len(alone.facts["multipliers"]) == 2


def test_a_share_of_the_neurons_leaves_the_other_weights_alone(task):
    found = repair(task, CONFLICT, ConflictParams(share=0.1, epochs=1))
    before, after = (linear_layers(c.network) for c in (task.classifier, found.classifier))
    hidden = sum(len(layer.bias) for layer in before[:-1])
    assert found.facts["neurons_moved"] == round(0.1 * hidden)
    unmoved = sum((a.bias == b.bias).sum() for a, b in zip(before[:-1], after[:-1], strict=True))
    assert unmoved == hidden - found.facts["neurons_moved"]
    assert len(found.facts["conflict_scores"]) == hidden


def test_without_mixtures_only_the_training_rows_are_learned(task):
    found = repair(task, CONFLICT, ConflictParams(mixtures=0, epochs=1))
    assert found.classifier.record.recipe["mixtures"] == 0
    assert found.facts["multipliers"][0] > 0


def test_the_same_seed_gives_the_same_network(task):
    first, second = (repair(task, CONFLICT, ConflictParams(epochs=1)).classifier.network for _ in range(2))
    for a, b in zip(linear_layers(first), linear_layers(second), strict=True):
        assert np.array_equal(a.weight, b.weight)


def test_the_repaired_network_decides_without_the_protected_attribute(task):
    found = repair(task, CONFLICT, ConflictParams(epochs=1))
    assert found.classifier.rule is None
    assert found.classifier.encoder == task.classifier.encoder
    assert not CONFLICT.needs_protected
