"""Several processes on one store at once: every change of state is made by exactly one of them, nothing is lost."""

import json
import subprocess
import sys
import threading
import time

import pytest

from fairneuron_core.errors import NotFoundError
from fairneuron_core.store import (
    add_points,
    cancel_run,
    claim_run,
    create_run,
    delete_run,
    fail_run,
    finish_run,
    get_run,
    list_runs,
    open_store,
    points,
    reap,
    request_cancel,
    update_run,
)

ROLES = ("a", "b", "cancel")
WORK = """
import json, pathlib, sys, time
from fairneuron_core.store import add_points, claim_run, open_store, request_cancel
from fairneuron_core.workspace import open_workspace
home, role, shared, *runs = sys.argv[1:]
store = open_store(open_workspace(home))
pathlib.Path(home, f"ready.{role}").touch()
while not pathlib.Path(home, "go").exists():
    time.sleep(0.001)
taken = []
for i, run in enumerate(runs):
    if role == "cancel":
        request_cancel(store, run)
    elif claim_run(store, run, worker_pid=1):
        taken.append(run)
    add_points(store, shared, [{"role": role, "i": i}])
print(json.dumps(taken))
"""


@pytest.fixture
def store(empty_workspace):
    return open_store(empty_workspace)


def make_run(store, **params):
    return create_run(store, kind="train", params=params, title="A run")


@pytest.fixture
def raced(empty_workspace, store):
    """20 runs, claimed by two processes while a third one cancels them: (claimed per process, runs, shared run)."""
    shared, *runs = (make_run(store, seed=i).id for i in range(21))
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORK, str(empty_workspace.home), role, shared]
            # The one that cancels comes from the other end, so that they meet.
            + (runs[::-1] if role == "cancel" else runs),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for role in ROLES
    ]
    deadline = time.monotonic() + 60
    while not all((empty_workspace.home / f"ready.{role}").exists() for role in ROLES):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (empty_workspace.home / "go").touch()
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(ROLES), said
    return [json.loads(out) for out, _ in said], runs, shared


def test_processes_claim_and_cancel_each_run_exactly_once_and_lose_no_point(store, raced):
    claimed, runs, shared = raced
    taken = [run for one in claimed for run in one]
    assert len(taken) == len(set(taken)), "a run was claimed twice"
    found = {run: get_run(store, run) for run in runs}
    assert {run for run, row in found.items() if row.state == "running"} == set(taken)
    assert all(found[run].state == "cancelled" and found[run].started is None for run in set(runs) - set(taken))
    assert all(row.cancel_requested for row in found.values())
    trace = points(store, shared)
    assert [p.position for p in trace] == list(range(1, len(ROLES) * len(runs) + 1))
    for role in ROLES:
        assert [p.values["i"] for p in trace if p.values["role"] == role] == list(range(len(runs)))


def test_threads_that_submit_the_same_settings_at_once_get_one_run(store):
    made = []
    ready = threading.Barrier(6)

    def submit():
        ready.wait()
        made.append(create_run(store, kind="train", params={"data": "german"}, title="t", reuse=True).id)

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1 == len(list_runs(store))


def test_a_run_cancelled_while_it_waits_cannot_be_claimed_and_ends_without_having_begun(store):
    run = request_cancel(store, make_run(store).id)
    assert (run.state, run.started, run.seconds) == ("cancelled", None, None)
    assert run.finished is not None
    assert not claim_run(store, run.id)
    assert not finish_run(store, run.id, results={}, artefacts={})


def test_a_run_that_ends_while_it_is_being_cancelled_keeps_its_results(store):
    run = make_run(store)
    claim_run(store, run.id)
    asked = request_cancel(store, run.id)
    assert asked.state == "running"
    assert request_cancel(store, run.id).cancel_requested == asked.cancel_requested
    assert finish_run(store, run.id, results={"x": 1}, artefacts={})
    assert not cancel_run(store, run.id)
    assert (get_run(store, run.id).state, get_run(store, run.id).results) == ("done", {"x": 1})


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_heartbeat_after_the_end_changes_nothing(store, end):
    run = make_run(store)
    claim_run(store, run.id)
    update_run(store, run.id, share=0.5, message="Half", points=[{"epoch": 1}])
    if end == "done":
        finish_run(store, run.id, results={}, artefacts={})
    elif end == "failed":
        fail_run(store, run.id, error="It is too big: make it smaller.")
    else:
        cancel_run(store, run.id)
    before = get_run(store, run.id)
    assert before.state == end
    late = update_run(store, run.id, share=0.6, message="Late", points=[{"epoch": 2}])
    assert late == before == get_run(store, run.id)
    assert len(points(store, run.id)) == 1


def test_a_heartbeat_of_a_deleted_run_says_so_and_makes_no_row(store):
    run = make_run(store)
    delete_run(store, run.id)
    assert update_run(store, run.id, share=0.5, points=[{"epoch": 1}]) is None
    assert (list_runs(store), points(store, run.id)) == ([], [])
    with pytest.raises(NotFoundError):
        add_points(store, run.id, [{"epoch": 1}])


def test_a_run_that_was_asked_to_stop_and_lost_its_worker_is_cancelled_not_lost(store):
    asked, unasked = make_run(store, seed=1), make_run(store, seed=2)
    for run in (asked, unasked):
        claim_run(store, run.id, worker_pid=111)
    request_cancel(store, asked.id)
    reap(store, gone=[111])
    assert [get_run(store, run.id).state for run in (asked, unasked)] == ["cancelled", "lost"]


def test_process_ids_of_another_machine_say_nothing_about_a_run(store):
    run = make_run(store)
    claim_run(store, run.id, worker_pid=111, environment={"machine": "another machine"})
    assert reap(store, gone=[111]) == []
    assert [r.state for r in reap(store, alive=[111], stale_after_s=-1)] == ["lost"]


def test_a_share_that_is_undefined_or_outside_is_kept_between_nought_and_one(store):
    run = make_run(store)
    claim_run(store, run.id)
    shares = [update_run(store, run.id, share=share).share for share in (0.25, float("nan"), 7.0, -1.0)]
    assert shares == [0.25, 0.25, 1.0, 0.0]
