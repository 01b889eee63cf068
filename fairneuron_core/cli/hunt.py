"""`fairneuron hunt`: search for discrimination with a time budget, and keep the pairs as tests for later networks."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from fairneuron_core.cli.output import writable, write_file
from fairneuron_core.cli.show import estimate, table
from fairneuron_core.workspace import open_workspace

FAILED = 1
_SHOWN = 10


def add_hunt_arguments(add_flags: Callable[[argparse.ArgumentParser], None]) -> Any:
    """Return the function that adds the flags; `add_flags` adds those of the job's settings."""

    def add(parser: argparse.ArgumentParser) -> None:
        add_flags(parser)
        words = "write the pairs to this file, which `fairneuron audit --pairs FILE` tests other networks with"
        parser.add_argument("--out-pairs", dest="out_pairs", metavar="FILE", help=words)

    return add


def run_hunt(run_job: Callable[[argparse.Namespace], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what the command does: the job, and the pairs file where one is asked for."""

    def run(arguments: argparse.Namespace) -> dict[str, Any]:
        out = writable(arguments.out_pairs)
        results = run_job(arguments)
        if out is None:
            return results
        from fairneuron_core.jobs.hunt import pairs_file_text
        from fairneuron_core.jobs.material import find_dataset

        dataset = find_dataset(results["data"], open_workspace(arguments.workspace))
        write_file(out, pairs_file_text(results, dataset))
        return results | {"out_pairs": str(out)}

    return run


def audit_status(results: Mapping[str, Any]) -> int:
    """Return the exit status of an audit: 1 when a known pair is treated differently, else 0."""
    return FAILED if results.get("pairs", {}).get("differing") else 0


def show_hunt(results: Mapping[str, Any]) -> str:
    """Return the answer, what each strategy did, which attribute alone suffices, and the first pairs."""
    lines = [results["sentence"]]
    if results["impossible"]:
        return lines[0]
    strategies = [
        (one["title"], f"{one['tried']:,}", f"{one['found']:,}", f"{one['seconds']:.1f}", one["note"])
        for one in results["by_strategy"].values()
    ]
    lines += ["", table(("strategy", "tried", "found", "seconds", "remark"), strategies)]
    attributes = [(name, f"{one['found']:,}", estimate(one["rate"])) for name, one in results["by_attribute"].items()]
    lines += ["", table(("alone suffices", "of those found", "rate at uniform points [95 % interval]"), attributes)]
    if results["together"]:
        lines.append(f"Only several together: {results['together']:,} of those found.")
    if results["pairs"]:
        shown = results["pairs"][:_SHOWN]
        lines += ["", f"First {len(shown)} of {len(results['pairs']):,} pairs; --json and --out-pairs have all:"]
        lines.append(table(("found by", "what changes", "score", "decision"), (_pair(one) for one in shown)))
    return "\n".join([*lines, "", f"{results['seconds']} s"])


def _pair(one: Mapping[str, Any]) -> tuple[str, ...]:
    changed = ", ".join(f"{name}: {one['this'][name]} → {one['other'][name]}" for name in one["differs"])
    scores = " → ".join(f"{score:.3f}" for score in one["scores"])
    decisions = " → ".join("favourable" if decision else "unfavourable" for decision in one["decisions"])
    return one["strategy"], changed, scores, decisions
