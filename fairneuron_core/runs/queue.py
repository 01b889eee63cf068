"""The queue between those who submit runs and the worker that takes them: huey, on SQLite unless a URL says otherwise.

A message is only a run's id; everything else stands in the store. A message may come twice or get lost: claiming a run
is atomic, and a starting worker asks for every queued run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from huey import Huey, SqliteHuey

from fairneuron_core.errors import SettingError
from fairneuron_core.workspace import Workspace

_NAME = "fairneuron"


@dataclass(frozen=True)
class RunQueue:
    """A queue of run ids: `put` adds one; whoever consumes `huey` works on them."""

    huey: Huey
    put: Callable[[str], object]


def open_queue(workspace: Workspace, *, work: Callable[[str], None] | None = None) -> RunQueue:
    """Return the queue of `$FAIRNEURON_QUEUE_URL` (redis://, postgresql://), or the SQLite file of the workspace.

    `work` is called with a run's id by whoever consumes; those who only submit leave it out.
    """
    huey = _connect(os.environ.get("FAIRNEURON_QUEUE_URL", ""), workspace)

    # Both sides register a task of this module and name: that is how a message finds its function.
    def work_on_run(run_id: str) -> None:
        if work:
            work(run_id)

    return RunQueue(huey, huey.task()(work_on_run))


def _connect(url: str, workspace: Workspace) -> Huey:
    if not url:
        return SqliteHuey(_NAME, filename=str(workspace.home / "queue.sqlite"), results=False)
    scheme = url.split(":", 1)[0]
    try:
        if scheme in ("redis", "rediss"):
            from huey import RedisHuey

            return RedisHuey(_NAME, url=url, results=False)
        if scheme in ("postgres", "postgresql"):
            from huey import PostgresHuey

            return PostgresHuey(_NAME, dsn=url, results=False)
    except ImportError as error:
        raise SettingError(f"FAIRNEURON_QUEUE_URL needs a package that is not installed ({error.name}).") from error
    raise SettingError(f"FAIRNEURON_QUEUE_URL begins with '{scheme}': use redis:// or postgresql://, or leave it out.")
