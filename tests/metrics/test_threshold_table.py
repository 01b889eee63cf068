"""Counts at any threshold, ROC curves and calibration, against counting row by row and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.metrics import (
    audit,
    audit_from_counts,
    calibration_by_group,
    group_counts,
    roc_by_group,
    threshold_table,
)

TENTHS = st.integers(0, 10).map(lambda k: k / 10)
ROWS = st.lists(st.tuples(TENTHS, st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=30)


def sample(n=600, seed=0):
    random = np.random.default_rng(seed)
    labels, groups = random.integers(0, 2, (2, n))
    return np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1), labels, groups


@settings(deadline=None)
@given(ROWS, TENTHS)
def test_counts_at_a_threshold_equal_deciding_every_row(rows, threshold):
    scores, labels, groups = (np.array(column) for column in zip(*rows, strict=True))
    table = threshold_table(scores, labels, groups, levels="abc")
    expected = group_counts(labels, (scores >= threshold).astype(int), groups, 3)
    assert np.array_equal(table.counts(threshold), expected)


def test_every_group_can_have_a_threshold_of_its_own():
    scores, labels, groups = sample()
    limits = np.array([0.3, 0.7])
    counts = threshold_table(scores, labels, groups, levels="ab").counts(limits)
    assert np.array_equal(counts, group_counts(labels, (scores >= limits[groups]).astype(int), groups, 2))


def test_audit_from_threshold_counts_is_the_audit_of_the_decisions():
    scores, labels, groups = sample()
    settings = {"levels": "ab", "attribute": "g", "reference": "a"}
    direct = audit(labels, (scores >= 0.5).astype(int), groups, **settings)
    from_table = audit_from_counts(threshold_table(scores, labels, groups, levels="ab").counts(0.5), **settings)
    assert from_table.metrics == direct.metrics


@settings(deadline=None)
@given(st.lists(TENTHS, min_size=1, max_size=20), st.integers(0, 20))
def test_threshold_for_a_rate_selects_as_many_as_fit_and_not_one_more(scores, wanted):
    wanted = min(wanted, len(scores))
    table = threshold_table(scores, [0] * len(scores), [0] * len(scores), levels="a")
    chosen = sum(score >= table.threshold_for(wanted / len(scores)) for score in scores)
    possible = {sum(score >= limit for score in scores) for limit in [*scores, math.inf]}
    assert chosen == max(count for count in possible if count <= wanted)


def test_roc_curve_equals_scikit_learns_at_every_threshold():
    scores, labels, groups = sample()
    for position, curve in enumerate(roc_by_group(scores, labels, groups, levels="ab", points=10_000)):
        mine = groups == position
        fpr, tpr, thresholds = roc_curve(labels[mine], scores[mine], drop_intermediate=False)
        assert np.allclose(curve.fpr, fpr)
        assert np.allclose(curve.tpr, tpr)
        assert np.array_equal(curve.thresholds, thresholds)
        assert curve.area == pytest.approx(roc_auc_score(labels[mine], scores[mine]))
        assert (curve.positives, curve.negatives) == (labels[mine].sum(), (1 - labels[mine]).sum())


def test_thinned_roc_curve_keeps_its_ends_its_area_and_true_points():
    scores, labels, groups = sample(5000)
    full = roc_by_group(scores, labels, groups, levels="ab", points=10_000)[0]
    thin = roc_by_group(scores, labels, groups, levels="ab")[0]
    assert len(thin.fpr) <= 200
    assert (thin.fpr[0], thin.tpr[0], thin.fpr[-1], thin.tpr[-1]) == (0, 0, 1, 1)
    assert thin.area == full.area
    places = np.searchsorted(-full.thresholds, -thin.thresholds)
    assert np.array_equal(full.tpr[places], thin.tpr)
    assert np.max(np.diff(thin.fpr + thin.tpr)) < 0.03


def test_group_without_positives_has_no_roc_curve():
    curve, empty = roc_by_group([0.1, 0.7], [0, 0], [0, 0], levels=("a", "b"))
    assert np.isnan(curve.tpr).all()
    assert math.isnan(curve.area)
    assert curve.fpr.tolist() == [0, 0.5, 1]
    assert np.isnan(empty.fpr).all()


def test_calibration_of_equal_width_equals_scikit_learns():
    scores, labels, groups = sample()
    for position, curve in enumerate(calibration_by_group(scores, labels, groups, levels="ab", binning="width")):
        mine = groups == position
        observed, predicted = calibration_curve(labels[mine], scores[mine], n_bins=10, strategy="uniform")
        filled = np.array([estimate.n > 0 for estimate in curve.observed])
        assert np.allclose(curve.mean_score[filled], predicted)
        assert np.allclose([e.value for e in curve.observed if e.n], observed)
        assert sum(e.n for e in curve.observed) == mine.sum()


def test_quantile_bins_hold_about_equally_many_rows():
    scores, labels, _ = sample(1000)
    scores = scores + np.arange(1000) * 1e-9
    curve = calibration_by_group(scores, labels, np.zeros(1000, int), levels="a")[0]
    assert all(abs(e.n - 100) <= 1 for e in curve.observed)
    assert all(e.low <= e.value <= e.high for e in curve.observed)


def test_equal_scores_share_one_bin():
    curve = calibration_by_group([0.5] * 8, [0, 1] * 4, [0] * 8, levels="a")[0]
    assert [e.n for e in curve.observed] == [8]
    assert curve.error == 0


def test_empty_group_has_an_undefined_calibration():
    curve = calibration_by_group([0.2, 0.9], [0, 1], [0, 0], levels=("a", "b"), bins=2)[1]
    assert math.isnan(curve.error)
    assert all(math.isnan(e.value) and e.n == 0 for e in curve.observed)


def test_unusable_scores_and_bins_are_refused():
    with pytest.raises(DataError, match="1 of them missing"):
        threshold_table([0.1, math.nan], [0, 1], [0, 0], levels="a")
    with pytest.raises(DataError, match="3 thresholds: give one"):
        threshold_table([0.1], [0], [0], levels="ab").counts([0.1, 0.2, 0.3])
    with pytest.raises(SettingError, match="number of bins is 0"):
        calibration_by_group([0.1], [0], [0], levels="a", bins=0)
    with pytest.raises(SettingError, match="between 0 and 1"):
        calibration_by_group([2.0], [0], [0], levels="a", binning="width")
    with pytest.raises(SettingError, match="'even' is unknown"):
        calibration_by_group([0.1], [0], [0], levels="a", binning="even")
