"""Is a worker alive? Asked by pages, /healthz and the command line, without importing the numerics."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from fairneuron_core.workspace import Workspace


@dataclass(frozen=True)
class WorkerStatus:
    """Whether the first worker of the workspace lives on this machine, its process id, and since when it works."""

    alive: bool
    pid: int | None = None
    since: datetime | None = None


def worker_status(workspace: Workspace) -> WorkerStatus:
    """Return the state of the workspace's first worker; it is alive once it takes runs."""
    try:
        said = json.loads((workspace.home / "worker-0.json").read_text(encoding="utf-8"))
        process = psutil.Process(int(said["pid"]))
        # Process ids are used again: the name tells whether it still is our worker.
        alive = process.status() != psutil.STATUS_ZOMBIE and any("runs.worker" in word for word in process.cmdline())
    except (OSError, ValueError, KeyError, psutil.Error):
        return WorkerStatus(False)
    return WorkerStatus(alive, int(said["pid"]), datetime.fromtimestamp(said["since"], UTC))
