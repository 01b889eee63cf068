"""The charts and words of an experiment: a result made from a formula, so that its figures are known."""

import copy
import math

import numpy as np
import pytest

from fairneuron_core.errors import DataError
from fairneuron_core.experiments.spec import GAPS
from fairneuron_core.report.experiment_result import pick_all, read_experiment
from fairneuron_core.report.experiment_words import (
    answer,
    numbers_table,
    paper_table,
    rows_table,
    summary_table,
)
from fairneuron_core.report.figures_budgets import front_areas, gaps_at_budgets, time_bars
from fairneuron_core.report.figures_experiment import method_styles, pareto_front
from fairneuron_core.report.figures_seeds import rate_shifts, seed_strips
from fairneuron_core.report.style import COLOURS
from fairneuron_core.report.tables import csv_bytes
from tests.report.experiment_sample import damaged_experiment, sample_experiment

PARITY = GAPS[0]


@pytest.fixture(scope="module")
def found():
    return read_experiment(sample_experiment())


@pytest.fixture(scope="module")
def picked(found):
    return pick_all(found, gap=PARITY, budget=0.01)


def by_name(picked, name):
    return next(one for one in picked if one.method.name == name)


def trace(chart, title):
    return next(t for t in chart.figure.data if t.name == title)


def test_at_the_budget_of_the_spec_the_differences_are_those_of_the_stored_summary(found, picked):
    stored = {(r["method"], r["metric"]): r["paired_difference"] for r in found.source["summary"]}
    for name in ("conflict", "reweighing", "matched_threshold"):
        change = by_name(picked, name).change[PARITY]
        assert (change.value, change.low, change.high) == pytest.approx(tuple(stored[name, PARITY].values()))


def test_a_larger_budget_chooses_a_larger_strength_on_validation(found):
    chosen = [by_name(pick_all(found, gap=PARITY, budget=b), "conflict").strength for b in (0.0, 0.01, 0.06)]
    assert chosen == [0.0, 0.4, 0.8]


def test_a_method_with_one_point_is_shown_as_it_is_and_said_to_cost_more_than_the_budget(found):
    one = by_name(pick_all(found, gap=PARITY, budget=0.001), "reweighing")
    assert one.over_budget
    assert not one.ranked
    assert one.change[PARITY].value < -0.05
    assert "costs more than the budget on validation" in one.notes


def test_a_method_that_is_degenerate_on_a_seed_is_counted_and_never_ranked():
    found = read_experiment(sample_experiment(failing="reweighing"))
    one = by_name(pick_all(found, gap=PARITY, budget=0.01), "reweighing")
    assert (one.degenerate, one.change[PARITY].n) == (1, 2)
    assert not one.ranked
    assert "degenerate on 1" in str(seed_strips(found, [one], PARITY).figure.layout.annotations)
    assert "It decides nearly always the same" in summary_table(found, [one])["Remarks"][0]


@pytest.mark.parametrize("drop", ["rows", "spec", "pareto", "summary"])
def test_a_result_without_one_of_its_parts_is_refused_in_one_sentence(drop):
    source = sample_experiment()
    del source[drop]
    with pytest.raises(DataError, match="run the experiment again"):
        read_experiment(source)


def test_a_result_that_lost_a_seed_is_refused():
    with pytest.raises(DataError, match="damaged or not complete"):
        read_experiment(damaged_experiment())


def test_the_answer_names_the_best_on_validation_with_gap_and_price(found, picked):
    words = answer(found, picked, title="Census", gap=PARITY, budget=0.01)
    assert words.startswith("On Census, Conflict repair lowers the demographic parity difference by 13.6 [12.4, 14.8]")
    assert "0.8 [0.3, 1.2] points of accuracy" in words
    assert "every other method with one rule for all groups leaves a larger gap" in words
    assert "It raises the equal opportunity difference by" in words


def test_the_answer_does_not_call_a_tie_a_win():
    source = sample_experiment()
    twin = copy.deepcopy([row for row in source["rows"] if row["method"] == "conflict"])
    # The same figures on every seed: nobody can tell the two apart.
    source["rows"] = [row for row in source["rows"] if row["method"] != "reweighing"]
    source["rows"] += [row | {"method": "reweighing"} for row in twin]
    found = read_experiment(source)
    words = answer(found, pick_all(found, gap=PARITY, budget=0.01), title="Census", gap=PARITY, budget=0.01)
    assert "these seeds cannot tell it apart from Reweighing" in words


def test_where_the_gap_does_not_move_the_answer_says_so(found):
    words = answer(found, pick_all(found, gap=PARITY, budget=0.0), title="Census", gap=PARITY, budget=0.0)
    assert "cannot be said to lower" in words
    assert " lowers " not in words


def test_degenerate_networks_to_start_from_are_said_before_anything_else():
    found = read_experiment(sample_experiment(failing="no_repair"))
    words = answer(found, pick_all(found, gap=PARITY, budget=0.01), title="Census", gap=PARITY, budget=0.01)
    assert words.startswith("On Census, the network as given is degenerate on 1 of 3 seeds")


def test_with_one_seed_nothing_is_claimed():
    found = read_experiment(sample_experiment(seeds=1))
    words = answer(found, pick_all(found, gap=PARITY, budget=0.01), title="Census", gap=PARITY, budget=0.01)
    assert "cannot be said to lower" in words
    assert "1 seed" in words


