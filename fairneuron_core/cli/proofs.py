"""`fairneuron proofs`: repairs with a proof in the settings of the literature, run now or as shipped."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from fairneuron_core.cli.job import add_result_flags, stored_or_run
from fairneuron_core.cli.show import table


def add_proofs_arguments(add_flags: Callable[[argparse.ArgumentParser], None]) -> Any:
    """Return the function that adds the flags; `add_flags` adds those of the job's settings."""

    def add(parser: argparse.ArgumentParser) -> None:
        add_flags(parser)
        add_result_flags(parser, "result")

    return add


def run_proofs(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the result of these settings, measured now or stored."""
    from fairneuron_core.experiments.proof_json import load_proofs, write_proofs
    from fairneuron_core.experiments.proof_table import rows_csv
    from fairneuron_core.jobs import ProofsParams

    return stored_or_run(
        arguments,
        "proofs",
        ProofsParams,
        load=load_proofs,
        rows=lambda results: rows_csv(results["rows"]),
        store=write_proofs,
    )


def show_proofs(results: Mapping[str, Any]) -> str:
    """Return the comparison over settings, one line per setting, and what it rests on."""
    spec = results["spec"]
    header = ("setting", "replicated", "ProF here", "ours", "proved", "by")
    said = [
        f"{len(spec['settings'])} settings, {len(spec['seeds'])} networks each, means over them. Reduction of",
        "discriminatory individuals on all rows / at uniform points of the whole space in percent, then test accuracy",
        "lost in points.",
        "",
        table(header, [_line(line) for line in results["side_by_side"]]),
        "",
        table(("over settings", "published", "replicated", "ProF here", "ours"), [_goal(g) for g in results["goals"]]),
        "",
        *results["notes"],
        "Against the published set-up:",
        *(f"- {name}: {sentence}" for name, said in results["differs"].items() for sentence in said),
    ]
    return "\n".join([*said, "", f"Seconds of one core for all repairs: {results['timing']['repairs']}"])


def _line(line: Mapping[str, Any]) -> tuple[str, ...]:
    ours = line["ours"] or {}
    by = ", ".join(f"{name} {count}" for name, count in (ours.get("by") or {}).items())
    proved = f"{ours['every_input']} of {ours['seeds']}" if ours.get("seeds") else "none"
    known = line["replicated"]
    percents = (None if known is None else known[f"{part}_reduction"] for part in ("data", "space"))
    first = "unknown" if known is None else " / ".join(_number(value) for value in percents)
    return (line["setting"], first, _figures(line["prof"]), _figures(ours), proved, by)


def _figures(line: Mapping[str, Any] | None) -> str:
    if not line or not line["seeds"]:
        return "none"
    reductions = (None if (v := line[f"{part}_reduction"]) is None else 100 * v for part in ("data", "space"))
    lost = "undefined" if line["accuracy_lost"] is None else f"{line['accuracy_lost']:+.2f}"
    remark = f", {line['degenerate']} degenerate" if line["degenerate"] else ""
    return f"{' / '.join(_number(value) for value in reductions)}, {lost}{remark}"


def _goal(goal: Mapping[str, Any]) -> tuple[str, ...]:
    return (goal["what"], *(_number(goal[name]) for name in ("published", "replicated", "prof", "ours")))


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
