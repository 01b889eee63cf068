"""Time, peak memory and the machine: how a benchmark looks at a piece of work.

Time: the engines of one group take turns (A B C, A B C, ...), so that a machine that slows down slows all of them
down. A short work is repeated within its turn until the clock can tell, and its mean is one measurement.

Memory: every engine runs once more in a fresh process, which gives its unused memory back to the system before.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
SHORTEST = 0.05
"""Seconds that one measurement lasts at least."""
REST = 0.02
"""Seconds between two turns: torch's threads keep spinning for some milliseconds after their work."""
_MB = 1e6


def timed(work: Callable[[], T], *, shortest: float = SHORTEST) -> tuple[float, T]:
    """Return the mean seconds of one call, over as many as take `shortest` seconds, and what the last returned."""
    began, calls = time.perf_counter(), 0
    while True:
        found = work()
        calls += 1
        passed = time.perf_counter() - began
        if passed >= shortest:
            return passed / calls, found


@contextlib.contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use that many threads inside the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak_megabytes(work: Callable[[], Any]) -> float:
    """Return by how many MB (10^6 bytes) the resident memory of this process rises above its start while `work` runs.

    Linux forgets the highest mark of the process first; elsewhere it is that of its whole life, an upper bound.
    """
    import psutil

    gc.collect()
    _give_memory_back()
    forgotten = _forget_highest_mark()
    start = psutil.Process().memory_info().rss
    work()
    highest = _highest_mark() if forgotten else _highest_of_life()
    return max(highest - start, 0) / _MB


def _give_memory_back() -> None:
    """Else the work would fill memory that was freed before, and would seem to need none."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_highest_mark() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _highest_mark() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _highest_of_life() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def machine() -> dict[str, Any]:
    """Return what the times depend on: processor, cores, memory, system, versions."""
    import numba
    import numpy
    import psutil
    import torch

    cuda = torch.cuda.is_available()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpu": torch.cuda.get_device_name(0) if cuda else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "torch": torch.__version__,
    }


def _processor() -> str:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def load() -> float:
    """Return how many processes wanted a core in the last minute, on average: above 2 or so, others disturbed."""
    return round(os.getloadavg()[0], 2)
