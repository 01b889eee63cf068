"""What a stranger's file may cost, and the walls around the process that reads it.

Two walls, one behind the other: limits of the operating system (memory, processor time, no file longer than 0 bytes,
no further file, no further process), and a hook of the interpreter that refuses what no parser needs. Where the module
`resource` is missing (Windows) or weak (macOS does not enforce the limit on memory), the hook and the time limit that
the parent keeps remain: best effort there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairneuron_core.errors import SettingError
from fairneuron_core.formats.network_file import RefusedFile

try:
    import resource
except ImportError:  # Windows
    resource = None

SETTING = "FAIRNEURON_MAX_MODEL_MB"


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    file_mb      size of the file
    memory_mb    address space of the process that reads it
    seconds      from its start to its answer
    tensors      tensors, layers, operators in a file
    depth        nesting of anything in it
    expansion    unpacked size of a member of an archive, as a multiple of its packed size
    unpacked_mb  all members of an archive together
    """

    file_mb: float = 200
    memory_mb: int = 2048
    seconds: float = 30
    tensors: int = 1000
    depth: int = 64
    expansion: int = 100
    unpacked_mb: float = 1000


def limits_in_force(environment: Mapping[str, str] | None = None) -> Limits:
    """Return the limits, the size from FAIRNEURON_MAX_MODEL_MB where it is set; larger files get memory to match.

    Raises SettingError when the variable is not a positive number.
    """
    text = (os.environ if environment is None else environment).get(SETTING, "").strip()
    if not text:
        return Limits()
    try:
        size = float(text)
    except ValueError:
        size = float("nan")
    if not 0 < size <= 1e6:
        raise SettingError(f"{SETTING} is '{text}': it must be a number of megabytes above 0.")
    usual = Limits()
    return Limits(
        file_mb=size,
        memory_mb=max(usual.memory_mb, round(10 * size)),
        unpacked_mb=max(usual.unpacked_mb, 5 * size),
    )


def limit_resources(limits: Limits) -> None:
    """Bind this process to memory, processor time, and to writing nothing; it cannot loosen them again."""
    if resource is None:
        return
    for name, value in (
        ("RLIMIT_AS", limits.memory_mb * 2**20),
        ("RLIMIT_CPU", int(limits.seconds) + 1),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", 0),
    ):
        _bind(name, value)


def lock(highest_open: int) -> list[str]:
    """Close the doors once everything is imported: no further file, process, socket or code from here on.

    highest_open   the highest file number in use: the operating system gives no further one after this call

    Returns the list of what was refused, which stays empty for an honest file: a library may swallow the error, so the
    caller looks at it before believing an answer.
    """
    refused: list[str] = []

    def hook(event: str, _: tuple[Any, ...]) -> None:
        if event == "import":
            # Optional parts of a library: it does without them, as where they are not installed.
            raise ImportError("nothing more is imported while a file is read")
        if event in _FORBIDDEN or event.partition(".")[0] in _FORBIDDEN_FAMILIES:
            refused.append(event)
            raise RefusedFile(refusal_of(event))

    _bind("RLIMIT_NOFILE", highest_open + 1)
    sys.addaudithook(hook)
    return refused


def refusal_of(event: str) -> str:
    """Return the sentence for what a file made its reader try."""
    return (
        f"Reading the file would have run code or reached for another file ({event}): it is not opened; "
        "export the network as ONNX or save its weights as safetensors."
    )


# "compile" is missing: numpy compiles, without running it, the header of an array; running is "exec".
_FORBIDDEN = frozenset(
    ("open", "exec", "marshal.loads", "code.__new__", "function.__new__", "pickle.find_class", "mmap.__new__")
)
# What libraries do with files, pages and mail goes through "open", "os" and "socket".
_FORBIDDEN_FAMILIES = frozenset(
    ("os", "subprocess", "socket", "ctypes", "pty", "fcntl", "resource", "sqlite3", "cpython", "winreg", "_winapi")
)


def _bind(name: str, value: int) -> None:
    """Set one limit, soft and hard, never above what is allowed already; a system without it keeps its own."""
    kind = getattr(resource, name, None)
    if kind is None:
        return
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError):
        return
