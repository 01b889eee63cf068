"""The job that searches for people who are decided differently, and the gate of the audit that keeps them."""

import json

import pytest

from fairneuron_core.data import load_dataset
from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.jobs import JOBS, JobContext, find_classifier, store_classifier
from fairneuron_core.jobs.hunt import pairs_file_text
from fairneuron_core.verify.pairs import check_pairs, pairs_from_bytes


@pytest.fixture
def reader(filled_workspace):
    """A workspace and a network of German Credit in it that reads sex, as published."""
    return filled_workspace.workspace, filled_workspace.model


@pytest.fixture
def blind(filled_workspace):
    """A network that does not read sex."""
    settings = {"epochs": 3, "include_protected": False, "device": "cpu", "threads": 1}
    return str(run("train", filled_workspace.workspace, **settings)["model"])


def run(kind, workspace, **settings):
    return dict(JOBS[kind].run(JOBS[kind].check({"data": "german", **settings}), JobContext(workspace)).results)


def hunted(reader, **settings):
    workspace, model = reader
    return run("hunt", workspace, model=model, protected=["sex"], budget=60, tries=600, **settings)


def test_the_results_are_json_with_the_promised_keys(reader):
    found = hunted(reader, strategies=["uniform", "gradient"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found) >= {"tried", "found", "rate", "by_strategy", "by_attribute", "pairs", "sentence", "seconds"}
    assert found["rate"]["n"] == 600 == found["by_strategy"]["uniform"]["tried"]
    assert found["found"] > 0
    assert set(found["by_attribute"]) == {"sex"}
    pair = found["pairs"][0]
    assert pair["differs"] == ["sex"]
    assert pair["decisions"] in ([0, 1], [1, 0])


def test_the_pairs_file_fails_the_parent_and_passes_for_a_blind_network(reader, blind, tmp_path):
    workspace, model = reader
    path = tmp_path / "pairs.json"
    path.write_text(pairs_file_text(hunted(reader, strategies=["gradient"]), load_dataset("german")), encoding="utf-8")
    parent = run("audit", workspace, model=model, pairs=str(path))
    assert parent["pairs"]["differing"] == parent["pairs"]["tested"] > 0
    passed = run("audit", workspace, model=blind, pairs=str(path))
    assert (passed["pairs"]["tested"], passed["pairs"]["differing"]) == (parent["pairs"]["tested"], 0)
    assert "metrics" in passed
    assert "pairs" not in run("audit", workspace, model=model)


def test_a_file_that_is_no_pairs_file_stops_the_audit(filled_workspace, tmp_path):
    path = tmp_path / "pairs.json"
    path.write_text("{}")
    with pytest.raises(SettingError, match="holds no pairs"):
        run("audit", filled_workspace.workspace, model=filled_workspace.model, pairs=str(path))


def test_an_attribute_that_is_not_read_is_said_at_once(filled_workspace, blind):
    found = run("hunt", filled_workspace.workspace, model=blind, protected=["sex"])
    assert (found["tried"], found["rate"]["value"], found["unread"]) == (0, None, ["sex"])
    assert found["impossible"] == found["sentence"]


def test_a_search_can_be_cancelled(reader):
    workspace, model = reader

    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        JOBS["hunt"].run(JOBS["hunt"].check({"data": "german", "model": model}), JobContext(workspace, cancel))


def test_pairs_are_decided_the_same_from_the_stored_and_the_given_network(reader):
    workspace, model = reader
    dataset = load_dataset("german")
    found = hunted(reader, strategies=["uniform"])
    kept = pairs_from_bytes(pairs_file_text(found, dataset).encode())
    classifier = find_classifier(model, workspace)
    again = find_classifier(store_classifier(classifier, workspace, name="again"), workspace)
    assert check_pairs(dataset, again, kept.pairs).differing == len(kept.pairs)
