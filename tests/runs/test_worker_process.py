"""The real worker process: it works, stops when asked, dies and is replaced, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.runs import cancel, execute, restart, start_worker, submit, worker_status
from fairneuron_core.runs.queue import enqueue
from fairneuron_core.store import cancel_run, claim_run, create_run, delete_run, get_run, list_runs, open_store, points
from fairneuron_core.workspace import open_workspace
from tests.runs.job_table import TABLE

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ["--jobs", "tests.runs.job_table:TABLE"]
BUSY = 6
"""Seconds: two are promised, and a machine that runs other tests beside takes its time."""


def wait_for(condition, *, seconds=120.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"waited {seconds} s in vain")


def ended(workspace, run_id, *, seconds=120.0):
    def done():
        run = get_run(open_store(workspace), run_id)
        return None if run.active else run

    return wait_for(done, seconds=seconds)


def running(workspace, run_id):
    return wait_for(lambda: get_run(open_store(workspace), run_id).state == "running")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return open_workspace(tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module", autouse=True)
def _workers_find_the_job_table():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
        yield


@pytest.fixture(scope="module")
def supervisor(workspace):
    handle = start_worker(workspace, options=OPTIONS)
    wait_for(lambda: worker_status(workspace).alive)
    yield handle
    pids = handle.pids
    began = time.monotonic()
    handle.stop()
    assert time.monotonic() - began < BUSY
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not worker_status(workspace).alive


def send(workspace, kind, **params):
    return submit(workspace, kind, params, reuse=False, jobs=TABLE)


def test_a_run_is_done_with_results_files_and_its_trace_in_order(supervisor, workspace):
    run = ended(workspace, send(workspace, "count", to=5).id)
    assert (run.state, run.results, run.share) == ("done", {"counted": 5}, 1.0)
    assert workspace.get(run.artefacts["numbers"]) == b"1 2 3"
    assert [p.values["step"] for p in points(open_store(workspace), run.id)] == [1, 2, 3, 4, 5]
    assert run.created <= run.started <= run.finished
    assert {"python", "torch", "machine"} <= set(run.environment)


def test_a_message_that_comes_twice_is_one_run_and_a_run_cancelled_while_it_waits_is_not_begun(supervisor, workspace):
    first = send(workspace, "count", to=40)
    enqueue(workspace, first.id, first.id)
    waiting, last = (send(workspace, "count", to=to) for to in (3, 4))
    assert cancel(workspace, waiting.id).state == "cancelled"
    assert ended(workspace, last.id).state == "done"
    store = open_store(workspace)
    assert [p.values["step"] for p in points(store, first.id)] == list(range(1, 41))
    assert (get_run(store, waiting.id).started, points(store, waiting.id)) == (None, [])


def test_a_running_run_cannot_be_deleted_until_it_was_cancelled(supervisor, workspace):
    run = send(workspace, "count", to=10_000)
    running(workspace, run.id)
    with pytest.raises(SettingError, match="cancel it first"):
        delete_run(open_store(workspace), run.id)
    cancel(workspace, run.id)
    ended(workspace, run.id)
    assert delete_run(open_store(workspace), run.id).runs == 1


def test_a_worker_is_not_ended_for_a_cancelled_run_of_another_machine_with_its_process_id(
    supervisor, workspace, monkeypatch
):
    monkeypatch.setattr("fairneuron_core.runs.supervisor.OVERDUE_S", -1.0)
    store = open_store(workspace)
    elsewhere = create_run(store, kind="count", params={}, title="Elsewhere")
    [worker] = supervisor.pids
    claim_run(store, elsewhere.id, worker_pid=worker, environment={"machine": "another machine"})
    cancel(workspace, elsewhere.id)
    # Longer than two rounds of the supervisor.
    assert ended(workspace, send(workspace, "count", to=80).id).worker_pid == worker
    assert get_run(store, elsewhere.id).state == "running"
    cancel_run(store, elsewhere.id)


def test_a_running_job_that_reports_is_cancelled_within_two_seconds(supervisor, workspace):
    run = send(workspace, "count", to=10_000)
    running(workspace, run.id)
    worker = worker_status(workspace).pid
    asked = time.monotonic()
    cancel(workspace, run.id)
    assert ended(workspace, run.id, seconds=5).state == "cancelled"
    assert time.monotonic() - asked < 2
    assert psutil.pid_exists(worker)


def test_a_job_that_never_reports_is_ended_with_its_process_and_the_next_run_is_done(supervisor, workspace):
    run = send(workspace, "stubborn")
    running(workspace, run.id)
    worker = get_run(open_store(workspace), run.id).worker_pid
    asked = time.monotonic()
    cancel(workspace, run.id)
    assert ended(workspace, run.id, seconds=5).state == "cancelled"
    wait_for(lambda: not psutil.pid_exists(worker) or psutil.Process(worker).status() == "zombie", seconds=3)
    assert time.monotonic() - asked < BUSY
    assert ended(workspace, send(workspace, "count", to=2).id).state == "done"


def test_a_killed_worker_s_run_is_lost_and_can_be_started_again(supervisor, workspace):
    run = send(workspace, "count", to=100)
    running(workspace, run.id)
    os.kill(get_run(open_store(workspace), run.id).worker_pid, signal.SIGKILL)
    lost = ended(workspace, run.id, seconds=10)
    assert lost.state == "lost"
    assert "restart" in lost.error
    again = restart(workspace, run.id)
    assert (again.retry_of, again.params) == (run.id, run.params)
    done = ended(workspace, again.id)
    assert (done.state, done.results) == ("done", {"counted": 100})
    assert done.worker_pid != lost.worker_pid


def test_an_unexpected_error_is_one_sentence_and_its_traceback_a_log(supervisor, workspace):
    run = ended(workspace, send(workspace, "broken").id)
    assert run.state == "failed"
    assert "ValueError" in run.error
    assert "inner detail" not in run.error
    logs = "".join(path.read_text() for path in (workspace.home / "logs").glob(f"*{run.id}*"))
    assert "inner detail" in logs


def test_a_user_error_is_shown_as_it_is(supervisor, workspace):
    run = ended(workspace, send(workspace, "refused").id)
    assert (run.state, run.error) == ("failed", "The table has no rows: give one that has.")


def test_a_job_that_lets_no_thread_run_is_ended_from_outside(supervisor, workspace):
    run = send(workspace, "holding")
    running(workspace, run.id)
    cancel(workspace, run.id)
    found = ended(workspace, run.id, seconds=5)
    assert found.state == "cancelled"
    wait_for(lambda: found.worker_pid not in supervisor.pids, seconds=3)
    assert (found.finished - found.cancel_requested).total_seconds() < BUSY


def test_a_second_supervisor_starts_no_second_worker_and_takes_over(tmp_path):
    workspace = open_workspace(tmp_path / "shared")
    first, second = (start_worker(workspace, options=OPTIONS) for _ in range(2))
    try:
        wait_for(lambda: worker_status(workspace).alive)
        assert len(first.pids) + len(second.pids) == 1
        holder, other = (first, second) if first.pids else (second, first)
        holder.stop()
        wait_for(lambda: len(other.pids) == 1)
        assert ended(workspace, send(workspace, "count", to=2).id).state == "done"
    finally:
        first.stop()
        second.stop()


def test_the_worker_ends_when_the_process_that_started_it_is_killed(tmp_path):
    code = (
        "import sys, time; from fairneuron_core.runs import start_worker;"
        "from fairneuron_core.workspace import open_workspace;"
        "start_worker(open_workspace(sys.argv[1]), options=['--jobs', 'tests.runs.job_table:TABLE']); time.sleep(60)"
    )
    workspace = open_workspace(tmp_path / "orphan")
    starter = subprocess.Popen([sys.executable, "-c", code, str(workspace.home)], cwd=ROOT)
    try:
        worker = wait_for(lambda: worker_status(workspace).pid)
    finally:
        starter.kill()
        starter.wait()
    wait_for(lambda: not psutil.pid_exists(worker), seconds=5)


def test_equal_settings_are_one_run_while_it_waits_works_or_is_done(empty_workspace):
    first, second = (submit(empty_workspace, "count", {"to": 2}, jobs=TABLE) for _ in range(2))
    assert first.id == second.id
    assert execute(empty_workspace, first.id, jobs=TABLE)
    assert submit(empty_workspace, "count", {"to": 2}, jobs=TABLE).state == "done"
    assert submit(empty_workspace, "count", {"to": 3}, jobs=TABLE).id != first.id


def test_a_run_is_carried_out_once_however_often_it_is_taken(empty_workspace):
    run = submit(empty_workspace, "count", {"to": 2}, jobs=TABLE)
    assert [execute(empty_workspace, run.id, jobs=TABLE) for _ in range(2)] == [True, False]


def test_a_queued_run_that_is_cancelled_is_never_taken(empty_workspace):
    run = submit(empty_workspace, "count", {"to": 2}, jobs=TABLE)
    assert cancel(empty_workspace, run.id).state == "cancelled"
    assert not claim_run(open_store(empty_workspace), run.id)
    assert [r.state for r in list_runs(open_store(empty_workspace))] == ["cancelled"]


def test_asking_for_a_status_imports_no_torch():
    code = "import sys, fairneuron_core.runs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
