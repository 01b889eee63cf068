"""One network in words, numbers and a picture: what it reads, how it was made, how its training went."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import streamlit as st

from fairneuron_core.report.figures import training_curves
from fairneuron_core.report.rule_words import rule_sentence
from fairneuron_core.report.words import count, counted, listed, number
from fairneuron_core.store import ModelRow
from fairneuron_core.types import Classifier, Dataset, DecisionRule
from pages.ui import cache, jobs, state, theme, views
from pages.ui.network_view import network_view
from pages.ui.pickers import made_words, models_of, predictions_only

_SHOWN_SETTINGS = ("hidden", "learning_rate", "batch_size", "epochs", "best_epoch", "method", "rarity", "coverage")


def read_attributes(classifier: Classifier, dataset: Dataset) -> tuple[list[str], list[str]]:
    """Return the protected attributes that the network reads, itself or in their source column, and the others."""
    reads = {column.name for column in classifier.encoder.columns}
    schema = dataset.schema
    seen = [p for p in schema.protected if p in reads or schema.column(p).derived_from in reads]
    return seen, [p for p in schema.protected if p not in seen]


def reads_words(classifier: Classifier, dataset: Dataset) -> str:
    """Say which protected attributes the network reads and which it does not."""
    seen, unseen = read_attributes(classifier, dataset)
    parts = [f"reads {listed(seen)}"] if seen else []
    parts += [f"does not read {listed(unseen, joint='or')}"] if unseen else []
    return "; ".join(parts)


def network_sentence(row: ModelRow, data: str, attribute: str) -> str:
    """Answer the page's question in one sentence."""
    material = cache.material(data, row.id, attribute)
    columns, width = material.classifier.encoder.columns, material.classifier.encoder.width
    rule = material.classifier.rule
    if predictions_only(data, row.id):
        return (
            f"“{row.name}” are {_predictions_words(material.classifier)}; what they were made from is not said there."
        )
    return (
        f"“{row.name}” decides from {counted(len(columns), 'column')} ({counted(width, 'input')}); it "
        f"{reads_words(material.classifier, material.dataset)}."
        + (f" Its thresholds read {rule.attribute}." if isinstance(rule, DecisionRule) else "")
    )


def _predictions_words(classifier: Classifier) -> str:
    recipe = classifier.record.recipe
    return f"{recipe.get('kind', 'scores')} in column '{recipe.get('column')}' of '{recipe.get('file')}'"


def show_cards(row: ModelRow, data: str, attribute: str) -> None:
    """Show architecture, threshold, and the two headline numbers of the test rows."""
    classifier = cache.material(data, row.id, attribute).classifier
    sizes = cache.network_picture(data, row.id)["sizes"]
    found = cache.audit(data, row.id, attribute)
    gap = found.metrics["demographic_parity_difference"].estimate
    weights = sum(a * b + b for a, b in itertools.pairwise(sizes))
    with views.cards(min_width=200, most=4):
        if predictions_only(data, row.id):
            views.number_card("Predictions", count(len(cache.dataset(data).frame)), "One per row, from a file.")
        else:
            views.number_card(
                "Architecture",
                "-".join(map(str, sizes)),
                f"{counted(len(sizes) - 2, 'hidden layer')}, {count(weights)} weights and biases",
            )
        if classifier.rule is None:
            shown = number(classifier.threshold, digits=2), "Favourable from this score on."
        elif isinstance(classifier.rule, DecisionRule):
            shown = f"by {classifier.rule.attribute}", "Each group has its own, see below."
        else:
            shown = number(classifier.threshold, digits=2), "Most similar individuals decide, see below."
        views.number_card("Decision threshold", *shown)
        views.metric_card("Accuracy on test rows", found.metrics["accuracy"].estimate)
        views.metric_card(f"Demographic parity difference by {attribute}", gap, unit="points")
    views.degenerate_mark(found.degenerate)
    if said := rule_sentence(classifier):
        views.quiet(said)


def show_picture(data: str, model: str) -> None:
    """Draw all weights of the network."""
    views.section(
        "The network", "Every line is a weight, strong ones darker. Hover a neuron to see its strongest ones."
    )
    network_view(cache.network_picture(data, model), key=f"model.picture.{model}", height=400)


