"""Reject option classification: a threshold per group, and a margin chosen on validation."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.metrics import audit
from fairneuron_core.models import decide, decisions, read_model, scores, to_safetensors
from fairneuron_core.repair import repair, repair_front
from fairneuron_core.repair.reject_option import REJECT_OPTION, RejectOptionParams, disadvantaged_groups
from tests.repair.merit_task import accuracy, gap, merit_batch, merit_task


@pytest.fixture(scope="module")
def task():
    return merit_task()


def test_the_group_with_fewer_favourable_labels_is_the_disadvantaged_one():
    labels, codes = np.array([1, 0, 0, 0, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert disadvantaged_groups(labels, codes, ["F", "M", "nobody"]) == ("F",)


def test_of_many_groups_all_below_the_overall_rate_are_disadvantaged():
    labels, codes = np.array([0, 0, 1, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    assert disadvantaged_groups(labels, codes, ["a", "b", "c"]) == ("a",)


def test_inside_the_margin_the_group_decides_and_outside_nothing_changes(task):
    found = repair(task, REJECT_OPTION, RejectOptionParams(strength=0.2)).classifier
    test = merit_batch(400, seed=5)
    scored, women = scores(task.classifier, test.features), test.codes("sex") == 0
    unsure = np.abs(scored - 0.5) < 0.2
    expected = np.where(unsure, women, scored >= 0.5)
    assert np.array_equal(decisions(found, test), expected)
    assert 0 < unsure.mean() < 1


def test_margin_zero_decides_like_the_given_network(task):
    found = repair(task, REJECT_OPTION, RejectOptionParams(strength=0.0)).classifier
    assert np.array_equal(decisions(found, task.train), decide(task.classifier, task.train.features))


def test_the_region_lies_around_the_network_s_own_threshold():
    task = merit_task(threshold=0.3)
    rule = repair(task, REJECT_OPTION, RejectOptionParams(strength=0.1)).classifier.rule
    assert rule.groups["F"][0][1] == pytest.approx(0.2)
    assert rule.groups["M"][0][1] == pytest.approx(0.4)


def test_a_wide_margin_never_leaves_the_thresholds_of_a_rule():
    task = merit_task(threshold=0.3)
    rule = repair(task, REJECT_OPTION, RejectOptionParams(strength=0.5)).classifier.rule
    assert rule.groups["F"][0][1] == 0.0


def test_without_a_margin_the_best_gap_within_the_budget_is_chosen_on_validation(task):
    params = RejectOptionParams(accuracy_budget=0.02)
    result = repair(task, REJECT_OPTION, params)
    rows, own = task.validation, decide(task.classifier, task.validation.features)
    chosen = decisions(result.classifier, rows)
    assert accuracy(rows, chosen) >= accuracy(rows, own) - 0.02
    assert gap(rows, chosen) < gap(rows, own)
    sweep = [r.classifier for r in repair_front(task, REJECT_OPTION, params, strengths=np.arange(0, 0.51, 0.01))]
    allowed = [decisions(c, rows) for c in sweep]
    allowed = [d for d in allowed if accuracy(rows, d) >= accuracy(rows, own) - 0.02]
    assert gap(rows, chosen) == pytest.approx(min(gap(rows, d) for d in allowed))
    assert f"margin {result.facts['margin']:g}" in result.facts["setting"]
    assert result.classifier.record.recipe["strength"] == result.facts["margin"]


def test_without_a_budget_nothing_may_be_lost(task):
    result = repair(task, REJECT_OPTION, RejectOptionParams(accuracy_budget=0.0))
    rows = task.validation
    lost = accuracy(rows, decide(task.classifier, rows.features)) - accuracy(rows, decisions(result.classifier, rows))
    assert lost <= 0


def test_equal_base_rates_leave_every_decision_as_it_was(task):
    rows = task.train
    even = replace(rows, labels=np.tile([0, 0, 1, 1], len(rows.labels) // 4).astype(np.uint8))
    result = repair(replace(task, train=even), REJECT_OPTION, RejectOptionParams(strength=0.3))
    assert result.facts["disadvantaged"] == []
    assert np.array_equal(decisions(result.classifier, rows), decide(task.classifier, rows.features))


def test_the_repaired_network_is_a_file_that_remembers_its_rule(task):
    found = repair(task, REJECT_OPTION, RejectOptionParams(strength=0.2)).classifier
    again = read_model(to_safetensors(found))
    assert again.rule == found.rule
    assert again.record.made_by == "repair reject_option"
    assert np.array_equal(decisions(again, task.validation), decisions(found, task.validation))


def test_the_sweep_s_gap_shrinks_and_then_turns_over(task):
    rows = merit_batch(2000, seed=9)
    gaps = []
    for result in repair_front(task, REJECT_OPTION, RejectOptionParams()):
        decided = decisions(result.classifier, rows)
        signed = [decided[rows.codes("sex") == code].mean() for code in (0, 1)]
        gaps.append(signed[1] - signed[0])
        own = audit(rows.labels, decided, rows.codes("sex"), levels=("F", "M"), attribute="sex", reference="M").metrics[
            "demographic_parity_difference"
        ]
        assert own.estimate.value == pytest.approx(abs(gaps[-1]))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0.1
    assert gaps[-1] < 0
