"""How numbers, verdicts and user text read."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.report.words import (
    change_text,
    count,
    estimate_text,
    folded,
    markdown_plain,
    number,
    quantity,
    verdict_words,
)
from fairneuron_core.types import Change, Estimate

NAN = math.nan


def test_a_gap_is_read_in_points_with_interval_and_n():
    assert estimate_text(Estimate(0.26, 0.213, 0.306, 200), "points") == "26.0 points [21.3, 30.6], n = 200"


def test_an_undefined_value_is_a_word_and_never_zero():
    assert quantity(NAN, "percent") == "undefined"
    assert estimate_text(Estimate(NAN, NAN, NAN, 0)) == "undefined, n = 0"


def test_a_value_without_interval_shows_none():
    assert estimate_text(Estimate(0.5, NAN, NAN, 8)) == "50.0 %, n = 8"


def test_a_small_negative_number_does_not_read_as_minus_zero():
    assert number(-0.004, digits=1) == "0.0"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_a_printed_number_is_the_rounded_number(value):
    shown = number(value, digits=2).replace("−", "-").replace(",", "")
    assert float(shown) == pytest.approx(value, abs=0.005 + 1e-9 * abs(value))


def test_every_verdict_has_its_own_shape_beside_its_word():
    shapes = [verdict_words(v).shape for v in ("improved", "worsened", "cannot tell", "undefined")]
    assert len(set(shapes)) == 4


def test_an_unknown_verdict_keeps_its_words():
    assert verdict_words("looks odd").text == "○ looks odd"


def test_a_change_of_a_share_is_told_in_points():
    before, after = Estimate(0.80, 0.78, 0.82, 900), Estimate(0.83, 0.81, 0.85, 900)
    change = Change("accuracy", before, after, Estimate(0.03, 0.01, 0.05, 900), "improved")
    expected = "Accuracy improved by 3.0 points [1.0, 5.0] (80.0 % → 83.0 %)."
    assert change_text(change, label="Accuracy", unit="percent") == expected


def test_a_change_that_rows_cannot_tell_is_not_called_a_change():
    e = Estimate(0.1, 0.0, 0.2, 50)
    words = change_text(Change("d", e, e, Estimate(0.0, -0.1, 0.1, 50), "cannot tell"), label="Gap", unit="points")
    assert "cannot tell" in words
    assert "improved" not in words


@given(st.text(max_size=60))
def test_escaped_markdown_leaves_no_sign_that_could_start_markup(text):
    without_escapes = re.sub(r"\\.", "", markdown_plain(text))
    assert not set(without_escapes) & set("\\`*_[]()<>#|~$:\n")


def test_counts_have_thousands_separators():
    assert count(22793) == "22,793"


def test_a_long_hover_sentence_is_broken_into_lines():
    assert max(len(line) for line in folded("a sentence " * 20, width=40).split("<br>")) <= 40
