"""The rule behind the soft targets is the best that brute force finds; mixtures are rows that an encoder could make."""

import itertools

import numpy as np
import pytest

from fairneuron_core.models import build_network
from fairneuron_core.repair.conflict_neurons import chosen_neurons, movable_parameters, neuron_slopes
from fairneuron_core.repair.fair_targets import Guide, fair_targets, fit_guide, multipliers
from fairneuron_core.repair.mixtures import mixed_rows
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.repair.teachers import Teacher, as_columns, fit_teacher
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord

KINDS = 6
LETTERS = tuple("abcdef")
ENCODER = Encoder((EncodedColumn("kind", "category", LETTERS),))
# Of every kind: rows, favourable labels, rows of group 1.
TABLE = ((40, 36, 4), (30, 21, 6), (50, 28, 15), (30, 13, 20), (40, 12, 30), (30, 3, 25))


def make_task() -> RepairTask:
    kinds, labels, groups = [], [], []
    for kind, (n, favourable, ones) in enumerate(TABLE):
        kinds += [kind] * n
        labels += [1] * favourable + [0] * (n - favourable)
        # Labels and groups are independent inside a kind, as nearly as whole numbers allow.
        groups += [int((place * 7) % n < ones) for place in range(n)]
    features = np.eye(KINDS, dtype=np.float32)[kinds]
    batch = Batch(
        features,
        np.array(labels, np.uint8),
        np.array(groups, np.int16)[:, None],
        ("sex",),
        (("m", "f"),),
        np.arange(len(kinds)),
    )
    network = build_network((KINDS, 4, 1), seed=0)
    classifier = Classifier(network, ENCODER, 0.5, ModelRecord("toy", "", "train"), ())
    return RepairTask(classifier, batch, batch, "sex", "m", seed=0)


def exact_guide(task: RepairTask) -> Guide:
    """Teachers that know the shares of the table instead of estimating them."""
    kinds = task.train.features.argmax(1)
    label = np.array([[1 - f / n, f / n] for n, f, _ in TABLE])[kinds]
    group = np.array(
        [[1 - task.train.groups[kinds == k].mean(), task.train.groups[kinds == k].mean()] for k in range(KINDS)]
    )
    codes = task.train.codes("sex")
    decisions = label[:, 1] >= 0.5
    rates = np.array([decisions[codes == g].mean() for g in (0, 1)]) - decisions.mean()
    present = np.arange(2)
    teachers = {None: Teacher(ENCODER, group[kinds], present)}
    return Guide(task, Teacher(ENCODER, label, present), teachers, {None: rates}, float(np.ptp(rates)))


def every_rule(task: RepairTask) -> list[tuple[float, float]]:
    """(share of right decisions, gap) of all 2^6 rules that look at the kind."""
    kinds, labels, codes = task.train.features.argmax(1), task.train.labels, task.train.codes("sex")
    found = []
    for chosen in itertools.product((0, 1), repeat=KINDS):
        decisions = np.array(chosen)[kinds]
        gap = decisions[codes == 0].mean() - decisions[codes == 1].mean()
        found.append((float((decisions == labels).mean()), float(gap)))
    return found


def test_no_rule_is_more_accurate_at_a_gap_as_small():
    task = make_task()
    guide, rules = exact_guide(task), every_rule(task)
    labels, codes = task.train.labels, task.train.codes("sex")
    checked = 0
    for multiplier in np.linspace(0, 8, 60):
        decisions = fair_targets(guide.eta(), guide.widening(), multiplier) >= 0.5
        right = float((decisions == labels).mean())
        gap = float(decisions[codes == 0].mean() - decisions[codes == 1].mean())
        if gap < 0:
            break
        assert right >= max(share for share, other in rules if other <= gap) - 1e-12
        checked += 1
    assert checked > 5


def test_strength_is_the_share_of_the_gap_that_the_rule_closes():
    task = make_task()
    guide = exact_guide(task)
    codes = task.train.codes("sex")
    none, half, most = multipliers(guide, guide.widening(), (0.0, 0.4, 0.6))
    assert none == 0 < half <= most
    for step, strength in ((half, 0.4), (most, 0.6)):
        decisions = fair_targets(guide.eta(), guide.widening(), step) >= 0.5
        gap = abs(decisions[codes == 0].mean() - decisions[codes == 1].mean())
        assert gap <= (1 - strength) * guide.gap + 1e-12


def test_targets_without_a_multiplier_are_the_teachers_probabilities():
    guide = exact_guide(make_task())
    assert np.array_equal(fair_targets(guide.eta(), guide.widening(), 0.0), guide.eta())


