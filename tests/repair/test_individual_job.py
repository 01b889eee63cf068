"""Repairs for individuals as jobs: stored, read back, compared, and their facts are plain JSON."""

import json

import pytest

from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.jobs.material import gather
from fairneuron_core.types import VoteRule

QUICK = {
    "blind": {"epochs": 1},
    "majority_vote": {},
    "spread": {"epochs": 1, "rounds": 1},
    "exact_last_layer": {"rows": 3, "benign": 10, "rounds": 1, "seconds": 2},
    "prof": {"rows": 3, "benign": 20, "epochs": 2, "seconds": 5},
}


@pytest.mark.parametrize("method", QUICK)
def test_a_repair_for_individuals_runs_as_a_job_with_json_facts(method, filled_workspace):
    job = JOBS["repair"]
    params = {"data": "german", "model": filled_workspace.model, "method": method, "threads": 1, "device": "cpu"}
    checked = job.check({**params, "attributes": "sex", **QUICK[method]})
    results = job.run(checked, JobContext(filled_workspace.workspace)).results
    facts = json.loads(json.dumps(results["facts"]))
    assert facts["individual"]["attributes"] == ["sex"]
    assert facts["individual"]["validation"]["rows"] == 100
    assert {"passed", "reasons"} <= set(facts["gates"])
    stored = gather("german", results["model"], filled_workspace.workspace).classifier
    assert stored.record.made_by == f"repair {method}"
    assert isinstance(stored.rule, VoteRule) == (method == "majority_vote")
