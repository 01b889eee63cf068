"""fairlearn's ThresholdOptimizer, and the rule that says the same in our words."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.models import decide, decisions, read_model, scores, to_safetensors
from fairneuron_core.repair import repair, repair_front
from fairneuron_core.repair.peers.threshold_optimizer import (
    THRESHOLD_OPTIMIZER,
    FittedRows,
    ThresholdOptimizerParams,
    fit_optimizer,
    fitted_rows,
    rule_of,
)
from tests.repair.merit_task import accuracy, gap, merit_batch, merit_task

CONSTRAINTS = ("demographic_parity", "true_positive_rate_parity", "equalized_odds")


@pytest.fixture(scope="module")
def task():
    return merit_task()


def expected_decisions(rule: dict, scored: np.ndarray, codes: np.ndarray, levels: tuple[str, ...]) -> np.ndarray:
    """The probability of the favourable outcome of each row (n,), over the draw."""
    found = np.zeros(len(scored))
    for code, level in enumerate(levels):
        own = sum(share * (scored >= cut) for share, cut in rule[level])
        found = np.where(codes == code, own, found)
    return found


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("tolerance", [None, 0.1])
def test_the_rule_decides_as_fairlearn_s_own_probabilities_do(task, constraint, tolerance):
    tolerance = None if constraint == "equalized_odds" else tolerance
    rows = fitted_rows(task, ThresholdOptimizerParams())
    optimizer = fit_optimizer(rows, constraint=constraint, tolerance=tolerance)
    # On the very rows it was fitted on as well: there, thresholds and scores lie closest.
    for batch in (task.train, task.validation, merit_batch(500, seed=7)):
        scored, codes = scores(task.classifier, batch.features), batch.codes("sex")
        theirs = optimizer._pmf_predict(scored[:, None], sensitive_features=codes)[:, 1]
        ours = expected_decisions(rule_of(optimizer, ("F", "M")), scored, codes, ("F", "M"))
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_a_rule_of_equalized_odds_has_a_share_of_constant_predictions():
    # The first group's scores are perfect, the second's are not: to match, the first must be made worse by chance.
    scored = np.concatenate([np.linspace(0, 1, 100), np.linspace(0, 1, 100)])
    labels = np.concatenate([np.linspace(0, 1, 100) > 0.5, np.arange(100) % 3 > 0]).astype(np.uint8)
    rows = FittedRows(scored, labels, np.repeat([0, 1], 100))
    optimizer = fit_optimizer(rows, constraint="equalized_odds", tolerance=None)
    rule = rule_of(optimizer, ("a", "b"))
    assert sum(share for share, _ in rule["a"]) == pytest.approx(1)
    theirs = optimizer._pmf_predict(scored[:, None], sensitive_features=rows.codes)[:, 1]
    assert expected_decisions(rule, scored, rows.codes, ("a", "b")) == pytest.approx(theirs, abs=1e-12)
    assert len(rule["a"]) > 2


def test_full_strength_makes_the_groups_rates_equal_on_the_fitted_rows(task):
    found = repair(task, THRESHOLD_OPTIMIZER, ThresholdOptimizerParams()).classifier
    scored, codes = scores(task.classifier, task.train.features), task.train.codes("sex")
    expected = expected_decisions(found.rule.groups, scored, codes, ("F", "M"))
    assert gap(task.train, expected) == pytest.approx(0, abs=1e-9)
    drawn = decisions(found, task.train)
    assert gap(task.train, drawn) == pytest.approx(0, abs=0.08)
    assert accuracy(task.train, drawn) > 0.7


def test_more_strength_leaves_less_of_the_gap(task):
    scored, codes = scores(task.classifier, task.train.features), task.train.codes("sex")
    before = gap(task.train, decide(task.classifier, task.train.features))
    gaps = []
    for result in repair_front(task, THRESHOLD_OPTIMIZER, ThresholdOptimizerParams(), strengths=(0.0, 0.5, 1.0)):
        expected = expected_decisions(result.classifier.rule.groups, scored, codes, ("F", "M"))
        gaps.append(gap(task.train, expected))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[1] <= before / 2 + 1e-9


def test_strength_zero_of_equalized_odds_is_the_given_network(task):
    params = ThresholdOptimizerParams(constraint="equalized_odds", strength=0.0)
    found = repair(task, THRESHOLD_OPTIMIZER, params).classifier
    assert np.array_equal(decisions(found, task.validation), decide(task.classifier, task.validation.features))


def test_the_repaired_network_is_a_file_that_remembers_its_rule(task):
    found = repair(task, THRESHOLD_OPTIMIZER, ThresholdOptimizerParams()).classifier
    again = read_model(to_safetensors(found))
    assert np.array_equal(decisions(again, task.validation), decisions(found, task.validation))
    assert again.record.made_by == "repair threshold_optimizer"


def test_a_group_without_both_labels_keeps_the_network_s_threshold():
    task = merit_task(levels=("A", "B", "C"), n=300)
    rows = task.train
    labels = np.where(rows.codes("sex") == 0, 0, rows.labels).astype(np.uint8)
    result = repair(replace(task, train=replace(rows, labels=labels)), THRESHOLD_OPTIMIZER, ThresholdOptimizerParams())
    assert set(result.classifier.rule.groups) == {"B", "C"}


def test_one_group_alone_is_refused_in_one_sentence(task):
    alone = replace(task.train, groups=np.zeros_like(task.train.groups))
    with pytest.raises(SettingError, match="needs 2 such groups"):
        repair(replace(task, train=alone), THRESHOLD_OPTIMIZER, ThresholdOptimizerParams())
