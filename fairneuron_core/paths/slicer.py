"""The engine of a slicing: a packed network that turns chunks of rows into per-layer keys and counts.

The rule of selection is told in `slicing.py`; this file only brings network, profile and kernels together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.errors import DataError, ModelError, SettingError
from fairneuron_core.paths.packing import WRITEABLE, PackedNetwork, Views, pack
from fairneuron_core.paths.settings import Reading, SlicingSetting, training_profile
from fairneuron_core.types import Classifier

if TYPE_CHECKING:
    from torch import nn

    from fairneuron_core.paths.torch_engine import TorchEngine

CHUNK_BYTES = 4_000_000
_NO_REALS, _NO_MARKS = np.empty((1, 0)), np.empty((1, 0), bool)
_NO_VIEWS = Views(_NO_REALS, _NO_REALS, _NO_MARKS, _NO_MARKS)


@dataclass(frozen=True, eq=False)
class Slicer:
    """A packed network with its training profile: all that is needed to slice any rows."""

    network: PackedNetwork
    profiles: np.ndarray
    reading: Reading
    torch: TorchEngine | None = None

    @property
    def engine(self) -> str:
        """Who slices: `numba` on the CPU, or `torch` and its device."""
        return "numba" if self.torch is None else f"torch on {self.torch.device}"

    @property
    def chunk_rows(self) -> int:
        """Rows to slice at a time: few enough that memory stays bounded whatever the number of rows."""
        if self.torch is not None:
            return self.torch.chunk_rows
        return max(16, min(1024, CHUNK_BYTES // (16 * self.network.units)))

    def keys(self, features: np.ndarray, *, coverages: Sequence[float], neurons: bool) -> tuple[np.ndarray, np.ndarray]:
        """Slice one chunk: per-layer keys (coverages, n, L, 2) uint64 and synapse counts (coverages, n, L) int64.

        Many coverages share one backward pass, but for the reading `released`, whose prefixes need not contain one
        another.
        """
        if len(coverages) == 1:
            keys, counts = self._run(features, np.array(coverages, np.float64), neurons, _NO_VIEWS)
            return keys.swapaxes(0, 1).view(np.uint64), counts.swapaxes(0, 1)
        wanted, place = np.unique(np.asarray(coverages, np.float64), return_inverse=True)
        if self.reading == "released":
            found = [self._run(features, wanted[i : i + 1], neurons, _NO_VIEWS) for i in range(len(wanted))]
            keys, counts = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
        else:
            keys, counts = self._run(features, wanted, neurons, _NO_VIEWS)
        return keys.swapaxes(0, 1)[place].view(np.uint64), counts.swapaxes(0, 1)[place]

    def active(self, features: np.ndarray, *, coverage: float) -> np.ndarray:
        """Return which units are on the path of each row of one chunk: bool (n, units), places as in PackedNetwork."""
        marks = np.zeros((len(features), self.network.units), bool)
        self._run(features, np.array([coverage]), False, Views(_NO_REALS, _NO_REALS, marks, _NO_MARKS))
        return marks

    def trace(self, features: np.ndarray, *, coverage: float) -> Trace:
        """Return everything about the paths of a few rows."""
        rows, net = len(features), self.network
        before, after = np.zeros((rows, net.units)), np.zeros((rows, net.units))
        units, weights = np.zeros((rows, net.units), bool), np.zeros((rows, net.weights.size), bool)
        self._run(features, np.array([coverage]), False, Views(before, after, units, weights))
        starts = before[:, net.level(-1)].argmax(axis=1)
        return Trace(before if self.reading == "released" else after - self.profiles[0], after, starts, units, weights)

    def _run(
        self, features: np.ndarray, coverages: np.ndarray, neurons: bool, views: Views
    ) -> tuple[np.ndarray, np.ndarray]:
        from fairneuron_core.paths.kernels import slice_rows

        if self.torch is not None and views is _NO_VIEWS:
            return self.torch.keys(features, coverages, neurons)
        rows = np.require(features, np.float32, WRITEABLE)
        keys = np.zeros((len(rows), len(coverages), len(self.network.layers), 2), np.int64)
        counts = np.zeros(keys.shape[:3], np.int64)
        released, profiles = self.reading == "released", np.require(self.profiles, None, WRITEABLE)
        # Held by a name until the kernel is done: it works with addresses of these arrays.
        layout, scratch = self.network.layout, self.network.scratch(len(coverages))
        broken = slice_rows(rows, profiles, layout, coverages, released, neurons, keys, counts, views, scratch)
        if broken >= 0:
            raise ModelError(
                "A row gives values that are not finite (NaN or infinite): clean its inputs or the weights."
            )
        return keys, counts


@dataclass(frozen=True, eq=False)
class Trace:
    """A few rows with all their numbers, each (n, units) padded as in PackedNetwork, weights (n, weights).

    sources: the s_k of the reading; after: activations; starts (n,): output neuron; units, weights: on the path or not.
    """

    sources: np.ndarray
    after: np.ndarray
    starts: np.ndarray
    units: np.ndarray
    weights: np.ndarray


def make_slicer(
    network: nn.Sequential | Classifier,
    *,
    reading: Reading = "delta",
    means: Any = None,
    device: str = "cpu",
    engine: str = "auto",
) -> Slicer:
    """Pack a network or classifier for slicing with one reading (see `slice_paths` for the arguments).

    engine: `auto` = torch on a CUDA device, numba otherwise. Apple's GPU has no float64: there the CPU slices.
    """
    # Imported here: torch stays out of the way of pages that only count paths.
    from fairneuron_core.models.layers import linear_layers

    stored = network.means if isinstance(network, Classifier) else None
    module = network.network if isinstance(network, Classifier) else network
    packed = pack(linear_layers(module))
    SlicingSetting(coverage=0.0, reading=reading).check_layers(len(packed.layers))
    levels = training_profile(means if reading == "delta" else 0, stored=stored, widths=packed.widths)
    profiles = _profiles(packed, levels, reading)
    return Slicer(packed, profiles, reading, _torch_engine(packed, profiles, reading, device=device, engine=engine))


def _torch_engine(
    network: PackedNetwork, profiles: np.ndarray, reading: Reading, *, device: str, engine: str
) -> TorchEngine | None:
    from fairneuron_core.models.device import resolve_device

    if engine not in ("auto", "numba", "torch"):
        raise SettingError(f"Unknown engine '{engine}': choose auto, numba or torch.")
    found = resolve_device(device)
    if engine == "numba" or (engine == "auto" and found != "cuda"):
        return None
    from fairneuron_core.paths.torch_engine import TorchEngine

    return TorchEngine(network, profiles, reading == "released", "cpu" if found == "mps" else found)


def _profiles(network: PackedNetwork, levels: Sequence[np.ndarray], reading: Reading) -> np.ndarray:
    """Return the means of activations and of pre-activations, (2, units).

    The latter are what the layers make of the former, so that z - mean z is the sum of the contributions. `released`
    has no means; its target is z itself.
    """
    profiles = np.zeros((2, network.units))
    for index, (mean, layer) in enumerate(zip(levels, network.layers, strict=True)):
        if reading != "released":
            profiles[0, network.level(index)] = mean
            profiles[1, network.level(index + 1)] = layer.weight.astype(np.float64) @ mean + layer.bias
    return profiles


def check_features(slicer: Slicer, features: np.ndarray) -> None:
    """Raise DataError unless `features` is a table (n, inputs of the network)."""
    inputs = int(slicer.network.widths[0])
    if np.ndim(features) != 2 or features.shape[1] != inputs:
        raise DataError(
            f"The features have shape {np.shape(features)} and the network reads {inputs} inputs per row: "
            "encode the rows with the encoder of this network."
        )
