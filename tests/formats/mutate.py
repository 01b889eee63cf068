"""The fuzz harness: mutated files, each read by a fork of one warm process, under the limits of the real door.

    python tests/formats/mutate.py fuzz FOLDER COUNT [SEED]   FOLDER holds examples named FORMAT.WHAT
    python tests/formats/mutate.py read FOLDER                every file in FOLDER as it is
    python tests/formats/mutate.py all COUNT                  builds the examples itself (`make fuzz`)

The warm process has imported every parser; a fork does what the door's process does from there on: limits, lock, parse,
answer. So 50 files take about a second, where a process each would take a quarter of a minute.
"""

from __future__ import annotations

import gc
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.formats.changes import mutated

# Processor time; a busy machine may take longer by the clock.
_SECONDS, _BY_THE_CLOCK = 10.0, 90.0
_LARGEST_LAST = ("safetensors", "torch", "skops", "keras_h5", "keras", "onnx")


def is_one_sentence(text: str) -> bool:
    """Say whether a message is one line, one sentence, and no traceback."""
    return (
        20 < len(text) < 2000
        and text.endswith(".")
        and "\n" not in text
        and "Traceback" not in text
        and not re.search(r"[.!?] +[A-Z]", text)
    )


def read_in_fork(content: bytes, seconds: float = _SECONDS) -> tuple[str, str]:
    """Read one file in a fork under the door's limits.

    Returns ("network", sizes), ("refused", sentence), or ("FAILED", why): anything but a network or one sentence.
    """
    from fairneuron_core.formats.answer import read_answer
    from fairneuron_core.formats.limits import Limits
    from fairneuron_core.formats.network_file import RefusedFile

    limits = Limits(seconds=seconds)
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(ours)
        _answer_and_end(content, theirs, limits)
    os.close(theirs)
    said, in_time = _heard(ours, time.monotonic() + _BY_THE_CLOCK)
    if not in_time:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if not in_time or code != 0 or not said:
        return "FAILED", "ran out of time" if not in_time else f"ended with code {code}, {len(said)} bytes"
    try:
        found = read_answer(said, limits)
    except RefusedFile as refusal:
        return ("refused" if is_one_sentence(str(refusal)) else "FAILED"), str(refusal)
    return "network", str(found.sizes)


def _answer_and_end(content: bytes, channel: int, limits: object) -> None:
    """The fork's side: exactly what the door's process does once its imports are done."""
    from fairneuron_core.formats.catalogue import identify
    from fairneuron_core.formats.child import answer_to, prepare, send
    from fairneuron_core.formats.limits import limit_resources

    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    try:
        limit_resources(limits)
        form = identify(content)
        prepare(form)
        send(answer_to(content, form, {}, limits, max(channel, nowhere)), channel)
    except BaseException:
        os._exit(70)
    os._exit(0)


def _heard(channel: int, until: float) -> tuple[bytes, bool]:
    parts = []
    with os.fdopen(channel, "rb", buffering=0) as stream:
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([stream], [], [], left)
            if ready:
                part = stream.read(1 << 20)
                if not part:
                    return b"".join(parts), True
                parts.append(part)
    return b"", False


def warm_up(forms: Iterable[str]) -> None:
    """Import the parsers of these formats, as the door's process does for the one it needs."""
    from fairneuron_core.formats.child import prepare

    for form in forms:
        prepare(form)
    # A collection in a fork would touch, and so copy, the memory of everything imported.
    gc.freeze()
    gc.disable()


def read_all(contents: Iterable[tuple[str, bytes]]) -> dict[str, tuple[str, str]]:
    """Read each content in a fork; a file that appears in the (empty) working folder is a failure of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, content in contents:
            found[name] = read_in_fork(content)
            if os.listdir(folder):
                found[name] = "FAILED", f"left {os.listdir(folder)} behind"
        os.chdir("/")
    return found


def fuzz(examples: dict[str, bytes], count: int, seed: int) -> dict[str, dict[str, object]]:
    """Read `count` mutated files per format; counts of outcomes and of sentences, and every failure."""
    from fairneuron_core.formats.child import DAMAGED

    others, result = list(examples.values()), {}
    # Parsers with large libraries come last: forks are quick while little is imported.
    for form in sorted({name.partition(".")[0] for name in examples}, key=_LARGEST_LAST.index):
        warm_up([form])
        sources = [content for name, content in sorted(examples.items()) if name.partition(".")[0] == form]
        files = ((str(at), mutated(sources[at % len(sources)], seed + at, others)) for at in range(count))
        outcomes = read_all(files)
        failures = {at: why for at, (kind, why) in outcomes.items() if kind == "FAILED"}
        caught = [at for at, (_, why) in outcomes.items() if why == DAMAGED]
        result[form] = {
            "read": len(outcomes),
            "outcomes": dict(Counter(kind for kind, _ in outcomes.values())),
            "caught by the last net": caught,
            "failures": failures,
        }
    return result


def main(arguments: list[str]) -> int:
    """Run one of the three commands; returns 1 when anything failed."""
    mode = arguments[0]
    if mode == "all":
        with tempfile.TemporaryDirectory() as folder:
            # In a process of its own: forks of one that holds torch and Keras would be slow.
            subprocess.run([sys.executable, Path(__file__).with_name("examples.py"), folder], check=True)
            return main(["fuzz", folder, *arguments[1:]])
    examples = {path.name: path.read_bytes() for path in sorted(Path(arguments[1]).iterdir())}
    if mode == "read":
        warm_up(_LARGEST_LAST)
        print(json.dumps(read_all(examples.items())))
        return 0
    count, *seed = (int(text) for text in arguments[2:])
    result = fuzz(examples, count, seed[0] if seed else 0)
    print(json.dumps(result, indent=2))
    return int(any(row["failures"] for row in result.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
