"""The CPU kernels of neural network slicing: forward pass, backward selection and keys, row by row, in numba.

Paper: Gao et al., "FairNeuron", ICSE 2022, section 3.2 (neural network slicing).

1. `_forward` computes pre-activations in float64, inputs ascending, bias last.
2. `slice_rows` walks from the output neuron down; the rule of selection is told in `slicing.py`. The cut of a neuron
   is found in `cut.py`; many coverages at once are told in `ladder.py`.
3. A path's key is the sum over its synapses of A_j * B_k (mod 2^64), for two words (`keys.py`). The sum of B_k over a
   mask is looked up four lanes at a time.

All arrays are flat and padded (`packing.py`), so that one compiled kernel serves every network shape.
"""

from __future__ import annotations

import math

import numpy as np

from fairneuron_core.paths.cut import addresses, cut, cut_released, make_work, rescale
from fairneuron_core.paths.ladder import climb
from fairneuron_core.paths.lanes import LANES, advance, apart, as_int64, entry, inner, lowest_bit, pairs_of, pointer_to

RELU, IDENTITY, TANH, SIGMOID = range(4)
_EXPONENT = 0x7FF0000000000000


@inner
def _add_product(row, weights, inputs, chosen, count, size):
    """row[j] += inputs[k] * weights[k, j] for the `count` rows k in `chosen`, ascending, four at a time."""
    at = 0
    while at + 4 <= count:
        k0, k1, k2, k3 = chosen[at], chosen[at + 1], chosen[at + 2], chosen[at + 3]
        w0, w1 = advance(weights, k0 * size), advance(weights, k1 * size)
        w2, w3 = advance(weights, k2 * size), advance(weights, k3 * size)
        a0, a1, a2, a3 = inputs[k0], inputs[k1], inputs[k2], inputs[k3]
        for j in range(size):
            row[j] = (((row[j] + a0 * w0[j]) + a1 * w1[j]) + a2 * w2[j]) + a3 * w3[j]
        at += 4
    while at < count:
        a0, w0 = inputs[chosen[at]], advance(weights, chosen[at] * size)
        for j in range(size):
            row[j] += a0 * w0[j]
        at += 1


@inner
def _activate(kind, before, after, size):
    for j in range(size):
        z = before[j]
        if kind == RELU:
            after[j] = z if z > 0.0 else 0.0
        elif kind == IDENTITY:
            after[j] = z
        elif kind == TANH:
            after[j] = math.tanh(z)
        else:
            after[j] = 1.0 / (1.0 + math.exp(-z))


@apart
def _forward(net, before, after, chosen):
    """Fill pre-activations and activations of one row; the inputs are in place. Zero inputs of a layer are skipped.

    Sums run over the inputs in ascending order, the bias last. Returns whether every value is finite.
    """
    for layer in range(net.layers):
        here, up, size = net.unit_at[layer], net.unit_at[layer + 1], net.padded[layer + 1]
        count = 0
        for k in range(net.widths[layer]):
            chosen[count] = k
            count += 1 if after[here + k] != 0.0 else 0
        row, bias = advance(before, up), advance(net.biases, up)
        for j in range(size):
            row[j] = 0.0
        weights = advance(net.forward, net.forward_at[layer])
        _add_product(row, weights, advance(after, here), chosen, count, size)
        for j in range(size):
            row[j] += bias[j]
        _activate(net.activations[layer], row, advance(after, up), net.widths[layer + 1])
    bits, broken = as_int64(before), 0
    for j in range(net.units):
        broken |= np.int64((bits[j] & _EXPONENT) == _EXPONENT)
    return broken == 0


@inner
def _sum_of_words(mask, table, groups):
    """Return the sums of both words B over the lanes of `mask`, by tables of the sums of every four."""
    word, second = 0, 0
    for group in range(groups):
        first, other = pairs_of(advance(table, group * 8 * LANES), mask[group])
        word += first
        second += other
    return word, second


