"""One audit: against fairlearn on random data, the worked example, undefined and small groups, degenerate decisions."""

import math

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.metrics import METRICS, RATES, audit, audit_from_counts

WORKED = np.array([[[30, 20], [10, 40]], [[54, 6], [12, 28]]])  # M (reference), F; (group, label, decision)


def worked(**settings):
    return audit_from_counts(WORKED, levels=("M", "F"), attribute="sex", reference="M", **settings)


def rows_of(counts):
    """Return labels, decisions and groups (n,) of counts (group, label, decision)."""
    groups, labels, decisions = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    return labels, decisions, groups


CELL = st.integers(1, 25)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 4).flatmap(lambda g: st.lists(CELL, min_size=4 * g, max_size=4 * g)))
def test_metrics_equal_fairlearn_where_every_rate_is_defined(cells):
    counts = np.array(cells).reshape(-1, 2, 2)
    labels, decisions, groups = rows_of(counts)
    levels = [f"g{i}" for i in range(len(counts))]
    ours = audit(labels, decisions, groups, levels=levels, attribute="g", reference="g0", min_group=0).metrics
    for name in (
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equal_opportunity_difference",
        "equalized_odds_difference",
    ):
        theirs = getattr(fairlearn, name)(labels, decisions, sensitive_features=groups)
        assert ours[name].estimate.value == pytest.approx(theirs, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(CELL, min_size=12, max_size=12))
def test_group_rates_equal_fairlearns_metric_frame(cells):
    counts = np.array(cells).reshape(3, 2, 2)
    labels, decisions, groups = rows_of(counts)
    by_name = {
        "selection_rate": fairlearn.selection_rate,
        "tpr": fairlearn.true_positive_rate,
        "fpr": fairlearn.false_positive_rate,
    }
    frame = fairlearn.MetricFrame(metrics=by_name, y_true=labels, y_pred=decisions, sensitive_features=groups).by_group
    found = audit(labels, decisions, groups, levels="abc", attribute="g", reference="a")
    for position, group in enumerate(found.groups):
        for name in by_name:
            assert group.rates[name].value == pytest.approx(frame[name][position], abs=1e-12)


def test_worked_example_has_the_printed_values():
    values = {name: metric.estimate.value for name, metric in worked().metrics.items()}
    assert values == pytest.approx(
        {
            "accuracy": 152 / 200,
            "balanced_accuracy": (68 / 90 + 84 / 110) / 2,
            "selection_rate": 94 / 200,
            "demographic_parity_difference": 0.26,
            "demographic_parity_ratio": 34 / 60,
            "demographic_parity_ratio_paper": 34 / 60,
            "equal_opportunity_difference": 0.10,
            "equalized_odds_difference": 0.30,
            "average_odds_difference": -0.20,
            "predictive_parity_difference": 28 / 34 - 40 / 60,
            "false_positive_rate_difference": 0.30,
        },
        abs=1e-9,
    )


def test_words_state_the_counts_of_both_groups_and_the_favourable_outcome():
    metrics = worked(favourable_words="was hired").metrics
    assert metrics["demographic_parity_difference"].words == (
        "M: 60 of 100 (60.0 %) selected; F: 34 of 100 (34.0 %). Gap 26.0 points. Favourable outcome: “was hired”."
    )
    assert "20 of 50 (40.0 %)" in metrics["equalized_odds_difference"].words
    assert "Gap of the true-positive rate: 10.0 points" in metrics["equalized_odds_difference"].words
    assert "F minus M (reference): −20.0 points" in metrics["average_odds_difference"].words


def test_evidence_counts_the_rows_that_a_rate_rests_on():
    metrics = worked().metrics
    assert metrics["equal_opportunity_difference"].estimate.n == 90
    assert metrics["false_positive_rate_difference"].estimate.n == 110
    assert metrics["predictive_parity_difference"].estimate.n == 94
    assert metrics["demographic_parity_difference"].estimate.n == 200


def test_every_interval_holds_its_value():
    for metric in worked().metrics.values():
        assert metric.estimate.low <= metric.estimate.value <= metric.estimate.high


def test_paper_ratio_takes_the_group_farthest_from_the_reference_and_can_exceed_1():
    counts = np.array([[[25, 25], [25, 25]], [[30, 20], [30, 20]], [[5, 45], [5, 45]]])
    found = audit_from_counts(counts, levels=("a", "b", "c"), attribute="g", reference="a")
    metric = found.metrics["demographic_parity_ratio_paper"]
    assert metric.estimate.value == pytest.approx(0.9 / 0.5)
    assert metric.pair == ("c", "a")
    assert "c is the group farthest from the reference, of 2" in metric.words


def test_small_groups_stay_visible_but_enter_no_gap():
    counts = np.concatenate([WORKED, [[[0, 1], [0, 5]]]])
    found = audit_from_counts(counts, levels=("M", "F", "X"), attribute="sex", reference="M")
    assert found.set_aside == ("X",)
    assert found.groups[2].rates["selection_rate"].value == 1.0
    assert found.metrics["demographic_parity_difference"].estimate.value == pytest.approx(0.26)
    assert "Set aside with fewer than 30 rows: X (6)." in found.metrics["demographic_parity_difference"].words
    everyone = audit_from_counts(counts, levels=("M", "F", "X"), attribute="sex", reference="M", min_group=0)
    assert everyone.set_aside == ()
    assert everyone.metrics["demographic_parity_difference"].pair == ("X", "F")


