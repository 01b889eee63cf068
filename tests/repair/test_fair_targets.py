"""The rule behind the soft targets is the best that brute force finds; mixtures are rows that an encoder could make."""

import itertools

import numpy as np
import pytest

from fairneuron_core.models import build_network
from fairneuron_core.repair.conflict_neurons import chosen_neurons, movable_parameters, neuron_slopes
from fairneuron_core.repair.fair_rules import RuleSearch, ladder_rules, rates_in_cells
from fairneuron_core.repair.fair_targets import FairRule, Guide, fair_targets, fit_guide, largest_gap
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
    """Teachers of demographic parity that know the shares of the table instead of estimating them."""
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
        decisions = fair_targets(guide.eta(), guide.widening(), FairRule((multiplier,))) >= 0.5
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
    none, half, most = ladder_rules(guide, guide.widening(), (0.0, 0.4, 0.6))
    assert none.multipliers[0] == 0 < half.multipliers[0] <= most.multipliers[0]
    for step, strength in ((half, 0.4), (most, 0.6)):
        decisions = fair_targets(guide.eta(), guide.widening(), step) >= 0.5
        gap = abs(decisions[codes == 0].mean() - decisions[codes == 1].mean())
        assert gap <= (1 - strength) * guide.gap + 1e-12


def test_targets_without_a_multiplier_are_the_teachers_probabilities():
    guide = exact_guide(make_task())
    assert np.array_equal(fair_targets(guide.eta(), guide.widening(), FairRule((0.0,))), guide.eta())


def odds_guide(task: RepairTask) -> Guide:
    """Teachers of equalized odds that know the shares of the table: group and label are independent inside a kind."""
    parity = exact_guide(task)
    group, labels, codes = parity.groups[None].own, task.train.labels, task.train.codes("sex")
    teachers = {y: KindTeacher(ENCODER, group[labels == y], np.arange(2)) for y in (1, 0)}
    decisions = parity.eta() >= 0.5
    rates = {
        y: np.array([decisions[(labels == y) & (codes == g)].mean() for g in (0, 1)]) - decisions[labels == y].mean()
        for y in (1, 0)
    }
    return Guide(task, parity.label, teachers, rates, largest_gap(rates))


class KindTeacher(Teacher):
    """A teacher that looks the shares up by kind, also for rows it was not made from."""

    def __call__(self, features):
        shares = [task_row[2] / task_row[0] for task_row in TABLE]
        ones = np.array(shares)[features.argmax(1)]
        return np.stack([1 - ones, ones], axis=1)


def odds_gap(task: RepairTask, decisions: np.ndarray) -> float:
    labels, codes = task.train.labels, task.train.codes("sex")
    cell = {(y, g): decisions[(labels == y) & (codes == g)].mean() for y in (0, 1) for g in (0, 1)}
    return float(max(abs(cell[y, 0] - cell[y, 1]) for y in (0, 1)))


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.5, 0.7])
def test_the_rule_for_equalized_odds_meets_its_gap_and_is_as_accurate_as_brute_force_allows(strength):
    task = make_task()
    guide = odds_guide(task)
    search = RuleSearch(guide, guide.widening())
    decisions = fair_targets(guide.eta(), guide.widening(), search.rule(strength)) >= 0.5
    kinds, labels = task.train.features.argmax(1), task.train.labels
    limit = (1 - strength) * guide.gap + 1e-9
    assert odds_gap(task, decisions) <= limit
    every = (np.array(chosen, bool)[kinds] for chosen in itertools.product((0, 1), repeat=KINDS))
    best = max((rule == labels).mean() for rule in every if odds_gap(task, rule) <= limit)
    assert (decisions == labels).mean() == pytest.approx(best)


def test_a_known_deviation_of_the_network_is_taken_off_before_the_gap_is_judged():
    task = make_task()
    guide = odds_guide(task)
    search = RuleSearch(guide, guide.widening())
    decided = fair_targets(guide.eta(), guide.widening(), FairRule((0.0, 0.0))) >= 0.5
    # The network is known to undo exactly the gap of the rule without multipliers: nothing is left to close.
    rates = rates_in_cells(search.cells, decided)
    means = np.array([rates[search.conditions == c].mean() for c in search.conditions])
    kept = fair_targets(guide.eta(), guide.widening(), search.rule(0.9, means - rates)) >= 0.5
    assert np.array_equal(kept, decided)


@pytest.mark.parametrize("gap", ["demographic_parity", "equal_opportunity", "equalized_odds"])
def test_trees_find_the_shares_of_the_table_and_its_widening_rows(gap):
    task = make_task()
    guide = fit_guide(task, gap)
    kinds = task.train.features.argmax(1)
    shares = np.array([f / n for n, f, _ in TABLE])
    assert np.abs(guide.eta() - shares[kinds]).mean() < 0.12
    # A favourable decision for the kind in which group 0 prevails widens the gap, for the other end it narrows it.
    assert np.all(guide.widening()[:, kinds == 0].mean(1) > guide.widening()[:, kinds == KINDS - 1].mean(1))


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
