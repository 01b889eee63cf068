"""Deleting: a data set goes with all that was derived from it, a file goes when nothing refers to it any more."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fairneuron_core.errors import SettingError
from fairneuron_core.store.catalogue import find_row, model_row
from fairneuron_core.store.connection import Store
from fairneuron_core.store.records import ACTIVE, DeletionReport, Derived, ModelRow, RunRecord
from fairneuron_core.store.run_rows import get_run, now, run_record
from fairneuron_core.store.tables import DatasetTable, ModelTable, RunTable

SHORTEST_NAME = 6
"""A setting names stored content when it is at least so many first digits of its sha256."""


def derived_from(store: Store, dataset_id: str) -> Derived:
    """Return the models and runs that `delete_dataset` would take along.

    These are: models trained on it, runs with it in their settings, and, again and again, models made by such runs or
    from such models, and runs with such models in their settings.
    """
    with store.reading() as session:
        return _derived(session, find_row(session, DatasetTable, dataset_id))


def delete_dataset(store: Store, dataset_id: str) -> DeletionReport:
    """Delete a data set with everything derived from it (SettingError while a run still works on it)."""
    with store.writing() as session:
        row = find_row(session, DatasetTable, dataset_id)
        derived = _derived(session, row)
        _refuse_running(derived.runs)
        return _delete(session, store, datasets=[row], models=derived.models, runs=derived.runs)


def delete_model(store: Store, model_id: str) -> DeletionReport:
    """Delete a model; runs that used it and models made from it stay."""
    with store.writing() as session:
        return _delete(session, store, models=[model_row(find_row(session, ModelTable, model_id))])


def delete_run(store: Store, run_id: str) -> DeletionReport:
    """Delete a run with its trace and results (SettingError while it works); models that it made stay."""
    run = get_run(store, run_id)
    with store.writing() as session:
        row = session.get(RunTable, run.id)
        run = run_record(row) if row else run
        _refuse_running([run])
        return _delete(session, store, runs=[run])


def keep_days() -> float | None:
    """Return `$FAIRNEURON_KEEP_DAYS`, the days after which things are deleted; None: kept until deleted by hand."""
    given = os.environ.get("FAIRNEURON_KEEP_DAYS", "").strip()
    if not given:
        return None
    try:
        days = float(given)
    except ValueError:
        days = -1.0
    if not 0 < days < 1e5:
        raise SettingError(f"FAIRNEURON_KEEP_DAYS is '{given}': write a number of days above 0, or leave it unset.")
    return days


def purge_older(store: Store, days: float) -> DeletionReport:
    """Delete data sets, models and runs made more than `days` ago, data sets with all that was derived from them.

    What a run still works on stays until the next purge.
    """
    limit = now() - timedelta(days=days)
    with store.writing() as session:
        old = {table: _older(session, table, limit) for table in (DatasetTable, ModelTable, RunTable)}
        runs = {row.id: run_record(row) for row in old[RunTable] if row.state not in ACTIVE}
        active = [run_record(row) for row in session.scalars(select(RunTable).where(RunTable.state.in_(ACTIVE)))]
        models = {row.id: model_row(row) for row in old[ModelTable] if not _used_by(active, row)}
        datasets = []
        for row in old[DatasetTable]:
            derived = _derived(session, row)
            if not any(run.active for run in derived.runs):
                datasets.append(row)
                runs |= {run.id: run for run in derived.runs}
                models |= {model.id: model for model in derived.models}
        return _delete(session, store, datasets=datasets, models=models.values(), runs=runs.values())


def sweep_artefacts(store: Store, *, older_than_s: float = 86_400.0) -> int:
    """Remove files that no row refers to (left by cancelled work); return how many.

    Younger files stay: they may belong to work that is about to be written down.
    """
    limit = time.time() - older_than_s
    with store.writing() as session:
        old = [p for p in store.workspace.artefacts.iterdir() if p.is_file() and p.stat().st_mtime < limit]
        halves = [p for p in old if p.suffix == ".partial"]
        for half in halves:
            half.unlink(missing_ok=True)
        return len(halves) + _remove_unreferenced(session, store, [p.name for p in old if p not in halves])


def _older(session: Session, table: Any, limit: Any) -> list[Any]:
    return list(session.scalars(select(table).where(table.created < limit)))


def _derived(session: Session, dataset: DatasetTable) -> Derived:
    shas = {dataset.sha256, dataset.note.get("data_sha256", dataset.sha256)}
    models = {row.id: model_row(row) for row in session.scalars(select(ModelTable))}
    runs = {row.id: run_record(row) for row in session.scalars(select(RunTable))}
    gone_models: dict[str, ModelRow] = {}
    gone_runs: dict[str, RunRecord] = {}
    growing = True
    while growing:
        before = len(gone_models) + len(gone_runs)
        for key, model in models.items():
            if model.run_id in gone_runs or _names_one((model.data, model.data_sha256, model.parent or ""), shas):
                gone_models[key] = model
                shas.add(model.sha256)
        gone_runs |= {key: run for key, run in runs.items() if _names_one(_references(run), shas)}
        growing = len(gone_models) + len(gone_runs) > before
    return Derived(tuple(gone_models.values()), tuple(gone_runs.values()))


def _names_one(texts: Iterable[str], shas: Collection[str]) -> bool:
    return any(len(text) >= SHORTEST_NAME and any(sha.startswith(text) for sha in shas) for text in texts)


def _used_by(runs: Iterable[RunRecord], model: ModelTable) -> bool:
    return any(_names_one(_texts(run.params), {model.sha256}) for run in runs)


def _references(run: RunRecord) -> Iterator[str]:
    """Yield what a run may be derived from: the texts of its settings, and the content that its results name."""
    yield from _texts(run.params)
    yield from _texts(run.results.get("data_sha256"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _refuse_running(runs: Iterable[RunRecord]) -> None:
    for run in runs:
        if run.state == "running":
            raise SettingError(f"The run '{run.title}' ({run.id}) is still working: cancel it first, then delete.")


def _delete(
    session: Session,
    store: Store,
    *,
    datasets: Collection[DatasetTable] = (),
    models: Collection[ModelRow] = (),
    runs: Collection[RunRecord] = (),
) -> DeletionReport:
    files = {row.sha256 for row in datasets} | {model.sha256 for model in models}
    files |= {key for run in runs for key in run.artefacts.values()}
    chosen = ((RunTable, runs), (ModelTable, models), (DatasetTable, datasets))
    for table, ids in [(table, [row.id for row in rows]) for table, rows in chosen]:
        session.execute(delete(table).where(table.id.in_(ids)).execution_options(synchronize_session=False))
    for run in runs:
        # The traceback of a failed run can quote values of its data.
        (store.workspace.home / "logs" / f"{run.id}.log").unlink(missing_ok=True)
    removed = _remove_unreferenced(session, store, files)
    return DeletionReport(datasets=len(datasets), models=len(models), runs=len(runs), artefacts=removed)


def _remove_unreferenced(session: Session, store: Store, files: Iterable[str]) -> int:
    """Remove those files while the write lock is held: nobody can begin to refer to one in between."""
    used = set(session.scalars(select(DatasetTable.sha256))) | set(session.scalars(select(ModelTable.sha256)))
    for artefacts in session.scalars(select(RunTable.artefacts)):
        used |= set((artefacts or {}).values())
    unused = [key for key in files if key not in used]
    for key in unused:
        store.workspace.remove(key)
    return len(unused)
