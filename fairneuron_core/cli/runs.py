"""`fairneuron runs`: the same list of runs that the browser shows."""

from __future__ import annotations

from typing import Any

from fairneuron_core.runs import manifest
from fairneuron_core.store import RunRecord, get_run, list_runs, open_store
from fairneuron_core.workspace import Workspace


def list_all(workspace: Workspace, *, limit: int) -> dict[str, Any]:
    """Return the newest runs, without their results."""
    return {"runs": [_brief(run) for run in list_runs(open_store(workspace), limit=limit)]}


def show_run(run_id: str, workspace: Workspace) -> dict[str, Any]:
    """Return one run with its manifest and results (NotFoundError when there is none)."""
    run = get_run(open_store(workspace), run_id)
    return _brief(run) | {"error": run.error, "results": dict(run.results), "manifest": manifest(run)}


def _brief(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title,
        "state": run.state,
        "share": run.share,
        "message": run.message,
        "created": run.created.isoformat(timespec="seconds"),
        "seconds": run.seconds,
    }
