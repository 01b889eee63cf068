"""Tables that lie on the server already: the files of one folder that whoever runs the server has named, none else.

`FAIRNEURON_DATA_DIR` names the folder; without the variable nothing is offered.
"""

from __future__ import annotations

import os
from pathlib import Path

from fairneuron_core.errors import DataError, SettingError

FOLDER_VARIABLE = "FAIRNEURON_DATA_DIR"
ENDINGS = frozenset({".csv", ".tsv", ".txt", ".data", ".parquet", ".pq", ".arff"})
MOST_FILES = 500


def data_folder() -> Path | None:
    """Return the folder that `$FAIRNEURON_DATA_DIR` names, None when unset (SettingError when it is no folder)."""
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_absolute() or not folder.is_dir():
        raise SettingError(
            f"{FOLDER_VARIABLE} is '{named}': name a folder that exists, by its whole path, or unset it."
        )
    return folder.resolve()


def server_files() -> list[str]:
    """Return the tables of that folder and the folders in it, by their path below it; at most 500 of them.

    Hidden files are left out, and so is whatever a link leads to outside the folder.
    """
    folder = data_folder()
    found: list[str] = []
    for place, inner, names in os.walk(folder) if folder else ():
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        below = Path(place).relative_to(folder or "")
        tables = [n for n in sorted(names) if Path(n).suffix.lower() in ENDINGS and not n.startswith(".")]
        found += [name for n in tables if _inside(folder, name := (below / n).as_posix())]
        if len(found) >= MOST_FILES:
            break
    return found[:MOST_FILES]


def server_file(name: str) -> Path:
    """Return where a table of that folder lies (DataError when it is not in it, or leads out of it)."""
    path = _inside(data_folder(), name)
    if path is None:
        raise DataError(f"There is no table '{name[:80]}' in the server's folder of tables: choose one of its list.")
    return path


def _inside(folder: Path | None, name: str) -> Path | None:
    """Return the file with all links followed, None when it is not a regular file inside the folder."""
    if folder is None or "\x00" in name:
        return None
    try:
        path = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return path if path.is_file() and path.is_relative_to(folder) and path.suffix.lower() in ENDINGS else None
