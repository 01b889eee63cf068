"""Means and differences over seeds: by hand, against scipy, and their coverage by simulation."""

import math

import numpy as np
import pytest
from scipy.stats import t

from fairneuron_core.experiments.statistics import (
    Overlap,
    over_seeds,
    relative_reduction,
    spread,
    verdict_over_seeds,
)
from fairneuron_core.types import Estimate

SPLIT_7_1_2 = Overlap(2 / 7)


def test_interval_of_three_numbers_is_the_one_by_hand():
    # mean 2, variance 1, J = 3, n_test / n_train = 2/3: half width = 4.3027 * sqrt(1/3 + 2/3)
    found = over_seeds([1, 2, 3], Overlap(2 / 3))
    assert (found.value, found.n) == (2, 3)
    assert found.high - 2 == pytest.approx(4.3027, abs=1e-4) == 2 - found.low


def test_interval_equals_scipys_t_with_the_corrected_variance():
    values = np.random.default_rng(0).normal(0.1, 0.02, 10)
    scale = math.sqrt(values.var(ddof=1) * (1 / 10 + 2 / 7))
    found = over_seeds(values, SPLIT_7_1_2)
    assert (found.low, found.high) == pytest.approx(t.interval(0.95, 9, loc=values.mean(), scale=scale))


def test_undefined_seeds_are_left_out_and_not_counted():
    found = over_seeds([1, None, 2, math.nan, 3], Overlap(2 / 3))
    assert found == over_seeds([1, 2, 3], Overlap(2 / 3))
    assert spread([1, None, 3]) == pytest.approx(math.sqrt(2))


def test_one_seed_has_no_interval_and_none_has_no_mean():
    assert over_seeds([0.5], SPLIT_7_1_2).value == 0.5
    assert math.isnan(over_seeds([0.5], SPLIT_7_1_2).low)
    assert math.isnan(over_seeds([None], SPLIT_7_1_2).value)
    assert math.isnan(spread([0.5]))


def test_seeds_without_any_difference_have_exactly_0_and_tell_nothing():
    found = over_seeds([0.0] * 10, SPLIT_7_1_2)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert verdict_over_seeds("accuracy", found) == "cannot tell"


@pytest.mark.parametrize(
    ("metric", "low", "high", "verdict"),
    [
        ("accuracy", 0.01, 0.03, "improved"),
        ("accuracy", -0.03, -0.01, "worsened"),
        ("demographic_parity_ratio", 0.01, 0.03, "improved"),
        ("demographic_parity_difference", 0.01, 0.03, "worsened"),
        ("equalized_odds_difference", -0.03, -0.01, "improved"),
        ("equal_opportunity_difference", -0.01, 0.03, "cannot tell"),
        ("accuracy", math.nan, math.nan, "cannot tell"),
    ],
)
def test_the_verdict_follows_the_interval_in_the_metrics_direction(metric, low, high, verdict):
    assert verdict_over_seeds(metric, Estimate(0.01, low, high, 10)) == verdict


def test_two_seeds_that_agree_exactly_tell_nothing():
    assert verdict_over_seeds("accuracy", over_seeds([-0.005, -0.005], SPLIT_7_1_2)) == "cannot tell"
    assert verdict_over_seeds("accuracy", over_seeds([-0.005] * 3, SPLIT_7_1_2)) == "worsened"


def test_a_difference_that_no_seed_has_is_undefined():
    assert verdict_over_seeds("accuracy", over_seeds([], SPLIT_7_1_2)) == "undefined"


def test_reduction_is_the_ratio_of_the_means():
    found = relative_reduction(np.array([0.1, 0.3]), np.array([0.05, 0.05]), SPLIT_7_1_2)
    assert found.value == pytest.approx(0.75)


def test_equal_reductions_on_every_seed_have_an_interval_of_no_width():
    before = np.array([0.1, 0.2, 0.4])
    found = relative_reduction(before, before / 4, SPLIT_7_1_2)
    assert (found.low, found.value, found.high) == pytest.approx((0.75, 0.75, 0.75))


def test_nothing_can_be_reduced_where_there_is_no_gap():
    assert math.isnan(relative_reduction(np.zeros(3), np.zeros(3), SPLIT_7_1_2).value)


@pytest.fixture(scope="module")
def overlapping():
    """Return 2,000 experiments of 10 seeds: means over random fifths of the same 500 rows, (experiments, seeds)."""
    random = np.random.default_rng(1)
    rows = random.normal(0, 1, (2000, 500))
    order = random.permuted(np.broadcast_to(np.arange(500), (2000, 10, 500)), axis=2)[..., :100]
    return np.stack([row[chosen].mean(axis=1) for row, chosen in zip(rows, order, strict=True)])


def coverage(experiments, overlap):
    found = [over_seeds(values, overlap) for values in experiments]
    return np.mean([each.low <= 0 <= each.high for each in found])


def test_corrected_intervals_of_overlapping_splits_cover(overlapping):
    assert 0.93 <= coverage(overlapping, SPLIT_7_1_2) <= 0.975


def test_the_usual_interval_of_overlapping_splits_does_not_cover(overlapping):
    assert coverage(overlapping, Overlap(0.0)) < 0.8
