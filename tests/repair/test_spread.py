"""The spread penalty: its gradient is that of plain torch, discriminated rows fall, and the trace says so."""

import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.errors import SettingError
from fairneuron_core.models import TrainingPlan, decide, linear_layers, train
from fairneuron_core.repair import repair, repair_front
from fairneuron_core.repair.controls import PLAIN_RETRAINING, PlainRetrainingParams
from fairneuron_core.repair.individual import space_of
from fairneuron_core.repair.spread import SPREAD, SpreadParams
from fairneuron_core.repair.spread_penalty import SpreadPenalty
from tests.repair.individual_task import biased_task, turned


@pytest.fixture(scope="module")
def task():
    return biased_task()


def weights(network: nn.Sequential) -> np.ndarray:
    return np.concatenate([part.ravel() for layer in linear_layers(network) for part in (layer.weight, layer.bias)])


def refuted(classifier, rows: np.ndarray) -> int:
    return int((decide(classifier, rows) != decide(classifier, turned(rows))).sum())


def test_training_with_the_penalty_equals_a_plain_torch_loop(task):
    rows = 64
    features, labels = task.train.features[:rows], task.train.labels[:rows]
    own = np.linspace(0.5, 2.0, rows)
    penalty = SpreadPenalty(space_of(task, SpreadParams()), own, 3.0)
    plan = TrainingPlan(
        task.classifier.network,
        features,
        labels,
        (features, labels),
        epochs=3,
        seed=5,
        batch_size=16,
        keep="last",
        penalty=penalty,
    )
    found = train([plan], dtype=torch.float64)[0].network
    network = train([plan], dtype=torch.float64)[0].network.double()
    start = [torch.from_numpy(p.copy()) for x in linear_layers(plan.start) for p in (x.weight, x.bias)]
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), start, strict=True):
            parameter.copy_(value)
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
    inputs, other = (torch.from_numpy(values.astype(np.float64)) for values in (features, turned(features)))
    targets, pressed = torch.from_numpy(labels.astype(np.float64)), torch.from_numpy(own)
    for epoch in range(1, 4):
        order = np.random.default_rng([5, epoch]).permutation(rows)
        for first in range(0, rows, 16):
            at = order[first : first + 16]
            out, turned_out = network(inputs[at])[:, 0], network(other[at])[:, 0]
            spread = (torch.sigmoid(out) - torch.sigmoid(turned_out)).abs()
            loss = nn.functional.binary_cross_entropy_with_logits(out, targets[at]) + 3 * (pressed[at] * spread).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    plain = np.concatenate([parameter.detach().numpy().ravel() for parameter in network.parameters()])
    assert np.allclose(weights(found), plain, atol=1e-6)


def test_discriminated_rows_fall_and_the_trace_says_it(task):
    result = repair(task, SPREAD, SpreadParams(strength=20.0, epochs=10, rounds=6, learning_rate=5e-3))
    before, after = (refuted(c, task.train.features) for c in (task.classifier, result.classifier))
    assert before > 60
    assert after <= before / 10
    told = [point["refuted_training_rows"] for point in result.trace if "refuted_training_rows" in point]
    assert told == [one["refuted_training_rows"] for one in result.facts["rounds"]]
    assert min(told) == after
    scope = result.facts["individual"]["train"]
    assert scope == {"rows": 600, "proved_before": 600 - before, "proved_after": 600 - after}


def test_rounds_end_when_no_training_row_is_refuted_or_when_they_are_over(task):
    rounds = repair(task, SPREAD, SpreadParams(strength=5.0, epochs=10, rounds=6)).facts["rounds"]
    assert len(rounds) == 6 or rounds[-1]["refuted_training_rows"] == 0
    assert all(one["refuted_training_rows"] > 0 for one in rounds[:-1])


def test_the_epochs_of_all_rounds_are_counted_through(task):
    result = repair(task, SPREAD, SpreadParams(strength=0.01, epochs=2, rounds=2))
    assert [point["epoch"] for point in result.trace] == [1, 2, 3, 4]


def test_strength_0_is_plain_training_of_the_same_length_and_one_round(task):
    result = repair(task, SPREAD, SpreadParams(strength=0.0, epochs=1, rounds=3))
    assert len(result.facts["rounds"]) == 1
    plain = repair(task, PLAIN_RETRAINING, PlainRetrainingParams(epochs=1, keep="last"))
    assert [p["train_loss"] for p in result.trace] == pytest.approx([p["train_loss"] for p in plain.trace], abs=1e-2)


def test_a_sweep_gives_one_result_per_strength_that_equals_the_repair_alone(task):
    params = SpreadParams(epochs=3, rounds=2)
    found = repair_front(task, SPREAD, params, strengths=(0.0, 1.0, 10.0))
    assert [one.classifier.record.recipe["strength"] for one in found] == [0.0, 1.0, 10.0]
    alone = repair(task, SPREAD, SpreadParams(epochs=3, rounds=2, strength=10.0))
    assert np.allclose(weights(found[2].classifier.network), weights(alone.classifier.network), atol=1e-5)


def test_a_window_of_a_real_valued_column_is_refused(task):
    with pytest.raises(SettingError, match="real-valued"):
        repair(task, SPREAD, SpreadParams(within="merit=0.1"))
