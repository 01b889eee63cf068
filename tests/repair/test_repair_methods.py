"""Every method of the table keeps its promises on a small real data set."""

import numpy as np
import pytest

from fairneuron_core.data import encode
from fairneuron_core.errors import SettingError
from fairneuron_core.jobs import gather
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.paths import cluster, suggest_setting
from fairneuron_core.repair import REPAIRS, repair, repair_row
from fairneuron_core.repair.fairneuron import FAIRNEURON, FairNeuronParams, selective_plan, slice_training_rows
from fairneuron_core.repair.fine_tuning import TrainingSettings
from fairneuron_core.repair.reweighing import reweighing_weights
from fairneuron_core.repair.task import RepairTask

RETRAINED = [name for name, row in REPAIRS.items() if issubclass(row.Params, TrainingSettings)]


@pytest.fixture(scope="module")
def task(trained_german) -> RepairTask:
    material = gather("german", trained_german.model, trained_german.workspace)
    train, validation = (
        encode(material.dataset, rows, material.classifier.encoder)
        for rows in (material.split.train, material.split.validation)
    )
    return RepairTask(
        material.classifier,
        train,
        validation,
        material.attribute,
        material.reference,
        seed=0,
        threads=1,
        schema=material.dataset.schema,
    )


@pytest.mark.parametrize("name", REPAIRS)
def test_every_method_says_what_it_changes_needs_and_cannot_do(name):
    row = repair_row(name)
    assert row.name == name
    assert all(len(words) > 5 for words in (row.title, row.sentence, row.cannot, row.source))


@pytest.mark.parametrize("name", RETRAINED)
def test_every_method_moves_the_weights_and_leaves_the_given_network_alone(task, name):
    row = repair_row(name)
    before = [layer.weight.copy() for layer in linear_layers(task.classifier.network)]
    result = repair(task, row, row.Params(epochs=1, keep="last"))
    after = linear_layers(result.classifier.network)
    assert any(not np.array_equal(w, layer.weight) for w, layer in zip(before, after, strict=True))
    assert all(
        np.array_equal(w, layer.weight) for w, layer in zip(before, linear_layers(task.classifier.network), strict=True)
    )
    assert result.classifier.record.made_by == f"repair {name}"
    assert {"train_loss", "demographic_parity_difference"} <= set(result.trace[0])


@pytest.mark.parametrize("name", RETRAINED)
def test_equal_settings_give_equal_networks(task, name):
    row = repair_row(name)
    first, second = (repair(task, row, row.Params(epochs=1)).classifier.network for _ in range(2))
    for a, b in zip(linear_layers(first), linear_layers(second), strict=True):
        assert np.array_equal(a.weight, b.weight)


def test_an_unknown_method_is_answered_with_the_table():
    with pytest.raises(SettingError, match="choose one of no_repair, plain_retraining"):
        repair_row("magic")


def test_weighted_label_shares_are_equal_in_all_groups():
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 3, 2000)
    labels = (generator.random(2000) < 0.2 + 0.2 * groups).astype(np.uint8)
    weights = reweighing_weights(labels, groups)
    shares = [np.average(labels[groups == g], weights=weights[groups == g]) for g in range(3)]
    assert shares == pytest.approx([labels.mean()] * 3)


def test_theta_zero_equals_plain_retraining(task):
    selective = repair(task, FAIRNEURON, FairNeuronParams(epochs=1, rarity=0.0, coverage=0.5)).classifier.network
    plain = repair(task, FAIRNEURON, FairNeuronParams(epochs=1, dropout=0.0, coverage=0.5)).classifier.network
    for a, b in zip(linear_layers(selective), linear_layers(plain), strict=True):
        assert np.array_equal(a.weight, b.weight)


def test_dropout_acts_on_conflict_samples_only_and_off_the_path_spares_its_neurons(task):
    params = FairNeuronParams(coverage=0.5, first_layer=4, mute="off_path", rarity=0.1)
    paths = slice_training_rows(task, params)
    split = cluster(paths, params.rarity)
    assert 0 < split.conflicting.sum() < len(split.conflicting)
    plan = selective_plan(task, params, paths=paths, split=split)
    assert np.array_equal(plan.dropout_rows, split.conflicting)
    row = int(np.flatnonzero(split.conflicting)[0])
    on_path = np.zeros(sum(paths.hidden_sizes), bool)
    starts = np.cumsum([0, *paths.hidden_sizes])
    for layer, source, target in slice_training_rows(task, FairNeuronParams(coverage=0.5, first_layer=1)).decode([row])[
        0
    ]:
        if layer > 1:
            on_path[starts[layer - 2] + source] = True
        if layer <= len(paths.hidden_sizes):
            on_path[starts[layer - 1] + target] = True
    assert np.array_equal(plan.mutable[row], ~on_path)


def test_starting_from_scratch_forgets_the_given_weights(task):
    given = repair(task, FAIRNEURON, FairNeuronParams(epochs=1, learning_rate=1e-6, coverage=0.5, start="given"))
    scratch = repair(task, FAIRNEURON, FairNeuronParams(epochs=1, learning_rate=1e-6, coverage=0.5, start="scratch"))
    start = linear_layers(task.classifier.network)[0].weight
    assert np.abs(linear_layers(given.classifier.network)[0].weight - start).max() < 1e-3
    assert np.abs(linear_layers(scratch.classifier.network)[0].weight - start).max() > 1e-2


def test_dropout_in_a_layer_that_does_not_exist_is_refused(task):
    with pytest.raises(SettingError, match="hidden layers 0 to 2"):
        repair(task, FAIRNEURON, FairNeuronParams(epochs=1, coverage=0.5, dropout_layers=(9,)))


def test_the_suggestion_is_made_for_the_chosen_reading(task):
    found = repair(task, FAIRNEURON, FairNeuronParams(epochs=1, reading="released"))
    expected = suggest_setting(task.classifier, task.train.features, reading="released", threads=1)
    assert found.facts["setting"] == expected.reason
