"""`fairneuron certify` and its re-check: one JSON object, exit status 0, 1 and 2."""

import json

import pytest

from fairneuron_core.cli import main


def call(capsys, *words):
    status = main(["certify", *words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture
def written(filled_workspace, tmp_path, capsys):
    """A certificate of the German network, written to a file as the shell does it."""
    status, out, err = call(capsys, "--data", "german", "--model", filled_workspace.model, "--json")
    assert status == 0, err
    path = tmp_path / "c.json"
    path.write_text(out)
    return path


def test_a_refuted_network_is_an_answer_and_exit_status_zero(written):
    found = json.loads(written.read_text())
    assert found["refuted"] > 0
    assert (found["scope"], found["part"], found["protected"]) == ("rows", "test", ["sex"])
    assert found["proved"] + found["refuted"] + found["unknown"] == found["n"] == 200


def test_text_output_has_the_answer_the_people_and_the_gaps(filled_workspace, written, capsys):
    found = json.loads(written.read_text())
    status, out, _ = call(capsys, "--data", "german", "--model", filled_workspace.model)
    assert status == 0
    assert f"Yes: {found['refuted']} of 200 test rows" in out
    assert str(found["counterexamples"][0]["row"]) in out
    assert "demographic_parity_difference by sex" in out
    assert "the gaps between groups stay" in out


def test_a_certificate_that_holds_is_exit_status_zero(written, capsys):
    status, out, err = call(capsys, "--recheck", str(written), "--json")
    assert status == 0, err
    assert json.loads(out)["holds"] is True


def test_a_forged_certificate_is_exit_status_one(written, capsys):
    forged = json.loads(written.read_text())
    forged["recheck"]["status"] = [1] * 200
    forged |= {"proved": 200, "refuted": 0, "counterexamples": []}
    written.write_text(json.dumps(forged))
    status, out, err = call(capsys, "--recheck", str(written))
    assert (status, err) == (1, "")
    assert "The certificate does not hold: Row " in out


def test_a_certificate_of_another_network_is_exit_status_one(filled_workspace, written, capsys):
    status, out, _ = call(capsys, "--recheck", str(written), "--model", filled_workspace.reweighing)
    assert status == 1
    assert "The network is another one" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--data", "german", "--model", "nothing"), "no model 'nothing'"),
        (("--data", "german", "--protected", "purpose"), "not a protected attribute"),
        (("--data", "german", "--within", "duration_months"), "write column=amount"),
        (("--data", "german", "--scope", "world"), "choose from rows, space"),
        (("--recheck", "/nowhere.json"), "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_two(filled_workspace, capsys, words, sentence):
    model = () if "--model" in words or "--recheck" in words else ("--model", filled_workspace.model)
    status, out, err = call(capsys, *words, *model)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_the_whole_space_is_answered_beside_the_rows(filled_workspace, capsys):
    words = ("--data", "german", "--model", filled_workspace.model, "--scope", "space", "--budget", "2", "--json")
    status, out, err = call(capsys, *words)
    assert status == 0, err
    space = json.loads(out)["space"]
    assert space["proved"] + space["refuted"] + space["unknown"] == pytest.approx(1)
    assert space["uniform"]["low"] <= space["uniform"]["value"] <= space["uniform"]["high"]
    assert space["held_out"]["n"] == 200
