"""The matched threshold: one threshold for all that selects a given share of the validation rows."""

import numpy as np
import pytest

from fairneuron_core.models import decide, decisions, scores
from fairneuron_core.repair import repair
from fairneuron_core.repair.matched_threshold import (
    MATCHED_THRESHOLD,
    MatchedThresholdParams,
    matched_threshold_result,
    matching_threshold,
)
from fairneuron_core.repair.reject_option import REJECT_OPTION, RejectOptionParams
from tests.repair.merit_task import merit_task


@pytest.fixture(scope="module")
def task():
    return merit_task()


@pytest.mark.parametrize(("rate", "selected"), [(0.0, 0), (0.2, 1), (0.25, 1), (0.5, 2), (0.6, 2), (0.7, 3), (1.0, 4)])
def test_the_threshold_selects_the_nearest_share(rate, selected):
    scored = np.array([0.8, 0.2, 0.6, 0.4])
    assert (scored >= matching_threshold(scored, rate)).sum() == selected


def test_rows_with_equal_scores_are_selected_together():
    scored = np.array([0.3, 0.5, 0.5, 0.5, 0.9])
    assert (scored >= matching_threshold(scored, 0.4)).sum() == 1
    assert (scored >= matching_threshold(scored, 0.6)).sum() == 4


def test_two_neighbouring_numbers_are_told_apart():
    scored = np.array([0.3, np.nextafter(0.3, 1)])
    assert (scored >= matching_threshold(scored, 0.5)).sum() == 1


def test_by_default_as_many_are_selected_as_training_labels_are_favourable(task):
    result = repair(task, MATCHED_THRESHOLD, MatchedThresholdParams())
    selected = decide(result.classifier, task.validation.features).mean()
    assert selected == pytest.approx(task.train.labels.mean(), abs=1 / len(task.validation.labels))
    assert result.facts["reached"] == selected
    assert result.classifier.record.recipe == {"method": "matched_threshold", "rate": float(task.train.labels.mean())}


def test_it_matches_the_positive_rate_of_a_repaired_network(task):
    repaired = repair(task, REJECT_OPTION, RejectOptionParams(strength=0.3)).classifier
    rate = float(decisions(repaired, task.validation).mean())
    control = matched_threshold_result(task, rate).classifier
    assert decide(control, task.validation.features).mean() == pytest.approx(rate, abs=1 / 300)


def test_it_leaves_the_network_and_the_order_of_people_as_they_were(task):
    found = repair(task, MATCHED_THRESHOLD, MatchedThresholdParams(rate=0.1)).classifier
    assert found.network is task.classifier.network
    assert found.rule is None
    chosen = decide(found, task.validation.features) == 1
    scored = scores(task.classifier, task.validation.features)
    assert scored[chosen].min() > scored[~chosen].max()
