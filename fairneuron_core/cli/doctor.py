"""`fairneuron doctor`: what this installation has, in words."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fairneuron_core import __version__
from fairneuron_core.workspace import open_workspace

_PACKAGES = (
    "streamlit",
    "torch",
    "numpy",
    "pandas",
    "plotly",
    "numba",
    "networkx",
    "huey",
    "sqlalchemy",
    "safetensors",
)


def examine(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return versions, device, threads, workspace, stored things, and whether a worker is alive."""
    from fairneuron_core.data import DATASETS, load_dataset
    from fairneuron_core.jobs import default_threads
    from fairneuron_core.models import device_words
    from fairneuron_core.runs import worker_status
    from fairneuron_core.store import list_datasets, list_models, list_runs, open_store

    workspace = open_workspace(arguments.workspace)
    store = open_store(workspace)
    worker = worker_status(workspace)
    return {
        "fairneuron": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        **{name: _version(name) for name in _PACKAGES},
        "device": device_words(),
        "threads": default_threads(),
        "workspace": str(workspace.home),
        "store": workspace.database_url.split("@")[-1],
        "runs": len(list_runs(store, limit=100_000)),
        "models": len(list_models(store)),
        "own_data_sets": len(list_datasets(store)),
        "built_in_data": ", ".join(f"{name} ({len(load_dataset(name).frame):,} rows)" for name in DATASETS),
        "worker": f"alive, process {worker.pid}" if worker.alive else "not running; the app starts one",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
