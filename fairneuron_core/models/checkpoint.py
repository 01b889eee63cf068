"""Checkpoints of a training: a killed run goes on from its last one and ends with the same networks.

The file is NumPy's own archive, read without pickle; a checkpoint of other plans is not taken up.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fairneuron_core.models.layers import linear_layers
from fairneuron_core.models.plan import TrainingPlan
from fairneuron_core.workspace import forget_old


class Checkpoint:
    """Where `train` keeps its state. `seconds` = least time between two saves at the ends of epochs."""

    def __init__(self, folder: Path, *, seconds: float = 20.0) -> None:
        self.folder, self.seconds = folder, seconds
        self._saved = time.monotonic()

    def load(self, plans: Sequence[TrainingPlan]) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """Return (JSON values, arrays) of a checkpoint of exactly these plans; None where there is none."""
        try:
            with np.load(io.BytesIO(self._path(plans).read_bytes()), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return json.loads(arrays.pop("described").tobytes()), arrays
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            # A damaged file is as good as none: the training starts anew.
            return None

    def save(
        self, plans: Sequence[TrainingPlan], described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        """Write the state; a kill in the middle leaves the previous file."""
        content = io.BytesIO()
        text = np.frombuffer(json.dumps(described).encode(), np.uint8)
        np.savez(content, described=text, **arrays)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(plans)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(content.getvalue())
        partial.replace(path)
        self._saved = time.monotonic()
        forget_old(self.folder)

    def due(self) -> bool:
        """Say whether enough time has passed for another save."""
        return time.monotonic() - self._saved >= self.seconds

    def forget(self, plans: Sequence[TrainingPlan]) -> None:
        """Delete the checkpoint of these plans."""
        self._path(plans).unlink(missing_ok=True)

    def _path(self, plans: Sequence[TrainingPlan]) -> Path:
        return self.folder / f"training-{digest(plans)}.npz"


def digest(plans: Sequence[TrainingPlan]) -> str:
    """Return a name of these plans: equal plans have equal names, and another weight, row or setting another one."""
    found = hashlib.blake2b(digest_size=16)
    for plan in plans:
        for layer in linear_layers(plan.start):
            found.update(layer.weight.tobytes() + layer.bias.tobytes() + layer.activation.encode())
        for name in (field.name for field in dataclasses.fields(plan)):
            _add(found, name, getattr(plan, name))
    return found.hexdigest()


def _add(found: Any, name: str, value: Any) -> None:
    if name == "start" or callable(value):
        return
    found.update(name.encode())
    if isinstance(value, np.ndarray):
        found.update(str(value.shape).encode() + np.ascontiguousarray(value).tobytes())
    elif dataclasses.is_dataclass(value):
        found.update(type(value).__name__.encode())
        for part in dataclasses.fields(value):
            _add(found, part.name, getattr(value, part.name))
    elif isinstance(value, tuple) and any(isinstance(part, np.ndarray) for part in value):
        for part in value:
            _add(found, name, part)
    else:
        found.update(repr(value).encode())
