"""Where a command writes: its result file, checked before the work, and one line of progress on the terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def terminal_progress() -> Iterator[Callable[[Progress], None] | None]:
    """Give the callback of `progress_line` where standard error is a terminal, and clear its line after the work."""
    progress = progress_line() if sys.stderr.isatty() else None
    yield progress
    if progress:
        print("\r\033[K", end="", file=sys.stderr)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a result (SettingError when the place does not take it after all)."""
    try:
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:
        raise SettingError(f"'{path}' cannot be written ({error.strerror}): name another file.") from error


@contextmanager
def answer_alone() -> Iterator[None]:
    """Send to standard error whatever is written to standard output meanwhile, by C libraries too.

    Standard output carries the answer and nothing else; the solver prints lines of its own that no option turns off.
    Where standard output is no file of the system (a test, a notebook), it is left alone.
    """
    try:
        number, elsewhere = sys.stdout.fileno(), sys.stderr.fileno()
    except (AttributeError, io.UnsupportedOperation, ValueError):
        yield
        return
    sys.stdout.flush()
    kept = os.dup(number)
    os.dup2(elsewhere, number)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, number)
        os.close(kept)
