"""What the times mean: ratios of engines that took turns, each with its target on two cores. A ratio is one row."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Ratio:
    """One figure of the comparison. `at_least`: the target is a lower bound, else an upper one; None = no target."""

    words: str
    compute: Callable[[Results], float | None]
    target: float | None = None
    at_least: bool = True
    unit: str = "times"

    def met(self, value: float | None) -> bool | None:
        """Say whether a value meets the target; None when there is none or nothing was measured."""
        if value is None or self.target is None:
            return None
        return (
            value >= self.target if self.at_least else value < self.target if self.unit == "s" else value <= self.target
        )


def ratios(results: Results) -> dict[str, float | None]:
    """Return every ratio; None where an engine or a size was not measured."""
    return {name: row.compute(results) for name, row in RATIOS.items()}


def find(
    results: Results, engine: str, size: str, *, scale: int = 1, reading: str | None = "delta"
) -> Mapping[str, Any] | None:
    """Return one result, or None; the forward pass has no reading."""
    for row in results:
        if (row["engine"], row["size"], row["scale"]) == (engine, size, scale) and row["reading"] in (reading, None):
            return row
    return None


def speed_ratio(results: Results, fast: str, slow: str, size: str) -> float | None:
    """Return the median over the rounds of how many times more rows per second `fast` does than `slow`."""
    one, other = find(results, fast, size), find(results, slow, size)
    if one is None or other is None:
        return None
    pairs = zip(one["rounds"], other["rounds"], strict=True)
    return statistics.median((one["rows"] / a) / (other["rows"] / b) for a, b in pairs)


def _against_python(results: Results) -> float | None:
    found = [speed_ratio(results, "numba_2", "python", size) for size in ("census", "compas")]
    return min(value for value in found if value is not None) if None not in found else None


def _against_forward(results: Results) -> float | None:
    return speed_ratio(results, "forward", "numba_2", "census")


def _released_compas(results: Results) -> float | None:
    found = find(results, "numba_2", "compas", reading="released")
    return None if found is None else found["seconds"]


def _cost_growth(results: Results) -> float | None:
    """Seconds per row at the largest scale over those at x1: 1 = linear."""
    rows = [row for row in results if (row["engine"], row["size"], row["reading"]) == ("numba_2", "census", "delta")]
    rows = sorted(rows, key=lambda row: row["rows"])
    return rows[0]["rows_per_second"] / rows[-1]["rows_per_second"] if len(rows) > 1 else None


def _stream_peak(results: Results) -> float | None:
    found = find(results, "numba_2", "stream")
    return None if found is None else found["peak_mb"]


RATIOS: dict[str, Ratio] = {
    "numba_vs_python": Ratio("faster than plain Python, the lower one of Census and COMPAS", _against_python, 300),
    "numba_vs_torch_sort": Ratio(
        "faster than vectorised torch that sorts the active neurons (Census)",
        lambda results: speed_ratio(results, "numba_2", "torch_sort", "census"),
        30,
    ),
    "numba_vs_torch_sort_dense": Ratio(
        "faster than vectorised torch that sorts all neurons (Census)",
        lambda results: speed_ratio(results, "numba_2", "torch_sort_dense", "census"),
    ),
    "numba_vs_forward": Ratio(
        "the time of the dense forward pass of the same rows, threads and chunks (Census)",
        _against_forward,
        20,
        at_least=False,
    ),
    "released_compas_seconds": Ratio(
        "for the reading of the released code on COMPAS-sized data", _released_compas, 0.1, at_least=False, unit="s"
    ),
    "cost_growth": Ratio("the cost of a row at the largest scale against x1 (Census; 1 = linear)", _cost_growth),
    "stream_peak_mb": Ratio(
        "above the start while 10 million rows are streamed", _stream_peak, 2000, at_least=False, unit="MB"
    ),
    "gpu_vs_numba": Ratio(
        "the GPU against numba with 2 threads (Census)",
        lambda results: speed_ratio(results, "gpu", "numba_2", "census"),
    ),
}
"""`numba` in a name is numba with 2 threads, gamma .8, reading `delta`."""
