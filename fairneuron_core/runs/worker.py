"""The process that works: `python -m fairneuron_core.runs.worker --workspace DIR`.

One at a time per workspace and slot: a second one waits for the lock of the first and takes over when it ends. It ends
by itself when the process that started it is gone, so that a closed dashboard leaves nothing behind.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from huey.consumer import Consumer

from fairneuron_core.jobs import JOBS, JobRow
from fairneuron_core.runs.execution import execute
from fairneuron_core.runs.queue import RunQueue, open_queue
from fairneuron_core.store import file_lock, list_runs, open_store
from fairneuron_core.workspace import Workspace, open_workspace

POLL_S = 0.3


def main() -> None:
    """Wait for the slot's lock, then work until stopped."""
    arguments = _arguments()
    workspace = open_workspace(arguments.workspace)
    _end_with(arguments.parent)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    jobs = _job_table(arguments.jobs)
    _warm_up()
    lock = workspace.home / f"worker-{arguments.slot}.lock"
    with _held(lock):
        work(workspace, jobs=jobs, slot=arguments.slot)


def work(workspace: Workspace, *, jobs: Mapping[str, JobRow], slot: int) -> None:
    """Consume the queue until a signal ends it."""
    queue = open_queue(workspace, work=lambda run_id: execute(workspace, run_id, jobs=jobs))
    _announce(workspace, slot)
    _ask_again_for_waiting_runs(workspace, queue)
    # One thread per process: ending a stubborn run ends one process, and the supervisor starts another.
    Consumer(queue.huey, workers=1, periodic=False, initial_delay=0.05, max_delay=POLL_S, worker_type="thread").run()


def status_file(workspace: Workspace, slot: int) -> Path:
    """Return the file in which the worker of a slot says that it is alive."""
    return workspace.home / f"worker-{slot}.json"


def _announce(workspace: Workspace, slot: int) -> None:
    path = status_file(workspace, slot)
    path.write_text(json.dumps({"pid": os.getpid(), "since": time.time()}), encoding="utf-8")


def _ask_again_for_waiting_runs(workspace: Workspace, queue: RunQueue) -> None:
    for run in reversed(list_runs(open_store(workspace), limit=None, state="queued")):
        queue.put(run.id)


class _held:  # noqa: N801
    """Wait for a lock in small steps, so that the watch over the parent can end this process meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        while True:
            self._lock = file_lock(self._path, wait=False)
            if self._lock.__enter__():
                return
            self._lock.__exit__(None, None, None)
            time.sleep(POLL_S)

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__(None, None, None)


def _end_with(parent: int | None) -> None:
    """End this process when `parent`, which started it, is no longer its parent."""
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_S)
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _warm_up() -> None:
    """Compile or load the slicing kernels before the first run needs them."""
    from fairneuron_core.paths import compile_kernels

    compile_kernels()


def _job_table(name: str | None) -> Mapping[str, JobRow]:
    """Return JOBS, or the table that `module:NAME` names."""
    if name is None:
        return JOBS
    module, _, table = name.partition(":")
    found: Mapping[str, JobRow] = getattr(importlib.import_module(module), table)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fairneuron worker", description="Work on the queued runs of a workspace.")
    parser.add_argument("--workspace", help="folder of runs and models ($FAIRNEURON_HOME)")
    parser.add_argument("--slot", type=int, default=0, help="number of this worker; each slot has one process")
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    parser.add_argument("--jobs", metavar="MODULE:TABLE", help="another table of jobs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
