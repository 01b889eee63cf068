"""The global heaps of an HDF5 file (its texts of varying length), checked before the library walks through them.

    "GCOL", version 1, three zeros, size of the collection (8 bytes), then objects side by side:
    index (2 bytes; 0: the rest is free), users (2), zeros (4), size (8), and the content filled up to 8 bytes

HDF5 2.0 steps from object to object by their sizes, and never ends where a damaged size makes a step of 0.
"""

from __future__ import annotations

import struct

from fairneuron_core.formats.network_file import RefusedFile

_START = b"GCOL\x01\x00\x00\x00"
_HEADER = struct.Struct("<HHIQ")
_MOST_OBJECTS = 1_000_000
_DAMAGED = "The texts in the HDF5 file contradict their own sizes: the file is damaged."


def check_heaps(content: bytes) -> None:
    """Raise RefusedFile unless every object of every global heap lies inside its heap."""
    if not _usual_sizes(content):
        raise RefusedFile("The HDF5 file counts its bytes in an unusual way: the file is damaged.")
    walked, at = 0, content.find(_START)
    while at >= 0:
        walked += _objects(content, at)
        if walked > _MOST_OBJECTS:
            raise RefusedFile(f"The HDF5 file holds more than {_MOST_OBJECTS} texts: it is not opened.")
        at = content.find(_START, at + len(_START))


def _usual_sizes(content: bytes) -> bool:
    """Addresses and lengths of 8 bytes each, as every writer of today uses; the check of heaps rests on it."""
    at = {0: 13, 1: 13, 2: 9, 3: 9}.get(content[8] if len(content) > 16 else -1)
    return at is not None and content[at : at + 2] == b"\x08\x08"


def _objects(content: bytes, start: int) -> int:
    """The number of objects in the heap at `start`."""
    (size,) = struct.unpack("<Q", content[start + 8 : start + 16].ljust(8, b"\0"))
    at, end, count = start + 16, start + size, 0
    if not at <= end <= len(content):
        raise RefusedFile(_DAMAGED)
    while end - at >= _HEADER.size and count <= _MOST_OBJECTS:
        index, _, _, length = _HEADER.unpack_from(content, at)
        step = length if index == 0 else _HEADER.size + (length + 7) // 8 * 8
        if not _HEADER.size <= step <= end - at:
            raise RefusedFile(_DAMAGED)
        at, count = at + step, count + 1
    return count
