"""What the store returns: frozen copies of its rows. Times are aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
STATES: tuple[State, ...] = ("queued", "running", "done", "failed", "cancelled", "lost")
ACTIVE: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True)
class RunRecord:
    """One run: its spec (kind, params, version), how far it is, and what it made.

    share         of the work that is done, in [0, 1]
    cancel_requested  when somebody asked it to stop, None when nobody did
    artefacts     name -> sha256 in the workspace
    error         one sentence when the run failed or was lost
    environment   versions, machine, device and threads of the process that worked on it
    """

    id: str
    kind: str
    title: str
    spec: Mapping[str, Any]
    spec_sha256: str
    state: State
    created: datetime
    started: datetime | None
    finished: datetime | None
    heartbeat: datetime | None
    share: float
    message: str
    cancel_requested: datetime | None
    results: Mapping[str, Any]
    artefacts: Mapping[str, str]
    error: str | None
    retry_of: str | None
    worker_pid: int | None
    environment: Mapping[str, Any]

    @property
    def params(self) -> Mapping[str, Any]:
        """The settings of the spec."""
        return self.spec["params"]

    @property
    def active(self) -> bool:
        """Whether it waits or works, so that its row still changes."""
        return self.state in ACTIVE

    @property
    def seconds(self) -> float | None:
        """Seconds of work until it ended, or until its last heartbeat; None before it started."""
        until = self.finished or self.heartbeat
        return (until - self.started).total_seconds() if self.started and until else None


@dataclass(frozen=True)
class Point:
    """One point of a run's live trace; positions count from 1 in the order of arrival."""

    position: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class DatasetRecord:
    """An uploaded data set; its content is the artefact `sha256`, its id the first 12 digits of that."""

    id: str
    name: str
    title: str
    sha256: str
    rows: int
    note: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True)
class ModelRow:
    """A stored model; its file is the artefact `sha256`, its id the first 12 digits of that.

    `data` is the reference that it was trained with (a built-in name or a stored id), `parent` the id of the model
    that it was made from, `run_id` the run that made it (None for an upload, or when that run was deleted).
    """

    id: str
    name: str
    sha256: str
    data: str
    data_sha256: str
    parent: str | None
    made_by: str
    run_id: str | None
    created: datetime


@dataclass(frozen=True)
class Derived:
    """What hangs on one data set: it goes when the data set goes."""

    models: tuple[ModelRow, ...]
    runs: tuple[RunRecord, ...]


@dataclass(frozen=True)
class DeletionReport:
    """How many rows and files a deletion removed."""

    datasets: int = 0
    models: int = 0
    runs: int = 0
    artefacts: int = 0
