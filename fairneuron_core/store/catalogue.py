"""Uploaded data sets and stored models, each known by the first digits of its content's sha256."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from fairneuron_core.errors import NotFoundError, SettingError
from fairneuron_core.store.connection import Store
from fairneuron_core.store.records import DatasetRecord, ModelRow
from fairneuron_core.store.run_rows import now
from fairneuron_core.store.tables import DatasetTable, ModelTable, RunTable

ID_DIGITS = 12
SHORTEST_PREFIX = 4

Named = TypeVar("Named", DatasetTable, ModelTable)


def add_dataset(
    store: Store, *, name: str, sha256: str, rows: int, title: str = "", note: Mapping[str, Any] | None = None
) -> DatasetRecord:
    """Add a data set whose content is the artefact `sha256`, or return the one that is there already.

    `note["data_sha256"]` tells the hash by which models remember this data, where that is not the artefact's own.
    """
    _check_name(name, "data set")
    with store.writing() as session:
        if known := session.get(DatasetTable, sha256[:ID_DIGITS]):
            return dataset_record(known)
        values = {"name": name.strip(), "title": title or name.strip(), "rows": rows, "note": dict(note or {})}
        row = DatasetTable(id=sha256[:ID_DIGITS], sha256=sha256, created=now(), **values)
        session.add(row)
        return dataset_record(row)


def get_dataset(store: Store, dataset_id: str) -> DatasetRecord:
    """Return the data set of that id, of at least 4 first digits of it, or of that sha256 (else NotFoundError)."""
    with store.reading() as session:
        return dataset_record(find_row(session, DatasetTable, dataset_id))


def list_datasets(store: Store) -> list[DatasetRecord]:
    """Return the uploaded data sets, newest first."""
    with store.reading() as session:
        query = select(DatasetTable).order_by(DatasetTable.created.desc(), DatasetTable.id)
        return [dataset_record(row) for row in session.scalars(query)]


def add_model(
    store: Store,
    *,
    name: str,
    sha256: str,
    data: str,
    data_sha256: str,
    made_by: str,
    parent: str | None = None,
    run_id: str | None = None,
) -> ModelRow:
    """Add a model whose file is the artefact `sha256`, or return the one that is there already.

    A `run_id` without a row in the store (work outside the queue) is left out.
    """
    _check_name(name, "model")
    with store.writing() as session:
        run_id = run_id if run_id and session.get(RunTable, run_id) else None
        if known := session.get(ModelTable, sha256[:ID_DIGITS]):
            known.run_id = known.run_id or run_id
            return model_row(known)
        origin = {"data": data, "data_sha256": data_sha256, "parent": parent, "made_by": made_by, "run_id": run_id}
        row = ModelTable(id=sha256[:ID_DIGITS], name=name.strip(), sha256=sha256, created=now(), **origin)
        session.add(row)
        return model_row(row)


def get_model(store: Store, model_id: str) -> ModelRow:
    """Return the model of that id, of at least 4 first digits of it, or of that sha256 (else NotFoundError)."""
    with store.reading() as session:
        return model_row(find_row(session, ModelTable, model_id))


def list_models(store: Store, *, data: str | None = None, run_id: str | None = None) -> list[ModelRow]:
    """Return the models, newest first, of one data reference or one run where these are given."""
    query = select(ModelTable).order_by(ModelTable.created.desc(), ModelTable.id)
    if data is not None:
        query = query.where(ModelTable.data == data)
    if run_id is not None:
        query = query.where(ModelTable.run_id == run_id)
    with store.reading() as session:
        return [model_row(row) for row in session.scalars(query)]


def rename_model(store: Store, model_id: str, name: str) -> ModelRow:
    """Give a model another name (SettingError for an empty one)."""
    _check_name(name, "model")
    with store.writing() as session:
        row = find_row(session, ModelTable, model_id)
        row.name = name.strip()
        return model_row(row)


def rename_dataset(store: Store, dataset_id: str, title: str) -> DatasetRecord:
    """Give a data set another title (SettingError for an empty one)."""
    _check_name(title, "data set")
    with store.writing() as session:
        row = find_row(session, DatasetTable, dataset_id)
        row.title = title.strip()
        return dataset_record(row)


def find_row(session: Session, table: type[Named], digits: str) -> Named:
    """Return the one row whose sha256 begins with `digits`.

    Raises NotFoundError when there is none, SettingError when there are several.
    """
    noun = "data set" if table is DatasetTable else "model"
    digits = digits.strip().lower()
    if len(digits) >= SHORTEST_PREFIX and set(digits) <= set("0123456789abcdef"):
        found = session.scalars(select(table).where(table.sha256.startswith(digits)).limit(2)).all()
        if len(found) == 1:
            return found[0]
        if found:
            raise SettingError(f"Several {noun}s have ids that begin with '{digits}': write more digits.")
    raise NotFoundError(f"There is no stored {noun} '{digits}': it was deleted, or the id is wrong.")


def dataset_record(row: DatasetTable) -> DatasetRecord:
    """Return the frozen copy of a row."""
    return DatasetRecord(**{name: getattr(row, name) for name in DatasetRecord.__dataclass_fields__})


def model_row(row: ModelTable) -> ModelRow:
    """Return the frozen copy of a row."""
    return ModelRow(**{name: getattr(row, name) for name in ModelRow.__dataclass_fields__})


def _check_name(name: str, noun: str) -> None:
    if not name.strip():
        raise SettingError(f"A {noun} needs a name: write at least one letter.")
