"""Write the results into the documentation: a table and a summary between two marks of BENCHMARKS.md, and a drawing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.bench.as_table import markdown, summary, table
from fairneuron_core.bench.figure import draw
from fairneuron_core.errors import SettingError

PAGE = Path("fairneuron_core/bench/BENCHMARKS.md")
PICTURE = Path("assets/bench-paths.svg")
BEGIN = "<!-- written by `fairneuron bench paths --write-docs`: begin -->"
END = "<!-- written by `fairneuron bench paths --write-docs`: end -->"


def write_docs(results: Mapping[str, Any], root: Path) -> list[Path]:
    """Replace what stands between the marks of the page, and the drawing; equal results leave equal files.

    Raises SettingError when `root` is no source checkout.
    """
    page, picture = root / PAGE, root / PICTURE
    if not page.is_file() or not picture.parent.is_dir():
        raise SettingError(f"'{root}' has no {PAGE.name} to write into: run --write-docs from a source checkout.")
    page.write_text(with_results(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    picture.write_text(draw(results), encoding="utf-8")
    return [page, picture]


def with_results(page: str, results: Mapping[str, Any]) -> str:
    """Return the page with the results between its marks (SettingError when a mark is missing)."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SettingError(f"{PAGE.name} has lost a mark: put '{BEGIN}' and '{END}' where the results belong.")
    points = "\n".join(f"- {sentence}" for sentence in summary(results))
    return f"{before}{BEGIN}\n\n{points}\n\n{markdown(*table(results))}\n\n{END}{after}"


def read_results(text: str) -> dict[str, Any]:
    """Return the results of a file that `--out` wrote (SettingError when it is something else)."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("bench") != "paths":
        raise SettingError("This file does not hold results of `fairneuron bench paths`: write one with --out.")
    return found
