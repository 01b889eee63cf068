"""Fronts of accuracy against a gap: the choice of a strength, points that nothing beats, and the area below them.

Everything here is about points (accuracy, gap): more accuracy and less gap are better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POINTS = 5
"""So many points of every method enter its hypervolume: whoever sweeps more strengths would otherwise win by that."""

_TIE = 1e-12


@dataclass(frozen=True)
class FrontPoint:
    """One classifier: accuracy and gap (NaN = undefined), and whether it must not be chosen or ranked."""

    accuracy: float
    gap: float
    barred: bool = False

    @property
    def usable(self) -> bool:
        return not self.barred and not np.isnan([self.accuracy, self.gap]).any()


def choose(points: Sequence[FrontPoint], *, given_accuracy: float, budget: float) -> int | None:
    """Return the index of the smallest gap among usable points that lose at most `budget` of accuracy, None if none.

    Ties go to the higher accuracy, then to the earlier point.

    >>> front = [FrontPoint(0.85, 0.20), FrontPoint(0.845, 0.10), FrontPoint(0.80, 0.01)]
    >>> choose(front, given_accuracy=0.85, budget=0.01)
    1
    """
    fits = [
        position
        for position, point in enumerate(points)
        if point.usable and given_accuracy - point.accuracy <= budget + _TIE
    ]
    return min(fits, key=lambda position: (points[position].gap, -points[position].accuracy), default=None)


def undominated(points: Sequence[FrontPoint]) -> tuple[bool, ...]:
    """Say of every point whether it is usable and no usable point is at least as good in both and better in one."""
    usable = [point for point in points if point.usable]
    return tuple(point.usable and not any(_beats(other, point) for other in usable) for point in points)


def _beats(one: FrontPoint, other: FrontPoint) -> bool:
    at_least = one.accuracy >= other.accuracy and one.gap <= other.gap
    return at_least and (one.accuracy > other.accuracy or one.gap < other.gap)


def thinned(points: Sequence[FrontPoint], most: int = POINTS) -> tuple[FrontPoint, ...]:
    """Return at most `most` points, evenly spaced by position with both ends; fewer stay as they are.

    >>> [point.gap for point in thinned([FrontPoint(0.8, gap) for gap in range(9)])]
    [0, 2, 4, 6, 8]
    """
    if len(points) <= most:
        return tuple(points)
    return tuple(points[position] for position in np.linspace(0, len(points) - 1, most).round().astype(int))


def hypervolume(points: Sequence[FrontPoint], *, accuracy: float, gap: float) -> float:
    """Return the area between the points' front and the reference, in the plane (accuracy, 1 - gap).

    Points that are not better than the reference in both add nothing; no usable point gives 0. Source: Zitzler and
    Thiele, 1998.

    >>> hypervolume([FrontPoint(0.9, 0.2), FrontPoint(0.8, 0.1)], accuracy=0.7, gap=0.4).__round__(9)
    0.05
    """
    inside = [
        (p.accuracy - accuracy, gap - p.gap) for p in points if p.usable and p.accuracy > accuracy and p.gap < gap
    ]
    area = reached = 0.0
    for width, height in sorted(inside, reverse=True):  # from the most accurate one on, each adds what rises above
        area += width * max(height - reached, 0.0)
        reached = max(reached, height)
    return area
