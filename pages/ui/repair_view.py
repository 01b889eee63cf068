"""What a finished repair shows: the paired change, the method's own facts, and how the training went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.figures import dumbbell, training_curves
from fairneuron_core.report.names import in_sentence, metric_unit, short_label
from fairneuron_core.report.words import change_text, count, duration
from fairneuron_core.store import RunRecord
from fairneuron_core.types import PairedAudit
from pages.ui import cache, theme, views

SCOPE = (
    "The intervals speak of these rows: other people would give other numbers within them. They do not speak of the "
    "luck of one training: another seed moves the numbers too, so repeat a repair with several before you rely on it."
)
HEADLINES = (
    "accuracy",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
)


def show_repair_result(run: RunRecord) -> None:
    """Show before and after on the test part, what the method did, and how the training went."""
    results = run.results
    show_change(results)
    with views.cards():
        for label, value, words in _facts(results):
            views.number_card(label, value, words)
    if words := results.get("facts", {}).get("words"):
        views.quiet(str(words))
    if setting := results.get("facts", {}).get("setting"):
        views.quiet(f"Setting: {setting}")
    if trace := results.get("trace"):
        with st.expander("How the training went", icon=":material/show_chart:"):
            views.show_chart(training_curves(trace, mode=theme.mode()), key=f"result.{run.id}.curves")


def result_sentence(run: RunRecord) -> str:
    """Say in one sentence what a finished repair or search did to accuracy and to the two headline gaps."""
    results = run.results
    if not results.get("model"):
        return str(results["reason"])
    try:
        paired = _paired(results)
    except FairNeuronError as error:
        return str(error)
    said = [
        change_text(paired.changes[name], label=short_label(name), unit=metric_unit(name)).rstrip(".")
        for name in ("demographic_parity_difference", "equal_opportunity_difference", "accuracy")
    ]
    return "; ".join([said[0], *(in_sentence(words) for words in said[1:])]) + "."


def _paired(results: Mapping[str, Any]) -> PairedAudit:
    return cache.comparison(
        str(results["data"]), str(results["parent"]), str(results["model"]), str(results["protected"])
    )


def show_change(results: Mapping[str, Any]) -> None:
    """Show the dumbbells of one repair's paired comparison."""
    paired = _paired(results)
    views.degenerate_mark(paired.after.degenerate)
    chart = dumbbell(paired, mode=theme.mode(), names=HEADLINES)
    views.show_chart(chart, key=f"result.{results['model']}.dumbbell")
    views.quiet(SCOPE)


def _facts(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    facts = results.get("facts", {})
    cards = [("Took", duration(float(results["seconds"])), "training and comparison together")]
    if "conflict_samples" in facts:
        of = f"of {count(facts['samples'])} training rows"
        cards += [
            ("Conflict samples", count(facts["conflict_samples"]), of),
            ("Rare paths", count(facts["rare_paths"]), f"of {count(facts['unique_paths'])} different paths"),
            ("Rare means", f"≤ {count(facts['threshold_count'])}", "rows on the path"),
        ]
    cards += [
        (f"Weight of {name}", f"{weight:.2f}", "of a training row") for name, weight in facts.get("weights", {}).items()
    ]
    return cards
