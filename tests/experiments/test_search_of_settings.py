import dataclasses
import math

import numpy as np
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.experiments import SearchParams, search
from fairneuron_core.experiments.trials import pareto_set, score
from fairneuron_core.models.layers import linear_layers, network_of
from fairneuron_core.paths import suggest_setting
from fairneuron_core.repair import repair
from fairneuron_core.repair.fairneuron import FAIRNEURON, FairNeuronParams

SMALL = {"epochs": 1, "thetas": (0.1, 0.01), "gammas": (0.8, 0.4), "first_layer": 1}
BEFORE = {
    "accuracy": 0.8,
    "demographic_parity_difference": 0.2,
    "demographic_parity_ratio": 0.5,
    "equal_opportunity_difference": 0.1,
}


def test_the_score_of_the_unchanged_network_is_the_sum_of_its_gaps():
    assert score(BEFORE, BEFORE, SearchParams()) == pytest.approx(0.2 + 0.1 + 0.5)


def test_gained_accuracy_earns_nothing_and_lost_accuracy_costs():
    params = SearchParams(weight_dp=0, weight_eo=0, weight_ratio=0)
    assert score(BEFORE | {"accuracy": 0.9}, BEFORE, params) == 0
    assert score(BEFORE | {"accuracy": 0.7}, BEFORE, params) == pytest.approx(0.1)


def test_every_grid_point_is_reported_and_equal_ones_are_trained_once(task):
    found = search(task, SearchParams(**(SMALL | {"thetas": (0.1, 1e-4, 1e-5)})))
    assert [(t.gamma, t.theta) for t in found.trials] == [(g, t) for g in (0.8, 0.4) for t in (0.1, 1e-4, 1e-5)]
    # 1e-4 and 1e-5 of at most 700 rows both mean, at either gamma: nobody is rare.
    assert [t.conflict_samples for t in found.trials if t.theta < 0.1] == [0, 0, 0, 0]
    assert [t.same_as for t in found.trials if t.theta < 0.1].count(None) <= 1
    nobody = [t.metrics for t in found.trials if t.conflict_samples == 0]
    assert all(metrics == nobody[0] for metrics in nobody)


def test_a_trial_equals_the_single_repair_with_its_settings(task):
    found = search(task, SearchParams(**SMALL, keep="last"))
    trial = found.trials[found.chosen]
    alone = repair(
        task,
        FAIRNEURON,
        FairNeuronParams(epochs=1, keep="last", coverage=trial.gamma, first_layer=1, rarity=trial.theta),
    )
    for a, b in zip(linear_layers(found.classifier.network), linear_layers(alone.classifier.network), strict=True):
        assert np.allclose(a.weight, b.weight, atol=1e-5)


def test_an_empty_first_layer_is_the_suggested_one_in_which_rows_are_in_conflict(task):
    found = search(task, SearchParams(**(SMALL | {"first_layer": None})))
    assert max(t.conflict_samples for t in found.trials) > 0
    suggested = suggest_setting(task.classifier, task.train.features)
    assert {t.first_layer for t in found.trials} == {found.first_layer} == {suggested.first_layer}
    assert suggested.reason in found.first_layer_reason


def test_a_given_first_layer_is_named_as_the_user_s_choice(task):
    found = search(task, SearchParams(**(SMALL | {"thetas": (0.1,), "gammas": (0.8,), "first_layer": 2})))
    assert (found.first_layer, found.first_layer_reason) == (2, "chosen by the user")


def test_a_grid_without_conflict_samples_says_that_it_is_plain_retraining(task):
    assert "plain retraining" in search(task, SearchParams(**SMALL)).reason


def test_the_chosen_point_has_the_lowest_score_among_the_eligible(task):
    found = search(task, SearchParams(**SMALL))
    eligible = [t.score for t in found.trials if t.ineligible is None]
    assert all(math.isnan(t.score) for t in found.trials if t.ineligible)
    assert found.trials[found.chosen].score == min(eligible)


def test_degenerate_trials_cannot_win(task):
    # A network that gives everybody the favourable decision, and a step size that cannot change its mind.
    *hidden, last = linear_layers(task.classifier.network)
    constant = network_of([*hidden, dataclasses.replace(last, bias=np.array([1e4], np.float32))])
    always = dataclasses.replace(task, classifier=dataclasses.replace(task.classifier, network=constant))
    found = search(always, SearchParams(**SMALL, learning_rate=1e-6))
    assert found.chosen is None
    assert all("favourable decision" in t.ineligible for t in found.trials)
    assert all(math.isnan(t.score) for t in found.trials)
    assert found.classifier is always.classifier


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"thetas": ()}, "'thetas' is empty"),
        ({"gaps": ("parity",)}, "Unknown gap 'parity'"),
        ({"gaps": ()}, "no gap to lower"),
        ({"address": "auto"}, "choose the engine ray"),
    ],
)
def test_a_search_without_anything_to_try_or_lower_is_refused(task, settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        search(task, SearchParams(**(SMALL | settings)))


def test_the_pareto_set_is_what_no_other_trial_beats():
    values = np.random.default_rng(0).integers(0, 4, (60, 3)).astype(float)
    values[5] = np.nan
    found = pareto_set(values)
    for row, kept in zip(values, found, strict=True):
        at_least = [o for o in values if o[0] >= row[0] and o[1] <= row[1] and o[2] <= row[2]]
        assert kept == (not np.isnan(row).any() and all((o == row).all() for o in at_least))


def test_ineligible_trials_are_not_in_the_pareto_set_and_the_chosen_one_s_equals_are(task):
    found = search(task, SearchParams(**SMALL))
    assert not any(t.pareto for t in found.trials if t.ineligible)
    assert any(t.pareto for t in found.trials)
