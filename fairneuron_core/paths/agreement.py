"""How far two ways of slicing the same rows agree, synapse by synapse.

On networks of whole numbers, and wherever the float operations agree, they must be equal. Elsewhere two correct ways
may differ in a synapse whose inclusion hangs on the last bits of a sum. The GAP of a neuron says on how much:

    of prefixes of different length     max over the prefixes between them of |prefix sum - target| / (sum of |c|)
    of equal length                     (largest - smallest of the contributions exchanged) / largest |c|

A gap of 1e-5 or less is rounding. Neurons that only one of the two reaches follow from a difference above them and
are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.paths.activation_paths import ActivationPaths, Synapse

ROUNDING = 1e-5


@dataclass(frozen=True)
class Agreement:
    """Rows compared, rows whose sets differ, synapses in one set only, and the largest gap of a neuron (0: equal)."""

    rows: int
    differing_rows: int
    differing_synapses: int
    largest_gap: float

    @property
    def only_rounding(self) -> bool:
        """Whether every difference hangs on a relative difference of at most 1e-5."""
        return self.largest_gap <= ROUNDING


def agreement(paths: ActivationPaths, rows: Sequence[int], others: Iterable[set[Synapse]]) -> Agreement:
    """Compare the decoded paths of some rows with what another way of slicing found for them, row by row."""
    differing = synapses = 0
    largest = 0.0
    for row, own, other in zip(rows, paths.decode(rows), others, strict=True):
        if own != other:
            differing += 1
            synapses += len(own ^ other)
            largest = max(largest, _largest_gap(paths, row, own, other))
    return Agreement(len(rows), differing, synapses, largest)


def _largest_gap(paths: ActivationPaths, row: int, own: set[Synapse], other: set[Synapse]) -> float:
    traced, layers, gaps = paths.trace(row), paths.slicer.network.layers, [0.0]
    for layer, neuron in {(layer, j) for layer, _, j in own ^ other}:
        sets = [[k for at, k, j in path if (at, j) == (layer, neuron)] for path in (own, other)]
        if not (sets[0] and sets[1]) or sorted(sets[0]) == sorted(sets[1]):
            continue
        weights = layers[layer - 1].weight[neuron].astype(np.float64)
        values = weights * traced.deltas[layer - 1]
        if paths.reading == "released":
            wanted = paths.coverage * (weights @ traced.activations[layer - 1] + layers[layer - 1].bias[neuron])
            gaps.append(_gap(values, float(wanted), sets))
        else:
            total = values.sum()
            gaps.append(_gap(values * np.sign(total), paths.coverage * abs(total), sets))
    return max(gaps)


def _gap(values: np.ndarray, target: float, sets: list[list[int]]) -> float:
    shorter, longer = sorted(map(len, sets))
    if shorter == longer:
        return float(np.ptp(values[list(set(sets[0]) ^ set(sets[1]))]) / np.abs(values).max())
    between = np.cumsum(np.sort(values)[::-1])[shorter - 1 : longer - 1]
    return float(np.abs(between - target).max() / np.abs(values).sum())
