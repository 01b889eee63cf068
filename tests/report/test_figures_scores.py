"""Curves, calibration, histograms, training and search."""

import numpy as np
import pytest

from fairneuron_core.metrics import calibration_by_group, roc_by_group
from fairneuron_core.report import figures

SCORES = np.array([0.9, 0.6, 0.6, 0.3, 0.1])
LABELS = np.array([1, 1, 0, 0, 1])
ALL = np.zeros(5, dtype=int)


@pytest.mark.parametrize(("cut", "fpr", "tpr"), [(0.95, 0.0, 0.0), (0.6, 0.5, 2 / 3), (0.5, 0.5, 2 / 3), (0.0, 1, 1)])
def test_the_roc_point_is_where_scores_reach_the_threshold(cut, fpr, tpr):
    curves = roc_by_group(SCORES, LABELS, ALL, levels=("F",))
    table = figures.roc(curves, threshold=cut).table
    assert table.loc[0, ["false-positive rate", "true-positive rate"]].tolist() == pytest.approx([fpr, tpr])


def test_counts_give_the_exact_roc_point():
    curves = roc_by_group(SCORES, LABELS, ALL, levels=("F",))
    table = figures.roc(curves, threshold=0.6, counts=np.array([[[3, 1], [1, 4]]])).table
    assert table.loc[0, ["false-positive rate", "true-positive rate"]].tolist() == [0.25, 0.8]


def test_a_group_with_one_label_only_has_no_curve_and_is_named():
    groups = np.array([0, 0, 0, 0, 1])
    chart = figures.roc(roc_by_group(SCORES, LABELS, groups, levels=("F", "X")), threshold=0.5)
    assert chart.sentence.endswith("Without both labels there is no curve: X.")


def test_calibration_averages_over_rows_and_not_over_bins():
    scores, labels = np.array([0.2] * 30 + [0.8] * 10), np.array([1] * 9 + [0] * 21 + [1] * 8 + [0] * 2)
    curves = calibration_by_group(scores, labels, np.zeros(40, dtype=int), levels=("F",), bins=2)
    assert "F +7.5 points" in figures.calibration(curves).sentence  # 30 rows at +10 points, 10 rows at 0


def test_a_score_at_the_threshold_counts_as_selected():
    assert "50.0 % of F" in figures.score_histogram({"F": np.array([0.2, 0.5])}, threshold=0.5).sentence


def test_shares_of_a_score_histogram_add_up_to_one():
    table = figures.score_histogram({"F": np.array([0.0, 0.31, 1.0])}).table
    assert table["share of F"].sum() == pytest.approx(1)


def test_no_curves_give_an_empty_chart_with_the_reason():
    assert "no curve" in figures.roc((), threshold=0.5).sentence


def test_training_curves_start_at_zero_and_say_the_epoch():
    points = [{"epoch": e, "train_loss": 1 / e, "validation_loss": 1.1 / e, "accuracy": 0.8} for e in (1, 2, 3)]
    chart = figures.training_curves(points, epochs=50)
    assert chart.sentence.startswith("Epoch 3 of 50, training loss 0.333")
    assert all(axis.range[0] == 0 for axis in chart.figure.select_yaxes())


def test_training_without_points_waits_in_words():
    assert "has not finished" in figures.training_curves([]).sentence


def test_missing_losses_are_skipped():
    chart = figures.training_curves([{"epoch": 1, "train_loss": 0.5, "validation_loss": None}])
    assert [t.name for t in chart.figure.data] == ["training"]


def test_the_search_counts_trials_without_the_start_and_names_the_chosen():
    trials = [
        {"accuracy": 0.85, "gap": 0.17, "before": True},
        {"accuracy": 0.84, "gap": 0.10, "label": "theta 0.1", "chosen": True},
        {"accuracy": 0.50, "gap": 0.00, "eligible": False},
    ]
    sentence = figures.search_scatter(trials).sentence
    assert sentence == (
        "2 trials, 1 not eligible; chosen: theta 0.1: accuracy 84.0 %, gap 10.0 points, on the validation part."
    )
