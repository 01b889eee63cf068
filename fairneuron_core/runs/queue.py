"""The queue between those who submit runs and the workers that take them: huey, on SQLite unless a URL says otherwise.

A message is only a run's id; everything else stands in the store. Huey delivers a message at most once, so a worker
that is killed loses its message. That costs nothing here: claiming a run is atomic, so the supervisor may put every
queued run into the queue again, and a message that comes twice finds the run taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

from huey.api import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError
from huey.registry import Message
from huey.serializer import Serializer

from fairneuron_core.errors import SettingError
from fairneuron_core.workspace import Workspace

NAME = "fairneuron"


class JsonMessages(Serializer):
    """Messages as JSON: huey's own pickles would run the code of whoever can write to a shared broker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


def open_queue(workspace: Workspace) -> Huey:
    """Return the queue of `$FAIRNEURON_QUEUE_URL` (redis://, postgresql://), or the SQLite file of the workspace.

    Raises SettingError for another scheme, and when the broker's package is not installed.
    """
    url = os.environ.get("FAIRNEURON_QUEUE_URL", "")
    shared: dict[str, Any] = {"results": False, "serializer": JsonMessages()}
    scheme = url.split(":", 1)[0]
    try:
        if not url:
            return SqliteHuey(NAME, filename=str(workspace.home / "queue.sqlite"), strict_fifo=True, **shared)
        if scheme in ("redis", "rediss"):
            return RedisHuey(NAME, url=url, **shared)
        if scheme in ("postgres", "postgresql"):
            return PostgresHuey(NAME, dsn=url, **shared)
    except ConfigurationError as error:
        raise SettingError(
            f"FAIRNEURON_QUEUE_URL begins with '{scheme}', but its package is missing: install "
            f"fairneuron[{'redis' if scheme.startswith('redis') else 'postgres'}]."
        ) from error
    raise SettingError(f"FAIRNEURON_QUEUE_URL begins with '{scheme}': use redis:// or postgresql://, or leave it out.")


def with_work(queue: Huey, work: Callable[[str], None]) -> Callable[[str], Any]:
    """Let consumers of `queue` call `work` with a run's id; returns the function that puts an id into the queue."""

    def work_on_run(run_id: str) -> None:
        work(run_id)

    return queue.task(name="work_on_run")(work_on_run)


def enqueue(workspace: Workspace, *run_ids: str) -> None:
    """Put runs into the queue, in this order."""
    queue = open_queue(workspace)
    send = with_work(queue, _never)
    with closing(queue.storage):
        for run_id in run_ids:
            send(run_id)


def _never(run_id: str) -> None:
    """A process that only submits takes no run."""
