"""The one folder that holds everything a user makes: the store, artefacts by content, uploads.

`FAIRNEURON_HOME` names it; without the variable it is the platform's usual place for a user's application data.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairneuron_core.errors import NotFoundError, SettingError

UNFINISHED_SECONDS = 7 * 24 * 3600  # after a week without a word, a run that did not end was given up


def default_home() -> Path:
    """Return `$FAIRNEURON_HOME`, or the user's data folder of this platform."""
    if named := os.environ.get("FAIRNEURON_HOME"):
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "fairneuron"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "fairneuron"


def digest(content: bytes) -> str:
    """Return the sha256 of `content` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(value: Any) -> str:
    """Return JSON in which equal values have equal text: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


@dataclass(frozen=True)
class Workspace:
    """Paths below one folder. Artefacts are files named by their sha256, so writing one twice is writing it once."""

    home: Path

    @property
    def database_url(self) -> str:
        """`$FAIRNEURON_DATABASE_URL`, or the SQLite file of this workspace."""
        return os.environ.get("FAIRNEURON_DATABASE_URL") or f"sqlite:///{self.home / 'fairneuron.sqlite'}"

    @property
    def artefacts(self) -> Path:
        return self.home / "artefacts"

    def put(self, content: bytes) -> str:
        """Store `content`, return its sha256. A reader never sees half a file."""
        key = digest(content)
        path = self.artefacts / key
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{key}.{os.getpid()}.partial")
            partial.write_bytes(content)
            partial.replace(path)
        return key

    def get(self, key: str) -> bytes:
        """Return the artefact of that sha256 (NotFoundError when it was deleted)."""
        path = self.artefacts / key
        if len(key) != 64 or not set(key) <= set("0123456789abcdef") or not path.is_file():
            raise NotFoundError(f"There is no stored file '{key[:12]}': it was deleted, or the address is wrong.")
        return path.read_bytes()

    def remove(self, key: str) -> None:
        """Delete one artefact; a missing one is already what was asked for."""
        if len(key) == 64 and set(key) <= set("0123456789abcdef"):
            (self.artefacts / key).unlink(missing_ok=True)


def open_workspace(home: Path | str | None = None) -> Workspace:
    """Create the workspace folder where it is missing and return it (SettingError when it cannot be written)."""
    path = Path(home).expanduser() if home else default_home()
    try:
        (path / "artefacts").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"The workspace folder '{path}' cannot be written ({error.strerror}): set FAIRNEURON_HOME to another one."
        ) from error
    return Workspace(path)


def forget_old(folder: Path, *, seconds: float = UNFINISHED_SECONDS) -> None:
    """Delete the files of a folder that nothing has been written to for so long (default: a week)."""
    for path in folder.iterdir():
        # Another process may delete the same file.
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - seconds:
                path.unlink()
