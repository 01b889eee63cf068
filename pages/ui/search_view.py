"""What a finished search shows: the chosen trial and why, all trials, what each setting did, and the test part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.report.figures import search_parallel, search_scatter, setting_effect, trial_table
from fairneuron_core.report.figures_search import LOGARITHMIC, varied
from fairneuron_core.report.names import short_label
from fairneuron_core.report.words import duration
from fairneuron_core.store import RunRecord
from pages.ui import theme, views
from pages.ui.repair_view import show_change

GAPS = ("demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference")
_ENGINES = {"grid": "a grid", "optuna": "Optuna", "ray": "a Ray cluster"}


def show_search_result(run: RunRecord) -> None:
    """Show all trials of a search, the chosen one and why, and its change on the test part."""
    results, key = run.results, f"result.{run.id}"
    st.markdown(f"**{views.markdown_plain(results['reason'])}**")
    views.quiet(_how(results))
    table = trial_table(results)
    _trials(results, table, key=key)
    _frontier(results, key=key)
    _effects(results, table, key=key)
    if results.get("model"):
        views.section("The chosen trial on the test part", "Rows that neither the training nor the search has seen.")
        show_change(results)


def _how(results: Mapping[str, Any]) -> str:
    """Say by what the points were named, how long it took, and which first layer counts and why."""
    said = [f"{len(results['trials'])} trials by {_ENGINES.get(results.get('engine', ''), 'a grid')}"]
    if seconds := results.get("seconds"):
        said.append(f"in {duration(float(seconds))}")
    words = " ".join(said) + "."
    if reason := results.get("first_layer_reason"):
        layer = results.get("first_layer")
        words += f" First layer that counts: {'' if layer is None else f'{layer}, '}{reason.rstrip('.')}."
    return words


def _trials(results: Mapping[str, Any], table: pd.DataFrame, *, key: str) -> None:
    views.section("All trials")
    views.show_chart(search_parallel(results, mode=theme.mode()), key=f"{key}.parallel", title=False)
    columns = ["trial", "standing", *varied(table), *(n for n in ("accuracy", *GAPS, "score") if n in table)]
    columns += ["conflict_samples", "not eligible because", "same training as trial"]
    best_first = table.sort_values("score", na_position="last", kind="stable")[columns]
    st.dataframe(
        best_first,
        hide_index=True,
        key=f"{key}.trials",
        height=min(360, 36 * (len(table) + 1) + 3),
        column_config=_columns(),
    )
    with st.container(horizontal=True):
        views.csv_button(table, key=f"{key}.csv", name="trials")
        st.download_button(
            "Download JSON",
            data=lambda: json.dumps({k: v for k, v in results.items() if k not in ("before", "after", "paired")}),
            file_name="trials.json",
            mime="application/json",
            key=f"{key}.json",
            on_click="ignore",
            icon=":material/download:",
        )


def _columns() -> dict[str, Any]:
    names = ("accuracy", "parity gap", "opportunity gap", "odds gap")
    figures = zip(("accuracy", *GAPS), names, strict=True)
    shares = {name: st.column_config.NumberColumn(words, format="%.3f") for name, words in figures}
    return {
        **shares,
        **{name: st.column_config.NumberColumn(name.replace("_", " "), format="%.4g") for name in LOGARITHMIC},
        "score": st.column_config.NumberColumn("score", format="%.3f"),
        "dropout": st.column_config.NumberColumn("dropout", format="%.2f"),
        "first_layer": st.column_config.NumberColumn("first layer", format="%d"),
        "conflict_samples": st.column_config.NumberColumn("conflict samples", format="%d"),
    }


def _frontier(results: Mapping[str, Any], *, key: str) -> None:
    views.section("Accuracy against gap")
    known = [name for name in GAPS if name in results["validation_before"]]
    gap = st.segmented_control(
        "Gap", known, default=known[0], format_func=short_label, key=f"{key}.gap", label_visibility="collapsed"
    )
    name = gap or known[0]
    chart = search_scatter(_points(results, name), mode=theme.mode(), gap_name=name)
    views.show_chart(chart, key=f"{key}.frontier", title=False)


def _points(results: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    before = results["validation_before"]
    points = [{"accuracy": before["accuracy"], "gap": before[name], "label": "the given network", "before": True}]
    for position, trial in enumerate(results["trials"]):
        points.append(
            {
                "accuracy": trial["metrics"]["accuracy"],
                "gap": trial["metrics"][name],
                "label": f"theta {trial['theta']:.3g}, gamma {trial['gamma']:g}",
                "eligible": trial["ineligible"] is None,
                "chosen": position == results["chosen"],
            }
        )
    return points


def _effects(results: Mapping[str, Any], table: pd.DataFrame, *, key: str) -> None:
    """Show theta and gamma side by side; what a sampler varied besides is folded away."""
    moved = varied(table)
    main, others = ([n for n in moved if (n in ("theta", "gamma")) == wanted] for wanted in (True, False))
    if not main:
        return
    views.section("What theta and gamma did", "On the validation part; the dashed line is the given network.")
    _pairs(results, main, key=key)
    if others:
        with st.expander("What the other settings did", icon=":material/tune:"):
            _pairs(results, others, key=key)


def _pairs(results: Mapping[str, Any], settings: list[str], *, key: str) -> None:
    for first in range(0, len(settings), 2):
        for cell, name in zip(views.side_by_side(), settings[first : first + 2], strict=False):
            with cell:
                views.show_chart(setting_effect(results, name, mode=theme.mode()), key=f"{key}.effect.{name}")
