"""Opening the store: one engine per database and process, and its tables brought up to date at first sight.

SQLite runs in WAL mode, so readers and one writer do not wait for each other. A writing block takes the write lock at
its start (BEGIN IMMEDIATE): a block that reads first and writes later would fail at once, without waiting, when another
process wrote in between.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from fairneuron_core.errors import SettingError
from fairneuron_core.store.lock import file_lock
from fairneuron_core.store.plain import to_json
from fairneuron_core.workspace import Workspace

HEAD = "0001"
"""The newest revision in `migrations/versions`; Alembic is imported only when a database stands elsewhere."""

_stores: dict[tuple[Path, str], Store] = {}
_opening = threading.Lock()


@dataclass(frozen=True)
class Store:
    """The database of one workspace; the functions of this unit take it as their first argument."""

    workspace: Workspace
    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end of the block."""
        with Session(self.engine.execution_options(writes=True)) as session, session.begin():
            yield session


def open_store(workspace: Workspace) -> Store:
    """Return the store of `workspace`, made or migrated when needed; cheap when this process opened it before.

    Raises SettingError when the database cannot be reached, is no database, or was made by a newer version.
    """
    url = workspace.database_url
    key = (workspace.home, url)
    with _opening:
        known = _stores.get(key)
        if known and not _is_missing_file(known.engine):
            return known
        engine = _make_engine(url)
        try:
            _migrate(engine, workspace)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise SettingError(
                f"The store '{engine.url.render_as_string(hide_password=True)}' cannot be opened ({reason}): "
                "check FAIRNEURON_DATABASE_URL, or move that file away to begin with an empty store."
            ) from error
        _stores[key] = Store(workspace, engine)
        return _stores[key]


def _is_missing_file(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists()


def _make_engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, json_serializer=to_json, pool_pre_ping=True)
    # A connection per block: nothing to inherit by a forked process, nothing left open when a script ends.
    engine = create_engine(url, json_serializer=to_json, poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: `_begin_sqlite` does
    for pragma in ("busy_timeout = 10000", "foreign_keys = on", "synchronous = normal"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine, workspace: Workspace) -> None:
    """Bring the tables to HEAD; several processes that open a new workspace together do it one after the other."""
    if not _is_missing_file(engine) and _revision(engine) == HEAD:
        return
    with file_lock(workspace.home / "store.lock"):
        if engine.dialect.name == "sqlite":
            _switch_to_wal(engine)
        if _revision(engine) == HEAD:
            return
        try:
            _upgrade(engine)
        except SQLAlchemyError:
            # Two machines on one database do not share the lock: the slower one finds the tables made.
            if _revision(engine) != HEAD:
                raise


def _switch_to_wal(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = wal")
    finally:
        connection.close()


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.execution_options(writes=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise SettingError(
            f"The store was made by a newer version of FairNeuron ({error}): update FairNeuron, "
            "or set FAIRNEURON_HOME to another folder."
        ) from error
