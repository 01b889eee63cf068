"""A network laid out for the kernels: flat, padded arrays, and the forward pass of a chunk of rows.

Levels count from 0 (the inputs); Linear layer l leads from level l - 1 to level l.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairneuron_core.errors import ModelError
from fairneuron_core.paths.keys import unit_words

if TYPE_CHECKING:
    from fairneuron_core.models.layers import LinearLayer

LANES = 16
GRID_BITS = 50
SUM_BITS = 62


@dataclass(frozen=True, eq=False)
class PackedNetwork:
    """Linear layers as flat arrays. Padding is zero, so it never contributes.

    widths, padded, unit_at: per level 0..L, its units, its padded units and its place in a row of all units
    weights: all layers row by row, each row times a power of two that brings its largest magnitude into [0.5, 1);
    `row_scale` holds these powers per unit. The selection of a neuron does not depend on the scale of its row.
    bits: per layer, the grid that keeps a sum over the layer's inputs within 62 bits.
    words (4, units): the key words B, B', A, A' of every unit.
    """

    layers: tuple[LinearLayer, ...]
    widths: np.ndarray
    padded: np.ndarray
    unit_at: np.ndarray
    weight_at: np.ndarray
    weights: np.ndarray
    row_scale: np.ndarray
    bits: np.ndarray
    words: np.ndarray
    forward: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def units(self) -> int:
        """Length of a row that holds all levels, padding included."""
        return int(self.unit_at[-1] + self.padded[-1])

    def level(self, index: int) -> slice:
        """Return where the units of one level lie in a row of all units (without padding)."""
        return slice(int(self.unit_at[index]), int(self.unit_at[index] + self.widths[index]))


def pack(layers: Sequence[LinearLayer]) -> PackedNetwork:
    """Lay out Linear layers for the kernels. Raises ModelError when their sizes do not follow on one another."""
    for number, (first, second) in enumerate(itertools.pairwise(layers), start=1):
        if first.weight.shape[0] != second.weight.shape[1]:
            raise ModelError(
                f"Linear layer {number} has {first.weight.shape[0]} outputs and layer {number + 1} reads "
                f"{second.weight.shape[1]} inputs: the layers must follow on one another."
            )
    widths = np.array([layers[0].weight.shape[1], *(len(layer.weight) for layer in layers)])
    padded = -(-widths // LANES) * LANES
    unit_at = np.concatenate([[0], np.cumsum(padded)[:-1]])
    rows = [_scaled_rows(layer.weight, int(pad)) for layer, pad in zip(layers, padded, strict=False)]
    row_scale = np.ones(unit_at[-1] + padded[-1])
    for (_, scale), at in zip(rows, unit_at[1:], strict=True):
        row_scale[at : at + len(scale)] = scale
    sizes = [weights.size for weights, _ in rows]
    return PackedNetwork(
        layers=tuple(layers),
        widths=widths,
        padded=padded,
        unit_at=unit_at,
        weight_at=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        weights=np.concatenate([weights.ravel() for weights, _ in rows]),
        row_scale=row_scale,
        bits=np.array([min(GRID_BITS, SUM_BITS - math.ceil(math.log2(max(width, 2)))) for width in widths[:-1]]),
        words=_words(padded),
        forward=tuple(_forward_arrays(layer, int(pad)) for layer, pad in zip(layers, padded[1:], strict=True)),
    )


def forward_pass(network: PackedNetwork, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (activations, pre-activations) of some rows, both float64 (rows, units), in a fixed order of sums.

    At level 0 both hold the inputs. Raises ModelError when a value is not finite.
    """
    # Imported here: numba is slow to import and pages that only count paths do not need it.
    from fairneuron_core.models.layers import activate
    from fairneuron_core.paths.kernels import affine

    before = np.zeros((len(features), network.units))
    before[:, network.level(0)] = features
    after = before.copy()
    for index, (weights, bias) in enumerate(network.forward, start=1):
        affine(after, network.unit_at[index - 1], weights, bias, before, network.unit_at[index])
        units = network.level(index)
        after[:, units] = activate(network.layers[index - 1].activation, before[:, units])
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise ModelError("A row gives values that are not finite (NaN or infinite): clean its inputs or the weights.")
    return after, before


def _scaled_rows(weight: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the padded rows scaled to a largest magnitude in [0.5, 1), and the powers of two used."""
    if not np.isfinite(weight).all():
        raise ModelError("The network has weights that are not finite (NaN or infinite): train it again.")
    rows = np.zeros((len(weight), width), np.float32)
    _, exponents = np.frexp(np.abs(weight).max(axis=1))
    rows[:, : weight.shape[1]] = np.ldexp(weight, -exponents[:, None])
    return rows, np.ldexp(1.0, -exponents)


def _forward_arrays(layer: LinearLayer, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (in, padded out) float32 and bias (padded out,) float64."""
    weights = np.zeros((layer.weight.shape[1], width), np.float32)
    weights[:, : len(layer.weight)] = layer.weight.T
    bias = np.zeros(width)
    bias[: len(layer.bias)] = layer.bias
    return weights, bias


def _words(padded: np.ndarray) -> np.ndarray:
    return np.array(
        [np.concatenate([unit_words(level, int(n), word=word) for level, n in enumerate(padded)]) for word in range(4)]
    )
