"""A network laid out for the kernels: flat, padded arrays.

Levels count from 0 (the inputs); Linear layer l leads from level l - 1 to level l.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fairneuron_core.errors import ModelError
from fairneuron_core.paths.keys import unit_words

if TYPE_CHECKING:
    from fairneuron_core.models.layers import LinearLayer

LANES = 16
NIBBLE = 4
ACTIVATIONS = ("relu", "identity", "tanh", "sigmoid")  # the order of the kernels' numbers
GRID_BITS = 50
SUM_BITS = 62
CUT_FLOATS = 12  # what `float_cut` remembers between rounds
# Read-only arrays (memory-mapped, or shared between processes) are another type to numba: a second compilation.
WRITEABLE = ("C", "W")


class Layout(NamedTuple):
    """A packed network as the kernels read it; see `PackedNetwork` for shapes. Levels and layers count from 0."""

    widths: np.ndarray
    padded: np.ndarray
    unit_at: np.ndarray
    weight_at: np.ndarray
    weights: np.ndarray
    forward_at: np.ndarray
    forward: np.ndarray
    biases: np.ndarray
    activations: np.ndarray
    row_scale: np.ndarray
    bits: np.ndarray
    words: np.ndarray
    tables: np.ndarray


class Views(NamedTuple):
    """What is kept of a row where there are columns for it: before, after, actives (n, units), taken (n, weights)."""

    before: np.ndarray
    after: np.ndarray
    actives: np.ndarray
    taken: np.ndarray


class Scratch(NamedTuple):
    """Memory of one call of the kernels: float64, float32 and int64.

    It comes from the caller, because numba frees an array of its own after the last use of its NAME, whatever still
    points into it. Blocks, because arrays that lie a multiple of 4 kB apart make loads wait for stores not theirs.
    """

    reals: np.ndarray
    floats: np.ndarray
    whole: np.ndarray


@dataclass(frozen=True, eq=False)
class PackedNetwork:
    """Linear layers as flat arrays. Padding is zero, so it never contributes.

    widths, padded, unit_at: per level 0..L, its units, its padded units and its place in a row of all units
    weights: all layers row by row, each row times a power of two that brings its largest magnitude into [0.5, 1);
    `row_scale` holds these powers per unit. The selection of a neuron does not depend on the scale of its row.
    bits: per layer, the grid that keeps a sum over the layer's inputs within 62 bits.
    words (4, units): the key words B, B', A, A' of every unit.
    tables (units / 4, 16, 2): for every four units, the sums of B and B' over each of their 16 subsets.
    forward: the layers once more, weights[k, j] from input k to padded output j, from forward_at on; biases (units).
    activations: per layer, its place in `ACTIVATIONS`.
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
    tables: np.ndarray
    forward_at: np.ndarray
    forward: np.ndarray
    biases: np.ndarray
    activations: np.ndarray

    @property
    def units(self) -> int:
        """Length of a row that holds all levels, padding included."""
        return int(self.unit_at[-1] + self.padded[-1])

    @cached_property
    def layout(self) -> Layout:
        """What the kernels read of this."""
        return Layout(*(np.require(getattr(self, name), None, WRITEABLE) for name in Layout._fields))

    def scratch(self, coverages: int) -> Scratch:
        """Return memory for slicing rows at so many coverages; one thread at a time may use it."""
        widest = int(self.padded.max())
        return Scratch(
            np.zeros(4 * self.units + 2 * widest),
            np.zeros(4 * widest + CUT_FLOATS, np.float32),
            np.zeros(2 * self.units + 4 * widest + 5 * coverages, np.int64),
        )

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
    row_scale, biases = np.ones(unit_at[-1] + padded[-1]), np.zeros(unit_at[-1] + padded[-1])
    for (_, scale), layer, at in zip(rows, layers, unit_at[1:], strict=True):
        row_scale[at : at + len(scale)] = scale
        biases[at : at + len(scale)] = layer.bias
    forward = [_forward_weights(layer.weight, int(pad)) for layer, pad in zip(layers, padded[1:], strict=True)]
    words, tables = _key_words(tuple(padded.tolist()))
    return PackedNetwork(
        layers=tuple(layers),
        widths=widths,
        padded=padded,
        unit_at=unit_at,
        weight_at=_places(weights for weights, _ in rows),
        weights=np.concatenate([weights.ravel() for weights, _ in rows]),
        row_scale=row_scale,
        bits=np.array([min(GRID_BITS, SUM_BITS - math.ceil(math.log2(max(width, 2)))) for width in widths[:-1]]),
        words=words,
        tables=tables,
        forward_at=_places(forward),
        forward=np.concatenate([weights.ravel() for weights in forward]),
        biases=biases,
        activations=np.array([ACTIVATIONS.index(layer.activation) for layer in layers]),
    )


def _places(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return where each part begins when all are laid end to end."""
    return np.concatenate([[0], np.cumsum([part.size for part in parts])[:-1]]).astype(np.int64)


def _scaled_rows(weight: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the padded rows scaled to a largest magnitude in [0.5, 1), and the powers of two used."""
    if not np.isfinite(weight).all():
        raise ModelError("The network has weights that are not finite (NaN or infinite): train it again.")
    rows = np.zeros((len(weight), width), np.float32)
    _, exponents = np.frexp(np.abs(weight).max(axis=1))
    rows[:, : weight.shape[1]] = np.ldexp(weight, -exponents[:, None])
    return rows, np.ldexp(1.0, -exponents)


def _forward_weights(weight: np.ndarray, width: int) -> np.ndarray:
    """Return weights (in, padded out) float32."""
    weights = np.zeros((weight.shape[1], width), np.float32)
    weights[:, : len(weight)] = weight.T
    return weights


def _subset_sums(words: np.ndarray) -> np.ndarray:
    """Return the sums (mod 2^64) of both words over every subset of every four units: (units / 4, 16, 2)."""
    subsets = (np.arange(2**NIBBLE)[:, None] >> np.arange(NIBBLE)) & 1  # (16, 4)
    fours = words.T.reshape(-1, 1, NIBBLE, 2)
    return (fours * subsets[:, :, None]).sum(axis=2, dtype=np.int64)


@lru_cache(maxsize=16)
def _key_words(padded: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the key words of all units, and their sums over every four: they follow from the sizes alone.

    Nobody writes to what is kept here. It cannot be marked as read-only: see `WRITEABLE`.
    """
    words = np.array(
        [np.concatenate([unit_words(level, n, word=word) for level, n in enumerate(padded)]) for word in range(4)]
    )
    return words, _subset_sums(words[:2])
