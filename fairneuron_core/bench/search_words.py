"""The results of `fairneuron bench search` for people: a table, sentences, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.bench.as_table import significant
from fairneuron_core.bench.section import markdown, marks, results_of, write_section

HEADER = ("size", "network", "trainings", "different", "epochs", "together s", "alone s", "measured alone", "ratio")
BEGIN, END = marks("search")


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
    return results_of(text, "search")


def write_docs(results: Mapping[str, Any], root: Path) -> list[Path]:
    """Replace what stands between the marks of BENCHMARKS.md (SettingError: no checkout, or a mark is missing)."""
    header, lines = table(results)
    aligned = ["---", "---", *("---:" for _ in header[2:])]
    return write_section(root, "search", summary(results), markdown(header, aligned, lines))
