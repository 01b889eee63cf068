"""The job that counts which neurons serve whom."""

import pytest

from fairneuron_core.errors import SettingError
from fairneuron_core.jobs import JOBS, JobContext, gather
from fairneuron_core.paths import slice_paths


def run(kind, filled, **settings):
    settings = {"data": "german", "model": filled.model, **settings}
    return dict(JOBS[kind].run(JOBS[kind].check(settings), JobContext(filled.workspace)).results)


def test_every_hidden_neuron_is_counted_over_all_training_rows(filled_workspace):
    found = run("neurons", filled_workspace, coverage=0.3)
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    features = material.batch("train").features
    used = slice_paths(material.classifier, features, coverage=0.3).active_neurons(range(len(features)))
    neurons = [row for layer in found["layers"] for row in layer["neurons"]]
    assert sum(group["n"] for group in found["groups"]) == 700
    assert [sum(g["count"] for g in row["by_group"]) for row in neurons] == used.sum(axis=0).tolist()
    assert found["against"] == material.reference


def test_without_a_coverage_the_suggested_one_is_used(filled_workspace):
    assert run("neurons", filled_workspace)["coverage"] in {step / 10 for step in range(10)}


def test_the_second_table_of_a_data_set_is_refused(filled_workspace):
    with pytest.raises(SettingError, match="train, validation or test"):
        run("neurons", filled_workspace, part="holdout")
