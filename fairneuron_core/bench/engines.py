"""The engines that are compared. A further engine is a function and one row of ENGINES.

A row's `prepare` does everything that a user would do once per network (lists, tensors); what it returns is timed:
rows in, synapses per row out. The forward pass takes no path and returns None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fairneuron_core.bench.cases import Case

if TYPE_CHECKING:
    from fairneuron_core.paths.settings import Reading
    from fairneuron_core.paths.slicing import Engine as PathsEngine

COVERAGE = 0.8
FEW_ROWS = 200
SORTED_ROWS = 256
Work = Callable[[np.ndarray], np.ndarray | None]


@dataclass(frozen=True)
class Engine:
    """One way to slice (or, for comparison, to run) a network.

    prepare    (case, reading) -> the timed work
    threads    threads of torch and of the workers while it runs
    rows       the most rows it is given, drawn with a seed; None = all of them, at every scale
    readings   what it can compute
    missing    why it cannot run on this machine, "" when it can
    """

    name: str
    words: str
    prepare: Callable[[Case, Reading], Work]
    threads: int = 1
    rows: int | None = None
    readings: tuple[Reading, ...] = ("delta",)
    missing: Callable[[], str] = lambda: ""


def _python(case: Case, reading: Reading) -> Work:
    from fairneuron_core.paths.reference import path_in, plain_layers

    layers, means = plain_layers(case.layers), [mean.tolist() for mean in case.means]

    def work(features: np.ndarray) -> np.ndarray:
        paths = (path_in(layers, row, coverage=COVERAGE, reading=reading, means=means) for row in features.tolist())
        return np.array([len(path) for path in paths])

    return work


def _torch_sort(case: Case, reading: Reading, *, active_only: bool) -> Work:
    from fairneuron_core.bench.torch_sort import TorchSort

    return TorchSort(case.layers, case.means, coverage=COVERAGE, active_only=active_only).count


def _slicing(case: Case, reading: Reading, *, device: str, engine: PathsEngine, threads: int | None = None) -> Work:
    """The whole of `slice_paths`, as a user calls it."""
    from fairneuron_core.paths import slice_paths

    network = case.network()

    def work(features: np.ndarray) -> np.ndarray:
        return slice_paths(
            network,
            features,
            coverage=COVERAGE,
            reading=reading,
            means=case.means,
            device=device,
            engine=engine,
            threads=threads,
        ).synapses

    return work


def _without_gpu() -> str:
    import torch

    return "" if torch.cuda.is_available() else "unmeasured: no GPU on this machine"


def _forward(case: Case, reading: Reading) -> Work:
    """The dense forward pass in the chunks in which the rows are sliced."""
    import torch

    from fairneuron_core.paths.slicer import make_slicer

    network = case.network()
    chunk = make_slicer(network, reading=reading, means=case.means).chunk_rows

    def work(features: np.ndarray) -> None:
        with torch.no_grad():
            for rows in torch.from_numpy(features).split(chunk):
                network(rows)

    return work


ENGINES: dict[str, Engine] = {
    row.name: row
    for row in (
        Engine("python", "plain Python, row by row", _python, rows=FEW_ROWS),
        Engine(
            "torch_sort",
            "vectorised torch.sort of the active neurons, 2 threads",
            partial(_torch_sort, active_only=True),
            threads=2,
            rows=SORTED_ROWS,
        ),
        Engine(
            "torch_sort_dense",
            "vectorised torch.sort of all neurons, 2 threads",
            partial(_torch_sort, active_only=False),
            threads=2,
            rows=SORTED_ROWS,
        ),
        Engine(
            "numba_1",
            "numba, 1 thread",
            partial(_slicing, device="cpu", engine="numba", threads=1),
            readings=("delta", "released", "activation"),
        ),
        Engine(
            "numba_2",
            "numba, 2 threads",
            partial(_slicing, device="cpu", engine="numba", threads=2),
            threads=2,
            readings=("delta", "released", "activation"),
        ),
        Engine(
            "gpu",
            "GPU",
            partial(_slicing, device="gpu", engine="torch"),
            readings=("delta", "released", "activation"),
            missing=_without_gpu,
        ),
        Engine("forward_1", "dense forward pass, 1 thread", _forward),
        Engine("forward", "dense forward pass, 2 threads", _forward, threads=2),
    )
}


def rows_for(engine: Engine, features: np.ndarray) -> np.ndarray:
    """Return the rows this engine is given: all, or a draw that is the same in every run, in the order of the table."""
    if engine.rows is None or engine.rows >= len(features):
        return features
    return features[np.sort(np.random.default_rng(0).choice(len(features), engine.rows, replace=False))]
