"""Keep the worker processes of a workspace alive as long as the dashboard is, and clear up behind those that died."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fairneuron_core.runs.status import worker_status
from fairneuron_core.store import keep_days, open_store, purge_older, reap
from fairneuron_core.workspace import Workspace

CHECK_S = 0.3
REAP_S = 5.0
PURGE_S = 3600.0
SLOWEST_RESTART_S = 30.0
STOP_S = 1.5

_LOG = logging.getLogger(__name__)


@dataclass
class _Slot:
    """One place for a worker: its process, when it may be started again, and how often in a row it died young."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    not_before: float = 0.0
    failures: int = 0
    started: float = 0.0


class WorkerHandle:
    """The supervisor of one workspace. `stop()` ends all its processes within two seconds."""

    def __init__(self, workspace: Workspace, *, workers: int, options: Sequence[str]) -> None:
        self._workspace, self._options = workspace, list(options)
        self._slots = [_Slot(number) for number in range(workers)]
        self._stopping = threading.Event()
        self._last_reap = self._last_purge = float("-inf")
        self._check()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that this supervisor has started and that live."""
        return [s.process.pid for s in self._slots if s.process is not None and s.process.poll() is None]

    def stop(self) -> None:
        """End all workers: politely first, then not."""
        self._stopping.set()
        self._thread.join(STOP_S)
        processes = [slot.process for slot in self._slots if slot.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)
        self._reap(gone=[process.pid for process in processes])

    def _watch(self) -> None:
        while not self._stopping.wait(CHECK_S):
            try:
                self._check()
            except Exception:  # The watch must outlive a full disk or a busy database.
                _LOG.exception("The supervisor could not do its round.")

    def _check(self) -> None:
        gone = [dead for slot in self._slots if (dead := self._look_after(slot)) is not None]
        now = time.monotonic()
        if gone or now - self._last_reap > REAP_S:
            self._last_reap = now
            self._reap(gone=gone)
        if now - self._last_purge > PURGE_S:
            self._last_purge = now
            if (days := keep_days()) is not None:
                purge_older(open_store(self._workspace), days)

    def _look_after(self, slot: _Slot) -> int | None:
        """Start the slot's worker where it is missing; return the process id of one that has just been found dead."""
        dead = None
        now = time.monotonic()
        if slot.process is not None:
            if slot.process.poll() is None:
                return None
            dead = slot.process.pid
            died_young = now - slot.started < 5
            slot.failures = slot.failures + 1 if died_young else 0
            slot.not_before = now + (min(2.0**slot.failures, SLOWEST_RESTART_S) if died_young else 0)
            slot.process = None
        if now >= slot.not_before and not self._stopping.is_set():
            slot.process, slot.started = self._spawn(slot.number), now
        return dead

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fairneuron_core.runs.worker", "--workspace", str(self._workspace.home)]
        command += ["--slot", str(number), "--parent", str(os.getpid()), *self._options]
        logs = self._workspace.home / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"worker-{number}.log").open("ab") as log:
            # A session of its own: Ctrl-C on the dashboard reaches the worker through stop() only.
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def _reap(self, *, gone: Sequence[int]) -> None:
        alive = self.pids
        with contextlib.suppress(OSError, json.JSONDecodeError):
            if (status := worker_status(self._workspace)).alive and status.pid is not None:
                alive.append(status.pid)
        reap(open_store(self._workspace), alive=[pid for pid in alive if pid not in gone], gone=gone)


def start_worker(workspace: Workspace, *, workers: int | None = None, options: Sequence[str] = ()) -> WorkerHandle:
    """Start and supervise the workers of a workspace (`$FAIRNEURON_WORKERS`, usually 1)."""
    count = workers or int(os.environ.get("FAIRNEURON_WORKERS") or 1)
    open_store(workspace)
    return WorkerHandle(workspace, workers=count, options=options)
