"""One data set on the screen: groups first, then warnings, columns with their roles, source and traps."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fairneuron_core.data import SchemaWarning
from fairneuron_core.report.figures import base_rates
from fairneuron_core.report.words import clipped, count, markdown_plain, quantity
from fairneuron_core.types import Column, Dataset, Schema
from pages.ui import theme, views

ROLES = {"feature": "input", "protected": "protected", "target": "target", "left_out": "left out"}
_WIDTHS = {
    name: st.column_config.Column(width=pixels)
    for name, pixels in {"column": 130, "role": 80, "kind": 80, "values": 330, "note": 380}.items()
}
MOST_SHOWN = 30
KINDS = {
    "leak": "Nearly the label",
    "proxy": "Stands in for a protected attribute",
    "small group": "Small group",
    "missing": "Missing values",
    "few rows": "Few rows",
    "constant": "Constant",
    "many levels": "Many levels",
    "note": "Noted while reading",
}


def answer(dataset: Dataset, table: pd.DataFrame) -> str:
    """Say in one sentence how many rows there are and how the favourable label is spread over the first attribute."""
    schema = dataset.schema
    first = table[(table["attribute"] == schema.protected[0]) & (table["n"] > 0)] if schema.protected else table[:0]
    rates = ", ".join(
        f"{quantity(row.base_rate, 'percent')} of {row.group} ({count(row.n)})"
        for row in first.sort_values("base_rate").itertuples()
        if row.base_rate == row.base_rate
    )
    return f"{count(len(dataset.frame))} rows; favourable label ({favourable_words(schema)}): {rates}."


def favourable_words(schema: Schema) -> str:
    """Return what the favourable label means, or which value it is where nobody has said."""
    return schema.favourable_words or f"{schema.target.name} = {schema.favourable}"


def show_groups(schema: Schema, table: pd.DataFrame, *, key: str) -> None:
    """Show size and base rate of every group, one chart per protected attribute."""
    words = favourable_words(schema)
    views.section("Groups", f"Rows and share of each group, and how many of it have the favourable label: {words}.")
    grid = st.grid(2, min_column_width=380, gap=("small", "medium"))
    for attribute, part in table.groupby("attribute", sort=False):
        reference = schema.reference.get(str(attribute), "")
        with grid.cell(), st.container(gap="xsmall"):
            st.markdown(f"**{markdown_plain(attribute)}** :gray[· reference group {markdown_plain(reference)}]")
            chart = base_rates(part, mode=theme.mode(), favourable_words=words)
            views.show_chart(chart, key=f"{key}.{attribute}", title=False)


def show_warnings(warnings: Sequence[SchemaWarning], *, traps: Sequence[str] = ()) -> None:
    """Show what the checks found, and the traps that are known of this data set."""
    views.section("What to know before you use it")
    if traps:
        st.markdown("\n".join(f"- {markdown_plain(trap)}" for trap in traps))
    for kind, title in KINDS.items():
        found = [w for w in warnings if w.kind == kind]
        if found:
            with st.expander(f"{title} ({len(found)})", icon=":material/warning:", expanded=kind in ("leak", "proxy")):
                more = [f"- and {count(len(found) - MOST_SHOWN)} more"] if len(found) > MOST_SHOWN else []
                shown = [f"- {markdown_plain(warning.words)}" for warning in found[:MOST_SHOWN]]
                st.markdown("\n".join([*shown, *more]))
    if not warnings and not traps:
        views.quiet("The checks found nothing to warn of.")


def show_columns(dataset: Dataset) -> None:
    """Show all columns with their roles and domains, and the first rows."""
    views.section("Columns")
    show_roles(dataset.schema, key="data.columns")
    with st.expander("First rows", icon=":material/table_rows:"):
        st.dataframe(dataset.frame.head(20), hide_index=True, key="data.head")


def show_roles(schema: Schema, *, key: str) -> None:
    """Show every column with its role, its values, and why it is left out."""
    table = pd.DataFrame([_column_row(column) for column in schema.columns])
    height = min(560, 36 * (len(table) + 1) + 3)
    st.dataframe(table, hide_index=True, key=key, height=height, column_config=_WIDTHS)


def _column_row(column: Column) -> dict[str, str]:
    domain = clipped(", ".join(column.levels), limit=50)
    if column.kind == "numeric" and column.low is not None and column.high is not None:
        low, high = (count(int(v)) if column.integer else f"{v:,g}" for v in (column.low, column.high))
        domain = f"{low} to {high}"
    return {
        "column": column.name,
        "role": ROLES[column.role],
        "kind": column.kind,
        "values": domain,
        "note": column.note,
    }


def show_source(dataset: Dataset) -> None:
    """Show where the data come from and under which licence."""
    source = dataset.source
    views.section("Source")
    st.markdown(f"{markdown_plain(source.title)}. Licence: {markdown_plain(source.licence)}")
    for words in (source.citation, source.url):
        if words:
            views.quiet(words)
    views.quiet(f"Content sha256: {dataset.sha256}")
    if dataset.holdout is not None:
        views.quiet(f"A second table of {count(len(dataset.holdout))} rows is kept as hold-out.")
