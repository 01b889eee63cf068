"""Long work: handed to a queue, done by a worker process, watched by a supervisor, described by a manifest.

Names that need the numerics (torch) are imported when they are first used: asking for a status or a list must be fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairneuron_core.runs.manifest import command_line, manifest
from fairneuron_core.runs.status import WorkerStatus, worker_status
from fairneuron_core.runs.supervisor import WorkerHandle, start_worker

if TYPE_CHECKING:
    from fairneuron_core.runs.execution import execute
    from fairneuron_core.runs.submission import cancel, restart, submit

_LATER = {"execute": "execution", "cancel": "submission", "restart": "submission", "submit": "submission"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


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
