"""Charts of one audit say what the counts say."""

import json

import numpy as np
import pandas as pd
import plotly.io as pio
import pytest

from fairneuron_core.metrics import audit_from_counts
from fairneuron_core.report import figures
from fairneuron_core.report.style import COLOURS, group_styles


def texts(chart):
    return [a.text for a in chart.figure.layout.annotations]


def xaxes(chart):
    return list(chart.figure.select_xaxes())


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_chart_of_an_audit_is_svg_and_fits_into_json(worked_audit, mode):
    charts = [
        figures.group_rates(worked_audit, "selection_rate", mode=mode),
        figures.gap_overview(worked_audit, {"demographic_parity_difference": 0.1}, mode=mode),
        figures.confusion(worked_audit, mode=mode),
    ]
    for chart in charts:
        json.loads(pio.to_json(chart.figure))
        assert {trace.type for trace in chart.figure.data} <= {"scatter", "bar", "heatmap"}
        assert chart.sentence.endswith(".")
        assert not chart.table.empty


def test_rates_are_shown_with_interval_and_the_n_they_rest_on(worked_audit):
    shown = " ".join(texts(figures.group_rates(worked_audit, "tpr")))
    assert "<b>80.0 %</b> [" in shown
    assert "n = 50" in shown
    assert "n = 40" in shown


def test_the_sentence_names_the_highest_and_the_lowest_group(worked_audit):
    chart = figures.group_rates(worked_audit, "selection_rate")
    assert chart.sentence.startswith("Selection rate is highest for M (60.0 %) and lowest for F (34.0 %): 26.0 points")


def test_the_axis_of_rates_starts_at_zero(worked_audit):
    assert all(axis.range[0] == 0 for axis in xaxes(figures.group_rates(worked_audit, "tpr")))


def test_the_reference_group_is_grey_and_markers_differ():
    styles = group_styles(["M", "F", "X"], "M", "light")
    assert styles["M"].colour == COLOURS["light"].reference
    assert len({s.symbol for s in styles.values()}) == 3
    assert len({s.dash for s in styles.values()}) == 3


def test_a_group_without_positives_is_undefined_in_words_and_has_no_dot():
    counts = np.array([[[30, 20], [10, 40]], [[40, 6], [0, 0]]])
    audit = audit_from_counts(counts, levels=("M", "F"), attribute="sex", reference="M")
    chart = figures.group_rates(audit, "tpr")
    assert "undefined for F" in chart.sentence
    assert [t.name for t in chart.figure.data if t.type == "scatter"] == ["M"]


def test_a_group_that_is_too_small_is_drawn_but_not_compared():
    counts = np.array([[[30, 20], [10, 40]], [[54, 6], [12, 28]], [[0, 5], [0, 5]]])
    audit = audit_from_counts(counts, levels=("M", "F", "X"), attribute="sex", reference="M")
    chart = figures.group_rates(audit, "selection_rate")
    assert "highest for M" in chart.sentence
    assert "Too small to be compared: X." in chart.sentence
    assert "X" in set(chart.table["group"])


def test_a_gap_wholly_beyond_the_line_does_not_meet_it(worked_audit):
    chart = figures.gap_overview(worked_audit, {"demographic_parity_difference": 0.05})
    row = chart.table.set_index("metric").loc["Demographic parity difference"]
    assert row["verdict"] == "does not meet your line"
    assert row["value"] == pytest.approx(0.26)
    assert chart.sentence.startswith("Of 1 gap with a line, 1 does not meet your line.")


def test_a_signed_gap_opens_the_axis_below_zero(worked_audit):
    chart = figures.gap_overview(worked_audit, names=["average_odds_difference"])
    assert worked_audit.metrics["average_odds_difference"].estimate.value == pytest.approx(-0.2)
    assert xaxes(chart)[0].range[0] < -0.2


def test_a_degenerate_audit_is_marked_in_the_sentence():
    counts = np.array([[[50, 0], [50, 0]], [[60, 0], [40, 0]]])
    audit = audit_from_counts(counts, levels=("M", "F"), attribute="sex", reference="M")
    assert figures.gap_overview(audit).sentence.startswith("Read nothing into these gaps")


def test_confusion_shares_are_of_the_people_with_that_label(worked_audit):
    table = figures.confusion(worked_audit).table.set_index("group")
    assert table.loc["F", "wrongly refused"] == 12
    assert table.loc["F", "wrongly refused share"] == pytest.approx(0.3)
    assert table.loc["M", "wrongly selected share"] == pytest.approx(0.4)


def test_markup_in_a_group_name_is_shown_and_not_obeyed():
    counts = np.array([[[30, 20], [10, 40]], [[54, 6], [12, 28]]])
    audit = audit_from_counts(counts, levels=("<b>M</b>", "F"), attribute="sex", reference="F")
    assert any("&lt;b&gt;M&lt;/b&gt;" in text for text in texts(figures.group_rates(audit, "tpr")))


def test_base_rates_of_an_empty_group_are_undefined():
    table = pd.DataFrame(
        {"group": ["M", "?"], "n": [10, 0], "share": [1.0, 0.0], "favourable": [4, 0], "base_rate": [0.4, np.nan]}
    )
    chart = figures.base_rates(table)
    assert "<b>undefined</b> " in texts(chart)
    assert len(chart.figure.data) == 1
