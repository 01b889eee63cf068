"""Before against after on the same rows: exact zeros, verdicts, coverage of a closed gap, who flipped."""

import math

import numpy as np
import pytest

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.metrics import METRICS, audit, compare, compare_from_counts, flip_table, levelling
from fairneuron_core.metrics.changes import change_of_maximum
from fairneuron_core.metrics.intervals import bootstrap_counts, percentiles

SEX = {"levels": ("M", "F"), "attribute": "sex", "reference": "M"}


def joint(*groups):
    """Return counts (group, label, before, after) from rows of eight numbers."""
    return np.array(groups).reshape(-1, 2, 2, 2)


#      label 0: stays 0, up, down, stays 1     label 1: the same
RAISED_F = joint([300, 0, 0, 200, 100, 0, 0, 400], [500, 60, 0, 60, 100, 150, 0, 150])
LOWERED_M = joint([300, 0, 130, 70, 100, 0, 130, 270], [540, 0, 0, 60, 120, 0, 0, 280])


def compared(counts, **settings):
    return compare_from_counts(counts, **{**SEX, "replicates": 2000, **settings})


def test_identical_decisions_have_change_exactly_0_with_interval_0_0():
    random = np.random.default_rng(0)
    labels, decisions, groups = random.integers(0, 2, (3, 400))
    paired = compare(labels, decisions, decisions, groups, **SEX, replicates=500)
    for change in paired.changes.values():
        assert (change.difference.value, change.difference.low, change.difference.high) == (0, 0, 0)
        assert change.verdict == "cannot tell"


def test_values_are_the_difference_of_two_audits():
    random = np.random.default_rng(1)
    labels, before, after, groups = random.integers(0, 2, (4, 500))
    paired = compare(labels, before, after, groups, **SEX, replicates=200)
    old, new = audit(labels, before, groups, **SEX), audit(labels, after, groups, **SEX)
    for name, change in paired.changes.items():
        values = (old.metrics[name].estimate.value, new.metrics[name].estimate.value)
        assert (change.before.value, change.after.value) == values
        assert change.difference.value == pytest.approx(values[1] - values[0])
        assert change.difference.low <= change.difference.value <= change.difference.high


def test_the_same_seed_gives_the_same_intervals_and_another_one_does_not():
    first, again, other = (compared(RAISED_F, seed=seed).changes["accuracy"].difference for seed in (0, 0, 1))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def test_a_closed_gap_is_improved_and_a_widened_one_worsened():
    improved = compared(RAISED_F).changes
    worsened = compared(RAISED_F.swapaxes(2, 3)).changes
    for name in ("demographic_parity_difference", "demographic_parity_ratio", "demographic_parity_ratio_paper"):
        assert improved[name].verdict == "improved"
        assert worsened[name].verdict == "worsened"


def test_gaps_fall_and_ratios_rise_when_they_improve():
    changes = compared(RAISED_F).changes
    assert changes["demographic_parity_difference"].difference.high < 0
    assert changes["demographic_parity_ratio"].difference.low > 0
    assert changes["average_odds_difference"].difference.low > 0  # from −.27 towards 0
    assert changes["average_odds_difference"].verdict == "improved"


def test_a_ratio_above_1_improves_by_falling():
    changes = compared(RAISED_F, reference="F").changes["demographic_parity_ratio_paper"]
    assert changes.before.value > changes.after.value > 1
    assert changes.difference.high < 0
    assert changes.verdict == "improved"


def test_selection_rate_has_no_better_side():
    assert compared(RAISED_F).changes["selection_rate"].verdict == "changed"
    assert compared(LOWERED_M).changes["selection_rate"].verdict == "changed"


def test_few_flips_tell_nothing():
    counts = joint([300, 2, 1, 200, 100, 1, 2, 400], [500, 1, 2, 100, 100, 2, 1, 300])
    assert {change.verdict for change in compared(counts).changes.values()} == {"cannot tell"}


def test_change_is_undefined_where_one_side_is():
    nobody_after = joint([300, 0, 0, 200, 100, 0, 0, 400], [500, 0, 60, 0, 100, 0, 150, 0])
    change = compared(nobody_after).changes["predictive_parity_difference"]
    assert change.verdict == "undefined"
    assert np.isnan([change.difference.value, change.difference.low, change.difference.high]).all()


