"""Building blocks of every page: header, charts with sentence and table, verdicts, numbers, empty and error states.

Text that a user may have written (column names, groups, file names) is escaped here, so pages pass it as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from fairneuron_core.report.style import Chart
from fairneuron_core.report.tables import csv_bytes
from fairneuron_core.report.words import (
    Tone,
    Unit,
    count,
    interval,
    markdown_plain,
    quantity,
    verdict_words,
)
from fairneuron_core.types import Estimate
from pages.ui import theme

_BADGE: dict[Tone, Literal["green", "red", "gray"]] = {"good": "green", "bad": "red", "open": "gray", "none": "gray"}
_PLOTLY = {"displayModeBar": False, "responsive": True, "scrollZoom": False, "doubleClick": False}


def page_header(question: str, answer: str = "", *, chips: Sequence[str] = ()) -> None:
    """Show the page's question, its answer in one sentence, and what it speaks of (data, model, attribute) as chips."""
    with st.container(gap=None):
        theme.follow_viewer()
        st.title(markdown_plain(question), anchor=False)
    if answer:
        st.markdown(f"**{markdown_plain(answer)}**")
    if chips:
        with st.container(horizontal=True, gap="xsmall"):
            for chip in chips:
                st.badge(_badge_plain(chip), color="gray")


def _badge_plain(text: str) -> str:
    # st.badge escapes square brackets itself, and would show ours
    return markdown_plain(text).replace("\\[", "[").replace("\\]", "]")


def quiet(words: str) -> None:
    """Show a sentence in small grey letters that still have enough contrast to be read."""
    st.markdown(f":small[:gray[{markdown_plain(words)}]]")


def section(title: str, words: str = "") -> None:
    """Show the heading of a part of a page and, where it helps, one sentence below it."""
    st.subheader(markdown_plain(title), anchor=False)
    if words:
        quiet(words)


def show_chart(
    chart: Chart,
    *,
    key: str,
    height: int | None = None,
    on_select: Callable[[], None] | Literal["rerun", "ignore"] = "ignore",
    title: bool = True,
) -> Any:
    """Show a chart with its title, the sentence that says what it shows, and the table behind it as a download.

    Returns the selection event when `on_select` is not "ignore".
    """
    with st.container(gap="xsmall"):
        if title:
            st.markdown(f"**{markdown_plain(chart.title)}**")
        event = st.plotly_chart(
            chart.figure,
            key=key,
            theme=None,
            height=height or int(chart.figure.layout.height or 400),
            on_select=on_select,
            selection_mode="points",
            config=_PLOTLY,
            alt=f"{chart.title}. {chart.sentence}",
        )
        quiet(chart.sentence)
        table_expander(chart.table, key=key, name=chart.title)
    return event


def table_expander(table: pd.DataFrame, *, key: str, name: str, label: str = "Table") -> None:
    """Show a table folded away, with a CSV of it in which no cell can act as a formula."""
    if table.empty:
        return
    with st.expander(label, key=f"{key}.table", icon=":material/table_rows:", type="compact"):
        st.dataframe(table, hide_index=True, key=f"{key}.rows", height=min(420, 36 * (len(table) + 1) + 3))
        csv_button(table, key=f"{key}.csv", name=name)


def csv_button(table: pd.DataFrame, *, key: str, name: str, label: str = "Download CSV") -> None:
    """Show the button that downloads `table`; the file is named after `name`."""
    stem = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")
    stem = "-".join(part for part in stem.split("-") if part)[:60] or "table"
    st.download_button(
        label,
        data=lambda: csv_bytes(table),
        file_name=f"{stem}.csv",
        mime="text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def verdict_chip(verdict: str, *, help: str | None = None) -> None:
    """Show a verdict as a chip: word, shape and colour say the same."""
    shown = verdict_words(verdict)
    st.badge(_badge_plain(shown.text), color=_BADGE[shown.tone], help=help)


def metric_card(
    label: str,
    estimate: Estimate,
    *,
    unit: Unit = "percent",
    help: str | None = None,
    words: str = "",
    verdict: str | None = None,
) -> None:
    """Show one number with its unit, interval and n, and optionally a sentence and the verdict against a line."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        _labelled(label, quantity(estimate.value, unit), help)
        bounds = interval(estimate, unit)
        quiet(" · ".join(p for p in (bounds, f"n = {count(estimate.n)}") if p))
        if verdict:
            shown = verdict_words(verdict)
            st.markdown(f":small[:{_BADGE[shown.tone]}[**{markdown_plain(shown.text)}**]]")
        if words:
            quiet(words)


def _labelled(label: str, value: str, help: str | None) -> None:
    # st.metric cuts a long label off; a line of text wraps
    st.markdown(f":small[{markdown_plain(label)}]", help=help)
    st.metric(markdown_plain(label), value, label_visibility="collapsed")


def number_card(label: str, value: str, words: str = "", *, help: str | None = None) -> None:
    """Show one plain number (a count, a time) in the same card as `metric_card`."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        _labelled(label, value, help)
        if words:
            quiet(words)


def cards(*, min_width: int = 165, most: int | Literal["auto"] = "auto") -> Any:
    """Return a grid whose cells wrap by the width there is: `with cards(): metric_card(...); metric_card(...)`."""
    return st.grid(most, min_column_width=min_width, gap="xsmall")


def side_by_side(*, wide: Literal["left", "right", "equal"] = "equal") -> Sequence[Any]:
    """Return two containers beside one another; equal ones stand below one another as soon as charts would be cramped.

    Charts belong into equal ones; "left" and "right" are for a picture with a list beside it.
    """
    if wide != "equal":
        return st.columns((3, 2) if wide == "left" else (2, 3), gap="medium")
    grid = st.grid(2, min_column_width=380, gap=("small", "medium"))
    return grid.cell(), grid.cell()


def empty_state(
    title: str,
    words: str,
    button_label: str | None = None,
    *,
    key: str,
    icon: str = ":material/grain:",
) -> bool:
    """Show why there is nothing yet and the one thing to do about it; True in the run in which that is pressed."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"## {icon}", width="content", text_alignment="center")
        st.markdown(f"**{markdown_plain(title)}**", text_alignment="center")
        st.markdown(markdown_plain(words), text_alignment="center")
        pressed = bool(button_label) and st.button(button_label, type="primary", key=f"{key}.start")
        st.space("small")
    return pressed


def error_box(error: BaseException | str) -> None:
    """Show an error as one sentence."""
    st.error(markdown_plain(error), icon=":material/error:")


def warning_box(words: str) -> None:
    """Show a warning as one sentence."""
    st.warning(markdown_plain(words), icon=":material/warning:")


def degenerate_mark(reason: str | None) -> None:
    """Say that a network hardly decides at all, where it does not: its gaps look small for a bad reason."""
    if reason:
        st.warning(f"**Degenerate network\\.** {markdown_plain(reason)}", icon=":material/block:")


def content_key(*parts: object) -> str:
    """Return a short key that changes when `parts` do (for widgets that must forget an older value)."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:12]
