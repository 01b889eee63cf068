"""Reader and feeder in rounds: the attack is a step of known length, the added rows keep labels and groups."""

import numpy as np
import pytest
import torch

from fairneuron_core.models import build_network
from fairneuron_core.models.layers import LinearLayer, linear_layers, network_of
from fairneuron_core.repair import repair_front
from fairneuron_core.repair.ethical_adversaries import (
    ETHICAL_ADVERSARIES,
    EthicalAdversariesParams,
    attacked,
    prepare_ethical_adversaries,
    round_seed,
)
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord, Progress


def straight_network(*weights: float):
    """Logit = weights . x, without bias."""
    return network_of([LinearLayer(np.array([weights], np.float32), np.zeros(1, np.float32), "identity")])


def test_a_row_moves_by_the_size_of_the_attack_against_its_label():
    rows = np.array([[0.5, 0.5], [0.5, 0.5]], np.float32)
    moved = attacked(straight_network(3, 4), rows, np.array([1, 0], np.uint8), size=0.1)
    assert moved == pytest.approx(np.array([[0.44, 0.42], [0.56, 0.58]]))  # 0.1 * (0.6, 0.8)


def test_an_attacked_row_stays_between_0_and_1():
    moved = attacked(straight_network(1, 0), np.array([[0.9, 0.2]], np.float32), np.array([0], np.uint8), size=5)
    assert moved.tolist() == [[1.0, pytest.approx(0.2)]]


def test_a_row_without_a_gradient_stays_where_it_is():
    rows = np.array([[0.3, 0.7]], np.float32)
    assert np.array_equal(attacked(straight_network(0, 0), rows, np.array([1], np.uint8), size=1), rows)


def test_the_attack_follows_the_gradient_that_finite_differences_find():
    network = build_network((3, 7, 1), activation="tanh", seed=0).double()
    row = np.array([[0.4, 0.5, 0.6]])
    with torch.inference_mode():
        steps = [network(torch.from_numpy(row + 1e-6 * np.eye(3)[i]))[0, 0].item() for i in range(3)]
        here = network(torch.from_numpy(row))[0, 0].item()
    slope = (np.array(steps) - here) / 1e-6
    expected = row - 0.01 * slope / np.linalg.norm(slope)
    moved = attacked(network.float(), row.astype(np.float32), np.array([1], np.uint8), size=0.01)
    assert moved == pytest.approx(expected, abs=1e-5)


@pytest.fixture
def task() -> RepairTask:
    def batch(seed: int) -> Batch:
        generator = np.random.default_rng(seed)
        codes = generator.integers(0, 2, 100)
        features = np.column_stack([codes, generator.random(100)]).astype(np.float32)
        labels = (0.4 * codes + features[:, 1] > 0.7).astype(np.uint8)
        return Batch(features, labels, codes[:, None].astype(np.int16), ("sex",), (("f", "m"),), np.arange(100))

    encoder = Encoder((EncodedColumn("sex", "numeric"), EncodedColumn("x", "numeric")))
    classifier = Classifier(build_network((2, 6, 1), seed=3), encoder, 0.5, ModelRecord("small", "0", "test"), ())
    return RepairTask(classifier, batch(0), batch(1), "sex", "m", seed=0)


def test_rounds_share_the_epochs_and_every_round_but_the_last_adds_rows(task):
    found = repair_front(task, ETHICAL_ADVERSARIES, EthicalAdversariesParams(epochs=7, rounds=3, added=0.1))
    assert len(found) == len(ETHICAL_ADVERSARIES.strengths)
    for one in found:
        assert [point["epoch"] for point in one.trace] == [1, 2, 3, 4, 5, 6, 7]
        assert one.facts["adversarial_rows"] == 20
        assert 0 <= one.facts["adversarial_rows_decided_wrong"] <= 20


def test_a_strength_gives_the_same_network_alone_and_in_a_sweep(task):
    params = EthicalAdversariesParams(epochs=4, rounds=2)
    alone = repair_front(task, ETHICAL_ADVERSARIES, params, strengths=(3.0,))[0]
    swept = repair_front(task, ETHICAL_ADVERSARIES, params, strengths=(0.0, 3.0))[1]
    assert alone.classifier.record.recipe == swept.classifier.record.recipe
    for a, b in zip(linear_layers(alone.classifier.network), linear_layers(swept.classifier.network), strict=True):
        assert a.weight == pytest.approx(b.weight, abs=1e-5)


def test_progress_never_runs_backwards_and_the_given_rows_stay_as_they_were(task):
    seen: list[Progress] = []
    before = task.train.features.copy()
    watched = RepairTask(**{**vars(task), "progress": seen.append})
    prepare_ethical_adversaries(watched, EthicalAdversariesParams(epochs=4, rounds=2), (1.0,))
    shares = [one.share for one in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert np.array_equal(task.train.features, before)


def test_rounds_have_seeds_of_their_own_that_start_with_the_tasks():
    seeds = [round_seed(5, index) for index in range(4)]
    assert seeds[0] == 5
    assert len(set(seeds)) == 4
