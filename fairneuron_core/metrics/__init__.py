"""Group metrics with intervals: audits, paired comparisons, thresholds, calibration, verdicts."""

from fairneuron_core.metrics.as_json import audit_json, compare_json
from fairneuron_core.metrics.auditing import audit, audit_from_counts
from fairneuron_core.metrics.calibration import CalibrationCurve, calibration_by_group
from fairneuron_core.metrics.catalogue import METRICS
from fairneuron_core.metrics.conventions import CONVENTIONS, as_printed_by, conventions_table
from fairneuron_core.metrics.counts import group_counts, intersections, joint_counts
from fairneuron_core.metrics.flips import flip_table, levelling
from fairneuron_core.metrics.lines import FOUR_FIFTHS_CAVEAT, Line, default_lines, verdict, verdicts
from fairneuron_core.metrics.multiple import (
    Comparison,
    benjamini_hochberg,
    compare_groups,
    holm,
    two_share_p_value,
)
from fairneuron_core.metrics.paired import compare, compare_from_counts
from fairneuron_core.metrics.rates import RATES
from fairneuron_core.metrics.row import MetricRow
from fairneuron_core.metrics.threshold import RocCurve, ThresholdTable, rates_at, roc_by_group, threshold_table

__all__ = [
    "CONVENTIONS",
    "FOUR_FIFTHS_CAVEAT",
    "METRICS",
    "RATES",
    "CalibrationCurve",
    "Comparison",
    "Line",
    "MetricRow",
    "RocCurve",
    "ThresholdTable",
    "as_printed_by",
    "audit",
    "audit_from_counts",
    "audit_json",
    "benjamini_hochberg",
    "calibration_by_group",
    "compare",
    "compare_from_counts",
    "compare_groups",
    "compare_json",
    "conventions_table",
    "default_lines",
    "flip_table",
    "group_counts",
    "holm",
    "intersections",
    "joint_counts",
    "levelling",
    "rates_at",
    "roc_by_group",
    "threshold_table",
    "two_share_p_value",
    "verdict",
    "verdicts",
]
