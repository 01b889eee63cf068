"""The trials of a search: table, parallel coordinates, frontier, and the effect of each setting."""

import math

import numpy as np
import pytest

from fairneuron_core.report import figures
from fairneuron_core.report.figures_search import STANDINGS, varied
from fairneuron_core.report.figures_trials import effect_table
from fairneuron_core.report.style import COLOURS


def trial(theta, gamma, accuracy, gap, score, **more):
    metrics = {
        "accuracy": accuracy,
        "demographic_parity_difference": gap,
        "demographic_parity_ratio": None if gap is None else 1 - gap,
        "equal_opportunity_difference": gap,
    }
    given = {"first_layer": 2, "dropout": 0.3, "learning_rate": 1e-3, "conflict_samples": 5, "pareto": False}
    basis = {"theta": theta, "gamma": gamma, "metrics": metrics, "score": score, "ineligible": None, "same_as": None}
    return {**basis, **given, **more}


RESULTS = {
    "params": {"dropout": 0.3},
    "chosen": 1,
    "validation_before": {
        "accuracy": 0.85,
        "demographic_parity_difference": 0.2,
        "equal_opportunity_difference": 0.1,
    },
    "trials": [
        trial(0.1, 0.9, 0.80, 0.10, 0.3),
        trial(0.1, 0.6, 0.84, 0.05, 0.1, pareto=True),
        trial(0.01, 0.9, 0.82, 0.20, 0.5),
        trial(0.01, 0.6, 0.50, None, None, ineligible="a rate is undefined on the validation part"),
        trial(0.001, 0.9, 0.82, 0.20, 0.5, same_as=2),
    ],
}


def test_the_table_says_in_words_where_every_trial_stands():
    table = figures.trial_table(RESULTS)
    assert table["standing"].tolist() == ["eligible", "chosen", "eligible", "not eligible", "eligible"]
    assert set(table["standing"]) <= set(STANDINGS)
    assert table["not eligible because"].tolist()[3] == "a rate is undefined on the validation part"
    assert math.isnan(table["score"][3])
    assert table["same training as trial"][4] == 3
    assert varied(table) == ["theta", "gamma"]


def test_an_older_search_takes_what_it_did_not_vary_from_its_settings():
    old = {**RESULTS, "trials": [{k: v for k, v in RESULTS["trials"][0].items() if k not in ("dropout", "pareto")}]}
    assert figures.trial_table({**old, "chosen": None})["dropout"].tolist() == [0.3]


def ticks_of(chart, place):
    """Texts and heights of the ticks of one axis, lowest first."""
    notes = [note for note in chart.figure.layout.annotations if note.x == place and note.xanchor == "right"]
    return {note.text: note.y for note in notes}


def heights_of(chart, name, place):
    trace = next(trace for trace in chart.figure.data if trace.name == name)
    return [y for x, y in zip(trace.x, trace.y, strict=True) if x == place]


def test_parallel_coordinates_have_an_axis_per_varied_setting_and_figure():
    chart = figures.search_parallel(RESULTS)
    names = [note.text for note in chart.figure.layout.annotations if note.y == 1.05]
    assert names == ["theta", "gamma", "accuracy", "parity", "opportunity", "score"]
    assert ticks_of(chart, 0) == pytest.approx({"0.001": 0, "0.01": 0.5, "0.1": 1})  # logarithmic
    assert heights_of(chart, "chosen", 0) == [1]
    assert heights_of(chart, "chosen", 1) == [0]  # gamma 0.6 of 0.6 and 0.9


def test_gaps_and_score_start_at_zero_and_an_undefined_value_has_a_place_above():
    chart = figures.search_parallel(RESULTS)
    for place in (3, 5):
        ticks = ticks_of(chart, place)
        assert ticks["0"] == 0
        assert heights_of(chart, "not eligible", place) == [ticks["none"]] == [1]
        assert max(height for text, height in ticks.items() if text != "none") < 0.9


