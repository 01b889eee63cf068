"""The chosen network as a file for other tools: written, read back and compared before anybody gets it."""

from __future__ import annotations

import streamlit as st

from fairneuron_core.report.rule_words import threshold_chip
from fairneuron_core.store import ModelRow
from pages.ui import cache, views


def export_form(data: str, row: ModelRow) -> None:
    """Offer the network in every format that is written, each with what it carries and what not."""
    from fairneuron_core.models.files import MODEL_FORMATS, export_model

    classifier = cache.material(data, row.id).classifier
    views.section(
        "Take it along",
        "A file is made when you ask for it, and compared before you get it: read back, its scores must be this "
        "network's on 1,000 rows.",
    )
    with views.cards(min_width=240, most=3):
        for name, form in MODEL_FORMATS.items():
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{form.title}**")
                views.quiet(form.note)
                st.download_button(
                    f"Download as {form.title}",
                    lambda name=name: export_model(classifier, name),
                    file_name=f"{row.id}{form.suffix}",
                    key=f"model.download.{name}",
                    on_click="ignore",
                    icon=":material/download:",
                )
    if classifier.rule is not None:
        views.warning_box(
            f"This network decides by {threshold_chip(classifier)}. Other tools get the scores alone: with one "
            "threshold they decide differently."
        )
