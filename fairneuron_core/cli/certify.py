"""`fairneuron certify`: certify rows or the whole space, or re-check a certificate that was written before."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from fairneuron_core.cli.output import terminal_progress
from fairneuron_core.cli.show import estimate, table
from fairneuron_core.workspace import open_workspace

FAILED = 1
_SHOWN = 10
_GAPS = ("demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference")


def add_certify_arguments(add_flags: Callable[[argparse.ArgumentParser], None]) -> Any:
    """Return the function that adds the flags; `add_flags` adds those of the job's settings."""

    def add(parser: argparse.ArgumentParser) -> None:
        add_flags(parser)
        words = "re-check this certificate (a file of --json) instead; --data and --model replace what it names"
        parser.add_argument("--recheck", metavar="FILE", help=words)

    return add


def run_certify(run_job: Callable[[argparse.Namespace], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what the command does: the job, or the re-check of a file."""

    def run(arguments: argparse.Namespace) -> dict[str, Any]:
        return _recheck(arguments) if arguments.recheck else run_job(arguments)

    return run


def _recheck(arguments: argparse.Namespace) -> dict[str, Any]:
    from fairneuron_core.jobs.recheck import read_certificate, recheck

    given = read_certificate(arguments.recheck)
    workspace = open_workspace(arguments.workspace)
    with terminal_progress() as progress:
        return recheck(given, workspace, data=arguments.data, model=arguments.model, progress=progress)


def certify_status(results: Mapping[str, Any]) -> int:
    """Return the exit status: an answer is 0 whatever it is, a certificate that does not hold is 1."""
    return 0 if results.get("holds", True) else FAILED


def show_certify(results: Mapping[str, Any]) -> str:
    """Return the answer, the counts, the first counterexamples and the group gaps beside them."""
    if "holds" in results:
        return "\n".join([results["sentence"], *(f"- {said}" for said in results["failures"][1:_SHOWN])])
    from fairneuron_core.report.certificate_words import NOT_GROUP_FAIRNESS, headline, scope_words, space_words

    lines = [headline(results), "", scope_words(results)]
    if results["space"]:
        lines += ["", space_words(results["space"])]
    if shown := [*results["counterexamples"], *((results["space"] or {}).get("counterexamples") or [])][:_SHOWN]:
        more = f"first {len(shown)} of {results['refuted']:,} rows; --json has more"
        lines += ["", f"Decided differently ({more}):", _pairs(shown)]
    groups = [results["groups"], *results["groups_of_others"]]
    rows = [
        (f"{name} by {one['attribute']}", estimate(one["metrics"][name]))
        for one in groups
        for name in _GAPS
        if name in one["metrics"]
    ]
    lines += ["", NOT_GROUP_FAIRNESS, table(("gap on the test part", "value [95 % interval]"), rows)]
    if said := results["groups"]["degenerate"]:
        lines.append(f"Degenerate model: {said}")
    return "\n".join([*lines, "", f"{results['seconds']} s"])


def _pairs(pairs: list[Mapping[str, Any]]) -> str:
    from fairneuron_core.report.certificate_words import decision_words, differs_words

    rows = [
        (
            "possible" if one["row"] is None else one["row"],
            differs_words(one),
            f"{one['scores'][0]:.3f} → {one['scores'][1]:.3f}",
            " → ".join(decision_words(decision) for decision in one["decisions"]),
        )
        for one in pairs
    ]
    return table(("row", "what changes", "score", "decision"), rows)
