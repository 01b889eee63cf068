"""Is a worker alive? Workers say so in a small file each; asking costs no import of the numerics."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from fairneuron_core.workspace import Workspace

ENDED_STUBBORN_WORK = 3
"""Exit status of a worker that ended itself because its work did not stop when it was asked to."""


@dataclass(frozen=True)
class WorkerStatus:
    """Whether a worker of the workspace lives on this machine, its process id, and its last sign of life."""

    alive: bool
    pid: int | None = None
    heartbeat: datetime | None = None


def beat(workspace: Workspace) -> None:
    """Say that this process works for the workspace."""
    path = _file(workspace, os.getpid())
    path.parent.mkdir(exist_ok=True)
    path.touch()


def forget_beat(workspace: Workspace, pid: int | None = None) -> None:
    """Say that a worker (this process, or the one of `pid`) has ended."""
    _file(workspace, pid or os.getpid()).unlink(missing_ok=True)


def live_workers(workspace: Workspace) -> list[int]:
    """Return the process ids of the workspace's workers that live on this machine."""
    return [pid for pid, _ in _live(workspace)]


def worker_status(workspace: Workspace) -> WorkerStatus:
    """Return the state of the workspace's workers: alive when at least one lives."""
    found = sorted(_live(workspace), key=lambda pair: pair[1], reverse=True)
    return WorkerStatus(True, found[0][0], found[0][1]) if found else WorkerStatus(False)


def _live(workspace: Workspace) -> Iterator[tuple[int, datetime]]:
    for path in (workspace.home / "workers").glob("*.alive"):
        try:
            process = psutil.Process(int(path.stem))
            # Process ids are used again: the command line tells whether it still is a worker.
            alive = process.status() != psutil.STATUS_ZOMBIE and any("runs.worker" in w for w in process.cmdline())
            if alive:
                yield int(path.stem), datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except (OSError, ValueError, psutil.Error):
            continue


def _file(workspace: Workspace, pid: int) -> Path:
    return workspace.home / "workers" / f"{pid}.alive"
