"""The cut of one neuron in float32: fast, and only believed where rounding cannot have changed the answer.

Wanted is the shortest prefix of the contributions, largest first, whose sum exceeds `target`.

1. Guess the value of the last taken contribution from the share target / positive sum, as if the positive
   contributions followed an exponential law, and take S(t) = sum of the contributions above t at four cuts around it.
2. Interpolate between the two cuts that bracket the target and take four sums again; repeat until at most a few
   contributions are missing. Four sums in one pass cost hardly more than one, and nothing branches on the data.
3. Walk down the values that are left until the sum exceeds the target.
4. Believe it only if the target lies further from both neighbouring sums than `slack`, an upper bound of every
   rounding error, and no contribution lies within rounding of the last taken one. Otherwise the caller decides in
   whole numbers (`exact_cut.py`), so that the answer is always theirs.
"""

from __future__ import annotations

import numpy as np

from fairneuron_core.paths.lanes import (
    LANES,
    apart,
    as_int32,
    bits_float,
    float_bits,
    inner,
    mask_above,
    mask_from,
    popcount,
    reducing,
)

F = np.float32
ZERO = F(0)
MAX_ROUNDS = 8
WALKED = 32  # of so few contributions the prefix is short: walking down from the largest is faster than brackets
_STEPS = 64


def _exponential_cuts() -> np.ndarray:
    """Return x with (1 + x) exp(-x) = u for u in the middle of 64 steps, halved.

    S(t) / S(0) = (1 + x) exp(-x) at t = x times the mean of exponential values, and the sum of their squares over
    their sum is twice the mean: a measure of scale that also serves heavier tails.
    """
    shares = (np.arange(_STEPS) + 0.5) / _STEPS
    x = np.full(_STEPS, 1.0)
    for _ in range(60):
        x = np.maximum(x + ((1 + x) * np.exp(-x) - shares) / (x * np.exp(-x)), 1e-3)
    return (x / 2).astype(F)


CUTS = _exponential_cuts()


@reducing
def _contributions(weights, sources, found, size):
    """Fill `found` with weights * sources; of the positive ones return (sum, sum of squares, bits of the largest)."""
    positive, squares, largest = ZERO, ZERO, np.int32(0)
    for k in range(size):
        value = weights[k] * sources[k]
        found[k] = value
        part = value if value > ZERO else ZERO
        positive += part
        squares += part * part
        largest = max(largest, float_bits(value))
    return positive, squares, largest


@reducing
def _four_sums(found, size, a, b, c, d):
    sum_a, sum_b, sum_c, sum_d = ZERO, ZERO, ZERO, ZERO
    for k in range(size):
        value = found[k]
        sum_a += value if value > a else ZERO
        sum_b += value if value > b else ZERO
        sum_c += value if value > c else ZERO
        sum_d += value if value > d else ZERO
    return sum_a, sum_b, sum_c, sum_d


@inner
def _largest_to(found, bits, size):
    """Return the bits of the largest value whose bits do not exceed `bits`."""
    values, best = as_int32(found), np.int32(0)
    for k in range(size):
        best = max(best, values[k] if values[k] <= bits else np.int32(0))
    return best


@inner
def _narrow(found, scratch, size, target, a, b, c, d):
    """Return (high, S(high), low, S(low)), the closest of six cuts with S(high) <= target < S(low); keep them."""
    sum_a, sum_b, sum_c, sum_d = _four_sums(found, size, a, b, c, d)
    scratch[1], scratch[2], scratch[3], scratch[4] = a, b, c, d
    scratch[7], scratch[8], scratch[9], scratch[10] = sum_a, sum_b, sum_c, sum_d
    at = int(sum_a <= target) + int(sum_b <= target) + int(sum_c <= target) + int(sum_d <= target)
    high, above_high, low, above_low = scratch[at], scratch[6 + at], scratch[at + 1], scratch[7 + at]
    scratch[0], scratch[6], scratch[5], scratch[11] = high, above_high, low, above_low
    return high, above_high, low, above_low


@inner
def _bracket(found, scratch, size, guess, largest, positive, target):
    """Return (high, S(high), low): a few contributions of the prefix are missing above `high`."""
    scratch[0], scratch[6], scratch[5], scratch[11] = largest, ZERO, ZERO, positive
    cuts = (guess * F(1.18), guess * F(1.05), guess * F(0.95), guess * F(0.82))
    high, above, low, above_low = _narrow(found, scratch, size, target, cuts[0], cuts[1], cuts[2], cuts[3])
    for _ in range(MAX_ROUNDS):
        if target - above < F(4) * high:
            break
        width = high - low
        middle = high - width * ((target - above) / (above_low - above))
        step = width * F(0.12)
        high, above, low, above_low = _narrow(
            found, scratch, size, target,
            min(middle + step, high), middle + F(0.3) * step, middle - F(0.3) * step, max(middle - step, low),
        )  # fmt: skip
    return high, above, low


@inner
def _certain(found, mask, size, last, expected):
    """Write the mask of the values from `last` up; say whether it is certain: as many as walked, and a clear gap."""
    taken, near, below = 0, 0, last * F(1 - 2.0**-20) - F(2)
    for group in range(size // LANES):
        lanes = mask_from(found, group * LANES, last)
        mask[group] = lanes
        taken += popcount(lanes)
        near += popcount(mask_from(found, group * LANES, below))
    return taken == expected and near == expected


@apart
def float_cut(weights, sources, size, target, total, slack, cuts, found, mask, scratch):
    """Write the mask of the shortest prefix whose sum exceeds `target` and return its length, or -1: not certain.

    weights, sources float32 (size); total = the sum of all contributions; slack = the rounding error of target and
    total; found float32 (size) and scratch float32 (12) are overwritten; cuts = `CUTS`; mask int64 (size / 16), one bit
    per lane.
    """
    positive, squares, largest_bits = _contributions(weights, sources, found, size)
    slack += (positive + positive - total) * F((size + 8) * 2.0**-23) + F(2 * size)
    if not (target >= ZERO and target + slack < positive):
        return -1
    bits, taken, above, low, last = largest_bits, 0, ZERO, ZERO, ZERO
    if size > WALKED:
        largest = bits_float(largest_bits)
        guess = min(cuts[int(target / positive * F(_STEPS - 0.01))] * (squares / positive), largest * F(0.84))
        high, above, low = _bracket(found, scratch, size, guess, largest, positive, target)
        bits = float_bits(high)
        for group in range(size // LANES):
            taken += popcount(mask_above(found, group * LANES, high))
    while above <= target:
        bits = _largest_to(found, bits, size)
        last = bits_float(bits)
        if not last > low:
            return -1
        bits = np.int32(bits - 1)
        above += last
        taken += 1
    if above - target < slack or (taken > 1 and target - (above - last) < slack):
        return -1
    return taken if _certain(found, mask, size, last, taken) else -1