def show_origin(row: ModelRow, data: str, attribute: str) -> None:
    """Show the columns that the network reads, and how it came to be."""
    material = cache.material(data, row.id, attribute)
    views.section("What it reads")
    _inputs(material.classifier, material.dataset)
    views.section("How it was made")
    record, recipe = material.classifier.record, material.classifier.record.recipe
    facts = {
        "Made": f"{made_words(row)} ({row.made_by}), {row.created.strftime('%Y-%m-%d %H:%M UTC')}",
        "From": _parent_words(row, data),
        "Settings": _recipe_words(recipe),
        "Split": f"7:1:2 with seed {record.split_seed}, stratified on the label and {listed(list(record.protected))}"
        if record.protected
        else f"7:1:2 with seed {record.split_seed}",
        "Version": f"FairNeuron {record.version}" if record.version else "",
    }
    for name, words in facts.items():
        if words:
            views.quiet(f"{name}: {words}.")
    if record.data_sha256 != material.dataset.sha256:
        views.warning_box(
            "This network was made on other data than these, so its test rows here may be rows that it was trained on."
        )
    _parent_button(row, data)


def _inputs(classifier: Classifier, dataset: Dataset) -> None:
    seen, _ = read_attributes(classifier, dataset)
    sources = {dataset.schema.column(p).derived_from for p in seen}
    with st.container(horizontal=True, gap="xsmall"):
        for column in classifier.encoder.columns:
            marked = column.name in seen or column.name in sources
            text = f"{column.name} ({column.width})" if column.width > 1 else column.name
            st.badge(views._badge_plain(text), color="orange" if marked else "gray")
    if seen:
        views.quiet("Marked: protected attributes, or the column they are cut from. In brackets: inputs per column.")
    else:
        views.quiet("In brackets: inputs per column. Other columns can stand in for an attribute that is not read.")


def _parent_words(row: ModelRow, data: str) -> str:
    if row.parent is None:
        return ""
    parent = next((other for other in models_of(data) if other.id == row.parent), None)
    return f"{parent.name} ({parent.id[:6]})" if parent else f"network {row.parent[:6]}, which was deleted"


def _recipe_words(recipe: Mapping[str, Any]) -> str:
    shown = {name: recipe[name] for name in _SHOWN_SETTINGS if recipe.get(name) is not None}
    if "seed" in recipe:
        shown = {"seed": recipe["seed"], **shown}
    return ", ".join(
        f"{name.replace('_', ' ')} {'-'.join(map(str, v)) if isinstance(v, list | tuple) else f'{v}'}"
        for name, v in shown.items()
    )


def _parent_button(row: ModelRow, data: str) -> None:
    if row.parent is None or all(other.id != row.parent for other in models_of(data)):
        return
    if st.button("Compare with the network it was made from", key="model.compare", icon=":material/compare_arrows:"):
        state.choose(model=row.parent, after=row.id)
        st.switch_page("pages/compare.py")


def show_training(row: ModelRow) -> None:
    """Show the curves of the run that made this network, where the run is still there."""
    run = jobs.find(row.run_id)
    made = _making(run.results, row.id) if run is not None and run.state == "done" else {}
    trace = made.get("trace") or []
    if not trace or "epoch" not in trace[0]:
        views.quiet(
            "No curves are kept for this network: it was uploaded, made on the command line, or its run was deleted."
        )
        return
    best = made.get("best_epoch")
    kept = f"; the weights of epoch {best} are kept" if best is not None else ""
    views.section("How its training went", f"It was trained for {counted(len(trace), 'epoch')}{kept}.")
    views.show_chart(training_curves(trace, mode=theme.mode()), key=f"model.curves.{row.id}", title=False)


def _making(results: Mapping[str, Any], model: str) -> Mapping[str, Any]:
    """The part of a run's results that made this network: a tour makes several."""
    parts = [results, results.get("train") or {}, *(results.get("repairs") or {}).values()]
    return next((part for part in reversed(parts) if part.get("model") == model), {})
