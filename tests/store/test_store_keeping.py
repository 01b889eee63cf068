"""How long things are kept, what is found under which name, and that times are aware."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from fairneuron_core.errors import NotFoundError, SettingError
from fairneuron_core.store import (
    add_dataset,
    add_model,
    claim_run,
    create_run,
    delete_dataset,
    delete_run,
    derived_from,
    fail_run,
    finish_run,
    get_dataset,
    get_model,
    get_run,
    keep_days,
    list_datasets,
    list_models,
    list_runs,
    now,
    open_store,
    points,
    purge_older,
    rename_dataset,
    rename_model,
    sweep_artefacts,
    update_run,
)
from fairneuron_core.store.tables import DatasetTable, ModelTable, RunTable

AA, BB, CC = "aa" * 32, "bb" * 32, "cc" * 32


@pytest.fixture
def store(empty_workspace):
    return open_store(empty_workspace)


def make_run(store, state="queued", **params):
    run = create_run(store, kind="train", params=params, title="A run")
    if state != "queued":
        claim_run(store, run.id, worker_pid=1)
    if state == "done":
        finish_run(store, run.id, results={}, artefacts={})
    return run


def make_model(store, sha256, **values):
    origin = {"data": "german", "data_sha256": "e" * 64, "made_by": "train", **values}
    return add_model(store, name="m", sha256=sha256, **origin)


def grow_old(store, table, row_id, *, days=100):
    with store.writing() as session:
        session.execute(update(table).where(table.id == row_id).values(created=now() - timedelta(days=days)))


def test_every_time_of_a_run_is_aware_and_in_utc(store):
    run = make_run(store, "done")
    update_run(store, run.id)
    found = get_run(store, run.id)
    times = (found.created, found.started, found.heartbeat, found.finished)
    assert all(t.utcoffset() == timedelta(0) for t in times)
    assert list(times) == sorted(times)


def test_a_time_of_another_zone_is_the_same_moment_in_utc(store):
    from zoneinfo import ZoneInfo

    run = make_run(store)
    moment = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    with store.writing() as session:
        session.execute(update(RunTable).where(RunTable.id == run.id).values(created=moment))
    assert get_run(store, run.id).created == datetime(2024, 7, 1, 3, tzinfo=UTC)


def test_purging_takes_what_is_old_and_ended_with_its_trace(store):
    old, young = make_run(store, "running", seed=1), make_run(store, "done", seed=2)
    update_run(store, old.id, points=[{"epoch": 1}])
    fail_run(store, old.id, error="It was too big: make it smaller.")
    grow_old(store, RunTable, old.id)
    assert purge_older(store, 30).runs == 1
    assert [run.id for run in list_runs(store)] == [young.id]
    assert points(store, old.id) == []


def test_purging_leaves_old_runs_that_wait_or_work(store):
    runs = [make_run(store, seed=1), make_run(store, "running", seed=2)]
    for run in runs:
        grow_old(store, RunTable, run.id)
    assert purge_older(store, 30).runs == 0
    assert {run.id for run in list_runs(store)} == {run.id for run in runs}


def test_purging_leaves_an_old_model_that_a_waiting_run_needs_until_that_run_has_ended(store):
    needed, free = make_model(store, AA), make_model(store, BB)
    for model in (needed, free):
        grow_old(store, ModelTable, model.id)
    run = make_run(store, model=needed.id)
    assert purge_older(store, 30).models == 1
    assert [model.id for model in list_models(store)] == [needed.id]
    claim_run(store, run.id)
    finish_run(store, run.id, results={}, artefacts={})
    assert purge_older(store, 30).models == 1
    assert list_models(store) == []


def test_purging_an_old_data_set_takes_young_things_derived_from_it_unless_a_run_still_works_on_it(store):
    quiet, busy = (add_dataset(store, name="own", sha256=sha, rows=3) for sha in (AA, BB))
    for data in (quiet, busy):
        grow_old(store, DatasetTable, data.id)
    gone, kept = make_run(store, "done", data=quiet.id), make_run(store, "running", data=busy.id)
    make_model(store, CC, data=quiet.id)
    report = purge_older(store, 30)
    assert (report.datasets, report.models, report.runs) == (1, 1, 1)
    assert [data.id for data in list_datasets(store)] == [busy.id]
    assert [run.id for run in list_runs(store)] == [kept.id] != [gone.id]


@pytest.mark.parametrize("given", ["soon", "0", "-3", "nan", "inf", "1e9"])
def test_days_to_keep_that_are_no_sensible_number_are_refused_with_the_value(monkeypatch, given):
    monkeypatch.setenv("FAIRNEURON_KEEP_DAYS", given)
    with pytest.raises(SettingError, match=f"FAIRNEURON_KEEP_DAYS is '{given}'"):
        keep_days()


def test_blank_days_to_keep_mean_kept_for_ever(monkeypatch):
    monkeypatch.setenv("FAIRNEURON_KEEP_DAYS", " ")
    assert keep_days() is None


def test_a_file_that_was_never_finished_is_swept_and_counted_once(empty_workspace, store):
    half = empty_workspace.artefacts / f"{AA}.123.partial"
    half.write_bytes(b"ha")
    assert sweep_artefacts(store) == 0, "a young one may still be written"
    os.utime(half, (time.time() - 1e6,) * 2)
    assert sweep_artefacts(store) == 1
    assert not half.exists()


def test_a_file_that_an_uploaded_data_set_shares_with_a_run_stays_when_the_run_goes(empty_workspace, store):
    shared, own = empty_workspace.put(b"shared"), empty_workspace.put(b"own")
    add_dataset(store, name="own", sha256=shared, rows=3)
    run = make_run(store, "running")
    finish_run(store, run.id, results={}, artefacts={"table": shared, "trace": own})
    assert delete_run(store, run.id).artefacts == 1
    assert [path.name for path in empty_workspace.artefacts.iterdir()] == [shared]


def test_deleting_a_data_set_takes_runs_whose_results_name_its_content(store):
    data = add_dataset(store, name="own", sha256=AA, rows=3, note={"data_sha256": BB})
    run, other = make_run(store, "running", data="a file"), make_run(store, "done", data="german")
    finish_run(store, run.id, results={"data_sha256": BB}, artefacts={})
    assert [r.id for r in derived_from(store, data.id).runs] == [run.id]
    delete_dataset(store, data.id)
    assert [r.id for r in list_runs(store)] == [other.id]


def test_data_sets_have_titles_that_can_change_and_are_found_by_id_prefix_or_sha256(store):
    data = add_dataset(store, name="own", sha256=AA, rows=3)
    add_dataset(store, name="other", sha256="ab" * 32, rows=3)
    assert (data.id, data.title) == (AA[:12], "own")
    assert rename_dataset(store, data.id, " Loans of 2024 ").title == "Loans of 2024"
    assert get_dataset(store, "AAAA") == get_dataset(store, AA) == get_dataset(store, data.id)
    assert get_dataset(store, data.id).created.utcoffset() == timedelta(0)
    for unknown in ("aaa", "aaab", "german", ""):
        with pytest.raises(NotFoundError):
            get_dataset(store, unknown)
    with pytest.raises(SettingError):
        rename_dataset(store, data.id, " ")


def test_the_same_content_added_twice_is_one_data_set_and_one_model(store):
    first, second = (add_dataset(store, name=name, sha256=AA, rows=3) for name in ("own", "again"))
    assert first == second == list_datasets(store)[0]
    assert make_model(store, BB) == make_model(store, BB)
    assert (len(list_datasets(store)), len(list_models(store))) == (1, 1)


def test_models_are_listed_newest_first_by_data_and_by_run(store):
    run = make_run(store)
    first, second = make_model(store, AA), make_model(store, BB, data="census", run_id=run.id)
    assert [m.id for m in list_models(store)] == [second.id, first.id]
    assert [m.id for m in list_models(store, data="german")] == [first.id]
    assert [m.id for m in list_models(store, run_id=run.id)] == [second.id]
    assert make_model(store, CC, run_id="gone").run_id is None
    assert rename_model(store, second.id, " Mine ").name == "Mine" == get_model(store, BB).name
    with pytest.raises(SettingError):
        rename_model(store, second.id, "")
