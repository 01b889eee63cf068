"""How a run ends: under its heartbeat, at an error, at a request to stop, with a store that cannot be written."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.jobs.context import JobResult, JobRow
from fairneuron_core.runs import cancel, execute, restart, start_worker, submit, worker_status
from fairneuron_core.runs.pulse import Pulse
from fairneuron_core.runs.status import ENDED_STUBBORN_WORK, beat
from fairneuron_core.runs.supervisor import SLOWEST_RESTART_S, _Place
from fairneuron_core.runs.worker import _take, _watch
from fairneuron_core.store import (
    claim_run,
    create_run,
    delete_run,
    get_run,
    list_runs,
    open_store,
    points,
    reap,
    request_cancel,
)
from fairneuron_core.types import Progress
from fairneuron_core.workspace import Workspace
from tests.runs.job_table import TABLE

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition, *, seconds=120.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    return pytest.fail(f"waited {seconds} s in vain")


def job(work):
    return {"one": JobRow("one", title=lambda p: "One", check=lambda p: {**p}, run=work)}


def run_of(workspace, work, **kwargs):
    run = submit(workspace, "one", {}, jobs=job(work))
    assert execute(workspace, run.id, jobs=job(work), **kwargs)
    return get_run(open_store(workspace), run.id)


def test_the_last_points_of_quick_work_are_written_before_the_run_is_done(empty_workspace):
    def work(params, context):
        for step in range(300):
            context.progress(Progress(step / 300, f"Step {step}", {"step": step}))
        return JobResult({})

    run = run_of(empty_workspace, work)
    assert (run.state, run.share, run.message) == ("done", 1.0, "Done.")
    assert [p.values["step"] for p in points(open_store(empty_workspace), run.id)] == list(range(300))


def test_work_that_finishes_although_it_was_asked_to_stop_is_done(empty_workspace):
    def work(params, context):
        request_cancel(open_store(context.workspace), context.run_id)
        return JobResult({"x": 1})

    run = run_of(empty_workspace, work)
    assert (run.state, run.results) == ("done", {"x": 1})
    assert submit(empty_workspace, "one", {}, jobs=job(work)).id == run.id


def test_work_that_is_asked_to_stop_is_told_by_its_next_report_and_is_cancelled(empty_workspace):
    def work(params, context):
        request_cancel(open_store(context.workspace), context.run_id)
        wait_for(lambda: context.progress(Progress(0.5, "Half")))
        return JobResult({})

    run = run_of(empty_workspace, work)
    assert (run.state, run.results, run.error) == ("cancelled", {}, None)


@pytest.mark.parametrize("error", [SystemExit(1), KeyError("Jane"), MemoryError()], ids=["exit", "key", "memory"])
def test_every_unexpected_end_is_one_sentence_that_names_the_log(empty_workspace, error):
    def work(params, context):
        raise error

    run = run_of(empty_workspace, work)
    assert run.state == "failed"
    assert f"logs/{run.id}.log" in run.error
    assert "\n" not in run.error
    assert "Jane" not in run.error
    assert "Traceback" in (empty_workspace.home / "logs" / f"{run.id}.log").read_text()


def test_a_message_that_no_database_can_hold_does_not_stop_the_heart(empty_workspace):
    def work(params, context):
        context.progress(Progress(0.5, "half of a pair: \ud800"))
        request_cancel(open_store(context.workspace), context.run_id)
        return JobResult({})

    assert run_of(empty_workspace, work).state == "done"


def test_a_run_that_is_deleted_while_its_worker_sleeps_stops_that_worker_s_work(empty_workspace):
    def work(params, context):
        store = open_store(context.workspace)
        reap(store, stale_after_s=-1)
        delete_run(store, context.run_id)
        with pytest.raises(Cancelled):
            wait_for(lambda: context.progress(Progress(0.5, "Half")))
        raise Cancelled

    run = submit(empty_workspace, "one", {}, jobs=job(work))
    assert execute(empty_workspace, run.id, jobs=job(work))
    assert list_runs(open_store(empty_workspace)) == []


def test_stubborn_work_is_marked_cancelled_before_its_process_is_ended(empty_workspace):
    store = open_store(empty_workspace)
    run = create_run(store, kind="one", params={}, title="One")
    claim_run(store, run.id)
    ended = threading.Event()
    with Pulse(store, run.id, on_stubborn=ended.set):
        request_cancel(store, run.id)
        assert ended.wait(10)
        found = get_run(store, run.id)
        assert found.state == "cancelled"
        assert "did not stop by itself" in found.message


def test_an_import_error_of_the_jobs_fails_the_run_instead_of_leaving_it_waiting(empty_workspace):
    run = submit(empty_workspace, "count", {}, jobs=TABLE)
    _take(empty_workspace, run.id, "tests.runs.no_such_module:TABLE")
    found = get_run(open_store(empty_workspace), run.id)
    assert found.state == "failed"
    assert "ModuleNotFoundError" in found.error


def test_a_worker_that_cannot_write_the_end_of_a_run_ends_so_that_the_run_can_be_given_up(empty_workspace):
    run = submit(empty_workspace, "without_table", {}, jobs=TABLE)
    code = (
        "import sys; from fairneuron_core.runs.worker import _take;"
        "from fairneuron_core.workspace import open_workspace;"
        "_take(open_workspace(sys.argv[1]), sys.argv[2], 'tests.runs.job_table:TABLE')"
    )
    words = [sys.executable, "-c", code, str(empty_workspace.home), run.id]
    worker = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE)
    log = worker.communicate(timeout=60)[1].decode()
    assert worker.returncode == 1, log
    assert "could not be written down" in log
    with sqlite3.connect(empty_workspace.home / "fairneuron.sqlite") as connection:
        connection.execute("ALTER TABLE away RENAME TO run")
    connection.close()
    store = open_store(empty_workspace)
    assert (get_run(store, run.id).state, get_run(store, run.id).worker_pid) == ("running", worker.pid)
    assert [r.state for r in reap(store, gone=[worker.pid])] == ["lost"]


def test_a_new_worker_gives_up_the_run_of_a_dead_one_that_had_the_same_process_id(empty_workspace):
    # exec keeps the process id: the run is claimed under the id that the worker then has, as in a restarted container
    code = (
        "import os, platform, sys; from fairneuron_core.store import *;"
        "from fairneuron_core.workspace import open_workspace;"
        "home = sys.argv[1]; store = open_store(open_workspace(home));"
        "run = create_run(store, kind='count', params={}, title='t');"
        "claim_run(store, run.id, worker_pid=os.getpid(), environment={'machine': platform.node()});"
        "os.execv(sys.executable, [sys.executable, '-m', 'fairneuron_core.runs.worker', '--workspace', home,"
        " '--parent', str(os.getppid()), '--jobs', 'tests.runs.job_table:TABLE'])"
    )
    words = [sys.executable, "-c", code, str(empty_workspace.home)]
    worker = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        lost = wait_for(lambda: list_runs(open_store(empty_workspace), state="lost"))
        assert [run.worker_pid for run in lost] == [worker.pid]
        assert worker_status(empty_workspace).pid == worker.pid
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert not worker_status(empty_workspace).alive


def test_a_worker_whose_workspace_was_removed_still_sees_its_parent_go(tmp_path):
    stop = threading.Event()
    watch = threading.Thread(target=_watch, args=(Workspace(tmp_path / "gone"), os.getpid(), stop), daemon=True)
    watch.start()
    assert stop.wait(10)
    watch.join()


def test_a_file_of_a_process_that_is_no_worker_counts_as_no_worker(empty_workspace):
    beat(empty_workspace)
    (empty_workspace.home / "workers" / "not a number.alive").touch()
    assert not worker_status(empty_workspace).alive


def ended_process(code):
    process = subprocess.Popen([sys.executable, "-S", "-c", f"import os; os._exit({code})"])
    process.wait()
    return process


def test_workers_that_die_young_are_replaced_later_and_later_others_at_once():
    place = _Place()
    pauses = []
    for at in (0.0, 10.0, 20.0, 30.0, 40.0, 50.0):
        place.process, place.started = ended_process(1), at
        assert place.found_dead(at + 1) is not None
        pauses.append(place.not_before - (at + 1))
    assert pauses == [2.0, 4.0, 8.0, 16.0, SLOWEST_RESTART_S, SLOWEST_RESTART_S]
    assert place.found_dead(60.0) is None, "a dead worker is found once"
    place.process, place.started = ended_process(1), 100.0
    assert place.found_dead(200.0) is not None
    assert (place.failures, place.not_before) == (0, 200.0)
    place.process, place.started = ended_process(ENDED_STUBBORN_WORK), 300.0
    assert place.found_dead(301.0) is not None
    assert (place.failures, place.not_before) == (0, 301.0)


@pytest.mark.parametrize("given", ["0", "-1", "two", "²", "1.5"])
def test_a_number_of_workers_that_is_none_is_refused_with_the_value(empty_workspace, monkeypatch, given):
    monkeypatch.setenv("FAIRNEURON_WORKERS", given)
    with pytest.raises(SettingError, match=f"FAIRNEURON_WORKERS is '{given}'"):
        start_worker(empty_workspace)


def test_what_has_not_ended_cannot_be_restarted_and_a_restart_is_a_run_of_its_own(empty_workspace):
    run = submit(empty_workspace, "count", {"to": 2}, jobs=TABLE)
    with pytest.raises(SettingError, match="has not ended"):
        restart(empty_workspace, run.id)
    cancel(empty_workspace, run.id)
    again = restart(empty_workspace, run.id)
    assert (again.state, again.retry_of, again.spec_sha256) == ("queued", run.id, run.spec_sha256)
    assert again.id != run.id


def test_an_unknown_kind_is_refused_with_the_known_ones(empty_workspace):
    with pytest.raises(SettingError, match=r"'no such'.*count"):
        submit(empty_workspace, "no such", {}, jobs=TABLE)
    assert list_runs(open_store(empty_workspace)) == []
