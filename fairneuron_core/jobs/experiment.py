"""Compare methods over seeds: every seed has one split and one network, from which every method starts.

What is finished is kept in the workspace under the spec's hash after every method of every seed: a run that was ended
and is started again with the same settings goes on where it stood. A run that ends well removes what it kept.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fairneuron_core import __version__
from fairneuron_core.errors import SettingError
from fairneuron_core.experiments import (
    GIVEN,
    ExperimentParams,
    Finished,
    Memory,
    SeedMaterial,
    carry_out,
    experiment_json,
    finished_json,
    finished_of,
    methods_of,
    seeds_of,
    spec_json,
)
from fairneuron_core.jobs.context import JobContext, JobResult, JobRow, filled
from fairneuron_core.jobs.machine import ONE_NETWORK, use_threads
from fairneuron_core.jobs.material import choose_attribute, find_dataset, stored_reference
from fairneuron_core.jobs.repair import repair_task
from fairneuron_core.jobs.train import TrainParams, fit_classifier
from fairneuron_core.models import resolve_device
from fairneuron_core.params import params_json, parse_params
from fairneuron_core.types import ProgressCallback
from fairneuron_core.workspace import Workspace, canonical_json, digest, forget_old

VERSIONS = ("torch", "numpy", "scipy", "pandas", "numba", "scikit-learn", "fairlearn")
_SAME_NAME = ("data", "protected", "include_protected", "hidden", "batch_size", "stop_patience", "plateau_patience")


@dataclass(frozen=True)
class Base:
    """seed -> split, trained network and test rows; a value, so that other processes can be given it."""

    params: ExperimentParams
    workspace: Workspace

    def __call__(self, seed: int, progress: ProgressCallback | None) -> SeedMaterial:
        use_threads(ONE_NETWORK)
        material, _ = fit_classifier(self.training(seed), self.workspace, progress=progress)
        task = repair_task(material, replace(self.training(seed), threads=ONE_NETWORK), progress=None)
        return SeedMaterial(task, material.batch("test"))

    def training(self, seed: int) -> TrainParams:
        """Return the settings with which the network of this seed is trained."""
        same: dict[str, Any] = {name: getattr(self.params, name) for name in _SAME_NAME}
        rest: dict[str, Any] = {"epochs": self.params.base_epochs, "learning_rate": self.params.learning_rate}
        return TrainParams(**same, **rest, seed=seed, device=self.params.device)


def _parsed(params: Mapping[str, Any]) -> ExperimentParams:
    given = filled(parse_params(ExperimentParams, params))
    if GIVEN not in methods_of(given.methods).names:
        raise SettingError(f"The method table has no '{GIVEN}', against which every method is measured: add its row.")
    seeds_of(given.seeds)
    return given


def _run(params: Mapping[str, Any], context: JobContext) -> JobResult:
    began = time.perf_counter()
    given = _parsed(params)
    given = replace(given, data=stored_reference(given.data, context.workspace))
    dataset = find_dataset(given.data, context.workspace)
    spec = spec_json(given, protected=choose_attribute(dataset, given.protected))
    kept = Kept.of(spec, dataset.sha256, context.workspace)
    finished = carry_out(
        spec["seeds"],
        spec["methods"],
        given,
        base=Base(given, context.workspace),
        memory=Memory(kept.load(), kept.keep),
        progress=context.progress,
        at_once=_at_once(given),
    )
    test, validation = (next(r.n for r in finished[-1].rows if r.split == part) for part in ("test", "validation"))
    results = experiment_json(
        spec,
        finished,
        data_sha256=dataset.sha256,
        train_rows=len(dataset.frame) - test - validation,
        left_out=methods_of(given.methods).left_out,
        timing={"elapsed": round(time.perf_counter() - began, 2), **_surroundings()},
    )
    kept.forget()
    return JobResult(results)


def _at_once(params: ExperimentParams) -> int:
    """Several seeds share the processor; an accelerator serves one."""
    return (params.threads or 1) if resolve_device(params.device) == "cpu" else 1


@dataclass(frozen=True)
class Kept:
    """The file in which an unfinished experiment keeps what it has: one JSON line per method and seed."""

    path: Path

    @classmethod
    def of(cls, spec: Mapping[str, Any], data_sha256: str, workspace: Workspace) -> Kept:
        """Return the place of one spec, whatever its threads: they change no figure, other data or versions may."""
        figures = {name: value for name, value in spec.items() if name != "threads"}
        about = {"spec": figures, "data": data_sha256, "version": __version__, "torch": _version("torch")}
        return cls(workspace.home / "experiments" / f"{digest(canonical_json(about).encode())}.jsonl")

    def load(self) -> tuple[Finished, ...]:
        """Return what is kept; a line that was cut off by the end of a process is as if it was never written."""
        if not self.path.exists():
            return ()
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(finished_of(json.loads(line)))
            except (ValueError, TypeError, KeyError):
                continue
        return tuple(found)

    def keep(self, one: Finished) -> None:
        """Add what one method has given on one seed."""
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            # The break comes first: it also ends a line that was cut off.
            file.write("\n" + canonical_json(finished_json(one)))
            file.flush()
            os.fsync(file.fileno())
        forget_old(self.path.parent)

    def forget(self) -> None:
        """Remove the file: the result stands elsewhere now, and the same spec measures again."""
        self.path.unlink(missing_ok=True)


def _surroundings() -> dict[str, Any]:
    versions = {"fairneuron": __version__, "python": platform.python_version()}
    versions |= {name: found for name in VERSIONS if (found := _version(name))}
    return {"versions": versions, "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _title(params: Mapping[str, Any]) -> str:
    return f"Experiment on {params.get('data')}: {params.get('methods')}, seeds {params.get('seeds')}"


EXPERIMENT = JobRow("experiment", _title, lambda params: params_json(_parsed(params)), _run)
"""The job's row: `check` also refuses seeds and methods that cannot be read."""