def test_change_is_undefined_when_another_set_of_groups_enters_the_gap():
    third = [250, 0, 60, 0, 100, 0, 150, 0]
    counts = np.concatenate([RAISED_F, joint(third)])
    change = compared(counts, levels=("M", "F", "X")).changes["predictive_parity_difference"]
    assert not math.isnan(change.before.value)
    assert not math.isnan(change.after.value)
    assert change.verdict == "undefined"


def test_degenerate_model_is_marked_on_the_side_where_it_stands():
    paired = compared(joint([300, 0, 200, 0, 100, 0, 400, 0], [500, 0, 60, 0, 100, 0, 150, 0]))
    assert paired.before.degenerate is None
    assert "unfavourable decision" in paired.after.degenerate


@pytest.mark.parametrize(("before", "after"), [((0.45, 0.35), (0.4, 0.4)), ((0.45, 0.35), (0.45, 0.35))])
def test_interval_of_a_changed_gap_covers_where_plain_percentiles_do_not(before, after):
    random, extra, rows, data_sets = np.random.default_rng(2), 0.02, 1000, 300
    up, down = (np.maximum(0, sign * np.subtract(after, before)) + extra for sign in (1, -1))
    cells = np.stack([1 - np.array(before) - up, up, down, np.array(before) - down], axis=1)  # (group, before x after)
    truth, covered, naive = np.ptp(after) - np.ptp(before), 0, 0
    for seed in range(data_sets):
        drawn = bootstrap_counts(random.multinomial(rows, cells).reshape(2, 2, 2), seed=seed, replicates=400)
        n = drawn.sum(axis=(2, 3))
        old, new = drawn[:, :, 1].sum(axis=2) / n, drawn[:, :, :, 1].sum(axis=2) / n
        signed = [np.stack([rate[:, 0] - rate[:, 1], rate[:, 1] - rate[:, 0]], axis=1) for rate in (old, new)]
        low, high = change_of_maximum(*signed)
        covered += low <= truth + 1e-12 and truth - 1e-12 <= high
        low, high = percentiles(np.ptp(new, axis=1) - np.ptp(old, axis=1))
        naive += low <= truth <= high
    two_errors = 2 * math.sqrt(0.05 * 0.95 / data_sets)
    assert covered / data_sets >= 0.95 - two_errors
    if after[0] == after[1]:
        assert naive < covered


def test_flips_count_raised_and_lowered_by_group_and_label():
    table = {(row["group"], row["label"]): row for row in flip_table(compared(RAISED_F))}
    assert table["F", 1] == {"group": "F", "label": 1, "n": 400, "to_favourable": 150, "to_unfavourable": 0}
    assert table["F", 0]["to_favourable"] == 60
    assert table["M", 1]["to_unfavourable"] == 0
    assert sum(row["n"] for row in table.values()) == RAISED_F.sum()


def test_levelling_says_whether_the_lower_group_was_raised_or_the_higher_one_lowered():
    raised = levelling(compared(RAISED_F), "demographic_parity_difference")
    assert "F 210 of 1,020 (20.6 %) → 420 of 1,020 (41.2 %)" in raised
    assert "closed by raising F (20.6 points) alone" in raised
    assert "closed by lowering M (26.0 points) alone" in levelling(compared(LOWERED_M), "demographic_parity_ratio")
    assert "it widened" in levelling(compared(RAISED_F.swapaxes(2, 3)), "demographic_parity_difference")
    both = levelling(compared(RAISED_F), "equalized_odds_difference")
    assert "True-positive rate:" in both
    assert "False-positive rate:" in both


def test_levelling_of_an_accuracy_is_refused():
    with pytest.raises(SettingError, match="compares no groups"):
        levelling(compared(RAISED_F), "accuracy")


def test_misfit_joint_counts_are_refused():
    with pytest.raises(DataError, match=r"give \(2, 2, 2, 2\)"):
        compared(np.ones((3, 2, 2, 2), int))


def test_every_metric_has_a_change_also_for_many_groups():
    counts = np.random.default_rng(3).integers(5, 60, (6, 2, 2, 2))
    paired = compared(counts, levels="abcdef", reference="c", replicates=500)
    assert set(paired.changes) == set(METRICS)
    for change in paired.changes.values():
        assert change.difference.low <= change.difference.value <= change.difference.high
