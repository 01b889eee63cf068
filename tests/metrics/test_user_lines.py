"""Three-state verdicts against the user's own lines."""

import math

import numpy as np
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.metrics import FOUR_FIFTHS_CAVEAT, METRICS, audit_from_counts, default_lines, verdict, verdicts
from fairneuron_core.types import Estimate


def estimate(low, high):
    return Estimate((low + high) / 2, low, high, 100)


@pytest.mark.parametrize(
    ("low", "high", "line", "direction", "expected"),
    [
        (0.02, 0.08, 0.10, "lower", "meets your line"),
        (0.02, 0.10, 0.10, "lower", "meets your line"),
        (0.11, 0.20, 0.10, "lower", "does not meet"),
        (0.05, 0.20, 0.10, "lower", "not enough evidence"),
        (0.85, 0.99, 0.80, "higher", "meets your line"),
        (0.50, 0.79, 0.80, "higher", "does not meet"),
        (0.70, 0.90, 0.80, "higher", "not enough evidence"),
        (-0.30, -0.15, 0.10, "towards 0", "does not meet"),
        (-0.05, 0.08, 0.10, "towards 0", "meets your line"),
        (-0.15, 0.05, 0.10, "towards 0", "not enough evidence"),
        (1.30, 1.90, 0.80, "towards 1", "does not meet"),
        (0.85, 1.20, 0.80, "towards 1", "meets your line"),
        (0.70, 1.10, 0.80, "towards 1", "not enough evidence"),
    ],
)
def test_verdict_follows_the_whole_interval(low, high, line, direction, expected):
    assert verdict(estimate(low, high), line, direction) == expected


def test_undefined_is_never_a_pass():
    nothing = Estimate(math.nan, math.nan, math.nan, 0)
    assert {verdict(nothing, 0.1, d) for d in ("lower", "higher", "towards 0", "towards 1")} == {"not enough evidence"}


def test_groups_that_vanish_leave_no_evidence_instead_of_a_perfect_gap():
    counts = np.array([[[30, 20], [10, 40]], [[8, 0], [0, 0]]])
    found = audit_from_counts(counts, levels=("a", "b"), attribute="g", reference="a")
    assert set(verdicts(found).values()) == {"not enough evidence"}


def test_default_lines_are_a_tenth_for_gaps_and_four_fifths_for_ratios():
    lines = default_lines()
    assert set(lines) == {name for name, row in METRICS.items() if row.kind != "performance"}
    assert {lines[name].value for name, row in METRICS.items() if row.kind == "gap"} == {0.10}
    assert {(lines[n].value, lines[n].name) for n, r in METRICS.items() if r.kind == "ratio"} == {(0.80, "four-fifths")}
    assert lines["demographic_parity_ratio"].caveat == FOUR_FIFTHS_CAVEAT
    assert "not a definition of fairness" in FOUR_FIFTHS_CAVEAT


def test_lines_are_judged_in_the_direction_of_their_metric():
    counts = np.array([[[30, 20], [10, 40]], [[54, 6], [12, 28]]]) * 20
    found = verdicts(audit_from_counts(counts, levels=("M", "F"), attribute="sex", reference="M"))
    assert found["demographic_parity_difference"] == "does not meet"
    assert found["demographic_parity_ratio"] == "does not meet"
    assert found["average_odds_difference"] == "does not meet"
    assert found["equal_opportunity_difference"] == "not enough evidence"


def test_a_line_for_a_metric_without_a_better_side_is_refused():
    with pytest.raises(SettingError, match="no better side"):
        verdict(estimate(0.3, 0.4), 0.5, "none")
