"""Many coverages in one backward pass.

For the readings whose target is a share of |sum|, the prefixes of growing coverages contain one another, and so do the
active neurons. A neuron therefore needs one cut, at the largest coverage; the contributions above it, sorted, hold
every smaller prefix. `since` is the place of the smallest coverage at which a unit is active, and a synapse (k, j) is
on the paths of all coverages from max(since of j, place at which the prefix of j takes k) on.
"""

from __future__ import annotations

import math

import numpy as np

from fairneuron_core.paths.cut import cut, rescale
from fairneuron_core.paths.exact_cut import lift, tally
from fairneuron_core.paths.lanes import LANES, advance, apart, inner, lowest_bit

SHORT = 48


@inner
def _by_rank(values, into, count):
    """Sort different values, largest first, by counting for each how many are larger: no branch, so short lists fly."""
    for i in range(count):
        own, rank = values[i], 0
        for m in range(count):
            rank += np.int64(values[m] > own)
        into[rank] = own


@inner
def _by_gaps(values, into, count):
    """Sort different values, largest first (Shell's method): long lists."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, count):
            value, at = values[i], i
            while at >= gap and values[at - gap] < value:
                values[at] = values[at - gap]
                at -= gap
            values[at] = value
        gap //= 3
    for i in range(count):
        into[i] = values[i]


@inner
def _sort(grid, sign, work, size):
    """Write the masked values times `sign` into work.order, largest first and ties by index; return (count, shift).

    Each is value * 2^shift + (size - 1 - index), with 2^shift >= size: different numbers that sort in this order. The
    grid leaves room for them: `packing.SUM_BITS`.
    """
    values, count, shift = work.values, 0, 0
    while (1 << shift) < size:
        shift += 1
    for group in range(size // LANES):
        lanes = work.mask[group]
        while lanes != 0:
            k = group * LANES + lowest_bit(lanes)
            lanes &= lanes - 1
            values[count] = ((grid[k] * sign) << shift) + (size - 1 - k)
            count += 1
    if count <= SHORT:
        _by_rank(values, work.order, count)
    else:
        _by_gaps(values, work.order, count)
    return count, shift


@inner
def _spread(ordered, count, shift, size, total, coverages, first, since, words, part, found):
    """Add the synapses of one neuron, active from coverage `first` on, to the first coverage that takes each.

    ordered, count, shift: see `_sort`; since: of the sources; words: the key words B and B' of the sources; part
    (coverages, 2), found (coverages).
    """
    word, second = words
    running, at = 0, 0
    for place in range(coverages.size):
        target, level = math.floor(coverages[place] * float(total)), max(place, first)
        while at < count and (running <= target or coverages[place] >= 1.0):
            k = size - 1 - (ordered[at] & ((1 << shift) - 1))
            running += ordered[at] >> shift
            since[k] = min(since[k], level)
            part[2 * level] += word[k]
            part[2 * level + 1] += second[k]
            found[level] += 1
            at += 1


@inner
def _climb_layer(net, layer, values, since, coverages, work, part, sums, found):
    """Expand the neurons of one layer: add to sums (coverages, 2) and found (coverages), not yet summed up."""
    after, sources, profile, changes = values
    here, up, size, units = net.unit_at[layer], net.unit_at[layer + 1], net.padded[layer], net.units
    power, error = rescale(
        advance(sources, here), advance(after, here), advance(profile, here), work, net.bits[layer], size
    )
    words, many = net.words, coverages.size
    for j in range(net.widths[layer + 1]):
        first = since[up + j]
        if first >= many:
            continue
        cut(net, layer, j, work, changes[up + j] * power, coverages[many - 1], error)
        weights = advance(net.weights, net.weight_at[layer] + j * size)
        grid = lift(weights, work.scaled, work.found, size)
        positive, negative, _, _ = tally(grid, size)
        total = positive + negative
        count, shift = _sort(grid, -1 if total < 0 else 1, work, size)
        for place in range(2 * many):
            part[place] = 0
        own = advance(words, here), advance(words, units + here)
        below = advance(since, here)
        _spread(work.order, count, shift, size, abs(total), coverages, first, below, own, part, found)
        for place in range(many):
            sums[2 * place] += words[2 * units + up + j] * part[2 * place]
            sums[2 * place + 1] += words[3 * units + up + j] * part[2 * place + 1]


@inner
def _neuron_words(net, layer, since, many, top, sums):
    """Set sums (coverages, 2) to the key words of the units of a level, each at the first coverage it is active at."""
    here, words = net.unit_at[layer], net.words
    for place in range(2 * many):
        sums[place] = 0
    for k in range(here, here + net.widths[layer]):
        if since[k] < many:
            sums[2 * since[k]] += words[k]
            sums[2 * since[k] + 1] += words[net.units + k]
    if layer == net.layers - 1:
        sums[0] += words[2 * net.units + top]
        sums[1] += words[3 * net.units + top]


@apart
def climb(net, r, values, start, since, coverages, neurons, work, part, keys, counts):
    """Slice one row at all coverages (ascending): fill keys[r] and counts[r]; part (5 * coverages) is overwritten."""
    layers, many = net.layers, coverages.size
    for u in range(net.units):
        since[u] = many
    top = net.unit_at[layers] + start
    since[top] = 0
    sums, found = advance(part, 2 * many), advance(part, 4 * many)
    for layer in range(layers - 1, -1, -1):
        for place in range(3 * many):
            sums[place] = 0
        _climb_layer(net, layer, values, since, coverages, work, part, sums, found)
        if neurons:
            _neuron_words(net, layer, since, many, top, sums)
        word, second, count = 0, 0, 0
        for place in range(many):
            word, second, count = word + sums[2 * place], second + sums[2 * place + 1], count + found[place]
            keys[r, place, layer, 0], keys[r, place, layer, 1], counts[r, place, layer] = word, second, count
