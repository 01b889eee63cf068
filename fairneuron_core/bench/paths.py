"""`fairneuron bench paths`: how fast paths are sliced, against plain Python, torch and the bare forward pass.

1. Train one network per size (`cases.py`), draw its rows at x1, x10, x100.
2. Per size, reading and scale: warm every engine up, then let them take turns, `repeats` rounds.
3. Run every engine once more in a fresh process for its peak memory.
4. Medians; ratios are medians over the rounds, so that both sides saw the same machine.
"""

from __future__ import annotations

import datetime
import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from fairneuron_core import __version__
from fairneuron_core.bench.cases import Case, make_case, scaled_rows
from fairneuron_core.bench.engines import COVERAGE, ENGINES, Engine, Work, rows_for
from fairneuron_core.bench.measure import REST, load, machine, timed, torch_threads
from fairneuron_core.bench.memory import peaks
from fairneuron_core.bench.ratios import ratios
from fairneuron_core.bench.sizes import SCALES, SIZES, Size, chosen_sizes
from fairneuron_core.bench.stream import make_stream_case, stream
from fairneuron_core.errors import SettingError
from fairneuron_core.params import setting
from fairneuron_core.paths.settings import Reading
from fairneuron_core.types import Progress, ProgressCallback, part_of

WARM_ROWS = 64


@dataclass(frozen=True)
class PathsBenchParams:
    """What is measured."""

    repeats: int = setting(5, label="Repeats", help="Rounds of which the median counts.", low=1, high=1000)
    sizes: tuple[str, ...] | None = setting(None, label="Sizes", help="Empty = all.", empty="all")
    engines: tuple[str, ...] | None = setting(None, label="Engines", help="Empty = all.", empty="all")
    full: bool = setting(
        False, label="Everything", help="Also the long runs: x100 everywhere, 10 million rows streamed."
    )
    memory: bool = setting(True, label="Measure peak memory", help="Runs every engine once more in a fresh process.")


@dataclass(frozen=True)
class Group:
    """What is measured in turns: one table, one reading, several engines."""

    case: Case
    reading: Reading
    scale: int
    engines: tuple[Engine, ...]


def run_paths(
    params: PathsBenchParams, *, progress: ProgressCallback | None = None, sizes: Mapping[str, Size] = SIZES
) -> dict[str, Any]:
    """Measure everything and return JSON values (SettingError: unknown choice); `progress` may raise to cancel."""
    engines, notes = available_engines(params.engines)
    chosen = chosen_sizes(params.sizes, sizes)
    began, load_before = time.perf_counter(), load()
    groups = [group for size in chosen for group in groups_of(make_case(size), engines, full=params.full)]
    timing = 0.6 if params.memory or params.full else 1.0
    measured = _measure_all(groups, params, part_of(progress, 0.0, timing))
    results = [row for rows in measured for row in rows]
    if params.memory:
        _add_memory(groups, results, part_of(progress, timing, 0.8 if params.full else 1.0))
    if params.full:
        results.append(stream(make_stream_case(), progress=part_of(progress, 0.8, 1.0)))
    return {
        "bench": "paths",
        "coverage": COVERAGE,
        "repeats": params.repeats,
        "full": params.full,
        "results": [{key: value for key, value in row.items() if key != "rounds"} for row in results],
        "ratios": ratios(results),
        "notes": notes,
        "machine": machine(),
        "load": {"before": load_before, "after": load()},
        "version": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "total_seconds": round(time.perf_counter() - began, 1),
    }


def available_engines(names: tuple[str, ...] | None) -> tuple[list[Engine], dict[str, str]]:
    """Return the engines that can run here, and why the others cannot (SettingError for an unknown name)."""
    if unknown := [name for name in names or () if name not in ENGINES]:
        raise SettingError(f"Unknown engine '{unknown[0]}': choose from {', '.join(ENGINES)}.")
    wanted = [engine for name, engine in ENGINES.items() if names is None or name in names]
    notes = {engine.name: words for engine in wanted if (words := engine.missing())}
    return [engine for engine in wanted if engine.name not in notes], notes


