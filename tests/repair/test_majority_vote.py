"""The vote over similar individuals: counted by hand, stored in the file, and the same for all who are similar."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.models import decide, decisions, read_model, scores, to_safetensors
from fairneuron_core.repair import repair
from fairneuron_core.repair.individual import space_of
from fairneuron_core.repair.majority_vote import MAJORITY_VOTE, MajorityVoteParams, vote_over
from fairneuron_core.types import Column, Schema
from tests.repair.individual_task import SCHEMA, biased_task, hand_network, people, task_of, turned


@pytest.fixture(scope="module")
def task():
    return biased_task()


def with_levels(*levels: str) -> Schema:
    columns = (replace(SCHEMA.columns[0], levels=levels), *SCHEMA.columns[1:])
    return replace(SCHEMA, columns=columns)


def hand_task():
    rows = people(np.array([0.1, 0.3, 0.4, 0.9]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))
    return task_of(hand_network(), rows, rows)


def test_of_three_possibilities_two_decide():
    # A third level is unknown to the encoder: it reads like a woman. Women need 0.5 of merit, men 0.2.
    task = replace(hand_task(), schema=with_levels("F", "M", "X"))
    found = repair(task, MAJORITY_VOTE, MajorityVoteParams()).classifier
    assert len(found.rule.combinations) == 3
    assert decisions(found, task.train).tolist() == [0, 0, 0, 1]


def test_a_tie_is_decided_by_the_mean_score():
    task = hand_task()
    found = repair(task, MAJORITY_VOTE, MajorityVoteParams()).classifier
    merit = np.array([0.30, 0.34, 0.36, 0.4])
    rows = people(merit, np.array([0, 1, 0, 1]), np.zeros(4))
    mean = (scores(task.classifier, rows.features) + scores(task.classifier, turned(rows.features))) / 2
    assert decisions(found, rows).tolist() == (mean >= 0.5).tolist() == [False, False, True, True]


def test_weights_of_training_rows_follow_the_more_frequent_group():
    task = hand_task()
    rows = people(np.full(10, 0.3), np.array([1] * 9 + [0]), np.ones(10))
    rule = vote_over(space_of(task, MajorityVoteParams()), rows.features, weights="training rows")
    assert dict(zip(rule.combinations, rule.weights, strict=True)) == {(1.0, 0.0): 2.0, (0.0, 1.0): 10.0}
    assert decide(replace(task.classifier, rule=rule), rows.features).tolist() == [1] * 10


def test_similar_individuals_are_decided_alike_and_the_facts_say_so(task):
    result = repair(task, MAJORITY_VOTE, MajorityVoteParams())
    rows = task.validation.features
    assert np.array_equal(decide(result.classifier, rows), decide(result.classifier, turned(rows)))
    assert not np.array_equal(decide(task.classifier, rows), decide(task.classifier, turned(rows)))
    assert result.facts["individual"]["every_input"]
    assert result.facts["individual"]["validation"]["proved_after"] == len(rows)


def test_where_the_network_agrees_with_itself_nothing_changes(task):
    found = repair(task, MAJORITY_VOTE, MajorityVoteParams()).classifier
    rows = task.validation.features
    own = decide(task.classifier, rows)
    agreed = own == decide(task.classifier, turned(rows))
    assert np.array_equal(decide(found, rows)[agreed], own[agreed])


def test_the_stored_file_decides_the_same_without_a_schema(task):
    found = repair(task, MAJORITY_VOTE, MajorityVoteParams(weights="training rows")).classifier
    content = to_safetensors(found)
    again = read_model(content)
    assert again.rule == found.rule
    assert to_safetensors(again) == content
    assert np.array_equal(decisions(again, task.validation), decisions(found, task.validation))


def test_a_vote_over_a_real_valued_column_is_refused(task):
    with pytest.raises(SettingError, match="cannot be listed"):
        repair(task, MAJORITY_VOTE, MajorityVoteParams(within="merit=0.1"))


def test_a_vote_over_too_many_possibilities_is_refused(task):
    many = Column("merit", "protected", "numeric", low=0.0, high=6000.0, integer=True)
    schema = replace(SCHEMA, columns=(SCHEMA.columns[0], many, SCHEMA.columns[2]))
    with pytest.raises(SettingError, match="more than 5,000"):
        repair(replace(task, schema=schema), MAJORITY_VOTE, MajorityVoteParams(attributes="merit"))
