"""Neural network slicing: the activation path of every row.

Paper: Gao, Zhai, Ma, Shen, Chen, Wang, "FairNeuron: Improving Deep Neural Network Fairness with Adversary Games on
Selective Neurons", ICSE 2022, section 3.2.

Symbols: a = activation, m = its mean over the training rows, W_jk = weight from neuron k to j, gamma = coverage.

1. Forward: s_k = a_k - m_k for the inputs and every hidden neuron (after the activation).
2. Backward from the output (one logit: that one; several: the largest). For an active neuron j the contributions are
   c_k = W_jk * s_k and their sum is dz_j (the bias cancels). In the order of c_k * sign(dz_j), largest first and ties
   by index, take the shortest prefix whose sum exceeds gamma * |dz_j|. gamma = 1 (or rounding that keeps the sum from
   exceeding) takes all with a positive c_k * sign(dz_j); dz_j = 0 takes none. Each k that is taken becomes active.
3. The path of a row is the set of its synapses (layer, source, target); its key is a 128-bit sum (`keys.py`).

Readings: `delta` is the above; `activation` has m = 0; `released` has s = pre-activations, leaves the first layer out
of every path, orders by the signed c_k and stops once the running sum reaches gamma * z_j (bias included; if it never
does, all are taken).

Sums are exact on a grid of 2^-50 of the largest possible contribution, so nothing depends on chunks or threads. Paths
can differ from a plain floating-point computation only in synapses whose inclusion hangs on less than that grid.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.paths.activation_paths import ActivationPaths
from fairneuron_core.paths.frequency import count_keys
from fairneuron_core.paths.packing import PackedNetwork, forward_pass, pack
from fairneuron_core.paths.settings import Granularity, Reading, SlicingSetting, training_profile
from fairneuron_core.types import Classifier, Progress, ProgressCallback

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


def slice_paths(
    network: nn.Sequential | Classifier,
    features: np.ndarray,
    *,
    coverage: float,
    reading: Reading = "delta",
    granularity: Granularity = "synapses",
    first_layer: int = 1,
    means: Any = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> ActivationPaths:
    """Return the activation path of every row of `features` (n, inputs), as a key and a count per row.

    network: a stack of Linear layers and activations, or a classifier that holds one; it is only read.
    features: float32, in memory or memory-mapped. coverage = gamma in [0, 1]; 0 is the dominant chain.
    reading, granularity, first_layer: see `settings.py`; layers below `first_layer` are not in the key.
    means: None = the training profile stored with the classifier; 0 = none; or one array per level.
    threads: workers (default: all processors); the result does not depend on it. progress: called after every chunk.

    Raises SettingError (a setting out of range), ModelError (no profile; a layer that cannot be read; values that are
    not finite), DataError (features of another width), and whatever `progress` raises, Cancelled above all.
    """
    setting = SlicingSetting(float(coverage), reading, granularity, first_layer)
    slicer = make_slicer(network, reading=reading, means=means)
    setting.check_layers(len(slicer.network.layers))
    check_features(slicer, features)
    key = np.empty((len(features), 2), np.uint64)
    synapses = np.empty(len(features), np.int32)

    def run(rows: slice) -> None:
        values = slicer.values(np.asarray(features[rows]))
        keys, counts = slicer.select(values, coverage=setting.coverage, neurons=granularity == "neurons")
        key[rows] = keys[:, first_layer - 1 :].sum(axis=1, dtype=np.uint64)
        synapses[rows] = counts[:, first_layer - 1 :].sum(axis=1)

    for share in in_chunks(run, rows=len(features), chunk=slicer.chunk_rows, threads=threads):
        if progress:
            progress(Progress(share, f"Slicing: {share * len(features):,.0f} of {len(features):,} rows"))
    return ActivationPaths(key, count_keys(key).frequency, synapses, setting, slicer, features)


def compile_kernels() -> None:
    """Compile the kernels now (about 10 s on a new machine; later they come from the cache on disk)."""
    from fairneuron_core.models.layers import build_network

    slice_paths(build_network((2, 2, 1)), np.ones((1, 2), np.float32), coverage=0.5, means=0, threads=1)


def check_features(slicer: Slicer, features: np.ndarray) -> None:
    """Raise DataError unless `features` is a table (n, inputs of the network)."""
    inputs = int(slicer.network.widths[0])
    if np.ndim(features) != 2 or features.shape[1] != inputs:
        raise DataError(
            f"The features have shape {np.shape(features)} and the network reads {inputs} inputs per row: "
            "encode the rows with the encoder of this network."
        )


def in_chunks(run: Any, *, rows: int, chunk: int, threads: int | None) -> Iterator[float]:
    """Call run(slice) for every chunk of rows on `threads` workers; yield the share done after each.

    At most two chunks per worker wait at a time. When the consumer raises, chunks that have not begun are dropped.
    """
    workers = threads if threads is not None else os.cpu_count() or 1
    if workers < 1:
        raise SettingError(f"threads = {threads}: choose at least 1.")
    chunks = iter([slice(first, min(first + chunk, rows)) for first in range(0, rows, chunk)])
    done = 0
    pending: dict[Future[None], slice] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="slicing") as pool:
        try:
            while True:
                while len(pending) < 2 * workers and (rows_now := next(chunks, None)) is not None:
                    pending[pool.submit(run, rows_now)] = rows_now
                if not pending:
                    return
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    future.result()
                    finished = pending.pop(future)
                    done += finished.stop - finished.start
                    yield done / rows
        finally:
            for future in pending:
                future.cancel()
