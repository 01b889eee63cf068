"""The store: rows that survive, states that only move forward, deletion that takes what was derived, no more."""

import subprocess
import sys
from datetime import timedelta

import pytest

from fairneuron_core.errors import FairNeuronError, NotFoundError, SettingError
from fairneuron_core.store import (
    add_dataset,
    add_model,
    cancel_run,
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
    list_models,
    list_runs,
    now,
    open_store,
    points,
    purge_older,
    reap,
    rename_run,
    request_cancel,
    update_run,
)


@pytest.fixture
def store(empty_workspace):
    return open_store(empty_workspace)


def make_run(store, **params):
    return create_run(store, kind="train", params={"data": "german", **params}, title="A run")


def test_a_run_goes_from_queued_to_running_to_done(store):
    run = make_run(store)
    assert run.state == "queued"
    assert claim_run(store, run.id, worker_pid=7)
    update_run(store, run.id, share=0.5, message="Half", points=[{"epoch": 1}, {"epoch": 2}])
    half = get_run(store, run.id)
    assert (half.state, half.share, half.message, half.worker_pid) == ("running", 0.5, "Half", 7)
    assert [p.values for p in points(store, run.id, after=1)] == [{"epoch": 2}]
    assert finish_run(store, run.id, results={"x": 1}, artefacts={})
    done = get_run(store, run.id)
    assert (done.state, done.results) == ("done", {"x": 1})
    assert done.created.tzinfo is not None
    assert done.created.utcoffset() == timedelta(0)


def test_a_run_is_claimed_once(store):
    run = make_run(store)
    assert [claim_run(store, run.id) for _ in range(2)] == [True, False]


def test_an_ended_run_does_not_change_its_end(store):
    run = make_run(store)
    claim_run(store, run.id)
    request_cancel(store, run.id)
    assert cancel_run(store, run.id)
    assert not finish_run(store, run.id, results={}, artefacts={})
    assert not fail_run(store, run.id, error="late")
    assert get_run(store, run.id).state == "cancelled"


def test_results_keep_undefined_as_null(store):
    run = make_run(store)
    claim_run(store, run.id)
    finish_run(store, run.id, results={"tpr": float("nan")}, artefacts={})
    assert get_run(store, run.id).results == {"tpr": None}


def test_a_run_without_heartbeat_is_lost_and_a_fresh_one_is_not(store):
    old, fresh = make_run(store, seed=1), make_run(store, seed=2)
    for run in (old, fresh):
        claim_run(store, run.id, worker_pid=1)
    assert reap(store, stale_after_s=60) == []
    assert {r.id for r in reap(store, stale_after_s=-1)} == {old.id, fresh.id}
    assert get_run(store, old.id).state == "lost"


def test_a_run_of_a_dead_worker_is_lost_at_once_and_of_a_live_one_never(store):
    dead, alive = make_run(store, seed=1), make_run(store, seed=2)
    claim_run(store, dead.id, worker_pid=111)
    claim_run(store, alive.id, worker_pid=222)
    assert [r.id for r in reap(store, stale_after_s=-1, alive=[222], gone=[111])] == [dead.id]
    assert get_run(store, alive.id).state == "running"


def test_a_running_run_cannot_be_deleted_and_a_title_cannot_be_empty(store):
    run = make_run(store)
    claim_run(store, run.id)
    with pytest.raises(SettingError, match="cancel"):
        delete_run(store, run.id)
    with pytest.raises(SettingError):
        rename_run(store, run.id, "  ")
    assert rename_run(store, run.id, "Mine").title == "Mine"


def test_models_are_found_by_the_first_digits_of_their_id(store):
    shas = ["ab12" + "0" * 60, "ab34" + "0" * 60]
    for sha in shas:
        add_model(store, name="m", sha256=sha, data="german", data_sha256="d" * 64, made_by="train")
    assert get_model(store, "ab12").sha256 == shas[0]
    with pytest.raises(NotFoundError):
        get_model(store, "cd")
    add_model(store, name="m", sha256="ab121" + "0" * 59, data="german", data_sha256="d" * 64, made_by="train")
    with pytest.raises(FairNeuronError, match="more digits"):
        get_model(store, "ab12")


def test_deleting_a_data_set_takes_models_runs_and_files_derived_from_it_and_nothing_else(empty_workspace, store):
    table, own, other = (empty_workspace.put(content) for content in (b"table", b"own model", b"other model"))
    data = add_dataset(store, name="own", sha256=table, rows=3, note={"data_sha256": "d" * 64})
    model = add_model(store, name="m", sha256=own, data=data.id, data_sha256="d" * 64, made_by="train")
    kept = add_model(store, name="k", sha256=other, data="german", data_sha256="e" * 64, made_by="train")
    first, second = make_run(store, data=data.id), make_run(store, data="german")
    claim_run(store, first.id)
    finish_run(store, first.id, results={}, artefacts={})
    derived = derived_from(store, data.id)
    assert ([m.id for m in derived.models], [r.id for r in derived.runs]) == ([model.id], [first.id])
    report = delete_dataset(store, data.id)
    assert (report.datasets, report.models, report.runs, report.artefacts) == (1, 1, 1, 2)
    assert [m.id for m in list_models(store)] == [kept.id]
    assert [r.id for r in list_runs(store)] == [second.id]
    assert empty_workspace.get(other) == b"other model"
    with pytest.raises(NotFoundError):
        empty_workspace.get(own)
    with pytest.raises(NotFoundError):
        get_dataset(store, data.id)


def test_purging_leaves_what_is_young(store):
    make_run(store)
    assert purge_older(store, 1).runs == 0
    assert len(list_runs(store)) == 1


def test_days_to_keep_must_be_a_positive_number(monkeypatch):
    monkeypatch.delenv("FAIRNEURON_KEEP_DAYS", raising=False)
    assert keep_days() is None
    monkeypatch.setenv("FAIRNEURON_KEEP_DAYS", "30")
    assert keep_days() == 30
    monkeypatch.setenv("FAIRNEURON_KEEP_DAYS", "soon")
    with pytest.raises(SettingError, match="soon"):
        keep_days()


def test_four_processes_open_a_fresh_workspace_at_once(tmp_path):
    code = (
        "import sys; from fairneuron_core.store import *; from fairneuron_core.workspace import open_workspace;"
        "create_run(open_store(open_workspace(sys.argv[1])), kind='k', params={'i': sys.argv[2]}, title='t')"
    )
    home = tmp_path / "fresh"
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(home), str(i)], stderr=subprocess.PIPE)
        for i in range(4)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    from fairneuron_core.workspace import open_workspace

    assert len(list_runs(open_store(open_workspace(home)))) == 4


def test_times_lie_between_before_and_after(store):
    before = now()
    run = make_run(store)
    assert before <= run.created <= now()
