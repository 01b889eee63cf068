"""The last layer's programme: hand-sized networks whose smallest change is known, and time-outs that change nothing."""

from dataclasses import replace
from unittest.mock import ANY

import numpy as np
import pytest

from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.models import build_network, decide, linear_layers, logits
from fairneuron_core.repair import repair
from fairneuron_core.repair.exact_last_layer import EXACT_LAST_LAYER, ExactLastLayerParams
from fairneuron_core.repair.last_layer import last_layer_of
from fairneuron_core.repair.last_layer_milp import Forms, Problem, solve
from fairneuron_core.verify import MARGIN
from tests.repair.individual_task import biased, biased_task, hand_network, people, task_of, turned


def hand_task(merit: list[float]):
    """Women need 0.5 of merit, men 0.2; one woman per merit."""
    rows = people(np.array(merit), np.zeros(len(merit), int), np.array(merit) >= 0.4)
    return task_of(hand_network(), rows, rows)


def last(classifier) -> list[float]:
    layer = linear_layers(classifier.network)[-1]
    return [*layer.weight[0].tolist(), float(layer.bias[0])]


def test_the_smallest_change_lifts_the_bias_until_the_woman_is_decided_like_the_man():
    # Her logit is -0.1, as a man +0.2. All favourable: bias + 0.1. All unfavourable: man - 0.2. The bias is cheaper.
    found = repair(hand_task([0.05, 0.4, 0.9]), EXACT_LAST_LAYER, ExactLastLayerParams())
    assert last(found.classifier) == pytest.approx([1.0, 0.3, -0.4 + MARGIN], abs=1e-5)
    assert found.facts["rounds"][0] | {"seconds": 0} == {
        "round": 1,
        "rows": 1,
        "status": "optimal",
        "change": pytest.approx(0.1 + MARGIN, abs=1e-5),
        "refuted_training_rows": 0,
        "gates_passed": ANY,
        "seconds": 0,
    }


def test_a_benign_row_in_between_turns_the_answer_to_the_other_side():
    # The woman of merit 0.19 is refused, as a man too (-0.01). With the bias at -0.4 she would be refuted, so that the
    # weight of being a man falls by 0.09 beside it: 0.19 in all, still less than 0.2 for the other side.
    found = repair(hand_task([0.19, 0.4, 0.9]), EXACT_LAST_LAYER, ExactLastLayerParams(keep=1000.0))
    assert last(found.classifier) == pytest.approx([1.0, 0.21 - 2 * MARGIN, -0.4 + MARGIN], abs=1e-5)


def test_the_rows_that_were_solved_for_are_counted_by_themselves():
    facts = repair(hand_task([0.05, 0.4, 0.9]), EXACT_LAST_LAYER, ExactLastLayerParams()).facts["individual"]
    assert facts["repair_rows"] == {"rows": 1, "proved_before": 0, "proved_after": 1}
    assert facts["train"] == {"rows": 2, "proved_before": 2, "proved_after": 2}


def test_a_time_out_leaves_the_network_as_it_was_and_says_so():
    task = biased_task()
    found = repair(task, EXACT_LAST_LAYER, ExactLastLayerParams(seconds=0.0))
    assert found.facts["rounds"][0]["status"] == "time-out"
    assert found.facts["changed"] is False
    assert "stays as it was" in found.facts["words"]
    assert "(time-out)" in found.facts["words"]
    assert found.classifier.network is task.classifier.network


def test_a_network_without_a_refuted_row_stays_as_it_is():
    found = repair(hand_task([0.05, 0.9]), EXACT_LAST_LAYER, ExactLastLayerParams())
    assert found.facts["rounds"] == []
    assert "No training row is refuted" in found.facts["words"]


def test_of_many_rows_fewer_are_refuted_and_the_hidden_layers_stay():
    rows = biased(200, seed=3)
    task = task_of(hand_network(), rows, rows)
    params = ExactLastLayerParams(rows=30, benign=100, rounds=2, accuracy_lost=0.2, seconds=20.0)
    found = repair(task, EXACT_LAST_LAYER, params)
    before, after = (
        (decide(c, rows.features) != decide(c, turned(rows.features))).sum()
        for c in (task.classifier, found.classifier)
    )
    assert before > 40
    assert after < before / 5
    assert found.facts["gates"]["passed"]
    hidden, same = (linear_layers(c.network)[0] for c in (task.classifier, found.classifier))
    assert np.array_equal(hidden.weight, same.weight)


def test_a_round_that_fails_a_gate_is_named_and_not_taken():
    # Every change turns the decision of the one refuted person in three: more than no accuracy at all.
    task = hand_task([0.05, 0.4, 0.9])
    wrong = replace(task, validation=replace(task.validation, labels=decide(task.classifier, task.train.features)))
    found = repair(wrong, EXACT_LAST_LAYER, ExactLastLayerParams(accuracy_lost=0.0))
    assert found.facts["rounds"][0]["gates_passed"] is False
    assert found.facts["rounds"][0]["refuted_training_rows"] == 0
    assert found.facts["changed"] is False
    assert "does not fail a gate" in found.facts["words"]
    assert last(found.classifier) == last(task.classifier)


def two_rows(first: tuple[float, float], second: tuple[float, float]) -> Problem:
    """One variable, the bias; two rows with two points each whose logits are given."""
    constants = np.array([*first, *second])
    forms = Forms(np.ones((4, 1)), constants, np.array([0, 0, 1, 1]))
    one = np.ones(1)
    return Problem(forms, forms, -3 * one, 3 * one, np.eye(1), np.zeros(1), 3.0, 1e-3)


def test_each_row_takes_the_nearer_decision():
    answer = solve(two_rows((-0.1, 0.3), (-0.9, -0.5)), seconds=10)
    assert answer.status == "optimal"
    assert answer.change == pytest.approx([0.101], abs=1e-6)
    assert answer.decisions.tolist() == [1, 0]


def test_rows_that_no_bias_can_part_within_the_box_have_no_answer():
    assert solve(two_rows((-4.0, 4.0), (-4.0, 4.0)), seconds=10).status == "infeasible"


def test_two_outputs_count_as_their_difference():
    task = hand_task([0.05, 0.4, 0.9])
    classifier = replace(task.classifier, network=build_network((3, 4, 2), seed=1))
    layer = last_layer_of(classifier)
    found = layer.activations(task.train.features) @ layer.weight + layer.bias
    assert np.allclose(found, logits(classifier, task.train.features), atol=1e-6)


def test_a_network_without_a_hidden_layer_and_a_threshold_for_everybody_are_refused():
    task = hand_task([0.4])
    with pytest.raises(ModelError, match="hidden layers"):
        last_layer_of(replace(task.classifier, network=build_network((3, 1))))
    with pytest.raises(SettingError, match="threshold is 1"):
        last_layer_of(replace(task.classifier, threshold=1.0))
