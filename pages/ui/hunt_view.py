"""The Certify page's search for people who are decided differently: start it, watch its count, see whom it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from fairneuron_core.report.certificate_words import changed_words, decision_words, differs_words
from fairneuron_core.report.words import count, duration, markdown_plain
from fairneuron_core.store import RunRecord, list_runs, open_store
from fairneuron_core.types import Estimate
from pages.ui import cache, jobs, state, views
from pages.ui.certify_data import Question, decisions_needed

KIND = "hunt"
BUDGETS = (5.0, 20.0, 60.0, 300.0)
_RUNS = 200


def hunt_section(question: Question) -> None:
    """Offer a search with a time budget, show its live count, and what the newest search of this question found."""
    if decisions_needed(question) == 0:
        return  # nothing that may differ is read: there is nobody to look for
    changes = changed_words({"protected": list(question.protected), "within": dict(question.within)})
    views.section(
        "Search for such people",
        f"Made-up people whom a change of {changes} reaches: at random, along the gradient of the network, and by a "
        "solver. They become tests for every later network.",
    )
    run = run_of(question)
    if run is not None and run.state != "done":
        jobs.watch(run, curves=False)
    if run is None or not run.active:
        _start(question, again=run is not None)
    if run is not None and run.state == "done":
        _show(question, run)


def run_of(question: Question) -> RunRecord | None:
    """Return the search of this question: the one in the address, else the newest one that is done."""
    named = jobs.find(state.chosen("run"))
    if named is not None and _asks(named, question):
        return named
    done = list_runs(open_store(cache.workspace()), limit=_RUNS, kind=KIND, state="done")
    return next((run for run in done if _asks(run, question)), None)


def _settings(question: Question) -> dict[str, Any]:
    wanted = question.settings()
    return {name: wanted[name] for name in ("data", "model", "protected", "within") if name in wanted}


def _asks(run: RunRecord, question: Question) -> bool:
    wanted = _settings(question)
    same = all(run.params.get(name) == wanted[name] for name in ("data", "model", "protected"))
    return run.kind == KIND and same and (run.params.get("within") or None) == wanted.get("within")


def _start(question: Question, *, again: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        budget = st.selectbox(
            "Search for", BUDGETS, index=1, format_func=duration, key="certify.hunt.budget", width=160
        )
        seed = st.number_input("Seed", min_value=0, value=0, step=1, key="certify.hunt.seed", width=110)
        label = "Search again" if again else "Start the search"
        if st.button(label, key="certify.hunt", icon=":material/person_search:"):
            jobs.start(KIND, {**_settings(question), "budget": float(budget), "seed": int(seed)})
            st.rerun()


def _show(question: Question, run: RunRecord) -> None:
    found = run.results
    st.markdown(f"**{markdown_plain(found['sentence'])}**")
    with views.cards():
        rate = _estimate(found["rate"])
        least = "" if found["complete"] else "At the least: not every similar individual could be tried. "
        views.metric_card(
            "Rate at uniform random points", rate, words=f"{least}People who are allowed, not people who are likely."
        )
        views.number_card("Different people found", count(found["found"]), f"of {count(found['tried'])} tried")
        if len(found["by_attribute"]) > 1:
            for name, one in found["by_attribute"].items():
                said = f"{count(one['found'])} of those found need no other change"
                views.metric_card(f"{name} alone", _estimate(one["rate"]), words=said)
            views.number_card("Only together", count(found["together"]), "of those found: no single change suffices")
    with st.expander("What each strategy did", icon=":material/travel_explore:"):
        st.dataframe(_strategies(found), hide_index=True, key=f"certify.hunt.strategies.{run.id}")
    if found["pairs"]:
        _pairs(question, run)


def _estimate(found: Mapping[str, Any]) -> Estimate:
    value, low, high = (float("nan") if found[name] is None else found[name] for name in ("value", "low", "high"))
    return Estimate(value, low, high, found["n"])


def _strategies(found: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "strategy": one["title"],
                "tried": one["tried"],
                "different people found": one["found"],
                "seconds": one["seconds"],
                "remark": one["note"],
            }
            for one in found["by_strategy"].values()
        ]
    )


def _pairs(question: Question, run: RunRecord) -> None:
    from fairneuron_core.jobs.hunt import pairs_file_text

    found = run.results
    table = pd.DataFrame([_line(pair, found) for pair in found["pairs"]])
    st.dataframe(
        table,
        hide_index=True,
        key=f"certify.hunt.pairs.{run.id}",
        height=min(360, 36 * (len(table) + 1) + 3),
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in ("score", "score then")},
    )
    name = f"pairs-{question.data}-{question.model[:6]}.json"
    st.download_button(
        "Pairs as a test file",
        lambda: pairs_file_text(found, cache.dataset(question.data)),
        file_name=name,
        mime="application/json",
        key=f"certify.hunt.file.{run.id}",
        on_click="ignore",
        icon=":material/download:",
    )
    views.quiet(
        f"fairneuron audit --pairs {name} decides about every pair again and ends with exit status 1 while one of them "
        "is treated differently."
    )


def _line(pair: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "found by": found["by_strategy"][pair["strategy"]]["title"],
        "decided": decision_words(pair["decisions"][0]),
        "what changes": differs_words(pair),
        "decided then": decision_words(pair["decisions"][1]),
        "score": pair["scores"][0],
        "score then": pair["scores"][1],
        **{name: str(value) for name, value in pair["this"].items() if name not in pair["differs"]},
    }