def test_the_chosen_trial_is_drawn_last_with_a_star_in_the_colour_of_after():
    *_, last = figures.search_parallel(RESULTS, mode="light").figure.data
    assert (last.name, last.line.color, last.marker.symbol) == ("chosen", COLOURS["light"].after, "star")
    assert figures.search_parallel(RESULTS).figure.data[0].line.dash == "dot"  # not eligible


def test_a_missing_point_parts_the_line_of_one_trial_from_the_next():
    trace = next(t for t in figures.search_parallel(RESULTS).figure.data if t.name == "eligible")
    assert np.isnan(trace.x).sum() == 3
    assert "trial 1: theta 0.1, gamma 0.9, accuracy 80.0 %" in trace.text[0].replace("<br>", " ")


def test_the_sentence_counts_the_ineligible_with_their_reasons_and_names_what_was_fixed():
    sentence = figures.search_parallel(RESULTS).sentence
    assert "5 trials" in sentence
    assert "1 not eligible (1 × a rate is undefined on the validation part)" in sentence
    assert "dropout 0.3" in sentence


def test_the_effect_of_a_setting_is_mean_and_range_of_the_eligible_trials():
    table = effect_table(figures.trial_table(RESULTS), "gamma").set_index("gamma")
    assert table["trials"].tolist() == [1, 3]  # the ineligible trial at 0.6 does not count
    assert table.loc[0.9, "accuracy mean"] == pytest.approx((0.80 + 0.82 + 0.82) / 3)
    assert table.loc[0.9, ["accuracy min", "accuracy max"]].tolist() == [0.80, 0.82]
    assert table.loc[0.6, "demographic_parity_difference mean"] == 0.05


def test_many_values_of_a_setting_are_put_into_parts():
    drawn = {**RESULTS, "trials": [trial(10 ** -(1 + i / 10), 0.9, 0.8, 0.1, 0.2) for i in range(31)], "chosen": 0}
    table = effect_table(figures.trial_table(drawn), "theta")
    assert len(table) == 6
    assert table["trials"].sum() == 31
    assert (table["trials"] >= 4).all()  # equal width on the logarithm


def test_the_effect_chart_has_zero_based_gaps_and_the_given_network_dashed_in_blue():
    figure = figures.setting_effect(RESULTS, "theta").figure
    assert figure.layout.yaxis2.range[0] == figure.layout.yaxis3.range[0] == 0
    assert figure.layout.yaxis.range[0] <= 0.5
    before = [shape for shape in figure.layout.shapes if shape.line.dash == "dash"]
    assert [shape.y0 for shape in before] == [0.85, 0.2, 0.1]
    assert {shape.line.color for shape in before} == {COLOURS["light"].before}
    assert figure.layout.xaxis.type == "log"


def test_the_effect_sentence_compares_the_ends():
    sentence = figures.setting_effect(RESULTS, "gamma").sentence
    assert "coverage (gamma), 0.6 to 0.9" in sentence
    assert "demographic parity difference 5.0 points to 16.7 points" in sentence


def test_an_undefined_figure_of_the_given_network_draws_no_line():
    nothing = {**RESULTS, "validation_before": dict.fromkeys(RESULTS["validation_before"])}
    assert not figures.setting_effect(nothing, "theta").figure.layout.shapes


def test_without_trials_the_charts_say_so():
    empty = {**RESULTS, "trials": [], "chosen": None}
    assert "No trial" in figures.search_parallel(empty).sentence
    assert "No trial" in figures.setting_effect(empty, "theta").sentence


def test_the_frontier_is_the_steps_of_eligible_trials_that_none_beats():
    points = [
        {"accuracy": 0.85, "gap": 0.2, "before": True},
        {"accuracy": 0.84, "gap": 0.15},
        {"accuracy": 0.80, "gap": 0.05},
        {"accuracy": 0.79, "gap": 0.10},
        {"accuracy": 0.90, "gap": 0.00, "eligible": False},
    ]
    line = next(t for t in figures.search_scatter(points).figure.data if t.name == "frontier")
    assert list(zip(line.x, line.y, strict=True)) == [(0.05, 0.80), (0.15, 0.84)]
    assert figures.search_scatter(points).figure.layout.xaxis.range[0] == 0
