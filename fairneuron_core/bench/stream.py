"""10 million rows of 100 features through a 128-128-128 network: rows are made batch by batch and never all there.

The labels come from a hidden linear rule, so that the network learns something and its paths are those of a trained
one. Seconds include the making of the rows, which is told beside them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from fairneuron_core.bench.cases import Case, trained
from fairneuron_core.bench.engines import COVERAGE
from fairneuron_core.bench.measure import peak_megabytes
from fairneuron_core.bench.sizes import Size
from fairneuron_core.types import Progress, ProgressCallback

ROWS, FEATURES, BATCH = 10_000_000, 100, 65_536
THREADS = 2
STREAM = Size("stream", "synthetic", (128, 128, 128), rows=ROWS, inputs=FEATURES)
_TRAINING_ROWS, _WARM_ROWS = 20_000, 64


def batches(rows: int, *, seed: int = 1) -> Iterator[np.ndarray]:
    """Yield `rows` rows in all, uniform in [0, 1), float32 (at most BATCH, FEATURES); equal seeds, equal rows."""
    generator = np.random.default_rng(seed)
    for first in range(0, rows, BATCH):
        yield generator.random((min(BATCH, rows - first), FEATURES), dtype=np.float32)


def make_stream_case(*, hidden: tuple[int, ...] = STREAM.hidden) -> Case:
    """Train the network on the first rows of another seed."""
    from fairneuron_core.models import linear_layers, profile

    features = next(batches(_TRAINING_ROWS, seed=0))
    rule = np.random.default_rng(0).standard_normal(FEATURES)
    labels = ((features - 0.5) @ rule > 0).astype(np.uint8)
    cut = len(features) * 9 // 10
    network = trained(hidden, (features[:cut], labels[:cut]), (features[cut:], labels[cut:]), epochs=4)
    return Case(STREAM, tuple(linear_layers(network)), profile(network, features), features[:0])


def stream(case: Case, *, rows: int = ROWS, progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Slice the stream once and return a result like those of the tables; `progress` may raise to cancel."""
    _slice(case, min(rows, _WARM_ROWS), None)
    found: dict[str, Any] = {}
    megabytes = peak_megabytes(lambda: found.update(_slice(case, rows, progress)))
    return {
        "engine": f"numba_{THREADS}",
        "reading": "delta",
        "size": STREAM.name,
        "network": case.shape,
        "scale": 1,
        "rows": rows,
        "seconds_low": found["seconds"],
        "seconds_high": found["seconds"],
        "rows_per_second": rows / found["seconds"],
        "synapses_per_second": found["mean_synapses"] * rows / found["seconds"],
        "peak_mb": round(megabytes, 2),
        "repeats": 1,
        "rounds": [found["seconds"]],
        **found,
    }


def _slice(case: Case, rows: int, progress: ProgressCallback | None) -> dict[str, Any]:
    from fairneuron_core.paths import count_keys, slice_paths

    network, began = case.network(), time.perf_counter()
    key, synapses, done, sliced = np.empty((rows, 2), np.uint64), 0, 0, 0.0
    for batch in batches(rows):
        start = time.perf_counter()
        paths = slice_paths(network, batch, coverage=COVERAGE, means=case.means, threads=THREADS)
        sliced += time.perf_counter() - start
        key[done : done + len(batch)] = paths.key
        synapses += int(paths.synapses.sum(dtype=np.int64))
        done += len(batch)
        if progress:
            progress(Progress(done / rows, f"Streaming: {done:,} of {rows:,} rows"))
    start = time.perf_counter()
    unique = count_keys(key).unique_paths
    sliced += time.perf_counter() - start
    seconds = time.perf_counter() - began
    made = {"seconds": seconds, "seconds_making_rows": seconds - sliced}
    return {**made, "mean_synapses": synapses / rows, "unique_paths": unique}
