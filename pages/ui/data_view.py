"""One data set on the screen: groups first, then warnings, columns with their roles, source and traps."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fairneuron_core.data import SchemaWarning
from fairneuron_core.report.figures import base_rates
from fairneuron_core.report.words import count, markdown_plain
from fairneuron_core.types import Column, Dataset
from pages.ui import theme, views

ROLES = {"feature": "input", "protected": "protected", "target": "target", "left_out": "left out"}
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
        f"{row.base_rate:.1%} of {row.group} ({count(row.n)})"
        for row in first.sort_values("base_rate").itertuples()
        if row.base_rate == row.base_rate
    )
    what = schema.favourable_words or f"{schema.target.name} = {schema.favourable}"
    return f"{count(len(dataset.frame))} rows; favourable label ({what}): {rates}."


def show_groups(dataset: Dataset, table: pd.DataFrame) -> None:
    """Show size and base rate of every group, one chart per protected attribute."""
    views.section("Groups", "Sizes first: an interval is only as narrow as its group is large.")
    words = dataset.schema.favourable_words or "favourable label"
    with views.cards(min_width=400):
        for attribute, part in table.groupby("attribute", sort=False):
            chart = base_rates(part, mode=theme.mode(), favourable_words=words)
            with st.container():
                reference = dataset.schema.reference.get(str(attribute), "")
                views.quiet(f"{attribute} · reference group: {reference}")
                views.show_chart(chart, key=f"data.rates.{attribute}")


def show_warnings(dataset: Dataset, warnings: Sequence[SchemaWarning]) -> None:
    """Show what the checks found, and the traps that are known of this data set."""
    views.section("What to know before you use it")
    for trap in dataset.source.traps:
        st.markdown(f"- {markdown_plain(trap)}")
    for kind, title in KINDS.items():
        found = [w for w in warnings if w.kind == kind]
        if found:
            with st.expander(f"{title} ({len(found)})", icon=":material/warning:", expanded=kind in ("leak", "proxy")):
                for warning in found:
                    st.markdown(f"- {markdown_plain(warning.words)}")
    if not warnings and not dataset.source.traps:
        views.quiet("The checks found nothing to warn of.")


def show_columns(dataset: Dataset) -> None:
    """Show all columns with their roles and domains, and the first rows."""
    views.section("Columns")
    table = pd.DataFrame([_column_row(column) for column in dataset.schema.columns])
    st.dataframe(table, hide_index=True, key="data.columns", height=min(420, 36 * (len(table) + 1) + 3))
    with st.expander("First rows", icon=":material/table_rows:"):
        st.dataframe(dataset.frame.head(20), hide_index=True, key="data.head")


def _column_row(column: Column) -> dict[str, str]:
    domain = ", ".join(column.levels[:6]) + (" …" if len(column.levels) > 6 else "")
    if column.kind == "numeric" and column.low is not None and column.high is not None:
        domain = f"{column.low:g} to {column.high:g}"
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
