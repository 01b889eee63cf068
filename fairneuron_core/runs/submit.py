"""Submitting, restarting and cancelling runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fairneuron_core.errors import SettingError
from fairneuron_core.runs.queue import enqueue
from fairneuron_core.store import RunRecord, create_run, get_run, open_store, request_cancel
from fairneuron_core.workspace import Workspace

if TYPE_CHECKING:
    from fairneuron_core.jobs import JobRow


def submit(
    workspace: Workspace,
    kind: str,
    params: Mapping[str, Any],
    *,
    title: str | None = None,
    reuse: bool = True,
    jobs: Mapping[str, JobRow] | None = None,
) -> RunRecord:
    """Check the settings and hand the run to the worker.

    With `reuse`, a run of an equal spec that is done, working or waiting is returned instead. Raises SettingError for
    an unknown kind, and whatever the job's own check raises.
    """
    job = find_job(kind, jobs)
    checked = job.check(params)
    run = create_run(open_store(workspace), kind=kind, params=checked, title=title or job.title(checked), reuse=reuse)
    return _sent(workspace, run)


def restart(workspace: Workspace, run_id: str) -> RunRecord:
    """Run the same settings again, as a new run that remembers the old one (SettingError while that still works)."""
    store = open_store(workspace)
    old = get_run(store, run_id)
    if old.active:
        raise SettingError(f"The run '{old.title}' ({old.id}) has not ended: cancel it first, then restart it.")
    run = create_run(store, kind=old.kind, params=old.params, title=old.title, retry_of=old.id)
    return _sent(workspace, run)


def cancel(workspace: Workspace, run_id: str) -> RunRecord:
    """Ask a run to stop: a queued one is cancelled at once, a running one within 2 s; an ended one stays as it is."""
    return request_cancel(open_store(workspace), run_id)


def find_job(kind: str, jobs: Mapping[str, JobRow] | None = None) -> JobRow:
    """Return the job of that kind from `jobs` (default: all there are); SettingError when it is unknown."""
    if jobs is None:
        from fairneuron_core.jobs import JOBS  # imported late: it brings torch

        jobs = JOBS
    if kind not in jobs:
        raise SettingError(f"There is no job of kind '{kind}': choose from {', '.join(jobs)}.")
    return jobs[kind]


def _sent(workspace: Workspace, run: RunRecord) -> RunRecord:
    if run.state == "queued":
        enqueue(workspace, run.id)
    return run
