"""What is needed to do a run again: its settings, versions and machine, and one command line."""

from __future__ import annotations

import shlex
from typing import Any

from fairneuron_core.store import RunRecord

_OWN_FLAGS = ("data", "model", "protected", "seed", "device", "threads")


def manifest(run: RunRecord) -> dict[str, Any]:
    """Return a run's record as JSON: spec, environment, times, how it ended, what it made, and how to do it again."""
    return {
        "run": run.id,
        "title": run.title,
        "spec": dict(run.spec),
        "spec_sha256": run.spec_sha256,
        "environment": dict(run.environment),
        "state": run.state,
        "created": _iso(run.created),
        "started": _iso(run.started),
        "finished": _iso(run.finished),
        "seconds": run.seconds,
        "error": run.error,
        "retry_of": run.retry_of,
        "model": run.results.get("model"),
        "artefacts": dict(run.artefacts),
        "command": command_line(run),
    }


def command_line(run: RunRecord) -> str:
    """Return the command that does the same with the same settings and gives the same JSON, seconds apart."""
    words = ["fairneuron", run.kind]
    given = {name: value for name, value in run.params.items() if value is not None}
    if run.kind == "repair":
        words.append(str(given.pop("method")))
    through_set = run.kind in ("repair", "search")
    if "include_protected" in given:
        words.append("--include-protected" if given.pop("include_protected") else "--exclude-protected")
    for name, value in given.items():
        text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        if through_set and name not in _OWN_FLAGS:
            words += ["--set", f"{name}={text}"]
        else:
            words += [f"--{name.replace('_', '-')}", text]
    return shlex.join([*words, "--json"])


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
