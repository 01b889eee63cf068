"""The cut of one neuron in whole numbers: the answer that `float_cut.py` must agree with, ties included.

1. The contributions are rounded to a grid of at most 2^-50 of the largest possible one and held as whole numbers.
   Whole-number sums do not depend on their order: every chunk size, thread count and vector width gives the same
   path, and ties are exact.
2. Nothing is sorted: `_last_taken` brackets the value of the last taken contribution by regula falsi on
   S(t) = sum of the contributions above t (Illinois variant), then walks down the few values that are left.
"""

from __future__ import annotations

import math

import numpy as np

from fairneuron_core.paths.lanes import LANES, apart, as_int64, inner, popcount

FEW = 3
MAX_STEPS = 12
LIFT = 6755399441055744.0  # 1.5 * 2^52: adding it leaves a rounded whole number in the low bits of the sum
LIFT_BITS = 0x4338000000000000
NONE = 2**62  # a bound that no contribution reaches
ALL = -(2**62)  # a bound that every contribution reaches
NEVER = -(2**62) - 1  # the value of padding when it must not be taken


@inner
def lift(weights, sources, found, size):
    """Fill `found` (float64) with the contributions, rounded to whole numbers and held as their bits (int64)."""
    for k in range(size):
        found[k] = weights[k] * sources[k] + LIFT
    grid = as_int64(found)
    for k in range(size):
        grid[k] = grid[k] - LIFT_BITS
    return grid


@inner
def tally(grid, size):
    """Return (positive sum, negative sum, largest, smallest)."""
    positive, negative, largest, smallest = 0, 0, -(2**62), 2**62
    for k in range(size):
        value = grid[k]
        positive += max(value, 0)
        negative += min(value, 0)
        largest = max(largest, value)
        smallest = min(smallest, value)
    return positive, negative, largest, smallest


@inner
def negate(grid, size):
    for k in range(size):
        grid[k] = -grid[k]


@inner
def _above(grid, bound, size):
    """Return (sum, count) of the values above `bound`."""
    total, count = 0, 0
    for k in range(size):
        total += grid[k] if grid[k] > bound else 0
        count += 1 if grid[k] > bound else 0
    return total, count


@inner
def _largest_to(grid, bound, size):
    """Return the largest value that is not above `bound`."""
    best = -(2**62)
    for k in range(size):
        best = max(best, grid[k] if grid[k] <= bound else -(2**62))
    return best


@inner
def _count_and_next(grid, value, size):
    """Return (how many equal `value`, the largest value below it)."""
    count, following = 0, -(2**62)
    for k in range(size):
        count += 1 if grid[k] == value else 0
        following = max(following, grid[k] if grid[k] < value else -(2**62))
    return count, following


@inner
def _keep_first(grid, value, keep, size):
    """Zero all but the first `keep` entries equal to `value`: ties are taken by index."""
    for k in range(size):
        if grid[k] == value:
            if keep > 0:
                keep -= 1
            else:
                grid[k] = 0


@inner
def _last_taken(grid, largest, positive, target, size):
    """Return the value of the last contribution of the shortest prefix whose sum exceeds `target` >= 0.

    Needs positive > target. Entries tied with that value that the prefix does not need are set to zero.
    Invariant: S(low) > target >= S(high), with S(t) the sum of the values above t.
    """
    if largest > target:
        _keep_first(grid, largest, 1, size)
        return largest
    low, high, many, few, above = 0, largest, size, 0, 0
    surplus, deficit, side = float(positive - target), float(target), 0
    for _ in range(MAX_STEPS):
        if many - few <= FEW or high - low < 2:
            break
        cut = high - int(float(high - low) * (deficit / (deficit + surplus)))
        cut = min(max(cut, low + 1), high - 1)
        total, count = _above(grid, cut, size)
        if total > target:
            low, many, surplus = cut, count, float(total - target)
            if side > 0:
                deficit *= 0.5
            side = 1
        else:
            high, few, above, deficit = cut, count, total, float(target - total)
            if side < 0:
                surplus *= 0.5
            side = -1
    value = _largest_to(grid, high, size)
    count, following = _count_and_next(grid, value, size)
    while above + value * count <= target:
        above += value * count
        value = following
        count, following = _count_and_next(grid, value, size)
    need = (target - above) // value + 1
    if need < count:
        _keep_first(grid, value, need, size)
    return value


@inner
def _bound_of_sum(grid, coverage, size):
    """Return the value from which contributions are taken, for the readings whose target is the sum of c.

    Negates `grid` where the sum is negative.
    """
    positive, negative, largest, smallest = tally(grid, size)
    total = positive + negative
    if total == 0:
        return NONE
    if total < 0:
        negate(grid, size)
        total, positive, largest = -total, -negative, -smallest
    target = math.floor(coverage * float(total))
    return 1 if coverage >= 1.0 or positive <= target else _last_taken(grid, largest, positive, target, size)


@inner
def _bound_released(grid, width, goal, size):
    """Return the value from which contributions are taken, for the reading `released`.

    The running sum of the signed values, largest first, stops at >= `goal`; where it never gets there, all are taken.
    """
    positive, _, largest, smallest = tally(grid, size)
    if largest <= 0:
        largest = grid[0]
        for k in range(width):
            largest = max(largest, grid[k])
    if float(largest) >= goal:
        lowest = smallest - 1
        kept = False
        for k in range(width):
            if grid[k] == largest and not kept:
                kept = True
            else:
                grid[k] = lowest
        return largest
    if goal <= 0.0 or float(positive) < goal:
        return ALL
    target = math.ceil(goal) - 1
    return ALL if positive <= target else _last_taken(grid, largest, positive, target, size)


@apart
def exact_cut(weights, sources, size, width, coverage, goal, released, found, mask):
    """Write the mask of the taken contributions of one neuron and return how many.

    weights float32 and sources float64 (size, of which `width` are no padding); goal = the sum to reach (only
    `released`), else coverage * |sum|; found float64 (size) is overwritten; mask int64 (size / 16), one bit per lane.
    """
    grid = lift(weights, sources, found, size)
    bound = _bound_released(grid, width, goal, size) if released else _bound_of_sum(grid, coverage, size)
    for k in range(width, size):
        grid[k] = NEVER
    taken = 0
    for group in range(size // LANES):
        lanes = 0
        for lane in range(LANES):
            lanes |= np.int64(grid[group * LANES + lane] >= bound) << lane
        mask[group] = lanes
        taken += popcount(lanes)
    return taken
