"""The table of runs: queued -> running -> done | failed | cancelled | lost.

Every change of state is one UPDATE that names the state it leaves, so two processes never both make it.
"""

from __future__ import annotations

import json
import math
import platform
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fairneuron_core import __version__
from fairneuron_core.errors import NotFoundError, SettingError
from fairneuron_core.store.connection import Store
from fairneuron_core.store.plain import plain
from fairneuron_core.store.records import ACTIVE, Point, RunRecord, State
from fairneuron_core.store.tables import ModelTable, PointTable, RunTable
from fairneuron_core.workspace import canonical_json, digest

ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
ID_LENGTH = 10


def now() -> datetime:
    """The present, aware and in UTC."""
    return datetime.now(UTC)


def make_spec(kind: str, params: Mapping[str, Any]) -> str:
    """Return the spec of a run as canonical JSON: kind, settings, and the version, which may change the numbers."""
    return canonical_json({"kind": kind, "params": params, "version": __version__})


def create_run(
    store: Store,
    *,
    kind: str,
    params: Mapping[str, Any],
    title: str,
    reuse: bool = False,
    retry_of: str | None = None,
) -> RunRecord:
    """Add a queued run and return it; with `reuse`, return instead the run of an equal spec that is done or active."""
    spec = make_spec(kind, params)
    sha256 = digest(spec.encode())
    with store.writing() as session:
        if reuse and (known := _equal_run(session, store, sha256, (*ACTIVE, "done"))):
            return known
        row = RunTable(
            id="".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH)),
            kind=kind,
            title=title,
            spec=spec,
            spec_sha256=sha256,
            state="queued",
            created=now(),
            retry_of=retry_of,
        )
        session.add(row)
        session.flush()
        return run_record(row)


def find_done(store: Store, spec_sha256: str) -> RunRecord | None:
    """Return the newest done run of an equal spec whose files and models all still exist."""
    with store.reading() as session:
        return _equal_run(session, store, spec_sha256, ("done",))


def get_run(store: Store, run_id: str) -> RunRecord:
    """Return the run of that id (NotFoundError when there is none)."""
    with store.reading() as session:
        return run_record(_row(session, run_id))


def list_runs(
    store: Store,
    *,
    limit: int | None = 100,
    kind: str | None = None,
    state: State | Sequence[State] | None = None,
) -> list[RunRecord]:
    """Return runs, newest first, of one kind and one or several states where these are given."""
    query = select(RunTable).order_by(RunTable.created.desc(), RunTable.id).limit(limit)
    if kind is not None:
        query = query.where(RunTable.kind == kind)
    if state is not None:
        query = query.where(RunTable.state.in_([state] if isinstance(state, str) else state))
    with store.reading() as session:
        return [run_record(row) for row in session.scalars(query)]


def rename_run(store: Store, run_id: str, title: str) -> RunRecord:
    """Give a run another title (SettingError for an empty one)."""
    if not title.strip():
        raise SettingError("A run needs a title: write at least one letter.")
    with store.writing() as session:
        row = _row(session, run_id)
        row.title = title.strip()
        return run_record(row)


def request_cancel(store: Store, run_id: str) -> RunRecord:
    """Ask a run to stop: a queued one is cancelled at once, a running one is told; an ended one stays as it is."""
    with store.writing() as session:
        row = _row(session, run_id)
        if row.state == "queued":
            row.state, row.finished, row.message = "cancelled", now(), "Cancelled before it began."
        if row.state in ("running", "cancelled"):
            row.cancel_requested = row.cancel_requested or now()
        return run_record(row)


def claim_run(
    store: Store, run_id: str, *, worker_pid: int | None = None, environment: Mapping[str, Any] | None = None
) -> bool:
    """Take a queued run for this worker; False when somebody else took, cancelled or deleted it."""
    started = now()
    values = {"state": "running", "started": started, "heartbeat": started, "worker_pid": worker_pid}
    return _change(store, run_id, ("queued",), {**values, "environment": plain(environment or {})})


def update_run(
    store: Store,
    run_id: str,
    *,
    share: float | None = None,
    message: str | None = None,
    points: Sequence[Mapping[str, Any]] = (),
) -> RunRecord | None:
    """Write the heartbeat, progress and new points of a run; return it, or None when it was deleted.

    A heartbeat of a lost run finds it again: the machine may have slept for longer than `reap` waits.
    """
    with store.writing() as session:
        row = session.get(RunTable, run_id)
        if row is None:
            return None
        if row.state == "lost":
            row.state, row.finished, row.error = "running", None, None
        if row.state == "running":
            row.heartbeat = now()
            row.share = row.share if share is None or math.isnan(share) else min(max(share, 0.0), 1.0)
            row.message = row.message if message is None else message
            _append_points(session, run_id, points)
        return run_record(row)


def add_points(store: Store, run_id: str, points: Sequence[Mapping[str, Any]]) -> None:
    """Append points to the live trace of a run (NotFoundError when there is no such run)."""
    with store.writing() as session:
        _row(session, run_id)
        _append_points(session, run_id, points)


