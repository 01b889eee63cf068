"""The process that reads one stranger's file: `python -P -m fairneuron_core.formats.child JSON < file > answer`.

1. bind itself to memory and time, keep the answer channel, and send whatever libraries print nowhere
2. read the file and tell its format; import that format's parser
3. lock the door: no further file, process, socket or code
4. parse, and write what was found, or one sentence
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping

from fairneuron_core.formats.answer import answer_of, refusal_answer
from fairneuron_core.formats.catalogue import NETWORK_FORMATS, identify, load_parser
from fairneuron_core.formats.limits import Limits, limit_resources, lock, refusal_of
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.unknown import why_unknown

DAMAGED = "The file is damaged: its parts contradict one another, so no network can be read from it."
# Looking up an encoding imports its module, which the locked door refuses.
_ENCODINGS = (
    "ascii",
    "latin-1",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-32",
    "cp437",
    "unicode_escape",
    "raw_unicode_escape",
)


def main(order: str) -> None:
    """Read the file from standard input as the order (JSON: size, answers, limits) says, answer, and end."""
    told = json.loads(order)
    limits = Limits(**told["limits"])
    limit_resources(limits)
    channel = _own_channel()
    try:
        content = sys.stdin.buffer.read(told["size"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        form = identify(content)
        prepare(form)
        answer = answer_to(content, form, told["answers"], limits, channel)
    except MemoryError:
        answer = refusal_answer(too_much_memory(limits))
    send(answer, channel)
    # Nothing a parser left behind (a thread, a hook at exit) gets a turn.
    os._exit(0)


def prepare(form: str | None) -> None:
    """Import all that reading this format needs."""
    warnings.simplefilter("ignore")
    for encoding in _ENCODINGS:
        "".encode(encoding)
    if form is not None:
        load_parser(form)


def answer_to(content: bytes, form: str | None, answers: Mapping[str, str], limits: Limits, channel: int) -> bytes:
    """Lock the door, parse, and return the answer: what was found or why not. This process opens nothing more."""
    refused = lock(channel)
    try:
        answer = answer_of(_parsed(content, form, answers))
    except RefusedFile as refusal:
        answer = refusal_answer(str(refusal))
    except MemoryError:
        answer = refusal_answer(too_much_memory(limits))
    # A parser of another project may raise anything on hostile bytes; the person needs one sentence.
    except Exception:
        answer = refusal_answer(DAMAGED)
    return refusal_answer(refusal_of(refused[0])) if refused else answer


def send(answer: bytes, channel: int) -> None:
    """Write the whole answer into the channel."""
    left = memoryview(answer)
    while left:
        left = left[os.write(channel, left) :]


def too_much_memory(limits: Limits) -> str:
    """Return the sentence for a file that filled the memory."""
    return (
        f"Reading the file needed more than {limits.memory_mb / 1024:.3g} GB of memory, the limit for one file: "
        "bring a smaller network."
    )


def _parsed(content: bytes, form: str | None, answers: Mapping[str, str]) -> NetworkFile:
    if form is None:
        raise RefusedFile(why_unknown(content))
    return NETWORK_FORMATS[form].parse(content, answers)


def _own_channel() -> int:
    """Return a number for the answer; what anything prints from here on goes nowhere."""
    channel = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return channel


if __name__ == "__main__":
    main(sys.argv[1])
