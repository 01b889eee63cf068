"""The results of `fairneuron bench search` for people: a table, sentences, and their place in the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.bench.as_table import significant
from fairneuron_core.bench.docs import PAGE
from fairneuron_core.errors import SettingError

HEADER = ("size", "network", "trainings", "different", "epochs", "together s", "alone s", "measured alone", "ratio")
BEGIN = "<!-- written by `fairneuron bench search --write-docs`: begin -->"
END = "<!-- written by `fairneuron bench search --write-docs`: end -->"


def table(results: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and one line per result."""
    return HEADER, [_line(row) for row in results["results"]]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["size"],
        row["network"],
        f"{row['trainings']:,}",
        f"{row['distinct']:,}",
        str(row["epochs"]),
        significant(row["together_seconds"]),
        significant(row["alone_seconds"]),
        f"{row['alone_measured']} of {row['trainings']:,}",
        significant(row["ratio"]),
    )


def summary(results: Mapping[str, Any]) -> list[str]:
    """Return one sentence per result, the machine, and how busy it was."""
    known, load = results["machine"], results["load"]
    versions = ", ".join(f"{name} {known[name]}" for name in ("python", "numpy", "torch"))
    return [
        *(_sentence(row) for row in results["results"]),
        f"Machine: {known['processor']}, {known['cores']} cores, {known['memory_gb']} GB; {known['system']}; "
        f"{versions}.",
        f"{results['threads']} threads on both sides, {results['date']}, {results['total_seconds']:,.0f} s in all. "
        f"Load average {load['before']} before and {load['after']} after.",
    ]


def _sentence(row: Mapping[str, Any]) -> str:
    together, alone = significant(row["together_seconds"]), significant(row["alone_seconds"])
    scaled = row["alone_measured"] < row["trainings"]
    measured = f", scaled from {row['alone_measured']} of them" if scaled else ""
    if row["work"] == "plain loop":
        what = f"{row['trainings']} networks {row['network']} together: {together} s; in a plain torch loop"
        return f"{what} one after the other: {alone} s{measured}; {significant(row['ratio'])} times as fast."
    repair = "" if row["repair_seconds"] is None else f" and one repair ({significant(row['repair_seconds'])} s)"
    distinct = row["alone_each"] * row["distinct"] / row["together_seconds"]
    return (
        f"{row['trainings']} points on {row['size']}{repair}: {together} s; the trainings one after the other: {alone} "
        f"s{measured}; {significant(row['ratio'])} times as fast ({significant(distinct)} times against the "
        f"{row['distinct']} different trainings only)."
    )


def read_results(text: str) -> dict[str, Any]:
    """Return the results of a file that `--out` wrote (SettingError when it is something else)."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("bench") != "search":
        raise SettingError("This file does not hold results of `fairneuron bench search`: write one with --out.")
    return found


def write_docs(results: Mapping[str, Any], root: Path) -> list[Path]:
    """Replace what stands between the marks of BENCHMARKS.md (SettingError: no checkout, or a mark is missing)."""
    page = root / PAGE
    if not page.is_file():
        raise SettingError(f"'{root}' has no {PAGE.name} to write into: run --write-docs from a source checkout.")
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SettingError(f"{PAGE.name} has lost a mark: put '{BEGIN}' and '{END}' where the results belong.")
    header, lines = table(results)
    aligned = ["---", "---", *("---:" for _ in header[2:])]
    rows = "\n".join("| " + " | ".join(cells) + " |" for cells in (header, aligned, *lines))
    points = "\n".join(f"- {sentence}" for sentence in summary(results))
    page.write_text(f"{before}{BEGIN}\n\n{points}\n\n{rows}\n\n{END}{after}", encoding="utf-8")
    return [page]
