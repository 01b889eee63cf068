"""Many coverages in one backward pass.

For the readings whose target is a share of |sum|, the prefixes of growing coverages contain one another, and so do the
active neurons. A neuron therefore needs one cut, at the largest coverage; the contributions above it, sorted, hold
every smaller prefix. `since` is the place of the smallest coverage at which a unit is active, and a synapse (k, j) is
on the paths of all coverages from max(since of j, place at which the prefix of j takes k) on.
"""

from __future__ import annotations

import math

from fairneuron_core.paths.cut import cut, rescale
from fairneuron_core.paths.exact_cut import lift, tally
from fairneuron_core.paths.lanes import LANES, advance, inner, lowest_bit


@inner
def _sort(grid, sign, work, groups):
    """Write the masked values times `sign`, largest first and ties by index, and their places; return how many."""
    values, order, count = work.values, work.order, 0
    for group in range(groups):
        lanes = work.mask[group]
        while lanes != 0:
            k = group * LANES + lowest_bit(lanes)
            lanes &= lanes - 1
            value, at = grid[k] * sign, count
            while at > 0 and values[at - 1] < value:
                values[at], order[at] = values[at - 1], order[at - 1]
                at -= 1
            values[at], order[at] = value, k
            count += 1
    return count


@inner
def _spread(work, count, total, coverages, first, since, words, part, found):
    """Add the synapses of one neuron, active from coverage `first` on, to the first coverage that takes each.

    since: of the sources; words: the key words B and B' of the sources; part (coverages, 2), found (coverages).
    """
    word, second = words
    running, at = 0, 0
    for place in range(coverages.size):
        target, level = math.floor(coverages[place] * float(total)), max(place, first)
        while at < count and (running <= target or coverages[place] >= 1.0):
            k = work.order[at]
            running += work.values[at]
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
        count = _sort(grid, -1 if total < 0 else 1, work, size // LANES)
        for place in range(2 * many):
            part[place] = 0
        own = advance(words, here), advance(words, units + here)
        _spread(work, count, abs(total), coverages, first, advance(since, here), own, part, found)
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


@inner
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
