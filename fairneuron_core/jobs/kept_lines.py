"""What an unfinished piece of work has finished so far: a file of JSON lines, named by everything that decides it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairneuron_core.workspace import Workspace, canonical_json, digest, forget_old


@dataclass(frozen=True)
class KeptLines:
    """One JSON line per finished part; a run that was ended and is started again goes on from them."""

    path: Path

    @classmethod
    def of(cls, kind: str, about: Mapping[str, Any], workspace: Workspace) -> KeptLines:
        """Return the place of work that `about` decides: settings, data and versions."""
        return cls(workspace.home / kind / f"{digest(canonical_json(about).encode())}.jsonl")

    def load(self) -> list[dict[str, Any]]:
        """Return what is kept; a line that was cut off by the end of a process is as if it was never written."""
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def keep(self, part: Mapping[str, Any]) -> None:
        """Add a finished part."""
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            # The break comes first: it also ends a line that was cut off.
            file.write("\n" + canonical_json(part))
            file.flush()
            os.fsync(file.fileno())
        forget_old(self.path.parent)

    def forget(self) -> None:
        """Remove the file: the result stands elsewhere now, and the same settings measure again."""
        self.path.unlink(missing_ok=True)