def test_the_gap_axis_of_the_front_starts_at_zero_and_the_accuracy_axis_says_where(found, picked):
    figure = pareto_front(found, PARITY, picked).figure
    assert figure.layout.xaxis.range[0] == 0
    assert "majority class" in figure.layout.yaxis.title.text
    # 67 % of 31 % and 33 % of 11 % are positive: always "no" is right for 75.6 %.
    assert any("75.6 %" in note.text for note in figure.layout.annotations)


def test_without_base_rates_the_axis_names_its_start():
    source = sample_experiment()
    for row in source["rows"]:
        for group in row["groups"]:
            del group["base_rate"]
    found = read_experiment(source)
    figure = pareto_front(found, PARITY, pick_all(found, gap=PARITY, budget=0.01)).figure
    assert "axis from" in figure.layout.yaxis.title.text


def test_every_method_has_its_line_marker_and_list(found, picked):
    chart = pareto_front(found, PARITY, picked)
    titles = [method.title for method in found.methods]
    assert {t.name for t in chart.figure.data if t.legendgroup} == set(titles)
    assert trace(chart, "Reject option").marker.symbol.endswith("-open")
    assert trace(chart, "Reject option").legendgrouptitle.text == "A rule per group of sex"
    assert (trace(chart, "No repair").marker.symbol, trace(chart, "No repair").marker.color) == (
        "x",
        COLOURS["light"].reference,
    )
    symbols = [style.symbol for style in method_styles(found.methods, "dark").values()]
    assert len(set(symbols)) == len(symbols)


def test_the_ring_lies_where_validation_chose(found, picked):
    ring = trace(pareto_front(found, PARITY, picked), "chosen on validation within the budget")
    level = by_name(picked, "conflict").level
    place = list(ring.text).index("Conflict repair")
    assert (ring.x[place], ring.y[place]) == (level[PARITY].value, level["accuracy"].value)


def test_the_front_of_the_validation_rows_has_the_validation_points(found, picked):
    table = pareto_front(found, PARITY, picked, part="validation").table
    stored = [p for p in found.source["pareto"][PARITY][3]["points"] if p["split"] == "validation"]
    assert table[table["name"] == "conflict"]["gap"].tolist() == [p["gap"]["value"] for p in stored]


def test_the_strips_have_one_dot_per_seed_and_zero_inside_the_axis(found, picked):
    chart = seed_strips(found, picked, PARITY)
    dots = [t for t in chart.figure.data if t.marker.size == 7]
    assert [len(t.x) for t in dots] == [3] * 5  # no repair is the reference and has no dots
    low, high = chart.figure.layout.xaxis.range
    assert low < 0 < high
    assert chart.table.set_index("method").loc["Conflict repair", "verdict"] == "improved"


def test_controls_are_in_every_chart(found, picked):
    for chart in (pareto_front(found, PARITY, picked), seed_strips(found, picked, PARITY), front_areas(found, PARITY)):
        assert {"No repair", "Plain retraining", "Matched threshold"} <= set(chart.table["method"])


def test_group_rates_say_who_was_raised_and_who_was_lowered(picked):
    chart = rate_shifts(by_name(picked, "conflict"), "selection_rate")
    assert "Male fell by" in chart.sentence
    assert "Female rose by" in chart.sentence
    assert chart.table["n per seed"].tolist() == [6030, 2970]
    # A true-positive rate rests on the positives alone: 31 % and 11 % of them.
    assert rate_shifts(by_name(picked, "conflict"), "tpr").table["n per seed"].tolist() == [1869, 327]


def test_gaps_at_budgets_start_at_zero(found):
    chart = gaps_at_budgets(found, PARITY)
    assert chart.figure.layout.xaxis.range[0] == 0
    assert "1 point: Conflict repair" in chart.sentence
    assert "hypervolume" in chart.table


def test_time_is_named_with_its_unit(found):
    chart = time_bars(found)
    assert "Training of the given networks took most: 41 s" in chart.sentence


def test_without_times_the_chart_says_so():
    source = sample_experiment()
    del source["timing"]
    assert time_bars(read_experiment(source)).sentence == "No times were recorded."


def test_undefined_figures_stay_undefined():
    source = sample_experiment()
    for row in source["rows"]:
        row["metrics"]["equal_opportunity_difference"] = None
    found = read_experiment(source)
    one = by_name(pick_all(found, gap=PARITY, budget=0.01), "conflict")
    assert math.isnan(one.change["equal_opportunity_difference"].value)
    assert one.verdict["equal_opportunity_difference"] == "undefined"
    assert np.isnan(rows_table(found)["equal_opportunity_difference"].astype(float)).all()


def test_no_cell_of_the_download_is_a_formula(found, picked):
    source = sample_experiment()
    for row in [*source["summary"], *source["pareto"][PARITY]]:
        row["title"] = "=1+1"
    again = read_experiment(source)
    text = csv_bytes(numbers_table(again, pick_all(again, gap=PARITY, budget=0.01))).decode("utf-8-sig")
    assert "'=1+1" in text
    assert ",=1+1" not in text


def test_the_paper_stands_beside_what_was_measured(found):
    table = paper_table(found.paper)
    accuracy = table[(table["It prints"] == "Acc") & (table["Measured here"] != "not measured")].iloc[0]
    stored = {r["method"]: r for r in found.source["summary"] if r["metric"] == "accuracy"}
    line = next(x for x in found.paper if x.metric == "accuracy" and x.measured is not None)
    assert accuracy["Paper says"] == line.printed
    assert accuracy["Measured here"] == f"{stored[line.method]['mean']:.3f}"
    assert accuracy["95 % interval"].startswith("[0.8")
