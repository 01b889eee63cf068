"""`fairneuron hunt` and `fairneuron audit --pairs` on the command line."""

import json

import pytest

from fairneuron_core.cli import main


def call(capsys, *words):
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture
def reader(filled_workspace):
    """A network that reads sex, as published."""
    return filled_workspace.model


@pytest.fixture
def blind(filled_workspace, tmp_path, capsys):
    """The file of a network that does not read sex."""
    path = str(tmp_path / "blind.safetensors")
    status, _, err = call(
        capsys, "train", "--data", "german", "--epochs", "3", "--exclude-protected", "--out", path, "--json"
    )
    assert status == 0, err
    return path


def test_hunt_then_audit_is_a_gate(reader, blind, tmp_path, capsys):
    pairs = str(tmp_path / "pairs.json")
    given = ("--data", "german", "--model", reader, "--protected", "sex", "--tries", "500", "--budget", "60")
    status, out, err = call(capsys, "hunt", *given, "--strategies", "uniform,gradient", "--out-pairs", pairs, "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["out_pairs"] == pairs
    status, out, _ = call(capsys, "audit", "--data", "german", "--model", reader, "--pairs", pairs, "--json")
    assert status == 1
    tested = json.loads(out)["pairs"]
    assert tested["tested"] == tested["differing"] == len(found["pairs"])
    status, out, _ = call(capsys, "audit", "--data", "german", "--model", blind, "--pairs", pairs)
    assert status == 0
    assert f"All of {len(found['pairs'])} known pairs of similar individuals are treated alike." in out
    assert "demographic_parity_difference" in out


def test_hunt_reads_as_a_table(reader, capsys):
    status, out, err = call(
        capsys, "hunt", "--data", "german", "--model", reader, "--protected", "sex,age_group", "--tries", "200",
        "--strategies", "uniform,perturbation,gradient",
    )  # fmt: skip
    assert status == 0, err
    for words in ("individuals were tried", "uniform random points", "alone suffices", "age_group", "what changes"):
        assert words in out


def test_an_attribute_that_is_not_read_ends_at_once(blind, capsys):
    status, out, _ = call(capsys, "hunt", "--data", "german", "--model", blind, "--protected", "sex")
    assert (status, out) == (0, "Nothing can be found: neither the network nor its rule reads sex.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("hunt", "--strategies", "magic"), "Unknown strategy 'magic'"),
        (("hunt", "--out-pairs", "/nowhere/at/all.json"), "cannot be written"),
        (("hunt", "--budget", "long"), "must be a number"),
        (("hunt", "--protected", "colour"), "no column 'colour'"),
        (("audit", "--pairs", "/nowhere/at/all.json"), "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_two(filled_workspace, capsys, words, sentence):
    status, out, err = call(capsys, *words, "--data", "german", "--model", filled_workspace.model)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
