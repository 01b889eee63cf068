"""The results that come with the product, made by `make experiments`: per data set one experiment for every gap that
methods can aim at, since a method that closes one gap may open another."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairneuron_core.data import ALIASES
from fairneuron_core.errors import NotFoundError
from fairneuron_core.experiments.spec import GAPS
from fairneuron_core.workspace import canonical_json

FOLDER = Path(__file__).parent / "stored"


def stored_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the data sets that have a shipped result."""
    return tuple(sorted({path.name.split(".")[0] for path in folder.glob("*.*.json.gz")}))


def stored_gaps(data: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the gaps at which a shipped experiment on this data set aims, in the order of GAPS."""
    return tuple(gap for gap in GAPS if _path(data, gap, folder).exists())


def load_stored(data: str, folder: Path = FOLDER, *, gap: str = GAPS[0]) -> dict[str, Any]:
    """Return the shipped experiment of a built-in data set that aims at `gap` (NotFoundError when there is none)."""
    path = _path(data, gap, folder)
    if not path.exists():
        known = ", ".join(f"{name} ({', '.join(stored_gaps(name, folder))})" for name in stored_names(folder))
        raise NotFoundError(
            f"No experiment on '{data}' that aims at {gap} comes with this product (there is: {known or 'none yet'}): "
            "run `fairneuron experiment`."
        )
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def write_stored(results: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write an experiment to be shipped; equal results are equal files."""
    folder.mkdir(exist_ok=True)
    path = _path(results["spec"]["data"], results["spec"]["gap"], folder)
    # No time stamp in the file, so that the same experiment is the same file.
    path.write_bytes(gzip.compress(canonical_json(results).encode(), compresslevel=9, mtime=0))
    return path


def _path(data: str, gap: str, folder: Path) -> Path:
    name = ALIASES.get(data.lower(), data.lower())
    return folder / f"{name}.{gap}.json.gz"
