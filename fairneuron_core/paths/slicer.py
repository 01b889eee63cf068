"""The engine of a slicing: a packed network that turns chunks of rows into per-layer keys and counts.

The rule of selection is told in `slicing.py`; this file only brings network, profile and kernels together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.errors import DataError
from fairneuron_core.paths.packing import PackedNetwork, forward_pass, pack
from fairneuron_core.paths.settings import Reading, SlicingSetting, training_profile
from fairneuron_core.types import Classifier

if TYPE_CHECKING:
    from torch import nn

CHUNK_BYTES = 4_000_000


@dataclass(frozen=True, eq=False)
class Slicer:
    """A packed network with its training profile: all that is needed to slice any rows."""

    network: PackedNetwork
    profile: np.ndarray
    reading: Reading

    @property
    def chunk_rows(self) -> int:
        """Rows whose forward values take about 4 MB: chunks stay in the cache and memory stays bounded."""
        return max(16, min(1024, CHUNK_BYTES // (16 * self.network.units)))

    def values(self, features: np.ndarray) -> ForwardValues:
        """Return what the selection reads of some rows, by the reading."""
        after, before = forward_pass(self.network, features)
        head = before[:, self.network.level(-1)]
        starts = head.argmax(axis=1)
        if self.reading == "released":
            return ForwardValues(before, before * self.network.row_scale, starts, after)
        return ForwardValues(after - self.profile, np.empty((1, 0)), starts, after)

    def select(
        self, values: ForwardValues, *, coverage: float, neurons: bool, marks: Marks | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return per-layer keys (n, L, 2) uint64 and synapse counts (n, L); fill `marks` when given."""
        from fairneuron_core.paths.kernels import slice_rows

        net = self.network
        keys = np.zeros((len(values.starts), len(net.layers), 2), np.int64)
        counts = np.zeros(keys.shape[:2], np.int64)
        marks = marks or Marks(np.empty((1, 0), bool), np.empty((1, 0), bool))
        slice_rows(
            values.sources, values.goals, values.starts, net.weights, net.widths, net.padded, net.bits, net.unit_at,
            net.weight_at, net.words, float(coverage), self.reading == "released", neurons,
            keys, counts, marks.units, marks.weights,
        )  # fmt: skip
        return keys.view(np.uint64), counts

    def keys(self, features: np.ndarray, *, coverages: Sequence[float], neurons: bool) -> tuple[np.ndarray, np.ndarray]:
        """Slice one chunk: per-layer keys (coverages, n, L, 2) uint64 and synapse counts (coverages, n, L) int64."""
        values = self.values(np.asarray(features))
        found = [self.select(values, coverage=coverage, neurons=neurons) for coverage in coverages]
        return np.stack([keys for keys, _ in found]), np.stack([counts for _, counts in found])

    def active(self, features: np.ndarray, *, coverage: float) -> np.ndarray:
        """Return which units are on the path of each row of one chunk: bool (n, units), places as in PackedNetwork."""
        values = self.values(np.asarray(features))
        marks = Marks(np.zeros((len(values.starts), self.network.units), bool), np.empty((1, 0), bool))
        self.select(values, coverage=coverage, neurons=False, marks=marks)
        return marks.units


@dataclass(frozen=True, eq=False)
class ForwardValues:
    """sources: the s_k of the reading; goals: scaled z (only `released`); starts: output neuron; activations."""

    sources: np.ndarray
    goals: np.ndarray
    starts: np.ndarray
    activations: np.ndarray


@dataclass(frozen=True, eq=False)
class Marks:
    """Which units (n, units) and which weights (n, weights) are on the path; padded as in PackedNetwork.

    An array without columns, (1, 0), is left alone.
    """

    units: np.ndarray
    weights: np.ndarray


def make_slicer(network: nn.Sequential | Classifier, *, reading: Reading = "delta", means: Any = None) -> Slicer:
    """Pack a network or classifier for slicing with one reading (see `slice_paths` for the arguments)."""
    # Imported here: torch stays out of the way of pages that only count paths.
    from fairneuron_core.models.layers import linear_layers

    stored = network.means if isinstance(network, Classifier) else None
    module = network.network if isinstance(network, Classifier) else network
    packed = pack(linear_layers(module))
    SlicingSetting(coverage=0.0, reading=reading).check_layers(len(packed.layers))
    levels = training_profile(means if reading == "delta" else 0, stored=stored, widths=packed.widths)
    profile = np.zeros(packed.units)
    for index, mean in enumerate(levels):
        profile[packed.level(index)] = mean
    return Slicer(packed, profile, reading)


def check_features(slicer: Slicer, features: np.ndarray) -> None:
    """Raise DataError unless `features` is a table (n, inputs of the network)."""
    inputs = int(slicer.network.widths[0])
    if np.ndim(features) != 2 or features.shape[1] != inputs:
        raise DataError(
            f"The features have shape {np.shape(features)} and the network reads {inputs} inputs per row: "
            "encode the rows with the encoder of this network."
        )
