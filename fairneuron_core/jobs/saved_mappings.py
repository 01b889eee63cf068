"""Input mappings kept in the workspace, one per file content, so that the same file is mapped once."""

from __future__ import annotations

import os
from pathlib import Path

from fairneuron_core.data.mapping import InputMapping
from fairneuron_core.data.mapping_json import mapping_from_json, mapping_to_json
from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.workspace import Workspace


def save_mapping(workspace: Workspace, sha256: str, mapping: InputMapping) -> None:
    """Keep the mapping of the file with this content; a reader never sees half of it."""
    path = _path(workspace, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{sha256}.{os.getpid()}.partial")
    partial.write_text(mapping_to_json(mapping), encoding="utf-8")
    partial.replace(path)


def saved_mapping(workspace: Workspace, sha256: str) -> InputMapping | None:
    """Return the mapping that was last kept for a file of this content; None where there is none or it is damaged."""
    try:
        return mapping_from_json(_path(workspace, sha256).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DataError):
        return None


def forget_mapping(workspace: Workspace, sha256: str) -> None:
    """Delete the kept mapping; a missing one is already what was asked for."""
    _path(workspace, sha256).unlink(missing_ok=True)


def read_mapping(path: str | Path) -> InputMapping:
    """Return the mapping of a JSON file (SettingError where it cannot be read, DataError where it is no mapping)."""
    try:
        return mapping_from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"The mapping '{path}' cannot be read: print one with `fairneuron model mapping FILE --data NAME`."
        ) from error


def _path(workspace: Workspace, sha256: str) -> Path:
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise SettingError(f"'{sha256[:12]}' is no sha256 of a file: give 64 hexadecimal digits.")
    return workspace.home / "mappings" / f"{sha256}.json"
