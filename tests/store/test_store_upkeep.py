"""What keeps the store in order: revisions, files that nobody refers to, chains of things made from one another."""

import os
import sqlite3
import time

import pytest
from sqlalchemy import MetaData, inspect, text

from fairneuron_core.errors import SettingError
from fairneuron_core.store import (
    add_dataset,
    add_model,
    claim_run,
    create_run,
    delete_dataset,
    delete_model,
    delete_run,
    derived_from,
    file_lock,
    find_done,
    finish_run,
    get_model,
    get_run,
    list_models,
    open_store,
    points,
    reap,
    sweep_artefacts,
    update_run,
)
from fairneuron_core.store.connection import HEAD
from fairneuron_core.store.tables import Table
from fairneuron_core.workspace import open_workspace


@pytest.fixture
def store(empty_workspace):
    return open_store(empty_workspace)


def make_run(store, **params):
    run = create_run(store, kind="train", params=params, title="A run")
    claim_run(store, run.id, worker_pid=1)
    return run


def test_the_revisions_make_the_tables_that_the_code_declares(store):
    found = MetaData()
    found.reflect(store.engine)
    for name, table in Table.metadata.tables.items():
        assert {c.name: c.nullable for c in table.columns} == {c.name: c.nullable for c in found.tables[name].columns}
        declared = {tuple(c.name for c in index.columns) for index in table.indexes}
        assert declared == {tuple(c.name for c in index.columns) for index in found.tables[name].indexes}
        assert {k.target_fullname for k in table.foreign_keys} == {
            k.target_fullname for k in found.tables[name].foreign_keys
        }


def test_a_new_store_stands_at_the_newest_revision_and_writes_ahead(store):
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    assert inspect(store.engine).has_table("run")


def test_a_store_of_a_newer_version_is_refused_in_one_sentence(tmp_path):
    workspace = open_workspace(tmp_path)
    connection = sqlite3.connect(tmp_path / "fairneuron.sqlite")
    connection.executescript(
        "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('9999')"
    )
    connection.close()
    with pytest.raises(SettingError, match="newer version"):
        open_store(workspace)


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path):
    workspace = open_workspace(tmp_path)
    (tmp_path / "fairneuron.sqlite").write_text("not a database, only text that is long enough to be read as one" * 9)
    with pytest.raises(SettingError, match="cannot be opened"):
        open_store(workspace)


def test_a_lock_has_one_holder_and_is_free_again_afterwards(tmp_path):
    with file_lock(tmp_path / "a.lock") as first, file_lock(tmp_path / "a.lock", wait=False) as second:
        assert (first, second) == (True, False)
    with file_lock(tmp_path / "a.lock", wait=False) as third:
        assert third


def test_a_heartbeat_finds_a_lost_run_again(store):
    run = make_run(store)
    assert [r.state for r in reap(store, stale_after_s=-1)] == ["lost"]
    update_run(store, run.id, share=0.4)
    found = get_run(store, run.id)
    assert (found.state, found.share, found.finished, found.error) == ("running", 0.4, None, None)


def test_a_done_run_is_found_again_only_while_its_files_exist(empty_workspace, store):
    run = make_run(store, seed=1)
    sha256 = empty_workspace.put(b"a model")
    finish_run(store, run.id, results={}, artefacts={"model": sha256})
    assert find_done(store, run.spec_sha256).id == run.id
    empty_workspace.remove(sha256)
    assert find_done(store, run.spec_sha256) is None


def test_a_done_run_is_not_used_again_when_a_model_that_it_made_was_deleted(empty_workspace, store):
    origin = {"data": "german", "data_sha256": "e" * 64, "made_by": "train"}
    model = add_model(store, name="m", sha256=empty_workspace.put(b"a model"), **origin)
    run = make_run(store, seed=1)
    finish_run(store, run.id, results={"repairs": {"a": {"model": model.id, "params": {"model": "x"}}}}, artefacts={})
    spec = {"kind": "train", "params": {"seed": 1}, "title": "A run"}
    assert create_run(store, **spec, reuse=True).id == run.id
    delete_model(store, model.id)
    assert create_run(store, **spec, reuse=True).id != run.id


def test_a_file_that_two_rows_share_goes_with_the_second(empty_workspace, store):
    sha256 = empty_workspace.put(b"a model")
    run = make_run(store)
    finish_run(store, run.id, results={}, artefacts={"model": sha256})
    model = add_model(
        store, name="m", sha256=sha256, data="german", data_sha256="e" * 64, made_by="train", run_id=run.id
    )
    assert delete_run(store, run.id).artefacts == 0
    assert get_model(store, model.id).run_id is None
    assert delete_model(store, model.id).artefacts == 1
    assert list(empty_workspace.artefacts.iterdir()) == []


def test_a_deleted_run_takes_its_trace_and_its_log_along(empty_workspace, store):
    run = make_run(store)
    update_run(store, run.id, points=[{"epoch": 1}])
    finish_run(store, run.id, results={}, artefacts={})
    log = empty_workspace.home / "logs" / f"{run.id}.log"
    log.parent.mkdir()
    log.write_text("ValueError: 'Jane'")
    delete_run(store, run.id)
    assert points(store, run.id) == []
    assert not log.exists()


def test_what_was_made_from_a_derived_model_is_derived_too(store):
    data = add_dataset(store, name="own", sha256="aa" * 32, rows=3)
    trained, repaired = "bb" * 32, "cc" * 32
    add_model(store, name="m", sha256=trained, data=data.id, data_sha256="aa" * 32, made_by="train")
    origin = {"data": "elsewhere", "data_sha256": "ee" * 32, "made_by": "repair"}
    add_model(store, name="r", sha256=repaired, parent=trained[:12], **origin)
    audit = make_run(store, data="elsewhere", models=[{"after": repaired[:12]}])
    apart = make_run(store, data="elsewhere", models=[{"after": "dd" * 6}])
    found = derived_from(store, data.id)
    assert {m.sha256 for m in found.models} == {trained, repaired}
    assert [r.id for r in found.runs] == [audit.id] != [apart.id]


def test_a_data_set_that_a_run_works_on_is_not_deleted(store):
    data = add_dataset(store, name="own", sha256="aa" * 32, rows=3)
    run = make_run(store, data=data.id)
    with pytest.raises(SettingError, match=run.id):
        delete_dataset(store, data.id)
    assert list_models(store) == []


def test_sweeping_removes_old_files_that_no_row_refers_to(empty_workspace, store):
    used, old, young = (empty_workspace.put(content) for content in (b"used", b"old", b"young"))
    add_dataset(store, name="own", sha256=used, rows=3)
    for key in (used, old):
        os.utime(empty_workspace.artefacts / key, (time.time() - 1e6,) * 2)
    assert sweep_artefacts(store) == 1
    assert sorted(p.name for p in empty_workspace.artefacts.iterdir()) == sorted([used, young])
