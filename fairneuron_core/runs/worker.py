"""The worker process: `python -m fairneuron_core.runs.worker --workspace DIR` takes runs from the queue, one at a time.

Huey's consumer runs here with ONE THREAD, and a worker is a process of its own, started as a fresh interpreter by the
supervisor (several of them for FAIRNEURON_WORKERS > 1). Huey's "process" workers would fork a process that may have
threads, and on macOS a forked numpy or torch can hang in the system's own numerics; a fresh interpreter is the same
everywhere. Ending a worker ends the work in it, whatever that work is doing.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from fairneuron_core.runs.execute import execute
from fairneuron_core.runs.queue import open_queue, with_work
from fairneuron_core.runs.status import ENDED_STUBBORN_WORK, beat, forget_beat, live_workers
from fairneuron_core.store import open_store, reap
from fairneuron_core.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from fairneuron_core.jobs import JobRow

NICENESS = 5
BEAT_S = 0.5
_LOG = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> None:
    """Take runs until this process is told to end, or the process that started it has gone."""
    parser = argparse.ArgumentParser(prog="python -m fairneuron_core.runs.worker", description=main.__doc__)
    parser.add_argument("--workspace", metavar="DIR", help="folder of the store and the queue ($FAIRNEURON_HOME)")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process is no longer the parent")
    parser.add_argument("--jobs", default="fairneuron_core.jobs:JOBS", metavar="MODULE:TABLE", help="jobs to offer")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    workspace = open_workspace(given.workspace)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.nice(NICENESS)  # pages stay quick while the work uses every core
    threading.Thread(target=_watch, args=(workspace, given.parent, stop), name="watch", daemon=True).start()
    _consume(workspace, given.jobs, stop)
    forget_beat(workspace)
    # Work in progress runs in a thread that nothing can stop: leave without waiting for it.
    os._exit(0)


def _watch(workspace: Workspace, parent: int | None, stop: threading.Event) -> None:
    while not stop.wait(BEAT_S):
        with contextlib.suppress(OSError):  # without the workspace's folder it must still see its parent go
            beat(workspace)
        if parent is not None and os.getppid() != parent:
            _LOG.warning("The process that started this worker has gone: ending.")
            stop.set()


def _consume(workspace: Workspace, table: str, stop: threading.Event) -> None:
    beat(workspace)
    # Process ids are used again, in a restarted container even at once: runs under this one belong to a dead worker.
    reap(open_store(workspace), alive=live_workers(workspace), gone=[os.getpid()])
    queue = open_queue(workspace)
    with_work(queue, lambda run_id: _take(workspace, run_id, table))
    queue.on_startup()(lambda: preload(table))
    consumer = queue.create_consumer(
        workers=1, worker_type="thread", periodic=False, initial_delay=0.05, backoff=1.2, max_delay=0.25
    )
    consumer.scheduler.start()
    for _, thread in consumer.worker_threads:
        thread.start()
    while not stop.wait(1.0):
        consumer.check_worker_health()
    consumer.stop_flag.set()


def _take(workspace: Workspace, run_id: str, table: str) -> None:
    def give_up() -> None:
        os._exit(ENDED_STUBBORN_WORK)

    try:
        execute(workspace, run_id, worker_pid=os.getpid(), jobs=lambda: load_jobs(table), on_stubborn=give_up)
    except Exception:
        # The store could not be written, so the run would stay as it is for as long as this worker lives. The
        # supervisor marks the runs of a dead worker, and puts those that wait into the queue again.
        _LOG.exception("What became of run %s could not be written down: ending.", run_id)
        os._exit(1)


def load_jobs(table: str) -> Mapping[str, JobRow]:
    """Return the table that `module:name` names."""
    module, _, name = table.partition(":")
    return getattr(import_module(module), name)


def preload(table: str) -> None:
    """Import the jobs and compile the kernels before the first run asks for them; an error here waits for that run."""
    load_jobs(table)
    if table.startswith("fairneuron_core."):
        from fairneuron_core.paths import compile_kernels

        compile_kernels()


if __name__ == "__main__":
    main()
