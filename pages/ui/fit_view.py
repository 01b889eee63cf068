"""What a network from elsewhere does on the data, before anybody trusts a number of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.report.words import count, counted, listed, markdown_plain, number, quantity
from pages.ui import views

if TYPE_CHECKING:
    from fairneuron_core.jobs.fit_check import FitReport

_MOST_CLASSES_WORDS = 40


def show_file(file: NetworkFile) -> None:
    """Show what was found in the file: format, architecture, inputs, output, and what a person must know about it."""
    from fairneuron_core.formats.catalogue import NETWORK_FORMATS

    hidden = sorted({layer.activation for layer in file.layers[:-1]})
    row = NETWORK_FORMATS.get(file.form)
    with views.cards(min_width=200, most=4):
        views.number_card("Format", row.title.split(" (")[0] if row else file.form, "Told by the content of the file.")
        views.number_card(
            "Architecture",
            "-".join(map(str, file.sizes)),
            f"{counted(len(file.layers) - 1, 'hidden layer')}{f', {listed(hidden)}' if hidden else ''}",
        )
        views.number_card("Inputs", count(file.inputs), _names_words(file.input_names))
        views.number_card("Weights and biases", count(file.parameters), _output_words(file))
    for words in file.warnings:
        st.info(markdown_plain(words), icon=":material/info:")


def _names_words(names: tuple[str, ...]) -> str:
    return f"Named in the file: {', '.join(names[:2])}, ..." if names else "The file does not name them."


def _output_words(file: NetworkFile) -> str:
    ends = {"sigmoid": "a sigmoid", "softmax": "a softmax over two classes", "logits": "a logit"}.get(
        file.head, file.head
    )
    classes = ", ".join(file.classes)
    named = f"; classes {classes}" if file.classes and len(classes) <= _MOST_CLASSES_WORDS else ""
    return f"Its output is {ends}{named}."


def show_fit(fit: FitReport, *, rows: int) -> None:
    """Show how the network does on the data, and whatever looks wrong, loudly."""
    with views.cards(min_width=160, most=3):
        views.number_card("Accuracy", _share(fit.accuracy), f"The more frequent label alone: {_share(fit.majority)}.")
        views.number_card("Favourable decisions", _share(fit.favourable), f"Of {counted(fit.rows, 'decision')}.")
        views.number_card(
            "Order of the scores (AUC)",
            number(fit.auc, digits=2),
            "How often a favourable label scores higher than another one; chance is 0.50.",
        )
    which = f"all {count(rows)} rows" if fit.rows == rows else f"{count(fit.rows)} of {count(rows)} rows, evenly spaced"
    views.quiet(f"On {which}; the rows that the network was trained on may be among them.")
    for words in fit.warnings:
        views.warning_box(words)


def _share(value: float) -> str:
    return quantity(value, "percent")


def show_first_rows(fit: FitReport, file: NetworkFile, *, key: str) -> None:
    """Show the first rows as the network gets them: one line per input, so that long ones stay readable."""
    rows = {f"Row {place}": values.astype(float) for place, values in enumerate(fit.first_rows)}
    names = {"In the file": file.input_names} if len(file.input_names) == len(fit.features) else {}
    shown = pd.DataFrame({"Place": range(1, len(fit.features) + 1), "Input": fit.features, **names, **rows})
    views.table_expander(
        shown, key=key, name="first encoded rows", label=f"The first {len(rows)} rows as the network gets them"
    )
