"""The charts and words of a certificate say what its JSON says."""

import doctest

import numpy as np
import pytest

from fairneuron_core.jobs.parting import NeuronChange, Parting
from fairneuron_core.report import certificate_words, figures_certify
from fairneuron_core.report.certificate_words import headline

ROWS = {
    "scope": "rows",
    "protected": ["sex"],
    "within": {},
    "part": "test",
    "n": 200,
    "proved": 150,
    "refuted": 40,
    "unknown": 10,
    "reason": "time ran out",
    "method": {"enumeration": 190},
    "size": 2,
    "unread": [],
    "cut_off": [],
    "counterexamples": [],
    "space": None,
}
SPACE = {
    "cells": 1248,
    "proved": 0.7,
    "refuted": 0.1,
    "unknown": 0.2,
    "proved_cells": None,
    "refuted_cells": None,
    "method": "branch and bound",
    "uniform": {"value": 0.15, "low": 0.12, "high": 0.18, "n": 500},
    "held_out": {"value": 0.2, "low": 0.15, "high": 0.26, "n": 200},
    "counterexamples": [],
    "sentence": "Between 10 and 30 %.",
    "seconds": 1.0,
}


def test_bars_stack_to_the_whole_and_the_table_has_the_counts():
    chart = figures_certify.answers(ROWS)
    assert [(bar.name, bar.x[0], bar.base[0]) for bar in chart.figure.data] == [
        ("refuted", 0.2, 0.0),
        ("unknown", 0.05, 0.2),
        ("proved", 0.75, 0.25),
    ]
    assert chart.table["people"].tolist() == ["150", "40", "10"]
    assert chart.sentence.startswith("Of 200 test rows: 150 proved, 40 refuted, 10 open.")


def test_what_is_open_is_hatched_so_that_it_is_told_apart_without_colour():
    unknown = next(bar for bar in figures_certify.answers(ROWS).figure.data if bar.name == "unknown")
    assert unknown.marker.pattern.shape == "/"


def test_the_space_stands_below_the_rows_in_its_own_bar():
    chart = figures_certify.answers(ROWS | {"space": SPACE})
    assert len(chart.figure.data) == 6
    assert sum(bar.x[0] for bar in chart.figure.data) == pytest.approx(2)
    assert chart.table["of"].unique().tolist() == ["200 test rows", "Whole space"]


def test_brackets_and_samples_are_never_one_number():
    chart = figures_certify.space_brackets(ROWS | {"space": SPACE})
    proven, uniform, held_out = chart.table.to_dict("records")
    assert (proven["low"], proven["high"]) == (0.1, pytest.approx(0.3))
    assert np.isnan(proven["share"])
    assert (uniform["share"], held_out["share"]) == (0.15, 0.2)
    assert chart.figure.layout.xaxis.range[0] == 0
    assert chart.sentence == (
        "For certain 10.0 % to 30.0 % of all possible people; sampled, and not part of the proof: 15.0 % of 500 people "
        "drawn uniformly and 20.0 % of 200 test rows."
    )


def test_an_exact_answer_is_a_point():
    exact = SPACE | {"proved": 0.9, "refuted": 0.1, "unknown": 0.0, "proved_cells": 1123, "refuted_cells": 125}
    chart = figures_certify.space_brackets(ROWS | {"space": exact})
    assert chart.table["share"][0] == 0.1
    assert "Whole space, exact" in chart.figure.layout.annotations[0].text
    assert "125" in figures_certify.answers(ROWS | {"space": exact}).table["people"].tolist()


def test_no_row_is_said_and_not_drawn():
    empty = ROWS | {"n": 0, "proved": 0, "refuted": 0, "unknown": 0, "method": {}}
    assert not figures_certify.answers(empty).figure.data
    assert headline(empty) == "There is no row in this part, so nothing was certified."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Yes: 40 of 200 test rows (20.0 %) would be decided differently if only sex changed; 10 are open."),
        (
            {"proved": 200, "refuted": 0, "unknown": 0},
            "No: for all 200 test rows no change of sex alters the decision (every possibility tried).",
        ),
        (
            {"proved": 190, "refuted": 0},
            "None is known: of 200 test rows, 190 are proved, 10 are open.",
        ),
        (
            {"space": SPACE},
            "Yes: 40 of 200 test rows (20.0 %) would be decided differently if only sex changed; 10 are open. "
            "Among all 1,248 people whom the columns allow, between 10.0 % and 30.0 % would.",
        ),
        (
            {"space": SPACE | {"unknown": 0.6, "proved": 0.4, "refuted": 0.0}, "unknown": 0},
            "Yes: 40 of 200 test rows (20.0 %) would be decided differently if only sex changed. Of all 1,248 people "
            "whom the columns allow, most are open; 15.0 % of 500 drawn at random would.",
        ),
        (
            {"unread": ["sex"], "method": {"syntactic": 200}},
            "This network does not read sex, so no decision can depend on it. A certificate over it is true and says "
            "nothing about this network's judgement.",
        ),
        (
            {"unread": ["sex"], "cut_off": ["sex"], "method": {"syntactic": 200}},
            "No: every weight from sex is 0, so no change of sex alters any decision at all.",
        ),
    ],
)
def test_the_headline_is_one_answer_to_one_question(change, said):
    assert headline(ROWS | change) == said


def test_names_from_a_table_cannot_become_markup():
    chart = figures_certify.stand_in_bars("sex", [{"column": "<b>x</b>", "accuracy": 0.9, "base": 0.6, "n": 10}])
    assert "<b>x</b>" not in chart.figure.layout.annotations[0].text
    assert [bar.x[0] for bar in chart.figure.data] == pytest.approx([0.6, 0.3])


def test_without_a_stand_in_that_is_said():
    assert "No other column" in figures_certify.stand_in_bars("sex", []).sentence


@pytest.fixture
def parted():
    levels = (
        (np.array([0.0]), np.array([1.0, 0.5]), np.array([0.2])),
        (
            np.array([1.0]),
            np.array([0.0, 0.75]),
            np.array([-0.1]),
        ),
    )
    changes = (NeuronChange(1, 0, 1.0, 0.0, -0.4), NeuronChange(1, 1, 0.5, 0.75, 0.1))
    return Parting(*levels, changes, (np.array([[-1.0], [0.25]]), np.array([[0.4, 0.4]])))


def test_the_strip_draws_both_people_for_every_neuron(parted):
    chart = figures_certify.parting_strip(parted)
    assert [trace.x[0] for trace in chart.figure.data] == [1.0, 0.0, 0.5, 0.75]
    assert chart.table["difference"].tolist() == [-1.0, 0.25]
    assert "2 of 2 hidden neurons differ, most of all neuron 0 of hidden layer 1" in chart.sentence
    assert "the logit moves from 0.20 to −0.10" in chart.sentence


def test_only_the_largest_differences_are_drawn(parted):
    assert len(figures_certify.parting_strip(parted, most=1).figure.data) == 2


def test_the_lit_synapses_carry_weight_times_difference(parted):
    assert parted.edges() == [[0, 0, 0, -1.0], [0, 0, 1, 0.25], [1, 0, 0, -0.4], [1, 1, 0, pytest.approx(0.1)]]


def test_two_people_whom_only_the_rule_parts_have_no_neuron_to_show(parted):
    same = Parting(parted.this, parted.this, (), parted.weights)
    assert "the decision rule parts these two" in figures_certify.parting_strip(same).sentence


def test_the_examples_in_the_words_hold():
    assert doctest.testmod(certificate_words).failed == 0
