"""Write the results into the documentation: a table and a summary between two marks of BENCHMARKS.md, and a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.bench.as_table import markdown, summary, table
from fairneuron_core.bench.figure import draw
from fairneuron_core.bench.section import PAGE, marks, page_in, results_of, with_section
from fairneuron_core.errors import SettingError

PICTURE = Path("assets/bench-paths.svg")
BEGIN, END = marks("paths")


def write_docs(results: Mapping[str, Any], root: Path) -> list[Path]:
    """Replace what stands between the marks of the page, and the drawing; equal results leave equal files.

    Raises SettingError when `root` is no source checkout.
    """
    page, picture = page_in(root), root / PICTURE
    if not picture.parent.is_dir():
        raise SettingError(f"'{root}' has no {PAGE.name} to write into: run --write-docs from a source checkout.")
    page.write_text(with_results(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    picture.write_text(draw(results), encoding="utf-8")
    return [page, picture]


def with_results(page: str, results: Mapping[str, Any]) -> str:
    """Return the page with the results between its marks (SettingError when a mark is missing)."""
    return with_section(page, "paths", summary(results), markdown(*table(results)))


def read_results(text: str) -> dict[str, Any]:
    """Return the results of a file that `--out` wrote (SettingError when it is something else)."""
    return results_of(text, "paths")
