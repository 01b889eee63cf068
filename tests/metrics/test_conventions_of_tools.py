"""The worked table: one data set, every convention. fairlearn itself is asked for its column."""

import math

import numpy as np
import pytest
from fairlearn import metrics as fairlearn

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics import CONVENTIONS, METRICS, as_printed_by, audit_from_counts, conventions_table

COUNTS = np.array([[[30, 20], [10, 40]], [[54, 6], [12, 28]]])
GROUPS, LABELS, DECISIONS = (np.repeat(axis.ravel(), COUNTS.ravel()) for axis in np.indices(COUNTS.shape))

TABLE = {
    ("fairlearn", "demographic_parity_difference"): 0.26,
    ("fairlearn", "demographic_parity_ratio"): 34 / 60,
    ("fairlearn", "equal_opportunity_difference"): 0.10,
    ("fairlearn", "equalized_odds_difference"): 0.30,
    ("fairlearn", 'equalized_odds_difference (agg="mean")'): 0.20,
    ("aif360", "statistical_parity_difference"): -0.26,
    ("aif360", "mean_difference"): -0.26,
    ("aif360", "disparate_impact"): 34 / 60,
    ("aif360", "disparate_impact (roles swapped)"): 60 / 34,
    ("aif360", "equal_opportunity_difference"): -0.10,
    ("aif360", "equalized_odds_difference"): 0.30,
    ("aif360", "average_odds_difference"): -0.20,
    ("aequitas", "pprev_disparity"): 34 / 60,
    ("aequitas", "pprev_disparity (other reference)"): 60 / 34,
    ("aequitas", "tpr_disparity"): 0.875,
    ("aequitas", "fpr_disparity"): 0.25,
    ("holisticai", "statistical_parity"): -0.26,
    ("holisticai", "statistical_parity (groups swapped)"): 0.26,
    ("holisticai", "disparate_impact"): 34 / 60,
    ("holisticai", "four_fifths"): 34 / 60,
    ("holisticai", "equal_opportunity_diff"): -0.10,
    ("holisticai", "average_odds_diff"): -0.20,
    ("dalex", "STP ratio"): 34 / 60,
    ("dalex", "parity_loss of STP"): math.log(60 / 34),
    ("dalex", "TPR ratio"): 0.875,
    ("FairNeuron", "DP"): 0.26,
    ("FairNeuron", "DP ratio (paper)"): 34 / 60,
    ("FairNeuron", "DP ratio (released code)"): 60 / 34,
    ("FairNeuron", "EO (true-positive-rate gap)"): 0.10,
    ("ProF", "DP"): 0.26,
    ("ProF", "EO (equalized odds difference)"): 0.30,
}


@pytest.fixture(scope="module")
def worked():
    return audit_from_counts(COUNTS, levels=("M", "F"), attribute="sex", reference="M")


def test_every_number_of_the_worked_table_is_reproduced(worked):
    printed = {(row.tool, row.prints_as): row.value for row in conventions_table(worked)}
    assert printed == pytest.approx(TABLE, abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equal_opportunity_difference",
        "equalized_odds_difference",
    ],
)
def test_fairlearns_column_is_what_fairlearn_prints(worked, name):
    theirs = getattr(fairlearn, name)(LABELS, DECISIONS, sensitive_features=GROUPS)
    assert as_printed_by(worked, "fairlearn", name) == pytest.approx(theirs, abs=1e-9)


def test_fairlearns_mean_of_odds_is_what_fairlearn_prints(worked):
    theirs = fairlearn.equalized_odds_difference(LABELS, DECISIONS, sensitive_features=GROUPS, agg="mean")
    ours = as_printed_by(worked, "fairlearn", 'equalized_odds_difference (agg="mean")')
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_every_convention_belongs_to_a_metric_and_is_listed_once():
    assert {row.metric for row in CONVENTIONS} <= set(METRICS)
    names = [(row.tool, row.prints_as) for row in CONVENTIONS]
    assert len(set(names)) == len(names)


def test_other_groups_are_taken_together_unless_one_is_chosen():
    counts = np.concatenate([COUNTS, [[[50, 0], [0, 50]]]])
    found = audit_from_counts(counts, levels=("M", "F", "X"), attribute="sex", reference="M")
    merged = as_printed_by(found, "aif360", "statistical_parity_difference")
    assert merged == pytest.approx((34 + 50) / 200 - 0.6)
    assert as_printed_by(found, "aif360", "statistical_parity_difference", group="X") == pytest.approx(-0.1)


def test_undefined_stays_undefined_whatever_the_tool_prints():
    counts = np.array([[[30, 20], [10, 40]], [[60, 40], [0, 0]]])
    found = audit_from_counts(counts, levels=("M", "F"), attribute="sex", reference="M")
    # aif360 prints a perfect 0.0 here.
    assert math.isnan(as_printed_by(found, "aif360", "equalized_odds_difference"))
    assert math.isnan(as_printed_by(found, "aequitas", "tpr_disparity"))


def test_unknown_names_are_refused_with_the_known_ones(worked):
    with pytest.raises(SettingError, match="choose one of DP, EO"):
        as_printed_by(worked, "ProF", "accuracy")
    with pytest.raises(SettingError, match="choose a tool of fairlearn"):
        as_printed_by(worked, "nobody", "DP")
    with pytest.raises(SettingError, match="no group beside the reference"):
        as_printed_by(worked, "ProF", "DP", group="M")
