"""The door: a stranger's network file is read by a process of its own, which can be lost without harm."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import fairneuron_core
from fairneuron_core.formats.answer import read_answer
from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.limits import SETTING, Limits, limits_in_force
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile

_MOST_ANSWERS, _LONGEST_ANSWER = 20, 100
# A file of half-precision numbers doubles as float32; nothing honest comes near four times its size limit.
_ANSWER_TIMES = 4
_CHUNK = 2**20
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "HOME", SETTING)
_SET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONUTF8": "1"}
_CRASHED = "The process that read the file crashed: the file is damaged, or made to crash its reader."


def open_network(
    content: bytes | Path, *, name: str, answers: Mapping[str, str] | None = None, limits: Limits | None = None
) -> NetworkFile:
    """Read a network file of any known format from a stranger.

    content   the bytes, or the path of a regular file
    name      what the file is called in messages; it decides nothing
    answers   to the questions that the file leaves open, by name of the question

    Raises RefusedFile with one sentence whenever the file is not read, for whatever reason.
    """
    limits = limits or limits_in_force()
    answers = dict(answers or {})
    if len(answers) > _MOST_ANSWERS or any(len(part) > _LONGEST_ANSWER for pair in answers.items() for part in pair):
        raise RefusedFile(f"{shown(name)}: There are more or longer answers than a network file has questions.")
    try:
        with _source(content) as (source, size):
            _check_size(size, limits)
            said, ended = _ask(source, size, answers, limits)
        return judged(said, ended, limits)
    except RefusedFile as refusal:
        raise RefusedFile(f"{shown(name)}: {refusal}") from refusal


@contextmanager
def _source(content: bytes | Path) -> Iterator[tuple[bytes | IO[bytes], int]]:
    """The bytes, or the open regular file, and the size of either."""
    if not isinstance(content, Path):
        yield content, len(content)
        return
    try:
        # Opening a pipe or device must not wait for its other end.
        number = os.open(content, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name makes no sense"
        raise RefusedFile(f"The file cannot be opened ({reason}): check its path.") from error
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        os.close(number)
        raise RefusedFile("The path leads to a folder, pipe or device: name a file.")
    with os.fdopen(number, "rb") as stream:
        yield stream, found.st_size


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.file_mb * 1e6:
        raise RefusedFile(
            f"The file has {size / 1e6:.1f} MB, more than the limit of {limits.file_mb:g} MB: bring a smaller network "
            f"or raise the setting {SETTING}."
        )


@dataclasses.dataclass(frozen=True)
class Ended:
    """How the process ended: its return code, and whether it was stopped for taking too long or saying too much."""

    code: int
    too_late: bool
    too_much: bool


def _ask(source: bytes | IO[bytes], size: int, answers: Mapping[str, str], limits: Limits) -> tuple[bytes, Ended]:
    """Let a process of its own read the file; return what it said and how it ended."""
    order = json.dumps({"size": size, "answers": dict(answers), "limits": dataclasses.asdict(limits)})
    most = int(_ANSWER_TIMES * limits.file_mb * 1e6)
    # An empty folder that is gone afterwards: a name without a folder in a file leads nowhere.
    with tempfile.TemporaryDirectory(prefix="fairneuron-door-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fairneuron_core.formats.child", order],
            stdin=subprocess.PIPE if isinstance(source, bytes) else source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment(),
            start_new_session=True,
        )
        late = threading.Event()
        clock = threading.Timer(limits.seconds, _stop, (process, late))
        feeder = threading.Thread(target=_feed, args=(process, source))
        clock.start()
        feeder.start()
        try:
            said = read_at_most(process.stdout, most + 1)
            if len(said) <= most:
                _await_end(process)
        finally:
            clock.cancel()
            clock.join()
            too_late = late.is_set()
            # Whatever the process started in its session goes with it; its number is still its own until wait().
            _stop(process, late)
            process.wait()
            feeder.join()
            process.stdout.close()
    return said, Ended(process.returncode, too_late, len(said) > most)


def read_at_most(stream: IO[bytes], most: int) -> bytes:
    parts, left = [], most
    while left > 0 and (part := stream.read(min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has ended, without freeing its number where the system can do that."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def environment() -> dict[str, str]:
    """A reduced environment: no keys, no proxies, no settings of libraries; the code that this process runs."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    home = str(Path(fairneuron_core.__file__).resolve().parents[1])
    return kept | _SET | {"PYTHONPATH": os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _feed(process: subprocess.Popen[bytes], source: bytes | IO[bytes]) -> None:
    """Write the file into the process, which may be gone or closed its ears before the end."""
    if process.stdin is None or not isinstance(source, bytes):
        return
    for step in (lambda: process.stdin.write(source), process.stdin.close):
        with suppress(OSError):
            step()


def _stop(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    """Kill the process and everything in its session."""
    late.set()
    if process.returncode is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def judged(said: bytes, ended: Ended, limits: Limits) -> NetworkFile:
    out_of_time = -getattr(signal, "SIGXCPU", 0)
    if ended.too_late or (ended.code and ended.code == out_of_time):
        raise RefusedFile(f"Reading the file took more than {limits.seconds:g} s, the limit for one file.")
    if ended.too_much:
        raise RefusedFile(
            "Reading the file gave more numbers than it can hold: the file is made to mislead its reader."
        )
    if ended.code != 0 or not said:
        raise RefusedFile(_CRASHED)
    return read_answer(said, limits)