@inner
def _walk_layer(net, layer, values, active, below, coverage, released, work, taken):
    """Expand the neurons of the mask `active` into the mask `below`; return (key word, second word, synapses)."""
    after, sources, profile, changes = values
    here, up, size, units = net.unit_at[layer], net.unit_at[layer + 1], net.padded[layer], net.units
    power, error = rescale(
        advance(sources, here), advance(after, here), advance(profile, here), work, net.bits[layer], size
    )
    words, table = net.words, advance(net.tables, here * 8)
    key, second, synapses = 0, 0, 0
    for group in range(size // LANES):
        below[group] = 0
    for upper in range(net.padded[layer + 1] // LANES):
        lanes = active[upper]
        while lanes != 0:
            j = upper * LANES + lowest_bit(lanes)
            lanes &= lanes - 1
            change = changes[up + j] * power
            if released:
                synapses += cut_released(net, layer, j, work, change * coverage)
            else:
                synapses += cut(net, layer, j, work, change, coverage, error)
            word, other = _sum_of_words(work.mask, table, size // LANES)
            key += words[2 * units + up + j] * word
            second += words[3 * units + up + j] * other
            for group in range(size // LANES):
                below[group] |= work.mask[group]
            if taken.size > 0:
                for k in range(net.widths[layer]):
                    taken[net.weight_at[layer] + j * size + k] = (work.mask[k // LANES] >> (k % LANES)) & 1 != 0
    return key, second, synapses


@apart
def _walk(net, r, values, start, active, coverage, released, neurons, work, keys, counts, views):
    """Slice one row at one coverage: fill keys[r, 0], counts[r, 0] and the masks `active` of all levels."""
    layers, units, words = net.layers, net.units, net.words
    for group in range(units // LANES):
        active[group] = 0
    top = net.unit_at[layers] + start
    active[top // LANES] = 1 << (top % LANES)
    for layer in range(layers - 1, 0 if released else -1, -1):
        here = net.unit_at[layer]
        below = advance(active, here // LANES)
        word, second, counts[r, 0, layer] = _walk_layer(
            net, layer, values, advance(active, net.unit_at[layer + 1] // LANES), below, coverage, released, work,
            views.taken[r] if views.taken.shape[1] > 0 else views.taken[0],
        )  # fmt: skip
        if neurons:
            word, second = _sum_of_words(below, advance(net.tables, here * 8), net.padded[layer] // LANES)
        keys[r, 0, layer, 0], keys[r, 0, layer, 1] = word, second
    if neurons:
        keys[r, 0, layers - 1, 0] += words[2 * units + top]
        keys[r, 0, layers - 1, 1] += words[3 * units + top]


@inner
def _keep(views, r, before, after, active):
    """Copy what the caller wants to see of row r."""
    for u in range(views.before.shape[1]):
        views.before[r, u] = before[u]
        views.after[r, u] = after[u]
    for u in range(views.actives.shape[1]):
        views.actives[r, u] = (active[u // LANES] >> (u % LANES)) & 1 != 0


@entry
def slice_rows(features, profiles, layout, coverages, released, neurons, keys, counts, views, scratch):
    """Slice some rows; return the first row with a value that is not finite, or -1.

    features float32 (n, inputs); profiles float64 (2, units): the means of activations and of pre-activations
    coverages float64 ascending, one of them for `released`; `views` are filled where they have columns
    keys int64 (n, coverages, L, 2) and counts int64 (n, coverages, L) are filled; scratch: see `packing.Scratch`
    """
    net, largest, many = addresses(layout), layout.padded.max(), coverages.size
    units = net.units
    before, floats, active = pointer_to(scratch.reals), pointer_to(scratch.floats), pointer_to(scratch.whole)
    after, sources, changes = advance(before, units), advance(before, 2 * units), advance(before, 3 * units)
    since, part = advance(active, units), advance(active, 2 * units + 4 * largest)
    work = make_work(advance(before, 4 * units), floats, advance(active, 2 * units), largest)
    values = after, sources, pointer_to(profiles), changes
    head, outputs = net.unit_at[net.layers], net.widths[net.layers]
    for r in range(features.shape[0]):
        for k in range(features.shape[1]):
            before[k] = features[r, k]
            after[k] = features[r, k]
        if not _forward(net, before, after, work.chosen):
            return r
        start = 0
        for j in range(outputs):
            start = j if before[head + j] > before[head + start] else start
        for u in range(units):
            sources[u] = before[u] if released else after[u] - profiles[0, u]
            changes[u] = (before[u] - profiles[1, u]) * net.row_scale[u]
        if many == 1:
            _walk(net, r, values, start, active, coverages[0], released, neurons, work, keys, counts, views)
        else:
            climb(net, r, values, start, since, coverages, neurons, work, part, keys, counts)
        _keep(views, r, before, after, active)
    return -1
