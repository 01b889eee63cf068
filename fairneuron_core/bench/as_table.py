"""The results of `fairneuron bench paths` for people: a table, and the ratios in words with their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairneuron_core.bench import section
from fairneuron_core.bench.ratios import RATIOS, Ratio

HEADER = ("engine", "reading", "size", "network", "rows", "seconds", "rows/s", "synapses/path", "synapses/s", "peak MB")
_NOTHING = "–"
FAR_APART, DISTURBED_SHARE = 1.5, 0.25


def table(results: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and one line per result."""
    return HEADER, [_line(row) for row in results["results"]]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["engine"],
        row["reading"] or _NOTHING,
        row["size"] if row["scale"] == 1 else f"{row['size']} x{row['scale']}",
        row["network"],
        f"{row['rows']:,}",
        significant(row["seconds"]),
        significant(row["rows_per_second"]),
        significant(row["mean_synapses"]),
        significant(row["synapses_per_second"]),
        _NOTHING if row["peak_mb"] is None else f"{row['peak_mb']:,.1f}",
    )


def significant(value: float | None) -> str:
    """Return three significant digits, whole numbers with separators.

    >>> significant(0.012345), significant(1.5), significant(123456.7), significant(None)
    ('0.0123', '1.50', '123,000', '–')
    """
    if value is None:
        return _NOTHING
    rounded = float(f"{value:.3g}")
    if rounded >= 100:
        return f"{rounded:,.0f}"
    return f"{rounded:#.3g}" if rounded >= 1e-4 else f"{rounded:.2e}"


def summary(results: Mapping[str, Any]) -> list[str]:
    """Return sentences: every ratio with its target, what was not measured, the machine, and how busy it was."""
    ratios = [ratio_words(RATIOS[name], value) for name, value in results["ratios"].items()]
    notes = [f"{name}: {words}." for name, words in results["notes"].items()]
    return [*(words for words in ratios if words), *notes, *machine_words(results), *disturbance_words(results)]


def disturbance_words(results: Mapping[str, Any]) -> list[str]:
    """Say that other work disturbed the run, where the rounds of many results lie far apart; nothing otherwise."""
    rows = [row for row in results["results"] if row["repeats"] > 1]
    apart = sum(row["seconds_high"] > FAR_APART * row["seconds_low"] for row in rows)
    if apart <= DISTURBED_SHARE * len(rows):
        return []
    return [
        f"DISTURBED: in {apart} of {len(rows)} results the slowest round took over {FAR_APART:g} times the fastest. "
        "Other work used the machine; measure again when it is quiet."
    ]


def ratio_words(ratio: Ratio, value: float | None) -> str:
    """Return one sentence, "" where nothing was measured and no target waits.

    >>> ratio_words(RATIOS["numba_vs_python"], 412.3)
    '412 times faster than plain Python, the lower one of Census and COMPAS (target: at least 300; met).'
    >>> ratio_words(RATIOS["released_compas_seconds"], None)
    'Not measured: seconds for the reading of the released code on COMPAS-sized data (target: at most 0.1).'
    """
    bound = f"target: at {'least' if ratio.at_least else 'most'} {ratio.target:g}" if ratio.target else ""
    unit = "seconds" if ratio.unit == "s" else ratio.unit
    if value is None:
        return f"Not measured: {unit} {ratio.words} ({bound})." if bound else ""
    verdict = f" ({bound}; {'met' if ratio.met(value) else 'MISSED'})" if bound else ""
    return f"{significant(value)} {unit} {ratio.words}{verdict}."


def machine_words(results: Mapping[str, Any]) -> list[str]:
    """Return the machine, and what the run was."""
    known, load = results["machine"], results["load"]
    gpu = known["gpu"] or "no GPU"
    versions = ", ".join(f"{name} {known[name]}" for name in ("python", "numpy", "numba", "torch"))
    return [
        f"Machine: {known['processor']}, {known['cores']} cores, {known['memory_gb']} GB, {gpu}; {known['system']}; "
        f"{versions}.",
        f"Median of {results['repeats']} rounds, gamma {results['coverage']:g}, {results['date']}, "
        f"{results['total_seconds']:,.0f} s in all. Load average {load['before']} before and {load['after']} after.",
    ]


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all but the first columns of words are right-aligned."""
    aligned = ["---" if column in ("engine", "reading", "size", "network") else "---:" for column in header]
    return section.markdown(header, aligned, lines)
