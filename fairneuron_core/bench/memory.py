"""Peak memory of one engine in a fresh process.

The processes come from a server that has only imported the libraries, so each starts in milliseconds with nothing of
the others in it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_IMPORTED = ["numpy", "torch", "numba", "fairneuron_core.paths.kernels", "fairneuron_core.bench.engines"]
_WARM_ROWS = 16


def peaks(questions: Sequence[tuple[Any, ...]], *, told: Callable[[int], None] | None = None) -> list[float]:
    """Return `engine_peak(*question)` of every question, each in a process of its own, two at a time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    found = []
    with ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool:
        for future in [pool.submit(engine_peak, *question) for question in questions]:
            found.append(future.result())
            if told:
                told(len(found))
    return found


def engine_peak(engine_name: str, case: Any, scale: int, reading: Any) -> float:
    """Return the MB that one engine needs above its rows and its network."""
    from fairneuron_core.bench.cases import scaled_rows
    from fairneuron_core.bench.engines import ENGINES, rows_for
    from fairneuron_core.bench.measure import peak_megabytes, torch_threads

    engine = ENGINES[engine_name]
    features = rows_for(engine, scaled_rows(case.features, scale))
    with torch_threads(engine.threads):
        work = engine.prepare(case, reading)
        work(features[:_WARM_ROWS])
        return peak_megabytes(lambda: work(features))
