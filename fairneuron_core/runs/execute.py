"""Carrying out one run: claim it, do the work under a heartbeat, write down how it ended."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fairneuron_core.errors import Cancelled, FairNeuronError
from fairneuron_core.runs.manifest import environment
from fairneuron_core.runs.pulse import Pulse
from fairneuron_core.runs.submit import find_job
from fairneuron_core.store import (
    RunRecord,
    Store,
    cancel_run,
    claim_run,
    fail_run,
    finish_run,
    get_run,
    open_store,
)
from fairneuron_core.workspace import Workspace

if TYPE_CHECKING:
    from fairneuron_core.jobs import JobRow


def execute(
    workspace: Workspace,
    run_id: str,
    *,
    worker_pid: int | None = None,
    jobs: Mapping[str, JobRow] | Callable[[], Mapping[str, JobRow]] | None = None,
    on_stubborn: Callable[[], None] | None = None,
) -> bool:
    """Carry out a queued run and return True; False when somebody else took, cancelled or deleted it.

    `jobs` may be a function: where importing the jobs fails, it is the run that fails.
    An error ends in the run's row as one sentence; the traceback of an unexpected one goes to a log file.
    """
    store = open_store(workspace)
    if not claim_run(store, run_id, worker_pid=worker_pid, environment=environment()):
        return False
    try:
        _work(store, get_run(store, run_id), jobs, on_stubborn)
    except Cancelled:
        cancel_run(store, run_id)
    except FairNeuronError as error:
        fail_run(store, run_id, error=str(error))
    except (Exception, SystemExit) as error:
        fail_run(store, run_id, error=_logged(workspace, run_id, error))
    return True


def _work(
    store: Store,
    run: RunRecord,
    jobs: Mapping[str, JobRow] | Callable[[], Mapping[str, JobRow]] | None,
    on_stubborn: Callable[[], None] | None,
) -> None:
    from fairneuron_core.jobs import JobContext

    with Pulse(store, run.id, on_stubborn=on_stubborn) as pulse:
        job = find_job(run.kind, jobs() if callable(jobs) else jobs)
        result = job.run(run.params, JobContext(store.workspace, pulse.progress, run.id))
    finish_run(store, run.id, results=result.results, artefacts=result.artefacts)


def _logged(workspace: Workspace, run_id: str, error: BaseException) -> str:
    path = workspace.home / "logs" / f"{run_id}.log"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return (
        f"The work stopped at an unexpected error ({type(error).__name__}): the details are in "
        f"{path.parent.name}/{path.name} in the workspace folder; restart the run, or change its settings."
    )
