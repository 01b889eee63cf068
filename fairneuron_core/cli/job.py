"""Carry out a job in this process for a command, and commands whose result may come with the product."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from fairneuron_core.cli.output import terminal_progress, writable, write_file
from fairneuron_core.workspace import Workspace, canonical_json, open_workspace


def flags_given(arguments: argparse.Namespace, params: type) -> dict[str, Any]:
    """Return the flags that were given of those that belong to the job's settings."""
    names = {field.name for field in dataclasses.fields(params)}
    return {name: value for name, value in vars(arguments).items() if name in names and value is not None}


def run_here(kind: str, given: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Run the job of that kind with a line of progress on the terminal and return its results."""
    from fairneuron_core.jobs import JOBS, JobContext

    job = JOBS[kind]
    with terminal_progress() as progress:
        return dict(job.run(job.check(given), JobContext(workspace, progress)).results)


def add_result_flags(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the flags of a command whose result may come with the product and is written as JSON and CSV."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--stored", action="store_true", help=f"show the {what} that comes with the product")
    source.add_argument("--write-stored", action="store_true", help="write the result into the source checkout")
    parser.add_argument("--out", metavar="FILE", help="also write the result to this file, as JSON")
    parser.add_argument("--csv", metavar="FILE", help="also write the rows to this file, as CSV")


def stored_or_run(
    arguments: argparse.Namespace,
    kind: str,
    params: type,
    *,
    load: Callable[[], dict[str, Any]],
    rows: Callable[[dict[str, Any]], str],
    store: Callable[[dict[str, Any]], Any],
) -> dict[str, Any]:
    """Return the result that `load` gives or the job measures now, written to the files that were asked for.

    The places of the files are checked before the work; `rows` gives the CSV, `store` ships the result.
    """
    out, csv = writable(arguments.out), writable(arguments.csv)
    if arguments.stored:
        results = load()
    else:
        results = run_here(kind, flags_given(arguments, params), open_workspace(arguments.workspace))
    if out:
        write_file(out, canonical_json(results) + "\n")
    if csv:
        write_file(csv, rows(results))
    if arguments.write_stored:
        store(results)
    return results
