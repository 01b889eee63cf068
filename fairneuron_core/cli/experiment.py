"""`fairneuron experiment`: run an experiment, show one that comes with the product, or write one to be shipped."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fairneuron_core.cli.output import progress_line, writable
from fairneuron_core.cli.show import table
from fairneuron_core.errors import SettingError
from fairneuron_core.workspace import canonical_json, open_workspace

_GAP_LABELS = {
    "demographic_parity_difference": "DP gap",
    "equal_opportunity_difference": "EO gap",
    "equalized_odds_difference": "odds gap",
}


def add_experiment_arguments(add_flags: Callable[[argparse.ArgumentParser], None]) -> Any:
    """Return the function that adds the flags; `add_flags` adds those of the job's settings."""

    def add(parser: argparse.ArgumentParser) -> None:
        add_flags(parser)
        choice = parser.add_mutually_exclusive_group()
        words = "let the network read the protected attribute, or keep it out (default: as published for the data set)"
        choice.add_argument("--include-protected", action="store_true", default=None, help=words)
        choice.add_argument("--exclude-protected", dest="include_protected", action="store_false", help=words)
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--stored", action="store_true", help="show the experiment that comes with the product")
        source.add_argument("--write-stored", action="store_true", help="write the result into the source checkout")
        parser.add_argument("--out", metavar="FILE", help="also write the result to this file, as JSON")
        parser.add_argument("--csv", metavar="FILE", help="also write the rows to this file, as CSV")

    return add


def run_experiment(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the experiment of these settings, run now or stored."""
    from fairneuron_core.experiments import rows_csv, write_stored

    files = {name: writable(getattr(arguments, name)) for name in ("out", "csv")}
    results = _stored(arguments) if arguments.stored else _run_now(arguments)
    for name, text in (("out", lambda: canonical_json(results) + "\n"), ("csv", lambda: rows_csv(results))):
        if path := files[name]:
            try:
                path.write_text(text(), encoding="utf-8")
            except OSError as error:
                raise SettingError(f"'{path}' cannot be written ({error.strerror}): name another file.") from error
    if arguments.write_stored:
        write_stored(results)
    return results


def _stored(arguments: argparse.Namespace) -> dict[str, Any]:
    from fairneuron_core.experiments import load_stored

    given = {"gap": arguments.gap} if arguments.gap else {}
    return load_stored(arguments.data or "census", **given)


def _run_now(arguments: argparse.Namespace) -> dict[str, Any]:
    from fairneuron_core.jobs import JOBS, ExperimentParams, JobContext

    names = {field.name for field in dataclasses.fields(ExperimentParams)}
    given = {name: value for name, value in vars(arguments).items() if name in names and value is not None}
    progress = progress_line() if sys.stderr.isatty() else None
    job = JOBS["experiment"]
    results = job.run(job.check(given), JobContext(open_workspace(arguments.workspace), progress)).results
    if progress:
        print("\r\033[K", end="", file=sys.stderr)
    return dict(results)


def show_experiment(results: Mapping[str, Any]) -> str:
    """Return one line per method: what it did to accuracy and to the chosen gap, and what the budgets buy."""
    from fairneuron_core.experiments import budget_words

    spec = results["spec"]
    gap = spec["gap"]
    by_key = {(row["method"], row["metric"]): row for row in results["summary"]}
    rows = [_line(by_key[name, "accuracy"], by_key[name, gap]) for name in spec["methods"]]
    header = ("method", "accuracy change, points", f"{_GAP_LABELS[gap]} change, points", "the gap has", "remark")
    start = by_key[spec["methods"][0], "accuracy"], by_key[spec["methods"][0], gap]
    said = [
        f"Experiment on {spec['data']}, {spec['protected']}: {len(spec['seeds'])} seeds, one network each "
        f"(accuracy {_share(start[0]['mean'])}, {_GAP_LABELS[gap]} {_share(start[1]['mean'])}).",
        "Changes are paired with the network as it was given, on test rows; 95 % intervals over seeds; strengths are",
        f"chosen on validation rows within {budget_words(spec['budget'])} of accuracy. (control) = for comparison.",
        "",
        table(header, rows),
        "",
        f"Reduction of the {_GAP_LABELS[gap]} at an accuracy budget, and area of accuracy x (1 - gap). Points of",
        "accuracy count from the given network / from the better one of it and the same training without fairness:",
        table(*_budget_table(results["pareto"][gap])),
    ]
    notes = {row["method"]: row["note"] for row in results["summary"] if row["note"]}
    said += ["", *(f"{name}: {note}" for name, note in notes.items())] if notes else []
    said += [f"{one['method']} is left out: {one['reason']}" for one in results["left_out"]]
    return "\n".join([*said, "", f"Seconds of work: {results['timing']['total']}"])


def _line(accuracy: Mapping[str, Any], gap: Mapping[str, Any]) -> tuple[str, ...]:
    remarks = [] if accuracy["ranked"] else ["degenerate, not ranked"]
    remarks += ["reads the attribute to decide"] if accuracy["needs_protected"] else []
    changes = (_points(row["paired_difference"]) for row in (accuracy, gap))
    return (_name(accuracy), *changes, gap["verdict"], "; ".join(remarks))


def _budget_table(fronts: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from fairneuron_core.experiments import budget_words

    budgets = list(fronts[0]["budgets"])
    header = ("method", *(budget_words(float(budget)) for budget in budgets), "area")
    rows = [
        (_name(front), *(_reduction(front["budgets"][budget]) for budget in budgets), _area(front["hypervolume"]))
        for front in fronts
    ]
    return header, rows


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['method']} (control)" if row["kind"] == "control" else str(row["method"])


def _points(value: Mapping[str, float | None]) -> str:
    if value["value"] is None:
        return "undefined"
    if value["low"] is None or value["high"] is None:
        return f"{100 * value['value']:+.2f}"
    return f"{100 * value['value']:+.2f} [{100 * value['low']:+.2f}, {100 * value['high']:+.2f}]"


def _reduction(found: Mapping[str, Any]) -> str:
    if found["reduction"] is None:
        return "undefined"
    changes = (found[name]["value"] for name in ("accuracy_change", "cost"))
    return f"{100 * found['reduction']:.0f} % for " + " / ".join(_signed(change) for change in changes)


def _signed(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:+.2f}"


def _area(value: Mapping[str, Any]) -> str:
    if value["value"] is None:
        return "undefined"
    bounds = f" [{value['low']:.4f}, {value['high']:.4f}]" if value["low"] is not None else ""
    return f"{value['value']:.4f}{bounds}"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
