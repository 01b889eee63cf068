"""The command line: one JSON object on stdout, exit status 0 or 2, one sentence for bad input."""

import json
import socket

import pytest

from fairneuron_core.cli import main
from fairneuron_core.cli.app import free_port


def call(capsys, *words):
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def call_json(capsys, *words):
    status, out, err = call(capsys, *words, "--json")
    assert status == 0, err
    return json.loads(out)


def test_the_main_job_runs_from_the_command_line_with_files(empty_workspace, tmp_path, capsys):
    model, repaired = str(tmp_path / "m.safetensors"), str(tmp_path / "r.safetensors")
    common = ("--data", "german")
    trained = call_json(capsys, "train", *common, "--seed", "0", "--epochs", "3", "--out", model)
    audited = call_json(capsys, "audit", *common, "--model", model)
    assert audited["metrics"] == trained["test"]["metrics"]
    sliced = call_json(
        capsys, "paths", *common, "--model", model, "--coverage", "0.8", "--rarity", "0.01", "--reading", "delta"
    )
    assert sliced["samples"] == 700
    fixed = call_json(capsys, "repair", "fairneuron", *common, "--model", model, "--out", repaired, "--set", "epochs=2")
    assert {"method", "params", "before", "after", "paired", "seconds", "degenerate"} <= set(fixed)
    assert fixed["params"]["epochs"] == 2
    again = call_json(capsys, "audit", *common, "--model", repaired)
    assert again["metrics"] == fixed["after"]["metrics"]


def test_the_alias_adult_means_census(capsys, empty_workspace):
    assert call_json(capsys, "data", "show", "adult")["name"] == "census"


def test_data_show_gives_rows_groups_licence_and_traps(capsys, empty_workspace):
    found = call_json(capsys, "data", "show", "german")
    assert found["rows"] == 1000
    assert sum(g["n"] for g in found["groups"] if g["attribute"] == "sex") == 1000
    assert found["licence"]
    assert found["traps"]


def test_data_list_names_the_four_sets(capsys, empty_workspace):
    names = {row["name"] for row in call_json(capsys, "data", "list")["datasets"]}
    assert {"census", "compas", "german", "bank"} <= names


def test_text_output_shows_intervals_and_group_counts(filled_workspace, capsys):
    status, out, _ = call(capsys, "audit", "--data", "german", "--model", filled_workspace.model)
    assert status == 0
    assert "demographic_parity_difference" in out
    assert "n = 200" in out
    assert "female" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("audit", "--data", "nowhere", "--model", "x"), "no data set 'nowhere'"),
        (("audit", "--data", "german", "--model", "missing.safetensors"), "no model 'missing.safetensors'"),
        (("train", "--data", "german", "--epochs", "many"), "must be a whole number"),
        (("train", "--data", "german", "--out", "/nowhere/at/all/m.safetensors"), "cannot be written"),
        (("repair", "magic", "--data", "german", "--model", "x"), "choose from no_repair, plain_retraining"),
        (("repair", "fairneuron", "--set", "epochs"), "has no '='"),
        (("data", "show"), "needs the name"),
        (("fly",), "invalid choice"),
        (("app", "--port", "-4"), "choose one from 1 to 65535"),
        (("train", "--data", "german", "--epochs", "1", "--out", "/proc/x.safetensors"), "cannot be written"),
        (("train", "--colour", "blue"), "Unrecognized arguments"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_two(capsys, empty_workspace, words, sentence):
    status, out, err = call(capsys, *words)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_damaged_table_is_one_sentence(capsys, empty_workspace, tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("")
    status, _, err = call(capsys, "train", "--data", str(path))
    assert status == 2
    assert "empty" in err


def test_doctor_names_versions_device_and_worker(capsys, empty_workspace):
    found = call_json(capsys, "doctor")
    assert {"python", "torch", "device", "workspace", "worker"} <= set(found)
    assert found["workspace"] == str(empty_workspace.home)


def test_runs_lists_nothing_in_a_fresh_workspace(capsys, empty_workspace):
    assert call_json(capsys, "runs") == {"runs": []}


def test_a_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 50


def test_neurons_shows_the_largest_differences_and_json_has_all(filled_workspace, capsys):
    words = ("neurons", "--data", "german", "--model", filled_workspace.model, "--coverage", "0.3")
    found = call_json(capsys, *words)
    status, out, _ = call(capsys, *words)
    assert status == 0
    assert out.startswith(found["sentence"])
    total = sum(len(layer["neurons"]) for layer in found["layers"])
    assert f"20 of {total} neurons shown" in out


def test_an_engine_that_is_not_there_is_refused(filled_workspace, capsys):
    status, _, err = call(
        capsys, "paths", "--data", "german", "--model", filled_workspace.model, "--coverage", "0.3", "--engine", "spark"
    )
    assert status == 2
    assert "spark" in err


def test_a_table_is_sliced_from_its_file_and_its_keys_are_written(filled_workspace, tmp_path, capsys):
    from fairneuron_core.data import load_dataset

    table, keys = str(tmp_path / "rows.parquet"), tmp_path / "keys.parquet"
    load_dataset("german").frame.to_parquet(table, row_group_size=300)
    words = ("paths", "--model", filled_workspace.model, "--table", table, "--coverage", "0.3")
    found = call_json(capsys, *words, "--keys-out", str(keys))
    assert found["rows"] == 1000
    assert keys.is_file()
    status, out, _ = call(capsys, *words)
    assert status == 0
    assert "rows per second" in out
    assert "female" in out


def test_an_experiment_shows_intervals_verdicts_and_controls_and_writes_json_and_csv(empty_workspace, tmp_path, capsys):
    out, rows = tmp_path / "e.json", tmp_path / "e.csv"
    words = ("experiment", "--data", "german", "--methods", "reweighing", "--seeds", "2", "--base-epochs", "25")
    status, said, err = call(capsys, *words, "--epochs", "1", "--out", str(out), "--csv", str(rows))
    assert status == 0, err
    assert "no_repair (control)" in said
    assert "reweighing" in said
    found = json.loads(out.read_text())
    change = next(r for r in found["summary"] if (r["method"], r["metric"]) == ("reweighing", "accuracy"))
    assert f"{100 * change['paired_difference']['value']:+.2f} [" in said
    assert len(rows.read_text().splitlines()) == 1 + len(found["rows"])


def test_a_data_set_without_a_shipped_experiment_says_so(empty_workspace, capsys):
    status, out, err = call(capsys, "experiment", "--stored", "--data", "own.csv")
    assert (status, out) == (2, "")
    assert "No experiment on 'own.csv' that aims at demographic_parity_difference comes with this product" in err
