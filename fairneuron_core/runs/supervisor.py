"""Keep the worker processes of a workspace alive as long as the dashboard is, and clear up behind those that died.

Several dashboards may share a workspace: the one that holds the lock runs the workers, the others wait for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fairneuron_core.errors import SettingError
from fairneuron_core.runs.queue import enqueue
from fairneuron_core.runs.status import ENDED_STUBBORN_WORK, forget_beat, live_workers
from fairneuron_core.store import file_lock, keep_days, list_runs, open_store, purge_older, reap, sweep_artefacts
from fairneuron_core.store import now as utc_now
from fairneuron_core.workspace import Workspace

CHECK_S = 0.3
REAP_S = 5.0
PURGE_S = 3600.0
YOUNG_S = 5.0
OVERDUE_S = 1.6
LOG_BYTES = 1_000_000
SLOWEST_RESTART_S = 30.0
STOP_S = 1.2

_LOG = logging.getLogger(__name__)


@dataclass
class _Place:
    """One place for a worker: its process, when it may be started again, and how often in a row it died young."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    not_before: float = 0.0
    failures: int = 0

    def found_dead(self, at: float) -> int | None:
        """Return the process id of a worker that has just died.

        The more workers in a row died young, the later the next one starts; one that was ended to stop its work is
        replaced at once.
        """
        if self.process is None or self.process.poll() is None:
            return None
        pid = self.process.pid
        young = at - self.started < YOUNG_S and self.process.returncode != ENDED_STUBBORN_WORK
        self.failures = self.failures + 1 if young else 0
        self.not_before = at + min(2.0**self.failures, SLOWEST_RESTART_S) if young else at
        self.process = None
        return pid


@dataclass
class WorkerHandle:
    """The supervisor of one workspace: a thread that looks after its workers until `stop()`."""

    workspace: Workspace
    workers: int
    options: Sequence[str]
    _places: list[_Place] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that this supervisor has started and that live."""
        return [p.process.pid for p in self._places if p.process is not None and p.process.poll() is None]

    def start(self) -> None:
        """Begin to look after the workers."""
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all workers within two seconds; a run in progress is marked lost."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        lock = self.workspace.home / "supervisor.lock"
        while not self._stopping.is_set():
            with file_lock(lock, wait=False) as held:
                if held:
                    self._look_after_workers()
            self._stopping.wait(CHECK_S)

    def _look_after_workers(self) -> None:
        self._places = [_Place() for _ in range(self.workers)]
        next_reap = next_purge = 0.0
        self._put_waiting_runs_into_the_queue()
        try:
            while not self._stopping.wait(CHECK_S):
                with _logged():
                    self._kill_overdue()
                    gone = self._restart_dead()
                    now = time.monotonic()
                    if gone or now >= next_reap:
                        next_reap = now + REAP_S
                        self._reap(gone)
                    if now >= next_purge:
                        next_purge = now + PURGE_S
                        self._purge()
        finally:
            self._end_all()

    def _put_waiting_runs_into_the_queue(self) -> None:
        with _logged():
            waiting = list_runs(open_store(self.workspace), limit=None, state="queued")
            enqueue(self.workspace, *(run.id for run in reversed(waiting)))

    def _kill_overdue(self) -> None:
        """End workers whose work was told to stop long ago: it holds the interpreter, so no thread there can act."""
        limit = utc_now() - timedelta(seconds=OVERDUE_S)
        running = list_runs(open_store(self.workspace), limit=None, state="running")
        here = [run for run in running if run.environment.get("machine", platform.node()) == platform.node()]
        overdue = {run.worker_pid for run in here if run.cancel_requested and run.cancel_requested < limit}
        for place in self._places:
            if place.process is not None and place.process.pid in overdue:
                place.process.kill()
                place.process.wait()
                place.started = float("-inf")  # it did not die young by itself

    def _restart_dead(self) -> list[int]:
        now = time.monotonic()
        gone = [pid for place in self._places if (pid := place.found_dead(now)) is not None]
        for place in self._places:
            if place.process is None and now >= place.not_before:
                place.process, place.started = self._spawn(), now
        return gone

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fairneuron_core.runs.worker", "--workspace", str(self.workspace.home)]
        command += ["--parent", str(os.getpid()), *self.options]
        with _log_file(self.workspace).open("ab") as log:
            # A session of its own: Ctrl-C on the dashboard reaches the worker through stop() only.
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Threads that wait for one another should sleep: the dashboard needs the same processors.
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
            )

    def _reap(self, gone: Sequence[int]) -> None:
        for pid in gone:
            forget_beat(self.workspace, pid)
        alive = [pid for pid in (*self.pids, *live_workers(self.workspace)) if pid not in gone]
        reap(open_store(self.workspace), alive=alive, gone=gone)
        if gone:
            # A worker that dies between taking a message and claiming its run takes the message along.
            self._put_waiting_runs_into_the_queue()

    def _purge(self) -> None:
        if (days := keep_days()) is not None:
            purge_older(open_store(self.workspace), days)
        sweep_artefacts(open_store(self.workspace))

    def _end_all(self) -> None:
        processes = [place.process for place in self._places if place.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with _logged():
            self._reap([process.pid for process in processes])


def _log_file(workspace: Workspace) -> Path:
    """Return the file for the workers' output; a long one is set aside first, in place of the one before."""
    path = workspace.home / "logs" / "worker.log"
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


@contextlib.contextmanager
def _logged():  # type: ignore[no-untyped-def]
    """Let the watch outlive a full disk or a busy database; the log says what happened."""
    try:
        yield
    except Exception:
        _LOG.exception("The supervisor could not do its round.")


def start_worker(workspace: Workspace, *, workers: int | None = None, options: Sequence[str] = ()) -> WorkerHandle:
    """Start and supervise the workers of a workspace (`$FAIRNEURON_WORKERS`, usually 1)."""
    given = os.environ.get("FAIRNEURON_WORKERS") or "1"
    if workers is None and not (given.isdecimal() and int(given) >= 1):
        raise SettingError(f"FAIRNEURON_WORKERS is '{given}': write a whole number from 1 on, or leave it unset.")
    open_store(workspace)
    handle = WorkerHandle(workspace, workers if workers is not None else int(given), options)
    handle.start()
    return handle
