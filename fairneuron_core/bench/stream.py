"""10 million rows of 100 features through a 128-128-128 network: rows are made as they are read and never all there.

The labels come from a hidden linear rule, so that the network learns something and its paths are those of a trained
one. Seconds include the making of the rows, which is told beside them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairneuron_core.bench.cases import Case, trained
from fairneuron_core.bench.engines import COVERAGE
from fairneuron_core.bench.measure import peak_megabytes
from fairneuron_core.bench.sizes import Size
from fairneuron_core.types import ProgressCallback

ROWS, FEATURES = 10_000_000, 100
THREADS = 2
STREAM = Size("stream", "synthetic", (128, 128, 128), rows=ROWS, inputs=FEATURES)
_TRAINING_ROWS, _WARM_ROWS, _TAKEN_AT_ONCE = 20_000, 64, 65_536


@dataclass
class SeededRows:
    """Rows uniform in [0, 1), float32, made as they are read; equal seeds, equal rows. seconds: spent making them."""

    rows: int
    seed: int = 1
    seconds: float = field(default=0.0, init=False)

    def batches(self, max_rows: int) -> Iterator[np.ndarray]:
        """Yield all rows, at most `max_rows` of them at a time."""
        generator = np.random.default_rng(self.seed)
        for first in range(0, self.rows, max_rows):
            began = time.perf_counter()
            batch = generator.random((min(max_rows, self.rows - first), FEATURES), dtype=np.float32)
            self.seconds += time.perf_counter() - began
            yield batch

    def take(self, positions: np.ndarray) -> np.ndarray:
        """Make the rows once more and return those at `positions`."""
        wanted, place = np.unique(positions, return_inverse=True)
        found, first = [], 0
        for batch in self.batches(_TAKEN_AT_ONCE):
            found.append(batch[wanted[(wanted >= first) & (wanted < first + len(batch))] - first])
            first += len(batch)
        return np.concatenate(found)[place] if found else np.empty((0, FEATURES), np.float32)


def make_stream_case(*, hidden: tuple[int, ...] = STREAM.hidden) -> Case:
    """Train the network on the first rows of another seed."""
    from fairneuron_core.models import linear_layers, profile

    features = next(SeededRows(_TRAINING_ROWS, seed=0).batches(_TRAINING_ROWS))
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

    network, source, began = case.network(), SeededRows(rows), time.perf_counter()
    paths = slice_paths(
        network,
        source,
        coverage=COVERAGE,
        means=case.means,
        device="cpu",
        engine="numba",
        threads=THREADS,
        progress=progress,
    )
    return {
        "seconds": time.perf_counter() - began,
        "seconds_making_rows": source.seconds,
        "mean_synapses": float(paths.synapses.mean()),
        "unique_paths": count_keys(paths.key).unique_paths,
    }