def test_group_without_positives_has_no_true_positive_rate_and_makes_no_gap():
    # fairlearn prints 0.0 for this group's true-positive rate, hence a gap of 0.80.
    counts = np.array([[[30, 20], [10, 40]], [[60, 40], [0, 0]]])
    found = audit_from_counts(counts, levels=("M", "F"), attribute="sex", reference="M", min_group=0)
    assert math.isnan(found.groups[1].rates["tpr"].value)
    for name in ("equal_opportunity_difference", "equalized_odds_difference", "average_odds_difference"):
        estimate = found.metrics[name].estimate
        assert np.isnan([estimate.value, estimate.low, estimate.high]).all()
        assert "no rows with the favourable label): F" in found.metrics[name].words
    assert found.metrics["demographic_parity_difference"].estimate.value == pytest.approx(0.2)


def test_gap_of_a_rate_is_taken_over_the_groups_that_have_it():
    counts = np.concatenate([WORKED, [[[50, 50], [0, 0]]]])
    metric = audit_from_counts(counts, levels="MFX", attribute="sex", reference="M").metrics[
        "equal_opportunity_difference"
    ]
    assert metric.estimate.value == pytest.approx(0.1)
    assert "undefined (no rows with the favourable label): X" in metric.words


def test_gap_is_undefined_when_all_groups_but_one_are_small():
    counts = np.array([[[30, 20], [10, 40]], [[5, 1], [1, 3]]])
    for name, metric in audit_from_counts(counts, levels="MF", attribute="sex", reference="M").metrics.items():
        assert math.isnan(metric.estimate.value) == (METRICS[name].kind != "performance")


def test_ratio_is_undefined_when_nobody_is_selected():
    counts = np.array([[[50, 0], [50, 0]], [[50, 0], [50, 0]]])
    found = audit_from_counts(counts, levels="MF", attribute="sex", reference="M")
    assert math.isnan(found.metrics["demographic_parity_ratio"].estimate.value)
    assert math.isnan(found.metrics["demographic_parity_ratio_paper"].estimate.value)
    assert found.metrics["demographic_parity_difference"].estimate.value == 0


def test_a_reference_group_without_selected_rows_has_no_ratio_but_the_smallest_ratio_is_0():
    counts = np.array([[[50, 0], [50, 0]], [[40, 10], [10, 40]]])
    found = audit_from_counts(counts, levels="MF", attribute="sex", reference="M")
    assert math.isnan(found.metrics["demographic_parity_ratio_paper"].estimate.value)
    assert found.metrics["demographic_parity_ratio"].estimate.value == 0


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([[[50, 0], [50, 0]], [[50, 0], [50, 0]]], "All 200 rows get the unfavourable decision"),
        ([[[0, 50], [0, 50]], [[0, 50], [0, 50]]], "All 200 rows get the favourable decision"),
        ([[[90, 10], [10, 90]], [[100, 0], [100, 0]]], "F: only 0.0 % are selected although 50.0 % have that label"),
        ([[[90, 10], [10, 90]], [[0, 100], [0, 100]]], "F: 100.0 % are selected although only 50.0 %"),
        ([[[40, 10], [45, 5]], [[40, 10], [45, 5]]], "is not above the 50.0 %"),
    ],
)
def test_degenerate_decisions_are_named(counts, said):
    assert said in audit_from_counts(np.array(counts), levels="MF", attribute="sex", reference="M").degenerate


def test_ordinary_decisions_are_not_degenerate():
    assert worked().degenerate is None


def test_a_group_that_has_nearly_no_favourable_label_may_be_selected_as_rarely():
    counts = np.array([[[90, 10], [10, 90]], [[999, 0], [1, 0]]])
    assert audit_from_counts(counts, levels="MF", attribute="sex", reference="M").degenerate is None


def test_a_tiny_group_does_not_make_a_model_degenerate():
    counts = np.concatenate([WORKED, [[[3, 0], [2, 0]]]])
    assert audit_from_counts(counts, levels="MFX", attribute="sex", reference="M").degenerate is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=12, max_size=12))
def test_no_counts_at_all_break_an_audit_or_leave_its_bounds(cells):
    counts = np.array(cells).reshape(3, 2, 2)
    assume(counts.sum())
    found = audit_from_counts(counts, levels="abc", attribute="g", reference="b", min_group=0)
    for name, metric in found.metrics.items():
        e = metric.estimate
        assert math.isnan(e.value) == math.isnan(e.low) == math.isnan(e.high)
        assert math.isnan(e.value) or e.low - 1e-12 <= e.value <= e.high + 1e-12
        assert metric.words.endswith(".")
        if METRICS[name].direction in ("lower", "higher") and not math.isnan(e.value):
            assert -1e-12 <= e.low <= e.high <= 1 + 1e-12
    assert all(set(group.rates) == set(RATES) for group in found.groups)


def test_unknown_reference_and_misfit_counts_are_refused():
    with pytest.raises(SettingError, match="'X' is no group of sex: choose one of 'M', 'F'"):
        audit_from_counts(WORKED, levels=("M", "F"), attribute="sex", reference="X")
    with pytest.raises(SettingError, match="confidence is 95"):
        worked(confidence=95)
    with pytest.raises(DataError, match=r"give \(3, 2, 2\)"):
        audit_from_counts(WORKED, levels="abc", attribute="sex", reference="a")
    with pytest.raises(DataError, match="no rows"):
        audit_from_counts(np.zeros((1, 2, 2), int), levels="a", attribute="sex", reference="a")


def test_no_metric_promises_fairness_or_prints_a_bare_abbreviation():
    texts = [metric.words for metric in worked().metrics.values()]
    texts += [text for row in METRICS.values() for text in (row.label, row.definition, row.formula)]
    for text in texts:
        words = text.replace(",", " ").replace(".", " ").split()
        assert not {"fair", "unfair", "passed", "failed", "DP"} & {word.lower() for word in words}
        assert "EO" not in text or "'s EO" in text
