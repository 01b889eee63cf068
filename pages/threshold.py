"""Threshold: where theta cuts the paths into ordinary and rare ones, and who the conflict samples are."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.paths import MakeupRow, SampleSplit, SuggestedSetting, cluster, conflict_makeup
from fairneuron_core.report.figures import conflict_makeup as makeup_chart
from fairneuron_core.report.figures import cumulative_share, path_frequency_histogram
from fairneuron_core.report.path_tables import counts_table, settings_table
from fairneuron_core.report.words import count, counted, number, quantity
from pages.ui import cache, path_settings, state, theme, views
from pages.ui.pickers import pick_network

QUESTION = "Which samples take rare paths?"
# A ladder of nearly equal steps on a logarithmic scale that holds the values of the paper's grid.
THETAS = (
    1e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 5e-3, 7e-3,
    0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0,
)  # fmt: skip


def show() -> None:
    picked = pick_network(key="threshold", question=QUESTION)
    if picked is not None:
        _page(*picked)


@st.fragment
def _page(data: str, model: str, attribute: str) -> None:
    try:
        _answered(data, model, attribute)
    except FairNeuronError as error:
        views.error_box(error)


def _answered(data: str, model: str, attribute: str) -> None:
    head = st.container()
    setting, theta, suggested = _controls(data, model)
    frequency = cache.path_frequency(data, model, "train", setting)
    split = cluster(frequency, theta)
    rows = cache.batch(data, model, "train")
    found = conflict_makeup(split.conflicting, rows.codes(attribute), levels=rows.levels(attribute))
    by_group = makeup_chart(_present(found), mode=theme.mode(), by=attribute)
    with head:
        views.page_header(QUESTION, _answer(split, by_group.sentence))
    _reason(setting, theta, suggested)
    _charts(frequency.count, split)
    _numbers(split)
    if split.conflict_samples:
        left, right = views.side_by_side()
        with left:
            views.show_chart(by_group, key="threshold.groups")
        with right:
            _by_label(data, rows.labels, split)
    with st.container(horizontal=True):
        _hand_over(setting, theta, split)
        table = counts_table(
            frequency, rows.codes(attribute), levels=rows.levels(attribute), threshold_count=split.threshold_count
        )
        views.csv_button(table, key="threshold.csv", name=f"paths {data} {model}", label="All paths as CSV")
    _tried(suggested)


def _by_label(data: str, labels: np.ndarray, split: SampleSplit) -> None:
    makeup = conflict_makeup(split.conflicting, labels, levels=("unfavourable", "favourable"))
    views.show_chart(makeup_chart(makeup, mode=theme.mode(), by="true label"), key="threshold.labels")
    views.quiet(f"Favourable label: {cache.dataset(data).schema.favourable_words}.")


def _present(makeup: list[MakeupRow]) -> list[MakeupRow]:
    return [row for row in makeup if row.conflict_count + row.ordinary_count]


def _answer(split: SampleSplit, who: str) -> str:
    cut = split.counts
    if not cut.separates:
        return cut.words
    return (
        f"{count(cut.conflict_samples)} of {count(cut.samples)} training samples "
        f"({quantity(cut.conflict_samples / cut.samples, 'percent')}) take a rare path, one with at most "
        f"{counted(cut.threshold_count, 'sample')}. {who}"
    )


def _controls(data: str, model: str) -> tuple[dict[str, Any], float, SuggestedSetting]:
    """Draw the settings; where nothing was chosen they are the suggested ones of this network and reading."""
    rarity, coverage, layer, more = path_settings.cells(4, at_least=200)
    with more:
        reading, granularity = path_settings.reading_popover("threshold")
    suggested = cache.suggestion(data, model, reading=reading, granularity=granularity)
    _start_again_at(suggested, (model, reading, granularity))
    with layer:
        first = path_settings.first_layer_box(
            "threshold",
            layers=path_settings.layer_count(data, model),
            reading=reading,
            default=suggested.first_layer,
        )
    with coverage:
        share = path_settings.coverage_slider("threshold", suggested.coverage)
    with rarity:
        theta = _theta_slider(suggested.theta)
    setting = {"coverage": share, "first_layer": first, "reading": reading, "granularity": granularity}
    path_settings.publish("threshold", {**setting, "theta": theta})
    return setting, theta, suggested


def _theta_slider(default: float) -> float:
    return st.select_slider(
        "Rarity (theta)",
        THETAS,
        format_func=lambda value: f"{value:g}",
        key=path_settings.ready("threshold", "theta", THETAS, default),
        help="A path is rare when it has at most theta times as many samples as the most frequent path.",
    )


def _start_again_at(suggested: SuggestedSetting, now: tuple[str, str, str]) -> None:
    """Another network or reading has another suggestion: go there, but never on the first view of a shared link."""
    if state.remembered("threshold.of", now) != now:
        _use(suggested)
    state.remember("threshold.of", now)


def _use(suggested: SuggestedSetting) -> None:
    state.set_widget("threshold.coverage", suggested.coverage)
    state.set_widget("threshold.first_layer", suggested.first_layer)
    state.set_widget("threshold.theta", suggested.theta)


def _reason(setting: dict[str, Any], theta: float, suggested: SuggestedSetting) -> None:
    chosen = setting["coverage"], setting["first_layer"], theta
    if chosen == (suggested.coverage, suggested.first_layer, suggested.theta):
        views.quiet(f"This is the suggested setting. {suggested.reason}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Back to the suggested setting", key="threshold.suggested", on_click=_use, args=(suggested,))
        with st.container(width="stretch"):
            views.quiet(f"Suggested: theta {suggested.theta:g}. {suggested.reason}")


def _tried(suggested: SuggestedSetting) -> None:
    table = settings_table(suggested.table, coverage=suggested.coverage, first_layer=suggested.first_layer)
    label = f"All {len(table)} settings that were tried for the suggestion"
    views.table_expander(table, key="threshold.settings", name="settings tried", label=label)


def _numbers(split: SampleSplit) -> None:
    cut = split.counts
    with views.cards(min_width=215, most=4):
        views.number_card("Rare means", f"≤ {count(cut.threshold_count)}", _threshold_words(split))
        views.number_card("Rare paths", count(cut.rare_paths), f"of {count(cut.paths)} distinct paths")
        views.number_card(
            "Conflict samples",
            count(cut.conflict_samples),
            f"{quantity(cut.conflict_samples / max(cut.samples, 1), 'percent')} of {count(cut.samples)} samples",
        )
        views.number_card("Where theta changes nothing", *_unchanged_words(split))


def _threshold_words(split: SampleSplit) -> str:
    cut = split.counts
    return f"samples on the path: theta × M = {cut.theta:g} × {count(cut.most_frequent)} = {number(cut.threshold)}"


def _unchanged_words(split: SampleSplit) -> tuple[str, str]:
    low, high = split.neighbours
    if high == float("inf"):
        return f"from {low:.3g} up", "every larger theta cuts off the same samples"
    if low == 0:
        return f"below {high:.3g}", "every smaller theta cuts off nothing either"
    return f"{low:.3g} to {high:.3g}", "every theta in between cuts off the same samples"


def _charts(counts: np.ndarray, split: SampleSplit) -> None:
    left, right = views.side_by_side()
    with left:
        chart = path_frequency_histogram(counts, threshold_count=split.threshold_count, mode=theme.mode())
        views.show_chart(chart, key="threshold.histogram")
    with right:
        chart = cumulative_share(counts, threshold_count=split.threshold_count, mode=theme.mode())
        views.show_chart(chart, key="threshold.cumulative")


def _hand_over(setting: dict[str, Any], theta: float, split: SampleSplit) -> None:
    if st.button("Repair with this setting", type="primary", key="threshold.repair", icon=":material/build:"):
        state.remember("repair.setting", {**setting, "rarity": theta})
        st.switch_page("pages/repair.py")
    if split.conflict_samples and st.button(
        "Look at one of these samples", key="threshold.look", icon=":material/account_tree:"
    ):
        path_settings.hand_over("paths", {**setting, "part": "train", "row": int(split.conflicting.argmax())})
        st.switch_page("pages/paths.py")


show()
