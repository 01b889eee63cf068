"""Controls change one thing at a time: nothing, the training alone, dropout for all, the choice of the rows."""

import numpy as np
import pytest

from fairneuron_core.models import build_network, profile
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.paths import cluster, slice_paths
from fairneuron_core.repair import repair, repair_row
from fairneuron_core.repair.controls import (
    DROPOUT_ALL,
    NO_REPAIR,
    PLAIN_RETRAINING,
    RANDOM_GROUP,
    DropoutAllParams,
    NoRepairParams,
    PlainRetrainingParams,
    RandomGroupParams,
    prepare_dropout_all,
    prepare_plain_retraining,
    prepare_random_group,
    random_group,
)
from fairneuron_core.repair.fairneuron import FairNeuronParams, prepare_fairneuron
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord


def batch(seed: int, rows: int = 120) -> Batch:
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 2, rows)
    features = np.column_stack([codes, generator.random(rows), generator.random(rows)]).astype(np.float32)
    labels = (0.4 * codes + features[:, 1] > 0.7).astype(np.uint8)
    return Batch(features, labels, codes[:, None].astype(np.int16), ("sex",), (("f", "m"),), np.arange(rows))


@pytest.fixture
def task() -> RepairTask:
    rows = batch(0)
    network = build_network((3, 6, 5, 1), seed=3)
    encoder = Encoder(tuple(EncodedColumn(name, "numeric") for name in ("sex", "x", "y")))
    record = ModelRecord("small", "0", "test")
    classifier = Classifier(network, encoder, 0.5, record, profile(network, rows.features))
    return RepairTask(classifier, rows, batch(1), "sex", "m", seed=0, threads=1)


def test_no_repair_gives_the_very_same_classifier(task):
    assert repair(task, NO_REPAIR, NoRepairParams()).classifier is task.classifier


def test_plain_retraining_adds_nothing_to_the_plan(task):
    (plan,) = prepare_plain_retraining(task, PlainRetrainingParams(epochs=3), ()).plans
    added = (plan.row_weights, plan.dropout_rows, plan.mutable, plan.targets, plan.penalty, plan.trainable)
    assert added == (None,) * 6
    assert plan.epochs == 3
    assert plan.start is task.classifier.network


def test_dropout_on_all_rows_mutes_in_every_row(task):
    (plan,) = prepare_dropout_all(task, DropoutAllParams(dropout=0.2), ()).plans
    assert plan.dropout == 0.2
    assert plan.dropout_rows.all()
    assert len(plan.dropout_rows) == 120


def test_dropout_of_zero_on_all_rows_is_plain_retraining(task):
    zero = repair(task, DROPOUT_ALL, DropoutAllParams(epochs=2, dropout=0.0)).classifier.network
    plain = repair(task, PLAIN_RETRAINING, PlainRetrainingParams(epochs=2)).classifier.network
    for a, b in zip(linear_layers(zero), linear_layers(plain), strict=True):
        assert np.array_equal(a.weight, b.weight)


def test_the_random_group_has_as_many_rows_as_fairneuron_has_conflict_samples(task):
    settings = {"coverage": 0.5, "first_layer": 2, "rarity": 0.2}
    (drawn,) = prepare_random_group(task, RandomGroupParams(**settings), ()).plans
    (chosen,) = prepare_fairneuron(task, FairNeuronParams(**settings), ()).plans
    expected = cluster(slice_paths(task.classifier, task.train.features, coverage=0.5, first_layer=2, threads=1), 0.2)
    assert 0 < expected.conflicting.sum() < 120
    assert drawn.dropout_rows.sum() == chosen.dropout_rows.sum() == expected.conflicting.sum()
    assert not np.array_equal(drawn.dropout_rows, chosen.dropout_rows)
    assert (drawn.dropout, drawn.epochs, drawn.seed) == (chosen.dropout, chosen.epochs, chosen.seed)


def test_the_facts_of_a_random_group_say_how_many_were_drawn_and_how_many_by_chance_are_in_conflict(task):
    params = RandomGroupParams(epochs=1, coverage=0.5, first_layer=2, rarity=0.2)
    facts = repair(task, RANDOM_GROUP, params).facts
    assert facts["random_samples"] == facts["conflict_samples"]
    assert 0 <= facts["random_samples_in_conflict"] <= facts["random_samples"]


def test_a_random_group_is_the_seeds_and_of_the_asked_size():
    first, again, other = (random_group(1000, 300, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert [int(group.sum()) for group in (first, other)] == [300, 300]
    assert int((first & other).sum()) == pytest.approx(90, abs=30)  # 0.3 * 0.3 * 1000


def test_a_random_group_of_nobody_or_of_everybody_is_just_that():
    assert not random_group(5, 0, seed=0).any()
    assert random_group(5, 5, seed=0).all()


@pytest.mark.parametrize("name", ["no_repair", "plain_retraining", "dropout_all", "random_group"])
def test_controls_never_read_the_protected_attribute(task, name):
    """With the groups turned around a control gives the same network."""
    row = repair_row(name)
    assert row.kind == "control"
    params = row.Params() if name == "no_repair" else row.Params(epochs=1)
    turned = RepairTask(
        **{**vars(task), "train": Batch(**{**vars(task.train), "groups": (1 - task.train.groups).astype(np.int16)})}
    )
    networks = [repair(one, row, params).classifier.network for one in (task, turned)]
    for a, b in zip(*(linear_layers(network) for network in networks), strict=True):
        assert np.array_equal(a.weight, b.weight)
