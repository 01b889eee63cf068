"""The experiment as a run: submitted, cancelled, restarted, and described by one command line."""

import dataclasses
import shlex
import time

import pytest

from fairneuron_core.cli.commands import _given
from fairneuron_core.cli.main import build_parser
from fairneuron_core.errors import SettingError
from fairneuron_core.experiments import without_timing
from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.runs import cancel, command_line, execute, restart, submit
from fairneuron_core.store import get_run, open_store
from fairneuron_core.types import Progress
from fairneuron_core.workspace import canonical_json

SETTINGS = {"data": "german", "methods": "reweighing", "seeds": "1,3", "epochs": 1, "base_epochs": 2, "threads": 1}


def carried_out(workspace, run):
    assert execute(workspace, run.id)
    return get_run(open_store(workspace), run.id)


def test_a_restarted_run_ends_with_the_result_of_an_undisturbed_one(empty_workspace):
    whole = carried_out(empty_workspace, submit(empty_workspace, "experiment", SETTINGS))
    assert whole.state == "done"
    begun = submit(empty_workspace, "experiment", SETTINGS, reuse=False)
    real = JOBS["experiment"]
    waited = []

    def slowly(params, context):
        def progress(now: Progress) -> None:
            if now.message.startswith("seed 2 of 2: plain_retraining") and not waited:
                cancel(empty_workspace, begun.id)
                waited.append(time.monotonic())
                while time.monotonic() < waited[0] + 5:
                    time.sleep(0.05)
                    context.progress(now)
            context.progress(now)

        return real.run(params, JobContext(context.workspace, progress, context.run_id))

    execute(empty_workspace, begun.id, jobs={"experiment": dataclasses.replace(real, run=slowly)})
    stopped = get_run(open_store(empty_workspace), begun.id)
    assert stopped.state == "cancelled"
    assert time.monotonic() - waited[0] < 5
    again = carried_out(empty_workspace, restart(empty_workspace, stopped.id))
    assert canonical_json(without_timing(again.results)) == canonical_json(without_timing(whole.results))


def test_the_result_has_the_promised_keys(empty_workspace):
    found = JOBS["experiment"].run(JOBS["experiment"].check(SETTINGS), JobContext(empty_workspace)).results
    assert {"spec", "data_sha256", "rows", "summary", "pareto", "timing"} <= set(found)
    assert found["spec"]["seeds"] == [1, 3]
    assert found["spec"]["protected"] == "sex"
    assert {"seconds", "total", "versions", "machine"} <= set(found["timing"])
    assert {"base training", "no_repair", "reweighing"} <= set(found["timing"]["seconds"])
    assert set(found["pareto"]) == {
        "demographic_parity_difference",
        "equal_opportunity_difference",
        "equalized_odds_difference",
    }
    for row in found["summary"]:
        assert row["verdict"] in ("improved", "worsened", "cannot tell", "undefined")
        assert set(row["paired_difference"]) == {"value", "low", "high"}
        assert len(row["strengths"]) == 2


def test_the_network_of_a_seed_is_the_one_that_the_training_job_makes(empty_workspace):
    found = JOBS["experiment"].run(JOBS["experiment"].check(SETTINGS), JobContext(empty_workspace)).results
    train = JOBS["train"].check({"data": "german", "seed": 3, "epochs": 2})
    alone = JOBS["train"].run(train, JobContext(empty_workspace)).results["test"]["metrics"]
    row = next(r for r in found["rows"] if (r["method"], r["seed"], r["split"]) == ("no_repair", 3, "test"))
    for name, value in row["metrics"].items():
        assert value == pytest.approx(alone[name]["value"], abs=1e-6)


def test_the_command_of_an_experiment_means_the_same_settings():
    checked = JOBS["experiment"].check(SETTINGS | {"include_protected": False, "hidden": [8, 4]})
    words = shlex.split(command_line("experiment", checked))
    parsed = build_parser("experiment").parse_args(words[1:])
    assert JOBS["experiment"].check(_given(parsed, "experiment")) == checked


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"seeds": "many"}, "write how many"), ({"methods": "magic"}, "Unknown repair method"), ({"gap": "x"}, "choose")],
)
def test_what_cannot_be_read_is_refused_when_it_is_submitted(empty_workspace, wrong, words):
    with pytest.raises(SettingError, match=words):
        submit(empty_workspace, "experiment", SETTINGS | wrong)
