"""The part of BENCHMARKS.md that one benchmark writes, and the file of results that it can be written from again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairneuron_core.errors import SettingError

PAGE = Path("fairneuron_core/bench/BENCHMARKS.md")


def marks(bench: str) -> tuple[str, str]:
    """Return the lines between which the results of a benchmark stand."""
    begin, end = (f"<!-- written by `fairneuron bench {bench} --write-docs`: {word} -->" for word in ("begin", "end"))
    return begin, end


def with_section(page: str, bench: str, points: Sequence[str], rows: str) -> str:
    """Return the page with sentences and a Markdown table between the marks (SettingError when a mark is missing)."""
    first, last = marks(bench)
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise SettingError(f"{PAGE.name} has lost a mark: put '{first}' and '{last}' where the results belong.")
    listed = "\n".join(f"- {sentence}" for sentence in points)
    return f"{before}{begin}\n\n{listed}\n\n{rows}\n\n{end}{after}"


def page_in(root: Path) -> Path:
    """Return the page of a source checkout (SettingError when `root` is none)."""
    page = root / PAGE
    if not page.is_file():
        raise SettingError(f"'{root}' has no {PAGE.name} to write into: run --write-docs from a source checkout.")
    return page


def write_section(root: Path, bench: str, points: Sequence[str], rows: str) -> list[Path]:
    """Replace what stands between the marks of the page (SettingError: no checkout, or a mark is missing)."""
    page = page_in(root)
    page.write_text(with_section(page.read_text(encoding="utf-8"), bench, points, rows), encoding="utf-8")
    return [page]


def markdown(header: Sequence[str], aligned: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; `aligned` has `---` or `---:` for every column."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, aligned, *lines))


def results_of(text: str, bench: str) -> dict[str, Any]:
    """Return the results of a file that `--out` wrote (SettingError when it is something else)."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("bench") != bench:
        raise SettingError(f"This file does not hold results of `fairneuron bench {bench}`: write one with --out.")
    return found
