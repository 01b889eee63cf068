"""The adversary's two sides learn from one gradient, as written in plain torch; thresholds per group line up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairneuron_core.metrics import audit
from fairneuron_core.models import TrainingPlan, build_network, decisions, logits, train
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.repair import repair_front
from fairneuron_core.repair.adversary import SPEED, WIDTH, Adversary
from fairneuron_core.repair.fad import FAD, FadParams, aligned_rule, threshold_for_rate
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord

GROUPS = np.array([0, 1, 2, 1, 0, 2])
ROWS = torch.tensor([[0, 1, 2, 3], [5, 4, 3, 1]])


@pytest.fixture
def term():
    penalties = [Adversary(GROUPS, 3, 0.5), Adversary(GROUPS, 3, 2.0)]
    return Adversary.term(penalties, hidden=5, device="cpu", dtype=torch.float64, seeds=[7, 8])


def plain_loss(term, hidden: torch.Tensor, k: int) -> torch.Tensor:
    """The head of model k as torch's own modules; centre and scale are constants."""
    first, first_bias, second, second_bias = (p.detach()[k] * SPEED for p in term.parameters)
    head = nn.Sequential(nn.Linear(5, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3)).double()
    for linear, weight, bias in ((head[0], first, first_bias), (head[2], second, second_bias)):
        linear.weight.data, linear.bias.data = weight.T.clone(), bias[0].clone()
    centre, scale = hidden.detach().mean(0), hidden.detach().std(correction=0) + 1e-3
    return F.cross_entropy(head((hidden - centre) / scale), torch.from_numpy(GROUPS)[ROWS[k]]), head


def test_the_network_gets_the_reversed_gradient_times_strength_and_the_head_its_own(term):
    hidden = torch.randn(2, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = term(torch.zeros(2, 4), hidden, torch.zeros(2, 4), ROWS)
    on_hidden, *own = torch.autograd.grad(value.sum(), [hidden, *term.parameters])
    for k, strength in enumerate((0.5, 2.0)):
        mine = hidden.detach()[k].requires_grad_(True)
        loss, head = plain_loss(term, mine, k)
        loss.backward()
        assert value[k].item() == pytest.approx(loss.item())
        assert torch.allclose(on_hidden[k], -strength * mine.grad)
        assert torch.allclose(own[0][k], SPEED * head[0].weight.grad.T)
        assert torch.allclose(own[3][k, 0], SPEED * head[2].bias.grad)


def test_the_head_of_a_model_starts_from_its_own_seed(term):
    alone = Adversary.term([Adversary(GROUPS, 3, 2.0)], hidden=5, device="cpu", dtype=torch.float64, seeds=[8])
    assert all(torch.equal(a[1], b[0]) for a, b in zip(term.parameters, alone.parameters, strict=True))
    assert not torch.equal(term.parameters[0][0], term.parameters[0][1])


def trained_apart(strength: float | None, *, rows: int = 400, seed: int = 0):
    """Input 0 is the group, input 1 decides the label; the start network answers by both."""
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, 2, rows)
    features = np.column_stack([groups, generator.random(rows)]).astype(np.float32)
    labels = (0.5 * groups + features[:, 1] > 0.75).astype(np.uint8)
    penalty = None if strength is None else Adversary(groups, 2, strength)
    plan = TrainingPlan(
        start=build_network((2, 8, 1), seed=1),
        features=features,
        labels=labels,
        validation=(features, labels),
        epochs=30,
        seed=0,
        learning_rate=1e-2,
        batch_size=50,
        schedule="cosine",
        keep="last",
        penalty=penalty,
    )
    return train([plan])[0].network, features, groups


def test_strength_zero_is_training_without_an_adversary():
    with_adversary, without = trained_apart(0.0)[0], trained_apart(None)[0]
    for a, b in zip(linear_layers(with_adversary), linear_layers(without), strict=True):
        assert np.array_equal(a.weight, b.weight)


def test_an_adversary_brings_the_scores_of_two_groups_together():
    def gap(strength: float) -> float:
        network, features, groups = trained_apart(strength)
        with torch.inference_mode():
            scored = torch.sigmoid(network(torch.from_numpy(features)))[:, 0].numpy()
        return abs(float(scored[groups == 1].mean() - scored[groups == 0].mean()))

    assert gap(3.0) < 0.5 * gap(0.0)


def test_an_adversary_with_one_group_to_guess_cannot_win_and_changes_nothing():
    """With a single level the cross-entropy is 0 whatever the head says."""
    one = Adversary.term([Adversary(np.zeros(6, int), 1, 10.0)], hidden=5, device="cpu", dtype=torch.float64, seeds=[0])
    hidden = torch.randn(1, 4, 5, dtype=torch.float64, requires_grad=True)
    value = one(torch.zeros(1, 4), hidden, torch.zeros(1, 4), ROWS[:1])
    assert value.item() == 0
    assert not torch.autograd.grad(value.sum(), hidden)[0].any()


def small_batch(rows: int = 200, seed: int = 0) -> Batch:
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 2, rows)
    features = np.column_stack([codes, generator.random(rows)]).astype(np.float32)
    labels = (0.4 * codes + features[:, 1] > 0.7).astype(np.uint8)
    return Batch(features, labels, codes[:, None].astype(np.int16), ("sex",), (("f", "m"),), np.arange(rows))


@pytest.fixture
def task() -> RepairTask:
    """A two-input classifier whose scores lean to group m."""
    network = build_network((2, 6, 1), seed=3)
    encoder = Encoder((EncodedColumn("sex", "numeric"), EncodedColumn("x", "numeric")))
    classifier = Classifier(network, encoder, 0.5, ModelRecord("small", "0", "test"), ())
    return RepairTask(classifier, small_batch(), small_batch(seed=1), "sex", "m", seed=0)


def test_a_sweep_gives_one_network_per_strength_that_remembers_its_own(task):
    found = repair_front(task, FAD, FadParams(epochs=2), strengths=(0.0, 3.0))
    assert [one.classifier.record.recipe["strength"] for one in found] == [0.0, 3.0]
    first, second = (linear_layers(one.classifier.network)[0].weight for one in found)
    assert not np.array_equal(first, second)
    assert all(one.classifier.rule is None and len(one.trace) == 2 for one in found)


def test_a_threshold_per_group_reads_the_group_and_levels_the_true_positive_rates(task):
    plain, aligned = (
        repair_front(task, FAD, FadParams(epochs=8, learning_rate=0.02, align=align), strengths=(0.0,))[0].classifier
        for align in (False, True)
    )
    assert aligned.rule.attribute == "sex"
    batch = task.validation

    def gap(classifier) -> float:
        found = audit(
            batch.labels,
            decisions(classifier, batch),
            batch.codes("sex"),
            levels=("f", "m"),
            attribute="sex",
            reference="m",
        )
        return found.metrics["equal_opportunity_difference"].estimate.value

    assert np.array_equal(logits(plain, batch.features), logits(aligned, batch.features))
    assert gap(aligned) <= 0.05 < gap(plain)


def test_a_group_without_a_favourable_label_keeps_its_threshold(task):
    validation = replace(task.validation, labels=np.where(task.validation.codes("sex") == 0, 0, task.validation.labels))
    rule = aligned_rule(replace(task, validation=validation), task.classifier)
    assert set(rule.groups) == {"m"}


def test_rate_zero_is_a_threshold_that_no_score_reaches():
    scored = np.array([0.3, 0.9, 1.0])
    assert not (scored >= threshold_for_rate(scored, 0.0)).any()
    assert (scored >= threshold_for_rate(scored, 1.0)).all()