def groups_of(case: Case, engines: list[Engine], *, full: bool) -> list[Group]:
    """Return what is measured of one size: all readings at x1, then `delta` at the larger scales.

    An engine that takes a draw of the rows learns nothing from more of them and stays at x1.
    """
    first = [
        Group(case, reading, 1, tuple(e for e in engines if reading in e.readings)) for reading in get_args(Reading)
    ]
    many = tuple(e for e in engines if e.rows is None)
    scales = SCALES if full else case.size.scales
    larger = [Group(case, "delta", scale, many) for scale in scales if scale > 1]
    return [group for group in first + larger if group.engines]


def _measure_all(
    groups: list[Group], params: PathsBenchParams, progress: ProgressCallback | None
) -> list[list[dict[str, Any]]]:
    measured = []
    for number, group in enumerate(groups):
        what = f"{group.case.size.name} x{group.scale}, {group.reading}"
        part = part_of(progress, number / len(groups), (number + 1) / len(groups))
        measured.append(measure_group(group, repeats=params.repeats, told=_teller(part, f"Timing {what}")))
    return measured


def _teller(progress: ProgressCallback | None, message: str) -> Callable[[float], None]:
    return lambda share: progress(Progress(share, message)) if progress else None


def measure_group(group: Group, *, repeats: int, told: Callable[[float], None]) -> list[dict[str, Any]]:
    """Let the engines of one group take turns; return one result each, with the seconds of every round."""
    features = scaled_rows(group.case.features, group.scale)
    works = [(e, e.prepare(group.case, group.reading), rows_for(e, features)) for e in group.engines]
    rounds: dict[str, list[float]] = {engine.name: [] for engine, _, _ in works}
    synapses: dict[str, float | None] = {}
    for engine, work, rows in works:
        with torch_threads(engine.threads):
            work(rows[:: max(len(rows) // WARM_ROWS, 1)])
    for turn, (_, (engine, work, rows)) in enumerate(itertools.product(range(repeats), works)):
        told(turn / (repeats * len(works)))
        seconds, found = _turn(engine, work, rows)
        rounds[engine.name].append(seconds)
        synapses[engine.name] = None if found is None else float(np.mean(found))
    return [_result(group, engine, len(rows), rounds[engine.name], synapses[engine.name]) for engine, _, rows in works]


def _turn(engine: Engine, work: Work, rows: np.ndarray) -> tuple[float, np.ndarray | None]:
    time.sleep(REST)
    with torch_threads(engine.threads):
        return timed(lambda: work(rows))


def _result(group: Group, engine: Engine, rows: int, rounds: list[float], synapses: float | None) -> dict[str, Any]:
    seconds = statistics.median(rounds)
    return {
        "engine": engine.name,
        "reading": None if synapses is None else group.reading,
        "size": group.case.size.name,
        "network": group.case.shape,
        "scale": group.scale,
        "rows": rows,
        "seconds": seconds,
        "seconds_low": min(rounds),
        "seconds_high": max(rounds),
        "rows_per_second": rows / seconds,
        "mean_synapses": synapses,
        "synapses_per_second": None if synapses is None else synapses * rows / seconds,
        "peak_mb": None,
        "repeats": len(rounds),
        "rounds": rounds,
    }


def _add_memory(groups: list[Group], results: list[dict[str, Any]], progress: ProgressCallback | None) -> None:
    questions = [(e.name, group.case, group.scale, group.reading) for group in groups for e in group.engines]
    told = _teller(progress, "Measuring peak memory, two engines at a time")
    found = peaks(questions, told=lambda done: told(done / len(questions)))
    for result, megabytes in zip(results, found, strict=True):
        result["peak_mb"] = round(megabytes, 2)
