"""The results of `fairneuron bench verify` for people: a table, sentences, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.bench.as_table import significant
from fairneuron_core.bench.section import markdown, marks, results_of, write_section

HEADER = ("work", "what is free", "network", "individuals", "similar ones each", "seconds", "µs each", "answer")
BEGIN, END = marks("verify")
FEW, MOST_MICROSECONDS, MOST_SPACE_SECONDS = 5, 2.0, 35.0
"""Targets: microseconds per individual where it has at most so many similar ones, and seconds for the space."""


def table(results: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and one line per result."""
    return HEADER, [_line(row) for row in results["results"]]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["work"],
        row["name"],
        row["network"],
        f"{row['individuals']:,}",
        "–" if row["similar"] is None else f"{row['similar']:,}",
        significant(row["seconds"]),
        significant(_microseconds(row)),
        _answer(row),
    )


def _microseconds(row: Mapping[str, Any]) -> float | None:
    return 1e6 * row["seconds"] / row["individuals"] if row["individuals"] > 1 else None


def _answer(row: Mapping[str, Any]) -> str:
    if "found" in row:
        return f"{row['found']:,} different ones found"
    if "answer" in row:
        return {"none": "no pair", "found": "a pair"}.get(row["answer"], row["answer"])
    beside = f", exact {row['exact']:.1%}" if "exact" in row else ""
    return f"{row['proved']:.1%} proved{beside}"


def summary(results: Mapping[str, Any]) -> list[str]:
    """Return what was reached of the targets, one sentence per work, and the machine."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in results["results"]:
        rows.setdefault(row["work"], []).append(row)
    known, busy = results["machine"], results["load"]
    versions = ", ".join(f"{name} {known[name]}" for name in ("python", "numpy", "torch"))
    return [
        *_enumeration_words(rows.get("enumeration", [])),
        *_space_words(rows.get("space", [])),
        *_bounds_words(rows.get("bounds", [])),
        *(f"Solver, {r['name']}: {_answer(r)} in {significant(r['seconds'])} s." for r in rows.get("solver", [])),
        f"Machine: {known['processor']}, {known['cores']} cores, {known['memory_gb']} GB; {known['system']}; "
        f"{versions}.",
        f"{results['threads']} threads (enumeration: 1), median of {results['repeats']}, {results['date']}, "
        f"{results['total_seconds']:,.0f} s in all. Load average {busy['before']} before and {busy['after']} after.",
    ]


def _enumeration_words(rows: list[Mapping[str, Any]]) -> list[str]:
    few = [_microseconds(row) or 0.0 for row in rows if row["similar"] <= FEW]
    if not few:
        return []
    met = "met" if max(few) <= MOST_MICROSECONDS else "MISSED"
    return [
        f"{significant(max(few))} µs per individual by enumeration with at most {FEW} similar ones, one thread "
        f"(target: at most {MOST_MICROSECONDS:g}; {met})."
    ]


def _space_words(rows: list[Mapping[str, Any]]) -> list[str]:
    said = []
    for row in rows:
        met = "met" if row["seconds"] <= MOST_SPACE_SECONDS else "MISSED"
        said.append(
            f"{row['individuals']:,} cells with {row['similar']} similar individuals each, every one decided: "
            f"{significant(row['seconds'])} s on {row['threads']} threads (target: at most {MOST_SPACE_SECONDS:g}; "
            f"{met})."
        )
    return said


def _bounds_words(rows: list[Mapping[str, Any]]) -> list[str]:
    return [
        f"{row['name']}: {row['proved']:.1%} of {row['individuals']:,} rows proved where {row['exact']:.1%} is true, "
        f"{significant(1e3 * row['seconds'] / row['individuals'])} ms per row."
        for row in rows
    ]


def read_results(text: str) -> dict[str, Any]:
    """Return the results of a file that `--out` wrote (SettingError when it is something else)."""
    return results_of(text, "verify")


def write_docs(results: Mapping[str, Any], root: Path) -> list[Path]:
    """Replace what stands between the marks of BENCHMARKS.md (SettingError: no checkout, or a mark is missing)."""
    header, lines = table(results)
    aligned = ["---", "---", "---", *("---:" for _ in header[3:-1]), "---"]
    return write_section(root, "verify", summary(results), markdown(header, aligned, lines))
