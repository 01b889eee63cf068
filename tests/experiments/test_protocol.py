"""The protocol: same seeds same figures, whatever was interrupted and in how many processes; controls stay in."""

import dataclasses
import json
import signal
import subprocess
import sys
import time

import pytest

from fairneuron_core.errors import Cancelled, NotFoundError, SettingError
from fairneuron_core.experiments import (
    GIVEN,
    load_stored,
    methods_of,
    rows_csv,
    seeds_of,
    stored_names,
    without_timing,
    write_stored,
)
from fairneuron_core.experiments.protocol import BASE, one_method
from fairneuron_core.experiments.rows import ExperimentRow
from fairneuron_core.experiments.spec import ExperimentParams, settings_for
from fairneuron_core.experiments.statistics import Overlap
from fairneuron_core.experiments.tables import Table, pareto, summary
from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.jobs.experiment import Base, Kept
from fairneuron_core.repair import REPAIRS
from fairneuron_core.workspace import canonical_json

SETTINGS = {"data": "german", "methods": "reweighing", "seeds": "2", "epochs": 1, "base_epochs": 25, "threads": 1}
CONTROLS = {name for name, row in REPAIRS.items() if row.kind == "control"}


def experiment(workspace, progress=None, **changes):
    job = JOBS["experiment"]
    return dict(job.run(job.check(SETTINGS | changes), JobContext(workspace, progress)).results)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One experiment that nobody disturbed."""
    from fairneuron_core.workspace import open_workspace

    return experiment(open_workspace(tmp_path_factory.mktemp("whole")))


def same(one, other):
    one, other = ({**found, "spec": {**found["spec"], "threads": None}} for found in (one, other))
    return canonical_json(without_timing(one)) == canonical_json(without_timing(other))


def stop_at(words, told=None):
    def progress(now):
        if told is not None:
            told.append(now.message)
        if now.message == words:
            raise Cancelled

    return progress


def test_an_equal_spec_gives_byte_identical_json_apart_from_timing(whole, empty_workspace):
    assert same(experiment(empty_workspace), whole)


def test_a_run_that_was_stopped_goes_on_where_it_stood_with_the_identical_result(whole, empty_workspace):
    with pytest.raises(Cancelled):
        experiment(empty_workspace, stop_at("seed 2 of 2: reweighing"))
    (kept,) = (empty_workspace.home / "experiments").iterdir()
    with kept.open("a") as file:
        file.write('\n{"seed": 1, "method": "rewei')  # as if the process had been killed while it wrote
    told = []
    assert same(experiment(empty_workspace, stop_at("nothing", told)), whole)
    assert set(told) == {f"seed 2 of 2: {BASE}", "seed 2 of 2: reweighing"}
    assert not kept.exists()


def test_another_spec_or_other_data_do_not_take_up_what_was_kept(whole, empty_workspace):
    spec, data = whole["spec"], whole["data_sha256"]
    others = [(spec, data), (spec | {"epochs": 2}, data), (spec | {"seeds": [0]}, data), (spec, "0" * 64)]
    assert len({Kept.of(*other, empty_workspace).path for other in others}) == 4


def test_a_killed_process_and_two_seeds_at_a_time_change_no_figure(whole, empty_workspace):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    command = [sys.executable, "-c", "import sys; from fairneuron_core.cli import main; sys.exit(main())"]
    process = subprocess.Popen([*command, "experiment", *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder, end = empty_workspace.home / "experiments", time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end and not any(folder.glob("*.jsonl")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert same(experiment(empty_workspace, threads=2), whole)


def test_controls_cannot_be_left_out(whole):
    assert methods_of("all").names[0] == GIVEN
    assert CONTROLS | {"reweighing"} == set(methods_of("reweighing").names) == set(whole["spec"]["methods"])
    assert {"matched_threshold", "plain_retraining", "dropout_all", "random_group", GIVEN} == CONTROLS


def test_every_seed_measures_every_strength_on_both_parts(whole):
    for name in whole["spec"]["methods"]:
        strengths = list(REPAIRS[name].strengths or (None,))
        for seed, part, n in [(0, "validation", 100), (1, "test", 200)]:
            found = [r for r in whole["rows"] if (r["method"], r["seed"], r["split"]) == (name, seed, part)]
            assert [row["strength"] for row in found] == strengths
            assert {row["n"] for row in found} == {n} == {sum(g["n"] for g in row["groups"]) for row in found}


def test_the_given_network_differs_from_itself_by_exactly_0(whole):
    for row in whole["summary"]:
        if row["method"] == GIVEN and row["mean"] is not None:
            assert row["paired_difference"] == {"value": 0, "low": 0, "high": 0}
            assert row["verdict"] == "cannot tell"


def test_the_methods_of_a_seed_see_the_same_rows_and_another_seed_others(whole):
    def base_rates(seed):
        return {
            tuple((g["group"], g["n"], g["base_rate"]) for g in row["groups"])
            for row in whole["rows"]
            if (row["seed"], row["split"]) == (seed, "test")
        }

    assert len(base_rates(0)) == len(base_rates(1)) == 1


def test_a_method_that_refuses_leaves_a_sentence_and_the_others_go_on(empty_workspace):
    params = ExperimentParams(data="german", base_epochs=1, epochs=1)
    material = Base(params, empty_workspace)(0, None)
    row = REPAIRS["reweighing"]

    def refuse(*_):
        raise SettingError("It does not fit: choose another one.")

    found = one_method(material, dataclasses.replace(row, prepare=refuse), params)
    assert [(r.split, r.degenerate, r.metrics["accuracy"]) for r in found.rows] == [
        ("validation", "It does not fit: choose another one.", None),
        ("test", "It does not fit: choose another one.", None),
    ]


def test_the_experiments_epochs_are_those_of_the_repairs_without_a_number_of_their_own():
    assert settings_for(REPAIRS["plain_retraining"], ExperimentParams(epochs=3)).epochs == 3
    released = REPAIRS["fairneuron_released"]
    assert settings_for(released, ExperimentParams(epochs=3)).epochs == released.Params().epochs == 50


def test_methods_that_can_choose_aim_at_the_experiments_gap():
    aimed = settings_for(REPAIRS["threshold_optimizer"], ExperimentParams(gap="equal_opportunity_difference"))
    assert aimed.constraint == "true_positive_rate_parity"


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (0, 1, 2)), ("100-102", (100, 101, 102)), ("1,5,7", (1, 5, 7)), ("4-4", (4,))]
)
def test_seeds_are_a_number_a_range_or_a_list(text, seeds):
    assert seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "many", "-3", "5-2", "1,1", "1.5", "2000", "0-99999999999"])
def test_seeds_that_cannot_be_read_are_refused(text):
    with pytest.raises(SettingError, match="write how many"):
        seeds_of(text)


def test_an_unknown_method_is_refused_with_the_list():
    with pytest.raises(SettingError, match="Unknown repair method 'magic'"):
        JOBS["experiment"].check({"methods": "magic"})


def made_up(points, *, method, seeds=(0, 1), degenerate=None):
    """Return rows with the same figures on both parts: points are strength -> (accuracy, gap)."""
    return [
        ExperimentRow(
            method,
            strength,
            seed,
            part,
            100,
            {
                "accuracy": accuracy,
                "demographic_parity_ratio": None,
                **dict.fromkeys(
                    (
                        "demographic_parity_difference",
                        "equal_opportunity_difference",
                        "equalized_odds_difference",
                    ),
                    gap,
                ),
            },
            ({"group": "a", "n": 100, "base_rate": 0.7, "selection_rate": 0.5, "tpr": 0.5, "fpr": 0.5},),
            degenerate,
        )
        for seed in seeds
        for part in ("validation", "test")
        for strength, (accuracy, gap) in points.items()
    ]


def table_of(*rows):
    every = tuple(row for part in rows for row in part)
    methods = tuple(dict.fromkeys(row.method for row in every))
    return Table(every, (0, 1), methods, Overlap(2 / 7))


GIVEN_ROWS = made_up({None: (0.85, 0.2)}, method=GIVEN)


def test_a_degenerate_method_is_marked_and_not_ranked():
    table = table_of(GIVEN_ROWS, made_up({None: (0.7, 0.0)}, method="reweighing", degenerate="All rows alike."))
    every = summary(table, gap="demographic_parity_difference", budget=0.01)
    found = next(row for row in every if (row["method"], row["metric"]) == ("reweighing", "accuracy"))
    assert (found["mean"], found["verdict"]) == (None, "undefined")
    assert (found["seeds"], found["ranked"], found["degenerate_seeds"]) == (0, False, [0, 1])
    assert "All rows alike." in found["note"]


def test_budgets_hypervolume_and_reduction_of_made_up_points_are_those_by_hand():
    table = table_of(GIVEN_ROWS, made_up({None: (0.843, 0.05)}, method="reweighing"))
    front = pareto(table)["demographic_parity_difference"][1]
    assert front["hypervolume"]["per_seed"] == pytest.approx([0.143 * 0.15] * 2)
    assert front["budgets"]["0.005"] | {"kept_given": 2} == front["budgets"]["0.005"]
    assert front["budgets"]["0.005"]["reduction"] == 0
    assert front["budgets"]["0.01"]["reduction"] == pytest.approx(0.75)
    assert front["budgets"]["0.01"]["accuracy_change"]["value"] == pytest.approx(-0.007)
    assert all(point["front"] for point in front["points"])


def test_cost_counts_from_plain_retraining_where_that_is_the_more_accurate_one():
    plain = made_up({None: (0.86, 0.2)}, method="plain_retraining")
    reweighed = made_up({None: (0.85, 0.1)}, method="reweighing")
    fronts = pareto(table_of(GIVEN_ROWS, plain, reweighed))["demographic_parity_difference"]
    at = {front["method"]: front["budgets"]["0.01"] for front in fronts}
    assert (at["reweighing"]["cost"]["value"], at["reweighing"]["cost_from"]) == (-0.01, "plain_retraining")
    assert at["reweighing"]["accuracy_change"]["value"] == 0


def test_the_rows_export_as_csv(whole):
    lines = rows_csv(whole).splitlines()
    assert len(lines) == 1 + len(whole["rows"])
    assert lines[0].startswith("method,strength,seed,split,n,accuracy,demographic_parity_difference")
    assert lines[1].startswith(f"{GIVEN},,0,validation,100,")


def test_a_shipped_experiment_is_found_by_name_and_equal_ones_are_equal_files(whole, tmp_path):
    path = write_stored(whole, tmp_path)
    content = path.read_bytes()
    assert write_stored(json.loads(canonical_json(whole)), tmp_path).read_bytes() == content
    assert stored_names(tmp_path) == ("german",)
    assert same(load_stored("german", tmp_path), whole)
    with pytest.raises(NotFoundError, match="No experiment on 'bank'"):
        load_stored("bank", tmp_path)
