"""What a job is: settings in, JSON results and stored files out, with progress on the way.

The command line, the worker behind the browser, and the tests all run the same functions with the same settings, so
the numbers are the same everywhere.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fairneuron_core.data import ALIASES
from fairneuron_core.errors import SettingError
from fairneuron_core.models import Checkpoint
from fairneuron_core.params import params_json, parse_params
from fairneuron_core.types import ProgressCallback
from fairneuron_core.workspace import Workspace

P = TypeVar("P")


@dataclass(frozen=True)
class JobContext:
    """Where a job stores what it makes and whom it tells how far it is."""

    workspace: Workspace
    progress: ProgressCallback | None = None
    run_id: str | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """Where trainings keep their state: an equal training that was killed or cancelled goes on from there."""
        return Checkpoint(self.workspace.home / "checkpoints")


@dataclass(frozen=True)
class JobResult:
    """JSON results, and artefacts as name -> sha256 in the workspace."""

    results: Mapping[str, Any]
    artefacts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobRow:
    """One kind of job.

    title   settings -> its name in the list of runs
    check   settings -> all settings as JSON, defaults filled in; SettingError names the first wrong one
    run     carries it out; may raise FairNeuronError, `Cancelled` included
    """

    kind: str
    title: Callable[[Mapping[str, Any]], str]
    check: Callable[[Mapping[str, Any]], dict[str, Any]]
    run: Callable[[Mapping[str, Any], JobContext], JobResult]


def job_of(
    kind: str,
    Params: type[P],
    *,
    title: Callable[[Mapping[str, Any]], str],
    work: Callable[[P, JobContext], JobResult],
) -> JobRow:
    """Return the row of a job whose settings are one dataclass, filled in by `filled`."""

    def parsed(params: Mapping[str, Any]) -> P:
        return filled(parse_params(Params, params))

    return JobRow(
        kind,
        title,
        check=lambda params: params_json(parsed(params)),
        run=lambda params, context: work(parsed(params), context),
    )


def filled(params: P) -> P:
    """Fill in what makes equal work an equal spec: the thread count (sums depend on it) and a data set's one name."""
    changes: dict[str, Any] = {}
    if getattr(params, "threads", 0) is None:
        changes["threads"] = default_threads()
    if (data := getattr(params, "data", "")) in ALIASES:
        changes["data"] = ALIASES[data]
    return dataclasses.replace(params, **changes)  # type: ignore[type-var]


def default_threads() -> int:
    """`$FAIRNEURON_THREADS`, else the number of cores, at most 8."""
    given = os.environ.get("FAIRNEURON_THREADS") or str(min(os.cpu_count() or 1, 8))
    if not given.isdigit() or int(given) < 1:
        raise SettingError(f"FAIRNEURON_THREADS is '{given}': write a whole number from 1 on, or leave it unset.")
    return int(given)