@pytest.mark.parametrize("gap", ["demographic_parity", "equal_opportunity", "equalized_odds"])
def test_trees_find_the_shares_of_the_table_and_its_widening_rows(gap):
    task = make_task()
    guide = fit_guide(task, gap)
    kinds = task.train.features.argmax(1)
    shares = np.array([f / n for n, f, _ in TABLE])
    assert np.abs(guide.eta() - shares[kinds]).mean() < 0.12
    # A favourable decision for the kind in which group 0 prevails widens the gap, for the other end it narrows it.
    assert guide.widening()[kinds == 0].mean() > guide.widening()[kinds == KINDS - 1].mean()


def test_a_teacher_never_judges_a_row_by_trees_grown_on_it():
    # Labels are pure chance and every row has a value of its own: only memory could tell them.
    generator = np.random.default_rng(0)
    encoder = Encoder((EncodedColumn("x", "numeric"),))
    features = np.arange(400, dtype=np.float32)[:, None] / 400
    labels = generator.integers(0, 2, 400)
    teacher = fit_teacher(encoder, features, labels, classes=2, seed=0)
    assert abs(((teacher.own[:, 1] > 0.5) == labels).mean() - 0.5) < 0.1
    assert np.allclose(teacher.own.sum(1), 1)


def test_a_group_that_is_never_there_has_probability_zero():
    teacher = fit_teacher(ENCODER, make_task().train.features, np.arange(220) % 2 * 2, classes=4, seed=0)
    assert np.all(teacher.own[:, [1, 3]] == 0)
    assert np.allclose(teacher(np.eye(KINDS, dtype=np.float32)).sum(1), 1)


def test_one_hot_blocks_become_one_column_of_codes():
    encoder = Encoder((EncodedColumn("x", "numeric"), EncodedColumn("k", "category", ("a", "b"))))
    columns, categorical = as_columns(encoder, np.array([[0.5, 0, 1], [0.2, 0, 0]], np.float32))
    assert columns[0].tolist() == [0.5, 1.0]
    assert np.isnan(columns[1, 1])
    assert categorical.tolist() == [False, True]


def test_mixtures_take_whole_columns_from_real_rows():
    encoder = Encoder((EncodedColumn("x", "numeric"), EncodedColumn("k", "category", ("a", "b", "c"))))
    generator = np.random.default_rng(1)
    features = np.column_stack([generator.random(50), np.eye(3)[generator.integers(0, 3, 50)]]).astype(np.float32)
    mixed = mixed_rows(encoder, features, times=3, seed=5)
    assert mixed.shape == (150, 4)
    assert np.array_equal(mixed[:, 1:].sum(1), np.ones(150))
    assert set(mixed[:, 0].tolist()) <= set(features[:, 0].tolist())
    assert 0.15 < (mixed[:, 0] != np.tile(features, (3, 1))[:, 0]).mean() < 0.45
    assert np.array_equal(mixed, mixed_rows(encoder, features, times=3, seed=5))


def test_the_slopes_of_a_neuron_are_those_of_finite_differences():
    import torch

    task = make_task()
    on_accuracy, on_gap = neuron_slopes(task, "demographic_parity")

    def losses(neuron: int, gate: float) -> tuple[float, float]:
        network = build_network((KINDS, 4, 1), seed=0).double()
        with torch.no_grad():
            network[2].weight[:, neuron] *= gate
            logits = network(torch.from_numpy(task.train.features).double())[:, 0].numpy()
        soft = 1 / (1 + np.exp(-logits))
        codes = task.train.codes("sex")
        y = task.train.labels
        entropy = -np.mean(y * np.log(soft) + (1 - y) * np.log(1 - soft))
        return entropy, abs(soft[codes == 0].mean() - soft[codes == 1].mean())

    for neuron in range(4):
        up, down = losses(neuron, 1.001), losses(neuron, 0.999)
        assert on_accuracy[neuron] == pytest.approx((up[0] - down[0]) / 0.002, abs=1e-5)
        assert on_gap[neuron] == pytest.approx((up[1] - down[1]) / 0.002, abs=1e-5)


def test_only_weights_that_touch_a_chosen_neuron_may_move():
    network = build_network((3, 2, 2, 1), seed=0)
    masks = movable_parameters(network, np.array([True, False, False, True]))
    assert masks[0].tolist() == [[True] * 3, [False] * 3]  # into neuron 0 of layer 0
    assert masks[1].tolist() == [True, False]
    assert masks[2].tolist() == [[True, False], [True, True]]  # out of neuron 0, into neuron 1
    assert masks[4].tolist() == [[False, True]]
    assert masks[5].tolist() == [True]


def test_the_share_of_neurons_is_rounded_and_at_least_one():
    slopes = (np.array([1.0, 1.0, 1.0, 1.0]), np.array([-4.0, -1.0, 3.0, 0.0]))
    assert chosen_neurons(slopes, "conflict", 0.5, seed=0).tolist() == [True, True, False, False]
    assert chosen_neurons(slopes, "fairness", 0.5, seed=0).tolist() == [True, False, True, False]
    assert chosen_neurons(slopes, "random", 0.01, seed=0).sum() == 1
