"""Exact p values, corrections for many tests, and their false alarms where no group differs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics import benjamini_hochberg, compare_groups, holm, two_share_p_value
from fairneuron_core.metrics.intervals import difference, simultaneous

SIDE = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
P_VALUES = st.lists(st.floats(1e-6, 1), min_size=1, max_size=12)


@settings(deadline=None)
@given(SIDE, SIDE)
def test_p_value_of_two_shares_equals_scipys_exact_test(first, second):
    (x1, n1), (x2, n2) = first, second
    expected = fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue
    assert two_share_p_value(x1, n1, x2, n2) == pytest.approx(expected, rel=1e-6)


def test_p_value_of_large_groups_is_found_without_listing_every_table():
    expected = fisher_exact([[61_000, 939_000], [2800, 47_200]]).pvalue
    assert two_share_p_value(61_000, 1_000_000, 2800, 50_000) == pytest.approx(expected, rel=1e-5)


def test_p_value_of_an_empty_group_is_undefined():
    assert math.isnan(two_share_p_value(0, 0, 3, 5))


@settings(deadline=None)
@given(P_VALUES)
def test_holm_rejects_what_the_step_down_rule_rejects(p):
    alpha, ordered = 0.05, sorted(p)
    passed = next((k for k, value in enumerate(ordered) if value > alpha / (len(p) - k)), len(p))
    limit = ordered[passed] if passed < len(p) else math.inf
    rejected = [value < limit for value in p]
    assert (holm(p) <= alpha).tolist() == rejected


@settings(deadline=None)
@given(P_VALUES)
def test_benjamini_hochberg_equals_scipy(p):
    assert np.allclose(benjamini_hochberg(p), false_discovery_control(p, method="bh"))


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_undefined_p_values_stay_undefined_and_do_not_count(adjust):
    with_gap = adjust([0.01, math.nan, 0.2])
    assert math.isnan(with_gap[1])
    assert with_gap[[0, 2]].tolist() == adjust([0.01, 0.2]).tolist()


def table(selected, rows):
    """Return counts (group, label, decision) whose selection rates are selected / rows."""
    selected, rows = np.asarray(selected), np.asarray(rows)
    zero = np.zeros_like(rows)
    return np.stack([np.stack([rows - selected, selected], axis=1), np.stack([zero, zero], axis=1)], axis=1)


@pytest.mark.parametrize("against", ["rest", "pairs"])
def test_intersections_without_bias_raise_at_most_5_percent_false_alarms(against):
    random, data_sets = np.random.default_rng(7), 250
    rows = np.array([40, 45, 60, 90, 150, 300, 800, 2000])
    levels, alarms, discoveries = [f"g{i}" for i in range(len(rows))], 0, 0
    for _ in range(data_sets):
        share = random.uniform(0.05, 0.5)
        found = compare_groups(table(random.binomial(rows, share), rows), levels=levels, against=against)
        alarms += any(each.holm <= 0.05 for each in found)
        discoveries += any(each.benjamini_hochberg <= 0.05 for each in found)
    limit = 0.05 + 2 * math.sqrt(0.05 * 0.95 / data_sets)
    assert alarms / data_sets <= limit
    assert discoveries / data_sets <= limit


def test_a_group_that_differs_is_found_first():
    rows = np.array([500, 500, 500, 500])
    found = compare_groups(table([200, 205, 195, 120], rows), levels="abcd")
    assert (found[0].group, found[0].other) == ("d", "everyone else")
    assert found[0].holm < 0.001
    assert found[0].difference.value == pytest.approx(120 / 500 - 600 / 1500)
    low, high = difference(120, 500, 600, 1500, confidence=simultaneous(0.95, 4))
    assert (found[0].difference.low, found[0].difference.high) == (float(low), float(high))
    assert all(each.holm >= each.benjamini_hochberg >= each.p_value for each in found)


def test_groups_below_the_smallest_size_or_without_the_rate_are_not_tested():
    counts = table([200, 5, 100], [500, 10, 400])
    assert {each.group for each in compare_groups(counts, levels="abc")} == {"a", "c"}
    assert len(compare_groups(counts, levels="abc", against="pairs")) == 1
    assert compare_groups(counts, levels="abc", rate="tpr") == ()


def test_unknown_rates_and_opponents_are_refused():
    with pytest.raises(SettingError, match="'recall' is unknown"):
        compare_groups(table([1], [2]), levels="a", rate="recall")
    with pytest.raises(SettingError, match="'all'"):
        compare_groups(table([1], [2]), levels="a", against="all")
