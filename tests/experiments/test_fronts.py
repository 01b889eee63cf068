"""Fronts: the choice within a budget, points that nothing beats, and areas against a count of small squares."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.experiments.fronts import FrontPoint, choose, hypervolume, thinned, undominated

SHARE = st.integers(0, 20).map(lambda twentieths: twentieths / 20)
POINT = st.builds(FrontPoint, SHARE, SHARE, st.booleans())


def test_the_smallest_gap_within_the_budget_is_chosen():
    points = [FrontPoint(0.85, 0.2), FrontPoint(0.84, 0.1), FrontPoint(0.83, 0.0)]
    assert choose(points, given_accuracy=0.85, budget=0.01) == 1
    assert choose(points, given_accuracy=0.85, budget=0.02) == 2
    assert choose(points, given_accuracy=0.85, budget=0.0) == 0


def test_equal_gaps_are_decided_by_accuracy():
    points = [FrontPoint(0.84, 0.1), FrontPoint(0.85, 0.1), FrontPoint(0.845, 0.1)]
    assert choose(points, given_accuracy=0.85, budget=0.01) == 1


def test_degenerate_and_undefined_points_cannot_be_chosen():
    points = [FrontPoint(0.85, 0.0, barred=True), FrontPoint(0.85, math.nan), FrontPoint(0.85, 0.3)]
    assert choose(points, given_accuracy=0.85, budget=0.01) == 2


def test_nothing_is_chosen_where_every_point_costs_too_much():
    assert choose([FrontPoint(0.8, 0.0)], given_accuracy=0.85, budget=0.01) is None


def test_a_point_that_another_one_beats_is_not_on_the_front():
    points = [FrontPoint(0.85, 0.2), FrontPoint(0.84, 0.2), FrontPoint(0.84, 0.1), FrontPoint(0.9, 0.0, barred=True)]
    assert undominated(points) == (True, False, True, False)


def test_equal_points_are_both_on_the_front():
    assert undominated([FrontPoint(0.8, 0.1), FrontPoint(0.8, 0.1)]) == (True, True)


@given(st.lists(POINT, max_size=8))
def test_the_front_has_as_much_area_as_all_points(points):
    front = [point for point, best in zip(points, undominated(points), strict=True) if best]
    every = hypervolume(points, accuracy=0.3, gap=0.9)
    assert hypervolume(front, accuracy=0.3, gap=0.9) == pytest.approx(every)


@given(st.lists(POINT, max_size=8), SHARE, SHARE)
def test_hypervolume_equals_the_count_of_covered_squares(points, accuracy, gap):
    # Points and reference lie on a grid of twentieths, so that its 400 squares are covered wholly or not at all.
    centres = (np.arange(20) + 0.5) / 20
    x, y = np.meshgrid(centres, centres)  # accuracy, 1 - gap
    covered = np.zeros_like(x, bool)
    for point in points:
        if not point.barred:
            covered |= (x < point.accuracy) & (y < 1 - point.gap) & (x > accuracy) & (y > 1 - gap)
    assert hypervolume(points, accuracy=accuracy, gap=gap) == pytest.approx(covered.sum() / 400)


def test_hypervolume_of_two_steps_by_hand():
    # (0.2 x 0.2) + what the second point adds above it: 0.1 x 0.1
    points = [FrontPoint(0.9, 0.2), FrontPoint(0.8, 0.1)]
    assert hypervolume(points, accuracy=0.7, gap=0.4) == pytest.approx(0.05)


def test_points_no_better_than_the_reference_add_nothing():
    points = [FrontPoint(0.7, 0.1), FrontPoint(0.9, 0.4), FrontPoint(math.nan, 0.1)]
    assert hypervolume(points, accuracy=0.7, gap=0.4) == 0


@pytest.mark.parametrize(("given_points", "kept"), [(1, [0]), (5, [0, 1, 2, 3, 4]), (9, [0, 2, 4, 6, 8])])
def test_long_sweeps_are_thinned_evenly_with_both_ends(given_points, kept):
    points = [FrontPoint(0.8, position) for position in range(given_points)]
    assert [point.gap for point in thinned(points)] == kept
