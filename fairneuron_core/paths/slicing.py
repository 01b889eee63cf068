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
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.paths.activation_paths import ActivationPaths
from fairneuron_core.paths.frequency import count_keys
from fairneuron_core.paths.settings import Granularity, Reading, SlicingSetting
from fairneuron_core.paths.slicer import check_features, make_slicer
from fairneuron_core.types import Classifier, Progress, ProgressCallback

if TYPE_CHECKING:
    from torch import nn


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
        keys, counts = slicer.keys(features[rows], coverages=(setting.coverage,), neurons=granularity == "neurons")
        key[rows] = keys[0, :, first_layer - 1 :].sum(axis=1, dtype=np.uint64)
        synapses[rows] = counts[0, :, first_layer - 1 :].sum(axis=1)

    for share in in_chunks(run, rows=len(features), chunk=slicer.chunk_rows, threads=threads):
        if progress:
            progress(Progress(share, f"Slicing: {share * len(features):,.0f} of {len(features):,} rows"))
    return ActivationPaths(key, count_keys(key).frequency, synapses, setting, slicer, features)


def compile_kernels() -> None:
    """Compile the kernels now (about 10 s on a new machine; later they come from the cache on disk)."""
    from fairneuron_core.models.layers import build_network

    slice_paths(build_network((2, 2, 1)), np.ones((1, 2), np.float32), coverage=0.5, means=0, threads=1)


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
