"""`fairneuron proofs`: a tiny run, its files, and what is refused."""

import json

import pytest

from fairneuron_core.cli import main
from fairneuron_core.errors import Cancelled
from fairneuron_core.jobs import JOBS, JobContext

TINY = {"settings": "compas-sex", "seeds": "2", "methods": "blind", "points": 200, "base_epochs": 3}


def test_the_table_shows_prof_beside_ours_and_files_hold_the_rows(empty_workspace, tmp_path, capsys):
    out, rows = tmp_path / "p.json", tmp_path / "p.csv"
    words = ["proofs", "--settings", "compas-sex", "--seeds", "1", "--methods", "blind", "--points", "200"]
    assert main([*words, "--base-epochs", "3", "--out", str(out), "--csv", str(rows)]) == 0
    said = capsys.readouterr().out
    assert "96.9 / 97.5" in said
    assert "blind 1" in said
    assert "Against the published set-up" in said
    found = json.loads(out.read_text())
    assert {"spec", "rows", "summary", "means", "side_by_side", "goals", "differs", "timing"} <= set(found)
    assert len(rows.read_text().splitlines()) == 1 + len(found["rows"]) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--settings", "adult-income"), "no setting 'adult-income'"),
        (("--methods", "magic"), "no method 'magic'"),
        (("--seeds", "many"), "write how many"),
        (("--out", "/nowhere/at/all.json"), "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(empty_workspace, capsys, words, sentence):
    assert main(["proofs", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_cancelled_run_goes_on_where_it_stood(empty_workspace):
    job, said = JOBS["proofs"], []

    def cancel(now):
        if "seed 1" in now.message:
            raise Cancelled

    with pytest.raises(Cancelled):
        job.run(job.check(TINY), JobContext(empty_workspace, cancel))
    again = job.run(job.check(TINY), JobContext(empty_workspace, lambda now: said.append(now.message))).results
    assert not any("seed 0" in message for message in said)
    assert [(row["seed"], row["method"]) for row in again["rows"]] == [
        (0, "given"),
        (0, "blind"),
        (1, "given"),
        (1, "blind"),
    ]
    assert not list((empty_workspace.home / "proofs").iterdir())
