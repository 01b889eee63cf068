"""Measure repairs with a proof in the settings of the literature, setting by setting and seed by seed.

Every finished (setting, seed) is kept in the workspace: a run that was ended and is started again with the same
settings goes on where it stood. A run that ends well removes what it kept.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fairneuron_core import __version__
from fairneuron_core.experiments.label_encoded import label_encoded
from fairneuron_core.experiments.proof_json import proofs_json, proofs_spec, row_of
from fairneuron_core.experiments.proof_network import TrainedSetting, trained_setting
from fairneuron_core.experiments.proof_setting import ProofRow, one_setting
from fairneuron_core.experiments.proof_spec import SETTINGS, ProofsParams
from fairneuron_core.jobs.context import JobContext, JobResult, JobRow
from fairneuron_core.jobs.kept_lines import KeptLines
from fairneuron_core.jobs.machine import ONE_NETWORK, use_threads
from fairneuron_core.params import params_json, parse_params
from fairneuron_core.types import Progress, ProgressCallback, part_of

_VERSIONS = ("torch", "numpy", "scipy", "pandas")


def _parsed(params: Mapping[str, Any]) -> ProofsParams:
    given = parse_params(ProofsParams, params)
    proofs_spec(given)
    return given


def _run(params: Mapping[str, Any], context: JobContext) -> JobResult:
    began = time.perf_counter()
    given = _parsed(params)
    use_threads(ONE_NETWORK)
    spec = proofs_spec(given)
    tables = dict.fromkeys(SETTINGS[name].data for name in spec["settings"])
    data = {name: label_encoded(name).dataset.sha256 for name in tables}
    about = {"spec": spec, "data": data, "version": __version__, "torch": version("torch")}
    kept = KeptLines.of("proofs", about, context.workspace)
    rows = _carried_out(given, spec, kept, context.progress)
    surroundings = {
        "versions": {"fairneuron": __version__, "python": platform.python_version()}
        | {name: version(name) for name in _VERSIONS},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    timing = {"elapsed": round(time.perf_counter() - began, 2), **surroundings}
    results = proofs_json(spec, rows, data=data, timing=timing)
    kept.forget()
    return JobResult(results)


def _carried_out(
    params: ProofsParams, spec: Mapping[str, Any], kept: KeptLines, progress: ProgressCallback | None
) -> list[ProofRow]:
    """Measure what is not kept yet, kind by kind; a network is trained once for all its settings."""
    done = {(part["setting"], part["seed"]): [row_of(row) for row in part["rows"]] for part in kept.load()}
    work = [(name, seed) for name in spec["settings"] for seed in spec["seeds"]]
    networks: dict[tuple[str, int], TrainedSetting] = {}
    for position, (name, seed) in enumerate(work):
        if (name, seed) in done:
            continue
        told = _named(part_of(progress, position / len(work), (position + 1) / len(work)), f"{name}, seed {seed}")
        key = (SETTINGS[name].data, seed)
        if key not in networks:
            networks[key] = trained_setting(*key, epochs=params.base_epochs, progress=part_of(told, 0.0, 0.2))
        rows = one_setting(SETTINGS[name], seed, params, trained=networks[key], progress=told)
        kept.keep({"setting": name, "seed": seed, "rows": [row.as_json() for row in rows]})
        done[name, seed] = list(rows)
    return [row for name in spec["settings"] for seed in spec["seeds"] for row in done[name, seed]]


def _named(progress: ProgressCallback | None, name: str) -> ProgressCallback | None:
    return progress and (lambda now: progress(Progress(now.share, f"{name}: {now.message}")))


def _title(params: Mapping[str, Any]) -> str:
    return f"Repairs with a proof: {params.get('settings', 'all')}, seeds {params.get('seeds', '3')}"


PROOFS = JobRow("proofs", _title, lambda params: params_json(_parsed(params)), _run)
"""The job's row: `check` also refuses settings, methods and seeds that cannot be read."""
