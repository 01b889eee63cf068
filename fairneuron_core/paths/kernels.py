"""The CPU kernels of neural network slicing: forward sums and the backward selection, row by row, in numba.

Paper: Gao et al., "FairNeuron", ICSE 2022, section 3.2 (neural network slicing).

1. `affine` computes pre-activations, inputs ascending, bias last, in float64.
2. `slice_rows` walks from the output neuron down; the rule of selection is told in `slicing.py`.
3. The contributions are rounded to a grid of at most 2^-50 of the largest possible one and held as whole numbers.
   Whole-number sums do not depend on their order: every chunk size, thread count and vector width gives the same
   path, and ties are exact.
4. Nothing is sorted: `_last_taken` brackets the value of the last taken contribution by regula falsi on
   S(t) = sum of the contributions above t (Illinois variant), then walks down the few values that are left.
5. A path's key is the sum over its synapses of A_j * B_k (mod 2^64), for two words: see `keys.py`.

All arrays are flat and padded (`packing.py`), so that one compiled kernel serves every network shape. All kernels
are in this file because numba's cache on disk only notices changes of the file that a kernel is in.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

FEW = 3
MAX_STEPS = 12
LIFT = 6755399441055744.0  # 1.5 * 2^52: adding it leaves a rounded whole number in the low bits of the sum
LIFT_BITS = 0x4338000000000000
NONE = 2**62  # a bound that no contribution reaches
ALL = -(2**62)  # a bound that every contribution reaches
NEVER = -(2**62) - 1  # the value of padding when it must not be taken


@njit(nogil=True, cache=True)
def affine(inputs, input_at, weights, bias, outputs, output_at):
    """Set outputs[r, output_at + j] = sum over k ascending of inputs[r, input_at + k] * weights[k, j], then + bias[j].

    Inputs that are zero are skipped: most are, after one-hot encoding and ReLU.
    """
    for r in range(inputs.shape[0]):
        row = outputs[r, output_at : output_at + bias.size]
        row.fill(0.0)
        for k in range(weights.shape[0]):
            value = inputs[r, input_at + k]
            if value != 0.0:
                for j in range(bias.size):
                    row[j] += value * weights[k, j]
        for j in range(bias.size):
            row[j] += bias[j]


@njit(nogil=True, cache=True)
def _lift(weights, scaled, lifted):
    """Round the contributions to whole numbers, still lifted. Slices, not offsets: these loops must vectorise."""
    for k in range(lifted.size):
        lifted[k] = weights[k] * scaled[k] + LIFT


@njit(nogil=True, cache=True)
def _tally(grid):
    """Turn lifted bits into whole numbers; return (positive sum, negative sum, largest, smallest)."""
    positive, negative, largest, smallest = 0, 0, -(2**62), 2**62
    for k in range(grid.size):
        value = grid[k] - LIFT_BITS
        grid[k] = value
        positive += max(value, 0)
        negative += min(value, 0)
        largest = max(largest, value)
        smallest = min(smallest, value)
    return positive, negative, largest, smallest


@njit(nogil=True, cache=True)
def _negate(grid):
    for k in range(grid.size):
        grid[k] = -grid[k]


@njit(nogil=True, cache=True)
def _above(grid, bound):
    """Return (sum, count) of the values above `bound`."""
    total, count = 0, 0
    for k in range(grid.size):
        total += grid[k] if grid[k] > bound else 0
        count += 1 if grid[k] > bound else 0
    return total, count


@njit(nogil=True, cache=True)
def _largest_to(grid, bound):
    """Return the largest value that is not above `bound`."""
    best = -(2**62)
    for k in range(grid.size):
        best = max(best, grid[k] if grid[k] <= bound else -(2**62))
    return best


@njit(nogil=True, cache=True)
def _count_and_next(grid, value):
    """Return (how many equal `value`, the largest value below it)."""
    count, following = 0, -(2**62)
    for k in range(grid.size):
        count += 1 if grid[k] == value else 0
        following = max(following, grid[k] if grid[k] < value else -(2**62))
    return count, following


@njit(nogil=True, cache=True)
def _keep_first(grid, value, keep):
    """Zero all but the first `keep` entries equal to `value`: ties are taken by index."""
    for k in range(grid.size):
        if grid[k] == value:
            if keep > 0:
                keep -= 1
            else:
                grid[k] = 0


@njit(nogil=True, cache=True)
def _last_taken(grid, largest, positive, target):
    """Return the value of the last contribution of the shortest prefix whose sum exceeds `target` >= 0.

    Needs positive > target. Entries tied with that value that the prefix does not need are set to zero.
    Invariant: S(low) > target >= S(high), with S(t) the sum of the values above t.
    """
    if largest > target:
        _keep_first(grid, largest, 1)
        return largest
    low, high, many, few, above = 0, largest, grid.size, 0, 0
    surplus, deficit, side = float(positive - target), float(target), 0
    for _ in range(MAX_STEPS):
        if many - few <= FEW or high - low < 2:
            break
        cut = high - int(float(high - low) * (deficit / (deficit + surplus)))
        cut = min(max(cut, low + 1), high - 1)
        total, count = _above(grid, cut)
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
    value = _largest_to(grid, high)
    count, following = _count_and_next(grid, value)
    while above + value * count <= target:
        above += value * count
        value = following
        count, following = _count_and_next(grid, value)
    need = (target - above) // value + 1
    if need < count:
        _keep_first(grid, value, need)
    return value


@njit(nogil=True, cache=True)
def _bound_of_sum(grid, coverage):
    """Return the value from which contributions are taken, for the readings whose target is the sum of c.

    Negates `grid` where the sum is negative.
    """
    positive, negative, largest, smallest = _tally(grid)
    total = positive + negative
    if total == 0:
        return NONE
    if total < 0:
        _negate(grid)
        total, positive, largest = -total, -negative, -smallest
    target = math.floor(coverage * float(total))
    return 1 if coverage >= 1.0 or positive <= target else _last_taken(grid, largest, positive, target)


@njit(nogil=True, cache=True)
def _bound_released(grid, width, goal):
    """Return the value from which contributions are taken, for the reading `released`.

    The running sum of the signed values, largest first, stops at >= `goal`; where it never gets there, all are taken.
    """
    positive, _, largest, smallest = _tally(grid)
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
    return ALL if positive <= target else _last_taken(grid, largest, positive, target)


@njit(nogil=True, cache=True)
def _take(grid, bound, key_a, key_b, marks):
    """Turn `grid` into a mask of the values that reach `bound` and add it to `marks`.

    Returns (sum of B, sum of B', number taken).
    """
    for k in range(grid.size):
        grid[k] = -1 if grid[k] >= bound else 0
        marks[k] |= grid[k]
    word_a, word_b, count = 0, 0, 0
    for k in range(grid.size):
        word_a += key_a[k] & grid[k]
        word_b += key_b[k] & grid[k]
        count -= grid[k]
    return word_a, word_b, count


@njit(nogil=True, cache=True)
def _rescale(sources, scaled, bits):
    """Fill `scaled` with the sources times a power of two that brings the largest to 2^bits; return that power."""
    largest = 0.0
    for k in range(scaled.size):
        largest = max(largest, abs(sources[k]))
    _, exponent = math.frexp(largest)
    power = math.ldexp(1.0, min(bits - exponent, 800))
    for k in range(scaled.size):
        scaled[k] = sources[k] * power
    return power


@njit(nogil=True, cache=True)
def _walk_layer(above, weights, work, words, width, goals, coverage, power, released, taken):
    """Expand the active neurons `above`; fill the marks in work[2]; return (key word, second word, synapses)."""
    source_a, source_b, target_a, target_b = words  # four arrays: rows of a slice would not be contiguous
    size = work.shape[1]
    lifted, scaled, grid, marks = work[0], work[1], work[0].view(np.int64), work[2].view(np.int64)
    key_a, key_b, total = 0, 0, 0
    for k in range(size):
        marks[k] = 0
    for j in range(above.size):
        if above[j] == 0:
            continue
        _lift(weights[j * size : (j + 1) * size], scaled, lifted)
        bound = _bound_released(grid, width, goals[j] * power * coverage) if released else _bound_of_sum(grid, coverage)
        for k in range(width, size):
            grid[k] = NEVER
        word_a, word_b, count = _take(grid, bound, source_a, source_b, marks)
        key_a += target_a[j] * word_a
        key_b += target_b[j] * word_b
        total += count
        for k in range(size if taken.size > 0 else 0):
            taken[j * size + k] = grid[k] != 0
    return key_a, key_b, total


@njit(nogil=True, cache=True)
def slice_rows(
    sources, goals, starts, weights, widths, padded, bits, unit_at, weight_at,
    words, coverage, released, neurons, keys, counts, actives, taken,
):  # fmt: skip
    """Slice some rows. Layers count from 0 here: layer l leads from level l to level l + 1.

    sources (n, units of levels 0..L-1), goals (n, units) only for `released`, starts (n,) output neuron
    weights flat, rows padded and scaled to a largest magnitude in [0.5, 1); words (4, units): B, B', A, A'
    keys (n, L, 2), counts (n, L); actives (n, units) and taken (n, weights) are filled unless they have no columns
    """
    layers = widths.size - 1
    active = np.zeros(unit_at[layers] + padded[layers], np.int64)
    # One block: arrays that lie a multiple of 4 kB apart would make loads wait for unrelated stores.
    block = np.empty(3 * active.size, np.float64)
    for r in range(sources.shape[0]):
        active.fill(0)
        active[unit_at[layers] + starts[r]] = 1
        for layer in range(layers - 1, 0 if released else -1, -1):
            size, here, up = padded[layer], unit_at[layer], unit_at[layer + 1]
            here_to, up_to = here + size, up + widths[layer + 1]
            first, end = weight_at[layer], weight_at[layer] + size * widths[layer + 1]
            work = block[: 3 * size].reshape(3, size)
            power = _rescale(sources[r, here:here_to], work[1], bits[layer])
            keys[r, layer, 0], keys[r, layer, 1], counts[r, layer] = _walk_layer(
                active[up:up_to], weights[first:end], work,
                (words[0, here:here_to], words[1, here:here_to], words[2, up:up_to], words[3, up:up_to]), widths[layer],
                goals[r, up:up_to] if released else goals[0, :0], coverage, power, released,
                taken[r, first:end] if taken.shape[1] > 0 else taken[0, :0],
            )  # fmt: skip
            if neurons:
                keys[r, layer, 0] = keys[r, layer, 1] = 0
            marks = work[2].view(np.int64)
            for k in range(size):
                active[here + k] = marks[k]
                if neurons:
                    keys[r, layer, 0] += words[0, here + k] & marks[k]
                    keys[r, layer, 1] += words[1, here + k] & marks[k]
        if neurons:
            keys[r, layers - 1, 0] += words[2, unit_at[layers] + starts[r]]
            keys[r, layers - 1, 1] += words[3, unit_at[layers] + starts[r]]
        for k in range(actives.shape[1]):
            actives[r, k] = active[k] != 0
