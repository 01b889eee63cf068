"""The benchmarks as one table. A further one is a file and one row of BENCHES."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairneuron_core.bench import search_words, verify_words
from fairneuron_core.bench.as_table import summary, table
from fairneuron_core.bench.docs import read_results, write_docs
from fairneuron_core.errors import NotFoundError
from fairneuron_core.types import ProgressCallback

Results = Mapping[str, Any]


@dataclass(frozen=True)
class BenchRow:
    """One benchmark.

    run        settings (plain values, checked) -> results as JSON values; SettingError names the first wrong setting
    read       text of a file of results -> results
    table      results -> header and lines of text
    summary    results -> sentences: ratios with their targets, machine, what was left out
    document   results, root of the source checkout -> the files it has written there
    """

    name: str
    title: str
    run: Callable[[Mapping[str, Any], ProgressCallback | None], dict[str, Any]]
    read: Callable[[str], dict[str, Any]]
    table: Callable[[Results], tuple[tuple[str, ...], list[tuple[str, ...]]]]
    summary: Callable[[Results], list[str]]
    document: Callable[[Results, Path], list[Path]]


def _run_paths(settings: Mapping[str, Any], progress: ProgressCallback | None) -> dict[str, Any]:
    # Imported here: the list of benchmarks must not wait for torch.
    from fairneuron_core.bench.paths import PathsBenchParams, run_paths
    from fairneuron_core.params import parse_params

    return run_paths(parse_params(PathsBenchParams, settings), progress=progress)


def _run_search(settings: Mapping[str, Any], progress: ProgressCallback | None) -> dict[str, Any]:
    from fairneuron_core.bench.search import SearchBenchParams, run_search
    from fairneuron_core.params import parse_params

    return run_search(parse_params(SearchBenchParams, settings), progress=progress)


def _run_verify(settings: Mapping[str, Any], progress: ProgressCallback | None) -> dict[str, Any]:
    from fairneuron_core.bench.verify import VerifyBenchParams, run_verify
    from fairneuron_core.params import parse_params

    return run_verify(parse_params(VerifyBenchParams, settings), progress=progress)


BENCHES: dict[str, BenchRow] = {
    row.name: row
    for row in (
        BenchRow(
            "paths",
            "Slicing into activation paths: plain Python, torch, numba, GPU, and the forward pass.",
            _run_paths,
            read_results,
            table,
            summary,
            write_docs,
        ),
        BenchRow(
            "search",
            "Many trainings as one program: a search and its repair, against one training after the other.",
            _run_search,
            search_words.read_results,
            search_words.table,
            search_words.summary,
            search_words.write_docs,
        ),
        BenchRow(
            "verify",
            "Certifying that people are treated alike: enumeration, a whole space, bounds, solver, search.",
            _run_verify,
            verify_words.read_results,
            verify_words.table,
            verify_words.summary,
            verify_words.write_docs,
        ),
    )
}


def find_bench(name: str) -> BenchRow:
    """Return the benchmark of that name (NotFoundError names all)."""
    if name not in BENCHES:
        raise NotFoundError(f"There is no benchmark '{name}': choose from {', '.join(BENCHES)}.")
    return BENCHES[name]
