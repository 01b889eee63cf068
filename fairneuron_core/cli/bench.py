"""`fairneuron bench`: run a benchmark, keep its results, write them into the documentation."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.cli.app import ROOT
from fairneuron_core.cli.output import terminal_progress, writable
from fairneuron_core.cli.show import table
from fairneuron_core.errors import SettingError


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="benchmark to run; without one, the list")
    parser.add_argument("--repeats", metavar="N", help="rounds of which the median counts (default 5)")
    parser.add_argument("--sizes", metavar="A,B", help="only these sizes (an unknown one prints the list)")
    parser.add_argument("--engines", metavar="A,B", help="only these engines")
    parser.add_argument("--full", action="store_true", default=None, help="also the long runs (half an hour and more)")
    parser.add_argument("--no-memory", dest="memory", action="store_false", default=None, help="skip the peak memory")
    parser.add_argument("--from", dest="source", metavar="FILE", help="take results from a file instead of measuring")
    parser.add_argument("--out", metavar="FILE", help="also write the results to this file, as JSON")
    parser.add_argument("--write-docs", action="store_true", help="write table and figure into the source checkout")


def run_bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the results of one benchmark, or the list of all."""
    from fairneuron_core.bench import BENCHES, find_bench

    if arguments.name is None:
        return {"benches": [{"name": row.name, "title": row.title} for row in BENCHES.values()]}
    bench, out = find_bench(arguments.name), writable(arguments.out)
    results = bench.read(_text_of(arguments.source)) if arguments.source else _measured(bench, arguments)
    if out:
        out.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if arguments.write_docs:
        bench.document(results, ROOT)
    return results


def _measured(bench: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("repeats", "sizes", "engines", "full", "memory")
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    with terminal_progress() as progress:
        results: dict[str, Any] = bench.run(given, progress)
    return results


def _text_of(source: str) -> str:
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"'{source}' cannot be read: name a file that --out has written.") from error


def show_bench(results: Mapping[str, Any]) -> str:
    """Return the table and the summary of one benchmark, or the list of all."""
    from fairneuron_core.bench import find_bench

    if "benches" in results:
        return table(("name", "what it measures"), ((row["name"], row["title"]) for row in results["benches"]))
    bench = find_bench(results["bench"])
    header, lines = bench.table(results)
    return "\n".join([table(header, lines), "", *bench.summary(results)])
