"""The frame around every page: navigation, what is chosen, and the one place that catches user errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from pages.ui import jobs, state, views

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class PageRow:
    """One page of the navigation; its address is the stem of its file."""

    stem: str
    title: str
    icon: str
    section: str


PAGES: tuple[PageRow, ...] = (
    PageRow("overview", "Overview", ":material/home:", ""),
    PageRow("data", "Data", ":material/table:", "Look"),
    PageRow("model", "Model", ":material/hub:", "Look"),
    PageRow("audit", "Audit", ":material/balance:", "Look"),
    PageRow("paths", "Paths", ":material/account_tree:", "Understand"),
    PageRow("threshold", "Threshold", ":material/bar_chart:", "Understand"),
    PageRow("certify", "Certify", ":material/verified:", "Understand"),
    PageRow("repair", "Repair", ":material/build:", "Repair"),
    PageRow("compare", "Compare", ":material/compare_arrows:", "Repair"),
    PageRow("experiment", "Experiment", ":material/science:", "Repair"),
    PageRow("runs", "Runs", ":material/history:", "Repair"),
)


def page_file(stem: str) -> Path:
    """Return the file of a page."""
    return ROOT / "pages" / f"{stem}.py"


def show_page() -> None:
    """Show the page that the address names; a user error becomes one sentence on it."""
    st.set_page_config(page_title="FairNeuron", page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide")
    st.logo(str(ROOT / "assets" / "logo.svg"), icon_image=str(ROOT / "assets" / "icon.svg"))
    sections: dict[str, list[st.Page]] = {}
    for row in PAGES:
        page = st.Page(
            page_file(row.stem), title=row.title, icon=row.icon, url_path=row.stem, default=row.stem == "overview"
        )
        sections.setdefault(row.section, []).append(page)
    chosen = st.navigation(sections, position="sidebar")
    try:
        state.restore()
        chosen.run()
    except FairNeuronError as error:
        views.error_box(error)
    jobs.warm_up()
