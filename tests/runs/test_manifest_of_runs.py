import shlex

import pytest

from fairneuron_core.cli.main import build_parser
from fairneuron_core.jobs import JOBS
from fairneuron_core.runs import command_line, manifest, submit


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("train", {"data": "german", "hidden": [8, 4], "include_protected": False}),
        ("audit", {"data": "german", "model": "abcdef"}),
        ("paths", {"data": "german", "model": "abcdef", "coverage": 0.4}),
        ("repair", {"data": "german", "model": "abcdef", "method": "fairneuron", "epochs": 4}),
        ("search", {"data": "german", "model": "abcdef", "thetas": [0.1], "gammas": [0.5, 0.6]}),
        ("tour", {"data": "german"}),
    ],
)
def test_the_command_of_a_manifest_means_the_same_settings(kind, params):
    from fairneuron_core.cli.commands import _given

    checked = JOBS[kind].check(params)
    words = shlex.split(command_line(kind, checked))
    assert words[:2] == ["fairneuron", kind]
    parsed = build_parser(kind).parse_args(words[1:])
    given = {**_given(parsed, kind), **({"method": parsed.method} if kind == "repair" else {})}
    assert JOBS[kind].check(given) == checked


def test_a_manifest_names_spec_state_and_command(empty_workspace):
    run = submit(empty_workspace, "train", {"data": "german", "threads": 1})
    found = manifest(run)
    assert found["spec"]["params"]["data"] == "german"
    assert (found["state"], found["threads"]) == ("queued", 1)
    assert found["command"].startswith("fairneuron train ")
    assert "--data german" in found["command"]
