"""Long work from a page: start it, watch it live, stop it. The run's id stands in the address and survives a reload."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.report.figures import training_curves
from fairneuron_core.runs import cancel, restart, submit
from fairneuron_core.store import RunRecord, get_run, list_runs, open_store, points
from pages.ui import state, theme, views
from pages.ui.cache import workspace

_ENDED = {
    "failed": "This run ended with an error",
    "cancelled": "This run was cancelled",
    "lost": "The worker of this run was stopped before it finished (or the machine restarted)",
}


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import the numerics in the background, once per server, while the viewer reads the first page."""
    thread = threading.Thread(target=_import_numerics, name="warm-up", daemon=True)
    thread.start()
    return thread


def _import_numerics() -> None:
    import fairneuron_core.jobs  # noqa: F401


def start(kind: str, params: Mapping[str, Any]) -> RunRecord:
    """Hand a job to the worker and put its run into the address; an equal run that is done is opened instead."""
    with st.spinner("Handing the work to the worker"):
        run = submit(workspace(), kind, dict(params))
    state.choose(run=run.id)
    return run


def find(run_id: str | None) -> RunRecord | None:
    """Return the run of that id, or None where there is none (any more)."""
    if not run_id:
        return None
    try:
        return get_run(open_store(workspace()), run_id)
    except FairNeuronError:
        return None


def recent(limit: int) -> list[RunRecord]:
    """Return the newest runs of this server."""
    return list_runs(open_store(workspace()), limit=limit)


def watch(run: RunRecord, *, curves: bool = True) -> None:
    """Show a run that is under way, every second anew, until it has ended; then the whole page runs again."""
    if not run.active:
        _ended(run)
        return

    @st.fragment(run_every=1.0)
    def live() -> None:
        now = find(run.id)
        if now is None or not now.active:
            st.rerun()
        _progress(now)
        if curves and (trace := _trace(now.id)):
            chart = training_curves(trace, mode=theme.mode())
            views.show_chart(chart, key=f"run.{now.id}.curves")
        if st.button("Cancel", key=f"run.{now.id}.cancel", icon=":material/stop_circle:"):
            cancel(workspace(), now.id)

    live()


def _progress(run: RunRecord) -> None:
    if run.state == "queued":
        st.progress(0.0, "Waiting for the worker")
        return
    words = views.markdown_plain(run.message or "Starting")
    left = time_left(run)
    st.progress(min(max(run.share, 0.0), 1.0), f"{words} · {run.share:.0%}{left}")
    if run.cancel_requested:
        st.caption("Stopping")


def time_left(run: RunRecord) -> str:
    """Return ` · about 12 s left`, or nothing while it is too early to say."""
    if run.started is None or run.share < 0.03:
        return ""
    spent = (datetime.now(UTC) - run.started).total_seconds()
    left = spent * (1 - run.share) / run.share
    return f" · about {left:.0f} s left" if left < 90 else f" · about {left / 60:.0f} min left"


def _trace(run_id: str) -> list[dict[str, Any]]:
    """The newest stage's points of the live trace: a tour trains several times."""
    found = [dict(point.values) for point in points(open_store(workspace()), run_id)]
    stage = found[-1].get("stage") if found else None
    return [point for point in found if point.get("stage") == stage]


def _ended(run: RunRecord) -> None:
    if run.state == "done":
        return
    words = f"{_ENDED.get(run.state, run.state)}. {run.error or ''}".strip()
    views.warning_box(words)
    if st.button("Start it again", key=f"run.{run.id}.again", icon=":material/replay:"):
        again = restart(workspace(), run.id)
        state.choose(run=again.id)
        st.rerun()
