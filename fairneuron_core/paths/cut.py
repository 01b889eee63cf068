"""The cut of one neuron: which of its synapses join the path, as a mask of lanes.

Decided in float32 where that is certain (`sorted_cut.py` for 32 and 64 inputs, padding included, `float_cut.py` for
others), and in whole numbers otherwise (`exact_cut.py`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fairneuron_core.paths.exact_cut import exact_cut
from fairneuron_core.paths.float_cut import CUTS, float_cut
from fairneuron_core.paths.lanes import advance, as_int64, inner, pointer_to, reducing
from fairneuron_core.paths.sorted_cut import sorted_cut_32, sorted_cut_64

MAGNITUDE = 0x7FFFFFFFFFFFFFFF


class Work(NamedTuple):
    """Addresses of scratch memory, each as long as the widest level.

    scaled float64, floats and turned float32: the sources of a layer times a power of two, and the same negated
    found, found_floats: contributions; sums: their prefix sums; mask: lanes taken; values, order: taken contributions
    sorted; chosen: inputs
    """

    scaled: object
    found: object
    floats: object
    turned: object
    found_floats: object
    sums: object
    scratch: object
    cuts: object
    mask: object
    values: object
    order: object
    chosen: object


class Net(NamedTuple):
    """Addresses of the arrays of a `packing.Layout`, and how many layers and padded units there are."""

    widths: object
    padded: object
    unit_at: object
    weight_at: object
    weights: object
    forward_at: object
    forward: object
    biases: object
    activations: object
    row_scale: object
    bits: object
    words: object
    tables: object
    layers: int
    units: int


@inner
def addresses(layout):
    """Return the `Net` of a layout; the caller keeps the layout alive."""
    return Net(
        pointer_to(layout.widths), pointer_to(layout.padded), pointer_to(layout.unit_at),
        pointer_to(layout.weight_at), pointer_to(layout.weights), pointer_to(layout.forward_at),
        pointer_to(layout.forward), pointer_to(layout.biases), pointer_to(layout.activations),
        pointer_to(layout.row_scale), pointer_to(layout.bits), pointer_to(layout.words), pointer_to(layout.tables),
        layout.widths.size - 1, layout.row_scale.size,
    )  # fmt: skip


@inner
def make_work(reals, floats, whole, size):
    """Divide three blocks among the scratch: float64 (2 * size), float32 (4 * size + CUT_FLOATS), int64 (4 * size)."""
    return Work(
        reals, advance(reals, size), floats, advance(floats, size), advance(floats, 2 * size),
        advance(floats, 3 * size), advance(floats, 4 * size), pointer_to(CUTS), whole, advance(whole, size),
        advance(whole, 2 * size), advance(whole, 3 * size),
    )  # fmt: skip


@inner
def _exponent(sources, size):
    """Return e such that the largest magnitude is in [2^(e - 1), 2^e)."""
    bits, largest = as_int64(sources), 0
    for k in range(size):
        largest = max(largest, bits[k] & MAGNITUDE)
    return (largest >> 52) - 1022


@reducing
def _reach(after, profile, size):
    """Return the sum of |activation| + |mean|: a bound, so the order of the sum is free."""
    reach = 0.0
    for k in range(size):
        reach += abs(after[k]) + abs(profile[k])
    return reach


@inner
def rescale(sources, after, profile, work, bits, size):
    """Fill the scaled sources, the largest of them at most 2^bits; return (the power of two, error).

    error: what the float64 rounding of the forward pass can add to a sum of contributions, in the same scale.
    """
    power = math.ldexp(1.0, min(bits - _exponent(sources, size), 800))
    reach = _reach(after, profile, size)
    for k in range(size):
        value = sources[k] * power
        work.scaled[k] = value
        work.floats[k] = np.float32(value)
        work.turned[k] = np.float32(-value)
    return power, reach * power * size * 2.0**-50


@inner
def _certain_cut(weights, sources, size, coverage, total, slack, work):
    """Cut in float32; -1 where that is not certain."""
    target, values, mask = np.float32(coverage) * total, work.found_floats, work.mask
    if size == 32:
        return sorted_cut_32(weights, sources, target, total, slack, values, work.sums, mask)
    if size == 64:
        return sorted_cut_64(weights, sources, target, total, slack, values, work.sums, mask)
    return float_cut(weights, sources, size, target, total, slack, work.cuts, values, mask, work.scratch)


@inner
def cut(net, layer, j, work, change, coverage, error):
    """Write the mask of what neuron j takes at `coverage` and return how many; change = the sum of contributions."""
    size = net.padded[layer]
    weights = advance(net.weights, net.weight_at[layer] + j * size)
    if coverage < 1.0 and abs(change) > 2 * error:
        count = _certain_cut(
            weights, work.floats if change > 0.0 else work.turned, size, coverage, np.float32(abs(change)),
            np.float32(error), work,
        )  # fmt: skip
        if count >= 0:
            return count
    return exact_cut(weights, work.scaled, size, net.widths[layer], coverage, 0.0, False, work.found, work.mask)


@inner
def cut_released(net, layer, j, work, goal):
    """The same for the reading `released`, whose signed contributions have to reach `goal`."""
    size = net.padded[layer]
    weights = advance(net.weights, net.weight_at[layer] + j * size)
    return exact_cut(weights, work.scaled, size, net.widths[layer], 0.0, goal, True, work.found, work.mask)
