"""What one needs to reproduce a run: its spec, the machine and versions it ran on, and one command line."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fairneuron_core import __version__
from fairneuron_core.store import RunRecord

PACKAGES = ("torch", "numpy", "pandas", "numba", "scipy")
PAIRS = ("repair", "search")
"""Commands that take settings as `--set name=value`: these include settings that are no flags."""


def environment() -> dict[str, Any]:
    """Return what the numbers may depend on besides the spec: versions, machine, device and threads of this process."""
    return {
        "fairneuron": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "machine": platform.node(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "device": _device(),
        "threads": os.environ.get("FAIRNEURON_THREADS") or "auto",
    }


def manifest(run: RunRecord) -> dict[str, Any]:
    """Return spec, versions, machine, device, threads, data hash, seconds, end state, files and command of a run."""
    found = dict(run.environment)
    return {
        "run": run.id,
        "title": run.title,
        "spec": dict(run.spec),
        "spec_sha256": run.spec_sha256,
        "state": run.state,
        "error": run.error,
        "created": run.created.isoformat(),
        "seconds": run.seconds,
        "retry_of": run.retry_of,
        "data": run.params.get("data"),
        "data_sha256": run.results.get("data_sha256"),
        "device": run.results.get("device") or run.params.get("device") or found.pop("device", None),
        "threads": run.params.get("threads") or found.pop("threads", None),
        "environment": found,
        "artefacts": dict(run.artefacts),
        "command": command_line(run.kind, run.params),
    }


def command_line(kind: str, params: Mapping[str, Any]) -> str:
    """Return the shell command that does the same work with the same settings in the same workspace.

    >>> command_line("repair", {"method": "fairneuron", "data": "german", "epochs": 10, "protected": None})
    'fairneuron repair fairneuron --set data=german --set epochs=10'
    >>> command_line("train", {"data": "german", "hidden": [32, 32], "include_protected": True})
    'fairneuron train --data german --hidden 32,32 --include-protected'
    """
    words = ["fairneuron", kind]
    given = {name: value for name, value in params.items() if value is not None}
    if kind == "repair":
        words.append(str(given.pop("method", "fairneuron")))
    for name, value in given.items():
        words += _flag(name, value, as_pair=kind in PAIRS)
    return shlex.join(words)


def _flag(name: str, value: Any, *, as_pair: bool) -> list[str]:
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if as_pair:
        return ["--set", f"{name}={text}"]
    if name == "include_protected":
        return ["--include-protected" if value else "--exclude-protected"]
    return [f"--{name.replace('_', '-')}", text]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _device() -> str | None:
    """Say what torch found, where torch is loaded anyway: reading a manifest must not import it."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "cuda"):
        return None
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
