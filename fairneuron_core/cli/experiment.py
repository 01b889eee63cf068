"""`fairneuron experiment`: run an experiment, show one that comes with the product, or write one to be shipped."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fairneuron_core.cli.job import add_result_flags, stored_or_run
from fairneuron_core.cli.show import table

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
        add_result_flags(parser, "experiment")

    return add


def run_experiment(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the experiment of these settings, run now or stored."""
    from fairneuron_core.experiments import rows_csv, write_stored
    from fairneuron_core.jobs import ExperimentParams

    return stored_or_run(
        arguments, "experiment", ExperimentParams, load=lambda: _stored(arguments), rows=rows_csv, store=write_stored
    )


def _stored(arguments: argparse.Namespace) -> dict[str, Any]:
    from fairneuron_core.experiments import load_stored

    given = {"gap": arguments.gap} if arguments.gap else {}
    return load_stored(arguments.data or "census", **given)


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
