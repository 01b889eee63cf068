"""Intervals against published examples, their algebra, and their coverage by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from fairneuron_core.metrics import audit_from_counts
from fairneuron_core.metrics.intervals import (
    bootstrap_counts,
    difference,
    fold,
    fold_ratio,
    largest_of,
    percentiles,
    ratio,
    simultaneous,
    wilson,
)

DATA_SETS = 2000
SHARES = np.linspace(0.05, 0.5, 10)


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(x_and_n):
    x, n = x_and_n
    expected = binomtest(x, n).proportion_ci(method="wilson")
    assert np.allclose([float(v) for v in wilson(x, n)], [expected.low, expected.high], atol=1e-12)


@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0),
        (0, 10, 0, 10, -0.2775, 0.2775),
    ],
)
def test_difference_equals_newcombes_printed_examples(x1, n1, x2, n2, low, high):
    assert [round(float(v), 4) for v in difference(x1, n1, x2, n2)] == [low, high]


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(1, 20))
def test_inverse_ratio_has_the_inverse_interval(x1, x2):
    low, high = ratio(x1, 20, x2, 20)
    swapped = ratio(x2, 20, x1, 20)
    assert low <= x1 / x2 * (1 + 1e-12)
    assert x1 / x2 <= high * (1 + 1e-12)
    with np.errstate(divide="ignore"):
        assert np.allclose([1 / swapped[1], 1 / swapped[0]], [low, high])


def test_empty_groups_have_no_interval():
    assert np.isnan([*wilson(0, 0), *difference(0, 0, 1, 2), *ratio(1, 2, 0, 0), *ratio(0, 5, 0, 5)]).all()


def covered(bounds, truth, defined=True):
    low, high = bounds
    inside = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    defined = np.broadcast_to(defined, inside.shape)
    return inside[defined].mean()


@pytest.fixture(scope="module", params=[10, 30, 100, 1000])
def simulated(request):
    """Return n, true shares p, q (shares, data sets) with q = p in every other column, and the drawn counts."""
    random, n = np.random.default_rng(request.param), request.param
    p = np.repeat(SHARES[:, None], DATA_SETS, axis=1)
    q = np.where(np.arange(DATA_SETS) % 2, p, random.uniform(0.05, 0.5, p.shape))
    return n, p, q, random.binomial(n, p), random.binomial(n, q)


@pytest.mark.parametrize("kind", ["rate", "difference", "absolute gap", "absolute gap of 0", "ratio", "min/max ratio"])
def test_95_percent_intervals_cover_between_93_and_97_and_a_half_percent(simulated, kind):
    n, p, q, x, y = simulated
    same = p == q
    shares = {
        "rate": lambda: covered(wilson(x, n), p),
        "difference": lambda: covered(difference(x, n, y, n), p - q),
        "absolute gap": lambda: covered(fold(*difference(x, n, y, n)), abs(p - q)),
        "absolute gap of 0": lambda: covered(fold(*difference(x, n, y, n)), 0, same),
        "ratio": lambda: covered(ratio(x, n, y, n), p / q, y > 0),
        "min/max ratio": lambda: covered(fold_ratio(*ratio(x, n, y, n)), np.minimum(p / q, q / p), x + y > 0),
    }
    share = shares[kind]()
    assert share >= 0.93
    assert n < 100 or share <= 0.975


@pytest.mark.parametrize("equal", [True, False])
def test_interval_of_the_largest_gap_of_five_groups_covers(equal):
    random, n, groups = np.random.default_rng(5), 100, 5
    p = random.uniform(0.05, 0.5, (DATA_SETS, 1 if equal else groups)) * np.ones(groups)
    x, (i, j) = random.binomial(n, p), np.triu_indices(groups, 1)
    plain, joint = (fold(*difference(x[:, i], n, x[:, j], n, confidence=c)) for c in (0.95, simultaneous(0.95, len(i))))
    bounds = np.array([largest_of((plain[0][r], plain[1][r]), (joint[0][r], joint[1][r])) for r in range(DATA_SETS)])
    assert covered(bounds.T, np.ptp(p, axis=1)) >= 0.94


def test_largest_gap_of_the_audit_has_the_interval_of_its_pairs():
    counts = np.array([[[50, 0], [10, 40]], [[50, 0], [20, 30]], [[50, 0], [45, 5]]])
    found = audit_from_counts(counts, levels=("a", "b", "c"), attribute="g", reference="a")
    metric = found.metrics["equal_opportunity_difference"]
    pairs = [(40, 30), (40, 5), (30, 5)]
    low = max(float(fold(*difference(x, 50, y, 50, confidence=0.95 ** (1 / 3)))[0]) for x, y in pairs)
    high = max(float(fold(*difference(x, 50, y, 50))[1]) for x, y in pairs)
    assert metric.pair == ("a", "c")
    assert (metric.estimate.low, metric.estimate.high) == pytest.approx((low, high))


def test_redrawn_counts_keep_the_total_and_have_multinomial_mean_and_variance():
    counts = np.array([[30, 0], [50, 20]])
    drawn = bootstrap_counts(counts, seed=1, replicates=20_000)
    assert drawn.shape == (20_000, 2, 2)
    assert (drawn.sum(axis=(1, 2)) == 100).all()
    assert np.allclose(drawn.mean(axis=0), counts, atol=0.2)
    assert np.allclose(drawn.var(axis=0), counts * (1 - counts / 100), rtol=0.05)
    assert np.array_equal(drawn, bootstrap_counts(counts, seed=1, replicates=20_000))


def test_percentiles_take_the_outer_order_statistics():
    draws = np.random.default_rng(0).permutation(1000.0 * np.arange(200))
    assert [float(v) for v in percentiles(draws, confidence=0.95)] == [4000.0, 195_000.0]