def points(store: Store, run_id: str, *, after: int = 0) -> list[Point]:
    """Return the points of a live trace behind position `after`, in order."""
    query = select(PointTable).where(PointTable.run_id == run_id, PointTable.position > after)
    with store.reading() as session:
        return [Point(row.position, row.point) for row in session.scalars(query.order_by(PointTable.position))]


def finish_run(store: Store, run_id: str, *, results: Mapping[str, Any], artefacts: Mapping[str, str]) -> bool:
    """Mark a run done. A run that was given up as lost too early is done all the same."""
    made = {"results": plain(results), "artefacts": dict(artefacts), "share": 1.0, "message": "Done.", "error": None}
    return _change(store, run_id, ("running", "lost"), {**made, "state": "done", "finished": now()})


def fail_run(store: Store, run_id: str, *, error: str) -> bool:
    """Mark a run failed with one sentence that says why."""
    values = {"state": "failed", "finished": now(), "error": error, "message": error}
    return _change(store, run_id, ("running", "lost"), values)


def cancel_run(store: Store, run_id: str, *, message: str = "Cancelled.") -> bool:
    """Mark a run cancelled: its work has ended because somebody asked for that."""
    return _change(store, run_id, ACTIVE, {"state": "cancelled", "finished": now(), "message": message})


def reap(
    store: Store,
    *,
    stale_after_s: float = 15.0,
    alive: Collection[int] = (),
    gone: Collection[int] = (),
) -> list[RunRecord]:
    """Mark running runs without a recent heartbeat as lost and return them; queued runs stay.

    `alive` and `gone` are process ids on this machine: a run of a worker that is known to be alive is not lost (its
    heart may be held up by one long call), a run of a worker that is known to be gone is lost at once.
    """
    limit = now() - timedelta(seconds=stale_after_s)
    lost = [run for run in list_runs(store, limit=None, state="running") if _is_lost(run, limit, alive, gone)]
    return [get_run(store, run.id) for run in lost if _lose(store, run)]


def run_record(row: RunTable) -> RunRecord:
    """Return the frozen copy of a row."""
    names = (n for n in RunRecord.__dataclass_fields__ if n != "spec")
    values = {name: getattr(row, name) for name in names}
    values |= {name: values[name] or {} for name in ("results", "artefacts", "environment")}
    return RunRecord(spec=json.loads(row.spec), **values)


def _is_lost(run: RunRecord, limit: datetime, alive: Collection[int], gone: Collection[int]) -> bool:
    here = run.environment.get("machine", platform.node()) == platform.node()
    if here and run.worker_pid in gone:
        return True
    return not (here and run.worker_pid in alive) and (run.heartbeat is None or run.heartbeat < limit)


def _lose(store: Store, run: RunRecord) -> bool:
    if run.cancel_requested:
        return cancel_run(store, run.id)
    error = "The process that worked on this run has ended without a word: restart the run."
    values = {"state": "lost", "finished": run.heartbeat or now(), "error": error, "message": error}
    return _change(store, run.id, ("running",), values)


def _equal_run(session: Session, store: Store, sha256: str, states: Collection[str]) -> RunRecord | None:
    query = select(RunTable).where(RunTable.spec_sha256 == sha256, RunTable.state.in_(states))
    for row in session.scalars(query.order_by(RunTable.created.desc())):
        if row.cancel_requested and row.state != "done":
            continue
        if _still_there(session, store, row):
            return run_record(row)
    return None


def _still_there(session: Session, store: Store, row: RunTable) -> bool:
    """Say whether nothing that the run made was deleted: its files, and the models that its results name."""
    files = all((store.workspace.artefacts / key).exists() for key in (row.artefacts or {}).values())
    return files and all(session.get(ModelTable, model) for model in _models_named(row.results or {}))


def _models_named(results: Mapping[str, Any]) -> Iterator[str]:
    for name, value in results.items():
        if name == "model" and isinstance(value, str):
            yield value
        elif isinstance(value, Mapping) and name != "params":
            yield from _models_named(value)


def _row(session: Session, run_id: str) -> RunTable:
    row = session.get(RunTable, run_id)
    if row is None:
        raise NotFoundError(f"There is no run '{run_id}': it was deleted, or the address is wrong.")
    return row


def _change(store: Store, run_id: str, leaves: Collection[str], values: Mapping[str, Any]) -> bool:
    with store.writing() as session:
        statement = update(RunTable).where(RunTable.id == run_id, RunTable.state.in_(leaves)).values(**values)
        return session.connection().execute(statement).rowcount == 1


def _append_points(session: Session, run_id: str, new: Sequence[Mapping[str, Any]]) -> None:
    if not new:
        return
    last = session.scalar(select(func.max(PointTable.position)).where(PointTable.run_id == run_id)) or 0
    session.add_all(PointTable(run_id=run_id, position=last + i, point=plain(p)) for i, p in enumerate(new, start=1))
