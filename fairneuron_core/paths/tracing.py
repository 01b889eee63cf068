"""Single paths recomputed with all their numbers, and the hidden neurons that are on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairneuron_core.paths.activation_paths import TracedPath
from fairneuron_core.paths.settings import SlicingSetting

if TYPE_CHECKING:
    from fairneuron_core.paths.slicer import Slicer


def trace_row(slicer: Slicer, features: np.ndarray, setting: SlicingSetting) -> TracedPath:
    """Return the path of one row (inputs,): synapses from `first_layer` up, by layer, then target, then source."""
    net = slicer.network
    values = slicer.trace(np.asarray(features)[None], coverage=setting.coverage)
    layer, source, target, contribution = [], [], [], []
    for index in range(setting.first_layer - 1, len(net.layers)):
        width = int(net.padded[index])
        taken = np.flatnonzero(_layer_marks(values.weights[0], slicer, index))
        j, k = np.divmod(taken, width)
        layer.append(np.full(len(taken), index + 1))
        source.append(k)
        target.append(j)
        contribution.append(net.layers[index].weight[j, k] * values.sources[0, net.level(index)][k])
    levels = range(len(net.widths))
    deltas = [values.sources[0, net.level(level)] for level in range(len(net.layers))]
    deltas.append(net.layers[-1].weight @ deltas[-1])
    return TracedPath(
        *(np.concatenate(parts) for parts in (layer, source, target, contribution)),
        activations=tuple(values.after[0, net.level(level)] for level in levels),
        deltas=tuple(deltas),
        neurons=tuple(np.flatnonzero(values.units[0, net.level(level)]) for level in levels),
        start=int(values.starts[0]),
    )


def _layer_marks(marks: np.ndarray, slicer: Slicer, index: int) -> np.ndarray:
    ends = [*slicer.network.weight_at[1:], len(marks)]
    return marks[slicer.network.weight_at[index] : ends[index]]


def hidden_on_path(slicer: Slicer, features: np.ndarray, rows: np.ndarray, *, coverage: float) -> np.ndarray:
    """Return which hidden neurons are on the path of each of `rows`: bool (rows, hidden neurons)."""
    net = slicer.network
    hidden = np.concatenate([np.arange(net.units)[net.level(i)] for i in range(1, len(net.widths) - 1)] or [[]])
    result = np.empty((len(rows), len(hidden)), bool)
    for first in range(0, len(rows), slicer.chunk_rows):
        part = slice(first, first + slicer.chunk_rows)
        result[part] = slicer.active(features[rows[part]], coverage=coverage)[:, hidden.astype(np.int64)]
    return result
