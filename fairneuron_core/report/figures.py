"""Every chart of the product: a pure function from numbers to `Chart` (figure, sentence, table)."""

from fairneuron_core.report.figures_change import dumbbell, flips, group_shift
from fairneuron_core.report.figures_counts import confusion
from fairneuron_core.report.figures_groups import base_rates, gap_overview, group_rates
from fairneuron_core.report.figures_neurons import neuron_shares
from fairneuron_core.report.figures_paths import (
    conflict_makeup,
    cumulative_share,
    frequency_sentence,
    path_frequency_histogram,
)
from fairneuron_core.report.figures_runs import training_curves
from fairneuron_core.report.figures_scores import calibration, roc, score_histogram
from fairneuron_core.report.figures_search import search_parallel, trial_table
from fairneuron_core.report.figures_trials import search_scatter, setting_effect
from fairneuron_core.report.style import COLOURS, Chart, Mode

__all__ = [
    "COLOURS",
    "Chart",
    "Mode",
    "base_rates",
    "calibration",
    "conflict_makeup",
    "confusion",
    "cumulative_share",
    "dumbbell",
    "flips",
    "frequency_sentence",
    "gap_overview",
    "group_rates",
    "group_shift",
    "neuron_shares",
    "path_frequency_histogram",
    "roc",
    "score_histogram",
    "search_parallel",
    "search_scatter",
    "setting_effect",
    "training_curves",
    "trial_table",
]
