"""Hand work to the worker, stop it, start it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairneuron_core.errors import SettingError
from fairneuron_core.jobs import JOBS, JobRow
from fairneuron_core.runs.queue import open_queue
from fairneuron_core.store import RunRecord, create_run, get_run, open_store, request_cancel
from fairneuron_core.workspace import Workspace


def submit(
    workspace: Workspace,
    kind: str,
    params: Mapping[str, Any],
    *,
    title: str | None = None,
    reuse: bool = True,
    jobs: Mapping[str, JobRow] | None = None,
) -> RunRecord:
    """Check the settings and queue a run; with `reuse`, a run of an equal spec that is done or active is returned.

    Raises SettingError for an unknown kind or a wrong setting: nothing is queued then.
    """
    table = JOBS if jobs is None else jobs
    if kind not in table:
        raise SettingError(f"Unknown kind of work '{kind}': choose one of {', '.join(table)}.")
    checked = table[kind].check(params)
    run = create_run(
        open_store(workspace), kind=kind, params=checked, title=title or table[kind].title(checked), reuse=reuse
    )
    return _queued(workspace, run)


def restart(workspace: Workspace, run_id: str) -> RunRecord:
    """Queue the same spec once more as a run of its own that remembers the first one."""
    store = open_store(workspace)
    old = get_run(store, run_id)
    return _queued(workspace, create_run(store, kind=old.kind, params=old.params, title=old.title, retry_of=old.id))


def cancel(workspace: Workspace, run_id: str) -> RunRecord:
    """Ask a run to stop: a queued one is cancelled at once, a running one within two seconds."""
    return request_cancel(open_store(workspace), run_id)


def _queued(workspace: Workspace, run: RunRecord) -> RunRecord:
    if run.state == "queued":
        # A message too many does no harm, one too few would leave the run waiting for ever.
        open_queue(workspace).put(run.id)
    return run
