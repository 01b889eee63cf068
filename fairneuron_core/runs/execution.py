"""Carry out one run: claim it, work, keep its row alive, stop when asked, and leave its end in words.

A second thread (the pulse) writes heartbeat, progress and new points twice a second and reads the cancel flag. The
work sees the flag at its next progress report and stops. Work that does not report in time is ended with its process.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from fairneuron_core import __version__
from fairneuron_core.errors import Cancelled, FairNeuronError
from fairneuron_core.jobs import JOBS, JobContext, JobRow
from fairneuron_core.store import (
    Store,
    cancel_run,
    claim_run,
    fail_run,
    finish_run,
    get_run,
    open_store,
    update_run,
)
from fairneuron_core.types import Progress
from fairneuron_core.workspace import Workspace

BEAT_S = 0.4
PATIENCE_S = 1.2
ENDED_BY_CANCEL = 75

_LOG = logging.getLogger(__name__)


class Pulse:
    """Keeps a run's row alive while its work goes on. The newest progress lives in memory until the next beat."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._newest = Progress(0.0, "Starting")
        self._points: list[Mapping[str, Any]] = []
        self._cancelled, self._stopped = threading.Event(), threading.Event()
        self._asked_at: float | None = None
        self._thread = threading.Thread(target=self._beat, name=f"pulse-{run_id}", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._write()

    def report(self, progress: Progress) -> None:
        """Remember how far the work is; raises `Cancelled` when somebody asked it to stop. Cheap: no I/O."""
        if self._cancelled.is_set():
            raise Cancelled
        self._newest = progress
        if progress.point is not None:
            self._points.append(progress.point)

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT_S):
            try:
                self._write()
            except (
                Exception
            ):  # The work must not die of a database that is busy for a moment; the next beat tries again.
                _LOG.warning("A heartbeat of run %s was not written.", self._run_id, exc_info=True)
            self._end_stubborn_work()

    def _write(self) -> None:
        fresh, self._points = self._points, []
        now = self._newest
        row = update_run(self._store, self._run_id, share=now.share, message=now.message, points=fresh)
        if (row is None or row.cancel_requested) and self._asked_at is None:
            self._asked_at = time.monotonic()
            self._cancelled.set()

    def _end_stubborn_work(self) -> None:
        if self._asked_at is not None and time.monotonic() - self._asked_at > PATIENCE_S:
            cancel_run(self._store, self._run_id, message="Cancelled; the work was ended with its process.")
            os._exit(ENDED_BY_CANCEL)


def execute(workspace: Workspace, run_id: str, *, jobs: Mapping[str, JobRow] | None = None) -> None:
    """Work on one queued run in this thread; a run that is no longer queued is left alone."""
    store, table = open_store(workspace), JOBS if jobs is None else jobs
    if not claim_run(store, run_id, worker_pid=os.getpid(), environment=_environment()):
        return
    run = get_run(store, run_id)
    try:
        with Pulse(store, run_id) as pulse:
            context = JobContext(workspace, pulse.report, run_id)
            result = table[run.kind].run(run.params, context)
        finish_run(store, run_id, results=result.results, artefacts=result.artefacts)
    except Cancelled:
        cancel_run(store, run_id)
    except FairNeuronError as error:
        fail_run(store, run_id, error=str(error))
    except Exception as error:
        log = _write_log(workspace, run_id)
        words = f"The work stopped on an unexpected {type(error).__name__}; the details are in the log file {log}."
        fail_run(store, run_id, error=words)


def _write_log(workspace: Workspace, run_id: str) -> str:
    """Write the traceback of the exception being handled into the workspace, and return the file's name."""
    folder = workspace.home / "logs"
    folder.mkdir(exist_ok=True)
    (folder / f"run-{run_id}.log").write_text(traceback.format_exc(), encoding="utf-8")
    return f"logs/run-{run_id}.log"


def _environment() -> dict[str, Any]:
    import numpy
    import torch

    from fairneuron_core.models import device_words

    return {
        "fairneuron": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "machine": platform.node(),
        "system": platform.platform(),
        "device": device_words(),
        "cores": os.cpu_count(),
    }
