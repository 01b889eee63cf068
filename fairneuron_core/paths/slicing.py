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

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.paths.activation_paths import ActivationPaths
from fairneuron_core.paths.frequency import row_frequency
from fairneuron_core.paths.settings import Granularity, Reading, SlicingSetting
from fairneuron_core.paths.slicer import make_slicer
from fairneuron_core.paths.sources import RowSource, as_source
from fairneuron_core.paths.streaming import SlicingWork, in_pool, slice_rows_of
from fairneuron_core.types import Classifier, ProgressCallback

if TYPE_CHECKING:
    from torch import nn

Engine = Literal["auto", "numba", "torch", "ray"]
Features = np.ndarray | RowSource | str | Path | Iterable[np.ndarray]


def slice_paths(
    network: nn.Sequential | Classifier,
    features: Features,
    *,
    coverage: float,
    reading: Reading = "delta",
    granularity: Granularity = "synapses",
    first_layer: int = 1,
    means: Any = None,
    device: str = "auto",
    engine: Engine = "auto",
    address: str | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> ActivationPaths:
    """Return the activation path of every row of `features` (n, inputs), as a key and a count per row.

    network: a stack of Linear layers and activations, or a classifier that holds one; it is only read.
    features: an array in memory or memory-mapped; the path of a Parquet file or folder whose columns are the inputs;
    a source with more to say (`ParquetRows` encodes raw columns); or an iterable of arrays, whose rows are not kept
    and cannot be decoded. Files and iterators may be larger than memory: 28 bytes per row and a few batches are held.
    coverage = gamma in [0, 1]; 0 is the dominant chain.
    reading, granularity, first_layer: see `settings.py`; layers below `first_layer` are not in the key.
    means: None = the training profile stored with the classifier; 0 = none; or one array per level.
    device: `auto` (a CUDA GPU where there is one, else the CPU), `gpu` or `cpu`. Apple's GPU has no float64: there the
    CPU slices. engine: `auto` = numba on the CPU and torch on a GPU, both in this process; `numba`; `torch`; `ray` =
    numba on all machines of the Ray cluster at `address` (see `distributed.py`).
    threads: workers on the CPU (default: all processors). None of these changes the result; `torch_engine.py` says
    where rounding may. progress: called after every chunk.

    Raises SettingError (a setting out of range), ModelError (no profile; a layer that cannot be read; values that are
    not finite), DataError (features of another width, or what its source says), NotFoundError (no such file), and
    whatever `progress` raises, Cancelled above all.
    """
    return slice_coverages(
        network,
        features,
        coverages=(coverage,),
        reading=reading,
        granularity=granularity,
        first_layer=first_layer,
        means=means,
        device=device,
        engine=engine,
        address=address,
        threads=threads,
        progress=progress,
    )[0]


def slice_coverages(
    network: nn.Sequential | Classifier,
    features: Features,
    *,
    coverages: Sequence[float],
    reading: Reading = "delta",
    granularity: Granularity = "synapses",
    first_layer: int = 1,
    means: Any = None,
    device: str = "auto",
    engine: Engine = "auto",
    address: str | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[ActivationPaths, ...]:
    """Return the paths for every coverage, in the order given, from one pass over the rows (see `slice_paths`)."""
    settings = tuple(SlicingSetting(float(c), reading, granularity, first_layer) for c in coverages)
    _check_engine(engine, address)
    if not settings:
        raise SettingError("The list of coverages is empty: give at least one value between 0 and 1.")
    device, within = ("cpu", "numba") if engine == "ray" else (device, engine)
    slicer = make_slicer(network, reading=reading, means=means, device=device, engine=within)
    threads = 1 if slicer.torch is not None else threads  # one thread feeds a device; torch has its own on the CPU
    settings[0].check_layers(len(slicer.network.layers))
    source = as_source(features)
    work = SlicingWork(slicer, tuple(s.coverage for s in settings), first_layer, granularity == "neurons")
    if engine == "ray":
        from fairneuron_core.paths.distributed import slice_on_ray

        found, frequencies = slice_on_ray(source, work, address=address, threads=threads, progress=progress)
    else:
        found = slice_rows_of(source, work, threads=threads, progress=progress)
        frequencies = [row_frequency(key) for key in found.key]
    results = zip(found.key, frequencies, found.synapses, settings, strict=True)
    return tuple(ActivationPaths(*result, slicer, source) for result in results)


def _check_engine(engine: str, address: str | None) -> None:
    if engine not in get_args(Engine):
        raise SettingError(f"Unknown engine '{engine}': choose one of {', '.join(get_args(Engine))}.")
    if address is not None and engine != "ray":
        raise SettingError(f"The address '{address}' is of no use to the engine '{engine}': choose the engine ray.")


def compile_kernels() -> None:
    """Compile the kernels now (about 20 s on a new machine; later they come from the cache on disk)."""
    from fairneuron_core.models.layers import build_network

    slice_paths(build_network((2, 2, 1)), np.ones((1, 2), np.float32), coverage=0.5, means=0, threads=1)


def in_chunks(run: Callable[[slice], object], *, rows: int, chunk: int, threads: int | None) -> Iterator[float]:
    """Call run(slice) for every chunk of rows on `threads` workers; yield the share done after each.

    At most two chunks per worker wait at a time. When the consumer raises, chunks that have not begun are dropped.
    """

    def finished(part: slice) -> int:
        run(part)
        return part.stop - part.start

    parts = (slice(first, min(first + chunk, rows)) for first in range(0, rows, chunk))
    done = 0
    with closing(in_pool(finished, parts, threads=threads)) as counts:
        for count in counts:
            done += count
            yield done / rows
