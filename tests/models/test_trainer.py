"""The batched trainer gives every model what training it alone gives, and what plain torch gives."""

import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.models import TrainingPlan, build_network, train
from fairneuron_core.models.layers import linear_layers

ROWS, INPUTS = 60, 5


def make_plan(seed: int, **changes) -> TrainingPlan:
    generator = np.random.default_rng(7)
    features = generator.normal(size=(ROWS, INPUTS)).astype(np.float32)
    labels = (features[:, 0] + 0.3 * generator.normal(size=ROWS) > 0).astype(np.uint8)
    given = {
        "start": build_network((INPUTS, 8, 6, 1), seed=seed),
        "features": features,
        "labels": labels,
        "validation": (features[:20], labels[:20]),
        "epochs": 4,
        "seed": seed,
        "batch_size": 16,
        "learning_rate": 0.01,
        "keep": "last",
    }
    return TrainingPlan(**(given | changes))


def weights(network: nn.Sequential) -> np.ndarray:
    return np.concatenate([part.ravel() for layer in linear_layers(network) for part in (layer.weight, layer.bias)])


def plain_torch(plan: TrainingPlan) -> np.ndarray:
    """The same training as a loop that anybody would write: torch's modules, loss and Adam."""
    network = build_network((INPUTS, 8, 6, 1), seed=plan.seed).double().train()
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate, betas=plan.betas)
    features, labels = torch.from_numpy(plan.features).double(), torch.from_numpy(plan.labels).double()
    row_weights = torch.ones(ROWS).double() if plan.row_weights is None else torch.from_numpy(plan.row_weights)
    for epoch in range(1, plan.epochs + 1):
        order = np.random.default_rng([plan.seed, epoch]).permutation(ROWS)
        for first in range(0, ROWS, plan.batch_size):
            rows = order[first : first + plan.batch_size]
            loss = nn.functional.binary_cross_entropy_with_logits(
                network(features[rows])[:, 0], labels[rows], weight=row_weights[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return weights(network)


def test_training_equals_a_plain_torch_loop():
    plan = make_plan(3)
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan), atol=1e-6)


def test_row_weights_equal_a_plain_torch_loop_with_weighted_loss():
    plan = make_plan(3, row_weights=np.linspace(0.5, 1.5, ROWS))
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan), atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_training_together_equals_training_alone(dropout):
    rows = np.arange(ROWS) % 3 == 0
    plans = [
        make_plan(seed, dropout=dropout, dropout_rows=rows, learning_rate=rate, epochs=epochs, keep="best")
        for seed, rate, epochs in ((0, 0.01, 4), (1, 0.003, 6), (2, 0.03, 2))
    ]
    together = train(plans, dtype=torch.float64)
    for plan, result in zip(plans, together, strict=True):
        alone = train([plan], dtype=torch.float64)[0]
        assert np.allclose(weights(result.network), weights(alone.network), atol=1e-8)
        assert result.best_epoch == alone.best_epoch
        assert len(result.trace) == len(alone.trace) <= plan.epochs


def test_dropout_without_conflict_rows_equals_no_dropout():
    nobody = make_plan(1, dropout=0.5, dropout_rows=np.zeros(ROWS, bool))
    assert np.array_equal(weights(train([nobody])[0].network), weights(train([make_plan(1)])[0].network))


def test_a_neuron_that_may_not_be_muted_never_is():
    # Only neuron 0 of the first hidden layer may be muted, and its outgoing weights are 0: muting it changes nothing.
    start = build_network((INPUTS, 8, 6, 1), seed=5)
    with torch.no_grad():
        start[2].weight[:, 0] = 0
    mutable = np.zeros((ROWS, 14), bool)
    mutable[:, 0] = True
    rows = np.ones(ROWS, bool)
    settings = {"start": start, "epochs": 1, "batch_size": ROWS}
    muted = train([make_plan(5, dropout=0.5, dropout_rows=rows, mutable=mutable, **settings)])[0]
    plain = train([make_plan(5, **settings)])[0]
    assert np.isclose(muted.trace[0]["train_loss"], plain.trace[0]["train_loss"])
    everywhere = train([make_plan(5, dropout=0.5, dropout_rows=rows, **settings)])[0]
    assert not np.isclose(everywhere.trace[0]["train_loss"], plain.trace[0]["train_loss"])


def test_the_starting_network_is_left_as_it_was():
    plan = make_plan(2)
    before = weights(plan.start)
    train([plan])
    assert np.array_equal(weights(plan.start), before)


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train([make_plan(0, dropout=0.3, dropout_rows=np.ones(ROWS, bool))])
    assert torch.equal(torch.rand(3), expected)


def test_early_stopping_keeps_the_epoch_with_the_lowest_validation_loss():
    labels = make_plan(0).labels
    against = make_plan(0, keep="best", epochs=30, stop_patience=2)
    # Validation labels turned around: the loss there rises from the start.
    plan = make_plan(0, keep="best", epochs=30, stop_patience=2, validation=(against.features[:20], 1 - labels[:20]))
    result = train([plan])[0]
    losses = [point["validation_loss"] for point in result.trace]
    assert len(losses) == result.best_epoch + 3
    assert result.best_epoch == int(np.argmin(losses)) + 1


def test_cancelling_in_the_middle_of_an_epoch_stops_the_training():
    calls = []

    def cancel(progress):
        calls.append(progress.share)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        train([make_plan(0)], progress=cancel)
    assert len(calls) == 3


def test_a_training_that_diverges_is_one_sentence_instead_of_a_network_of_nan():
    hopeless = make_plan(0, features=np.full((ROWS, INPUTS), np.inf, np.float32))
    with pytest.raises(SettingError, match="diverged"):
        train([hopeless])


def test_plans_of_two_architectures_train_in_one_call_and_keep_their_order():
    plans = [make_plan(0), make_plan(0, start=build_network((INPUTS, 4, 1))), make_plan(1)]
    together = train(plans)
    for plan, result in zip(plans, together, strict=True):
        assert np.allclose(weights(result.network), weights(train([plan])[0].network), atol=1e-6)


@pytest.mark.parametrize("wrong", [{"dropout": 1.0}, {"epochs": 0}, {"learning_rate": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        make_plan(0, **wrong)
