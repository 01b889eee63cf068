"""Where a command writes: its result file, checked before the work, and one line of progress on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from fairneuron_core.errors import SettingError
from fairneuron_core.types import Progress


def writable(out: str | None) -> Path | None:
    """Check the place of the result BEFORE the work, so that a wrong folder costs no training."""
    if out is None:
        return None
    path = Path(out)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise SettingError(f"'{out}' cannot be written: name a file in a folder that exists.")
    return path


def progress_line() -> Callable[[Progress], None]:
    """Return a callback that keeps one line of progress on the terminal, at most every hundredth of the way."""
    last = -1

    def report(progress: Progress) -> None:
        nonlocal last
        now = int(progress.share * 100)
        if now != last:
            last = now
            print(f"\r\033[K{now:3d} %  {progress.message}", end="", file=sys.stderr, flush=True)

    return report
