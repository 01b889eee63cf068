"""Targets, penalties, frozen parameters, pulls, averages, schedules and checkpoints, against a loop in plain torch."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.errors import Cancelled
from fairneuron_core.models import TrainingPlan, build_network, train
from fairneuron_core.models.checkpoint import Checkpoint, digest
from fairneuron_core.models.gap_penalty import GapPenalty
from fairneuron_core.models.layers import linear_layers

ROWS, INPUTS, SIZES = 60, 5, (5, 8, 6, 1)
GENERATOR = np.random.default_rng(7)
FEATURES = GENERATOR.normal(size=(ROWS, INPUTS)).astype(np.float32)
LABELS = (FEATURES[:, 0] + 0.3 * GENERATOR.normal(size=ROWS) > 0).astype(np.uint8)
SOFT = GENERATOR.random(ROWS)
GROUPS = (np.arange(ROWS) % 3 == 0).astype(np.int16)


def make_plan(seed: int = 3, **changes) -> TrainingPlan:
    given = {
        "start": build_network(SIZES, seed=seed),
        "features": FEATURES,
        "labels": LABELS,
        "validation": (FEATURES[:20], LABELS[:20]),
        "epochs": 5,
        "seed": seed,
        "batch_size": 6,  # 10 steps an epoch, 50 in all
        "learning_rate": 0.01,
        "keep": "last",
    }
    return TrainingPlan(**(given | changes))


def weights(network: nn.Sequential) -> np.ndarray:
    return np.concatenate([part.ravel() for layer in linear_layers(network) for part in (layer.weight, layer.bias)])


def plain_torch(plan: TrainingPlan, *, gap: bool = False) -> np.ndarray:
    """The same training as a loop that anybody would write, with automatic differentiation."""
    network = build_network(SIZES, seed=plan.seed).double()
    start = [p.detach().clone() for p in network.parameters()]
    average = [p.detach().clone() for p in network.parameters()]
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate, betas=plan.betas)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 50) if plan.schedule == "cosine" else None
    features, groups = torch.from_numpy(FEATURES).double(), torch.from_numpy(GROUPS)
    targets = torch.from_numpy(SOFT if plan.targets is not None else LABELS.astype(float))
    steps = 0
    for epoch in range(1, plan.epochs + 1):
        order = np.random.default_rng([plan.seed, epoch]).permutation(ROWS)
        for first in range(0, ROWS, plan.batch_size):
            rows = torch.from_numpy(order[first : first + plan.batch_size])
            logits = network(features[rows])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(logits, targets[rows])
            if gap:
                own = torch.sigmoid(logits)[groups[rows] == 1]
                other = torch.sigmoid(logits)[groups[rows] == 0]
                if len(own) and len(other):
                    loss = loss + plan.penalty.strength * (own.mean() - other.mean()).abs()
            for parameter, given in zip(network.parameters(), start, strict=True):
                loss = loss + plan.proximal / 2 * ((parameter - given) ** 2).sum()
            optimiser.zero_grad()
            loss.backward()
            if plan.trainable is not None:
                for parameter, mask in zip(network.parameters(), plan.trainable, strict=True):
                    parameter.grad *= torch.from_numpy(mask)
            optimiser.step()
            if schedule:
                schedule.step()
            steps += 1
            decay = min(plan.ema, (1 + steps) / (10 + steps))
            for mean, parameter in zip(average, network.parameters(), strict=True):
                mean.mul_(decay).add_(parameter.detach(), alpha=1 - decay)
    return np.concatenate([mean.numpy().ravel() for mean in average])


def test_soft_targets_replace_the_labels_in_the_loss():
    plan = make_plan(targets=SOFT)
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan), atol=1e-6)


def test_the_pull_to_the_start_is_half_the_squared_distance():
    plan = make_plan(proximal=0.5)
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan), atol=1e-6)


def test_frozen_parameters_keep_their_values_and_the_others_learn_as_in_plain_torch():
    masks = tuple(np.ones(p.shape, bool) for p in build_network(SIZES, seed=3).parameters())
    masks[0][2:] = False  # all but two neurons of the first hidden layer
    masks[1][2:] = False
    plan = make_plan(trainable=masks)
    found = train([plan], dtype=torch.float64)[0].network
    assert np.allclose(weights(found), plain_torch(plan), atol=1e-6)
    before, after = linear_layers(plan.start)[0].weight, linear_layers(found)[0].weight
    assert np.array_equal(before[2:], after[2:])
    assert not np.allclose(before[:2], after[:2])


def test_averaged_weights_are_what_is_kept():
    plan = make_plan(ema=0.9)
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan), atol=1e-6)


def test_the_cosine_schedule_is_torchs():
    plan = make_plan(schedule="cosine")
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan), atol=1e-6)


def test_a_gap_penalty_without_memory_is_the_gap_of_the_minibatch():
    # 30 rows of 60: both groups are in every minibatch.
    plan = make_plan(penalty=GapPenalty(GROUPS, strength=0.7, memory=0.0), batch_size=30)
    assert np.allclose(weights(train([plan], dtype=torch.float64)[0].network), plain_torch(plan, gap=True), atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
def test_the_written_out_backward_pass_knows_every_activation(activation):
    start = build_network(SIZES, activation=activation, seed=1)
    rows = np.ones(ROWS, bool)
    plan = make_plan(1, start=start, epochs=1, batch_size=ROWS, dropout=0.5, dropout_rows=rows, learning_rate=1e-3)
    found = weights(train([plan], dtype=torch.float64)[0].network) - weights(start)
    # Adam's first step is learning rate times the SIGN of the gradient: compare with automatic differentiation.
    muted = make_plan(1, start=start, epochs=1, batch_size=ROWS, learning_rate=1e-3)
    plain = weights(train([muted], dtype=torch.float64)[0].network) - weights(start)
    network = build_network(SIZES, activation=activation, seed=1).double()
    logits = network(torch.from_numpy(FEATURES).double())[:, 0]
    nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(LABELS).double()).backward()
    slopes = np.concatenate([p.grad.numpy().ravel() for p in network.parameters()])
    clear = np.abs(slopes) > 1e-6
    assert np.array_equal(np.sign(plain[clear]), -np.sign(slopes[clear]))
    assert not np.allclose(found, plain)


def test_models_with_different_options_do_not_meet():
    masks = tuple(np.ones(p.shape, bool) for p in build_network(SIZES).parameters())
    masks[0][:4] = False
    plans = [
        make_plan(0, penalty=GapPenalty(GROUPS, 0.0), targets=SOFT),
        make_plan(1, penalty=GapPenalty(GROUPS, 2.0, gap="equalized_odds"), ema=0.9, proximal=0.1),
        make_plan(2, penalty=GapPenalty(GROUPS, 1.0, gap="equal_opportunity"), trainable=masks, schedule="cosine"),
    ]
    together = train(plans, dtype=torch.float64)
    for plan, result in zip(plans, together, strict=True):
        alone = train([plan], dtype=torch.float64)[0]
        assert np.allclose(weights(result.network), weights(alone.network), atol=1e-8)


def test_best_epoch_follows_the_given_criterion():
    chosen = []

    def criterion(scores: np.ndarray) -> float:
        chosen.append(float(scores.mean()))
        return chosen[-1]

    result = train([make_plan(keep="best", criterion=criterion)])[0]
    assert result.best_epoch == int(np.argmin(chosen)) + 1


def killed_after(epochs: int):
    def progress(report):
        if report.point and report.point["epoch"] == epochs:
            raise Cancelled

    return progress


def test_a_killed_training_resumes_with_the_same_result(tmp_path):
    rows = np.arange(ROWS) % 2 == 0
    plans = [
        make_plan(0, dropout=0.4, dropout_rows=rows, ema=0.9, keep="best"),
        make_plan(1, dropout=0.2, dropout_rows=rows, plateau_patience=0, keep="best"),
    ]
    expected = train(plans)
    with pytest.raises(Cancelled):
        train(plans, checkpoint=Checkpoint(tmp_path, seconds=0), progress=killed_after(3))
    assert len(list(tmp_path.iterdir())) == 1
    epochs = []
    resumed = train(
        plans,
        checkpoint=Checkpoint(tmp_path, seconds=0),
        progress=lambda p: epochs.append(p.point["epoch"]) if p.point else None,
    )
    assert epochs == [4, 5]
    for one, other in zip(expected, resumed, strict=True):
        assert np.array_equal(weights(one.network), weights(other.network))
        assert one.trace == other.trace
        assert one.best_epoch == other.best_epoch
    assert not list(tmp_path.iterdir())


def test_a_damaged_checkpoint_is_as_good_as_none(tmp_path):
    plan = make_plan()
    with pytest.raises(Cancelled):
        train([plan], checkpoint=Checkpoint(tmp_path, seconds=0), progress=killed_after(2))
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    again = train([plan], checkpoint=Checkpoint(tmp_path, seconds=0))[0]
    assert np.array_equal(weights(again.network), weights(train([plan])[0].network))


def test_a_checkpoint_belongs_to_equal_plans_only():
    changes = [
        {"learning_rate": 0.02},
        {"targets": SOFT},
        {"penalty": GapPenalty(GROUPS, 1.0)},
        {"labels": 1 - LABELS},
        {"start": build_network(SIZES, seed=9)},
    ]
    names = {digest([dataclasses.replace(make_plan(), **change)]) for change in [{}, *changes]}
    assert len(names) == 6
    assert digest([make_plan()]) == digest([make_plan()])
