"""What repairs for individuals share: who is similar, which rows are proved, flips and gates."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.experiments import methods_of
from fairneuron_core.models import decide
from fairneuron_core.repair import REPAIRS
from fairneuron_core.repair.gates import GateSettings, flips, gate_facts
from fairneuron_core.repair.individual import IndividualSettings, cannot_see, freedom_of, proved_rows, space_of
from fairneuron_core.types import DecisionRule, VoteRule
from tests.repair.individual_task import biased_task, hand_network, people, task_of, turned

GROUP_METHODS = 15


@pytest.fixture(scope="module")
def task():
    return biased_task()


def test_without_names_the_audited_attribute_is_free(task):
    assert freedom_of(task, IndividualSettings()).protected == ("sex",)
    named = freedom_of(task, IndividualSettings(attributes="sex, race", within="merit=0.1, age = 2"))
    assert (named.protected, dict(named.within)) == (("sex", "race"), {"merit": 0.1, "age": 2.0})


def test_a_small_difference_without_a_number_is_refused(task):
    with pytest.raises(SettingError, match="column=number"):
        freedom_of(task, IndividualSettings(within="merit"))


def test_a_task_without_domains_is_refused(task):
    with pytest.raises(SettingError, match="domains"):
        space_of(replace(task, schema=None), IndividualSettings())


def test_proved_rows_are_those_that_two_forward_passes_agree_on(task):
    rows = task.train.features
    expected = decide(task.classifier, rows) == decide(task.classifier, turned(rows))
    assert np.array_equal(proved_rows(task.classifier, space_of(task, IndividualSettings()), rows), expected)


def test_a_real_valued_window_cannot_be_tried(task):
    assert proved_rows(task.classifier, space_of(task, IndividualSettings(within="merit=0.1")), np.eye(3)) is None


def test_a_vote_sees_only_what_it_does_not_vote_over(task):
    space = space_of(task, IndividualSettings())
    voted = replace(task.classifier, rule=VoteRule(("sex",), (1, 2), ((1.0, 0.0), (0.0, 1.0))))
    half = replace(task.classifier, rule=VoteRule(("sex",), (1,), ((1.0,), (0.0,))))
    by_group = replace(task.classifier, rule=DecisionRule("sex", {}))
    assert cannot_see(voted, space)
    assert not any(cannot_see(c, space) for c in (half, by_group, task.classifier))


def small_task():
    merit, sex = np.array([0.1, 0.3, 0.45, 0.6, 0.7, 0.9] * 20), np.array([0, 1, 0, 1, 0, 1] * 20)
    rows = people(merit, sex, merit + 0.3 * sex > 0.5)
    return task_of(hand_network(), rows, rows)


def test_flips_are_counted_by_group_and_direction():
    # Without the men's bonus the man of merit 0.3 falls below 0.5; with 0.1 more for all the woman of 0.45 rises.
    task = small_task()
    after = replace(task.classifier, network=hand_network(man=0.0, bias=-0.4))
    assert flips(task, after) == [
        {"group": "F", "n": 60, "to_favourable": 20, "to_unfavourable": 0},
        {"group": "M", "n": 60, "to_favourable": 0, "to_unfavourable": 20},
    ]


def test_a_constant_is_marked_however_fair_it_is_to_individuals():
    task = small_task()
    for bias in (-9.0, 9.0):
        after = replace(task.classifier, network=hand_network(merit=0.0, man=0.0, bias=bias))
        facts = gate_facts(task, after, GateSettings(accuracy_lost=1.0, favourable_kept=0.0))
        assert not facts["passed"]
        assert "All 120 rows get" in facts["reasons"][0]


def test_lost_accuracy_and_lost_favourable_decisions_are_marked_with_their_figures():
    task = small_task()
    after = replace(task.classifier, network=hand_network(man=0.0, bias=-0.8))
    facts = gate_facts(task, after, GateSettings())
    assert not facts["passed"]
    assert "It loses 50.0 points of accuracy on validation rows, more than 3." in facts["reasons"]
    assert "It decides favourably for 16.7 % of the validation rows, the given network for 66.7 %." in facts["reasons"]


def test_the_given_network_passes_its_own_gates():
    task = small_task()
    facts = gate_facts(task, task.classifier, GateSettings())
    assert (facts["passed"], facts["reasons"]) == (True, [])


def test_methods_for_individuals_take_part_in_an_experiment_only_when_named():
    individual = {name for name, row in REPAIRS.items() if row.individual}
    assert individual == {"blind", "majority_vote", "spread", "exact_last_layer", "prof"}
    every = methods_of("all")
    assert len(every.names) + len(every.left_out) == GROUP_METHODS
    assert not individual & set(every.names)
    assert "blind" in methods_of("blind").names
