"""Long work: handed to a queue, done by a worker process, watched by a supervisor, described by a manifest.

The table of jobs, and torch with it, is imported by the first submission, not by this package.
"""

from __future__ import annotations

from fairneuron_core.runs.execute import execute
from fairneuron_core.runs.manifest import command_line, manifest
from fairneuron_core.runs.status import WorkerStatus, worker_status
from fairneuron_core.runs.submit import cancel, restart, submit
from fairneuron_core.runs.supervisor import WorkerHandle, start_worker

__all__ = [
    "WorkerHandle",
    "WorkerStatus",
    "cancel",
    "command_line",
    "execute",
    "manifest",
    "restart",
    "start_worker",
    "submit",
    "worker_status",
]
