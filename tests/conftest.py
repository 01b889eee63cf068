"""What many tests share: small workspaces with real things in them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairneuron_core.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Filled:
    """A workspace with one network of German Credit and two repairs of it."""

    workspace: Workspace
    model: str
    fairneuron: str
    reweighing: str
    train_results: dict
    repair_results: dict


@pytest.fixture(scope="session")
def trained_german(tmp_path_factory) -> Filled:
    """Train and repair once for all tests; never change what is in it (use `filled_workspace`)."""
    from fairneuron_core.jobs import JOBS, JobContext

    workspace = open_workspace(tmp_path_factory.mktemp("german"))

    def run(kind: str, **params: object) -> dict:
        job = JOBS[kind]
        return dict(job.run(job.check({"data": "german", "threads": 1, **params}), JobContext(workspace)).results)

    trained = run("train", seed=0, epochs=25, device="cpu")
    repairs = {
        method: run("repair", model=trained["model"], method=method, epochs=3, device="cpu")
        for method in ("fairneuron", "reweighing")
    }
    return Filled(
        workspace,
        trained["model"],
        repairs["fairneuron"]["model"],
        repairs["reweighing"]["model"],
        trained,
        repairs["fairneuron"],
    )


@pytest.fixture
def filled_workspace(trained_german, tmp_path, monkeypatch) -> Filled:
    """A copy of the trained workspace that this test may change; FAIRNEURON_HOME names it."""
    home = tmp_path / "home"
    shutil.copytree(trained_german.workspace.home, home)
    monkeypatch.setenv("FAIRNEURON_HOME", str(home))
    monkeypatch.setenv("FAIRNEURON_THREADS", "1")
    return Filled(open_workspace(home), *list(vars(trained_german).values())[1:])


@pytest.fixture
def empty_workspace(tmp_path, monkeypatch) -> Workspace:
    """A fresh workspace; FAIRNEURON_HOME names it."""
    monkeypatch.setenv("FAIRNEURON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAIRNEURON_THREADS", "1")
    return open_workspace()
