"""The tables: runs, the points of their live traces, uploaded data sets, and models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC without a zone because not every database keeps zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


class Table(DeclarativeBase):
    """Base of the tables: which Python type becomes which column type."""

    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON}  # noqa: RUF012 (SQLAlchemy reads it as declared)


class RunTable(Table):
    """One row per run; `spec` is canonical JSON text, so equal specs have equal text and equal sha256."""

    __tablename__ = "run"
    __table_args__ = (Index("run_by_spec", "spec_sha256", "state"), Index("run_by_created", "created"))

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    spec: Mapped[str] = mapped_column(Text)
    spec_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    heartbeat: Mapped[datetime | None]
    share: Mapped[float] = mapped_column(Float, default=0.0)
    message: Mapped[str] = mapped_column(Text, default="")
    cancel_requested: Mapped[datetime | None]
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)
    artefacts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str | None] = mapped_column(Text)
    retry_of: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
    worker_pid: Mapped[int | None]
    environment: Mapped[dict[str, Any]] = mapped_column(default=dict)


class PointTable(Table):
    """One row per point of a live trace."""

    __tablename__ = "point"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    point: Mapped[dict[str, Any]]


class DatasetTable(Table):
    """One row per uploaded data set."""

    __tablename__ = "dataset"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    rows: Mapped[int]
    note: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[datetime]


class ModelTable(Table):
    """One row per model. `parent` is no foreign key: a model remembers its parent after the parent was deleted."""

    __tablename__ = "model"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    data: Mapped[str] = mapped_column(Text)
    data_sha256: Mapped[str] = mapped_column(String(64))
    parent: Mapped[str | None] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(Text)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"), index=True)
    created: Mapped[datetime]
