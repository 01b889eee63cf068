"""The threshold section of the audit: what would happen to each group if the line between yes and no moved."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fairneuron_core.metrics import audit_from_counts
from fairneuron_core.report.figures import confusion, roc, score_histogram
from fairneuron_core.report.names import metric_unit, short_label
from fairneuron_core.report.rule_words import own_thresholds, threshold_chip
from fairneuron_core.report.words import markdown_plain, number
from fairneuron_core.types import Audit, Classifier
from pages.ui import audit_cache, cache, state, theme, views
from pages.ui.audit_metrics import change_words

_SHOWN = (
    "accuracy",
    "selection_rate",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
)
_STEP = 0.01
_SHORT_NAME = 12


def show_threshold(data: str, model: str, attribute: str, part: str) -> None:
    """Let the viewer move the threshold, one for all or one per group; nothing is scored again."""
    own = cache.audit(data, model, attribute, part)
    material = cache.material(data, model, attribute)
    table = cache.threshold_table(data, model, attribute, part)
    chosen = _sliders(table.levels, material.classifier, attribute, key=views.content_key(model, attribute))
    moved = audit_from_counts(
        table.counts([chosen[level] for level in table.levels]),
        levels=table.levels,
        attribute=attribute,
        reference=own.reference,
        favourable_words=material.dataset.schema.favourable_words,
    )
    views.degenerate_mark(moved.degenerate if moved.degenerate != own.degenerate else None)
    _cards(moved, own)
    _curves(data, model, attribute, part, chosen=chosen, moved=moved)


def _sliders(levels: tuple[str, ...], classifier: Classifier, attribute: str, *, key: str) -> dict[str, float]:
    """Draw one slider, or one per group, and return the threshold of every group."""
    own = own_thresholds(classifier, attribute, levels)
    with st.container(horizontal=True, vertical_alignment="center"):
        each = st.toggle("One threshold for each group", key="audit.threshold.each")
        names = {f"audit.threshold.{key}.{i}": level for i, level in enumerate(levels)} if each else {}
        starts = {slider: own[level] for slider, level in names.items()} or {
            f"audit.threshold.{key}": classifier.threshold
        }
        st.button(
            _back_words(classifier, each=each),
            key="audit.threshold.back",
            icon=":material/undo:",
            on_click=lambda: [state.set_widget(slider, _on_grid(value)) for slider, value in starts.items()],
        )
    views.quiet(
        "This changes no network: it shows what its scores would mean with another line. A threshold for each group "
        "treats equal scores differently, which the law forbids in many places."
        if each
        else "This changes no network: it shows what its scores would mean with another line between yes and no."
    )
    if classifier.rule is not None:
        views.quiet(
            f"This network decides with {threshold_chip(classifier)}; here the sliders decide, and the cards say how "
            "that differs."
        )
    if not each:
        ((slider, start),) = starts.items()
        return dict.fromkeys(levels, _slider("Favourable from this score on", start, key=slider))
    cells, values = st.columns(min(len(levels), 3)), {}
    for place, (slider, level) in enumerate(names.items()):
        with cells[place % len(cells)]:
            values[level] = _slider(markdown_plain(level), starts[slider], key=slider)
    return values


def _back_words(classifier: Classifier, *, each: bool) -> str:
    if classifier.rule is None:
        return f"Back to its own {number(classifier.threshold, digits=2)}"
    return "Back to its own" if each else f"Back to {number(classifier.threshold, digits=2)}"


def _on_grid(threshold: float) -> float:
    return round(threshold / _STEP) * _STEP


def _slider(label: str, own: float, *, key: str) -> float:
    """Draw a slider; where it stands at the network's own threshold, that one counts to its last digit."""
    start = _on_grid(own)
    if state.widget(key) is None:
        state.set_widget(key, start)
    value = float(st.slider(label, 0.0, 1.0, step=_STEP, format="%.2f", key=key))
    return own if value == start else value


def _cards(moved: Audit, own: Audit) -> None:
    with views.cards(most=5):
        for name in _SHOWN:
            now = moved.metrics[name].estimate
            views.metric_card(
                short_label(name),
                now,
                unit=metric_unit(name),
                words=change_words(now.value, own.metrics[name].estimate.value, name),
            )


def _curves(data: str, model: str, attribute: str, part: str, *, chosen: dict[str, float], moved: Audit) -> None:
    """Left the curves, which do not move, with the points that do; right the scores and the decisions."""
    shared = {"threshold": chosen, "mode": theme.mode(), "reference": moved.reference}
    left, right = views.side_by_side()
    with left:
        chart = roc(audit_cache.roc_curves(data, model, attribute, part), counts=moved.counts, **shared)
        views.show_chart(chart, key="audit.threshold.roc")
    with right:
        chart = score_histogram(_scores_by_group(data, model, attribute, part), **shared)
        views.show_chart(chart, key="audit.threshold.scores")
        # The headings of two matrices side by side need short names on a narrow screen.
        columns = 2 if max(len(group.group) for group in moved.groups) <= _SHORT_NAME else 1
        views.show_chart(confusion(moved, mode=theme.mode(), columns=columns), key="audit.threshold.confusion")


def _scores_by_group(data: str, model: str, attribute: str, part: str) -> dict[str, np.ndarray]:
    table = cache.threshold_table(data, model, attribute, part)
    return {level: np.concatenate(by_label) for level, by_label in zip(table.levels, table.scores, strict=True)}
