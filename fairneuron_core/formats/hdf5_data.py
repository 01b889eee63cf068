"""Numbers and texts of an HDF5 file, read from memory: no link is followed, no other file opened, no plug-in loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import h5py
import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.hdf5_heaps import check_heaps
from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.stacking import MAX_WEIGHTS

# Deflate, shuffle and checksum are part of HDF5 itself; any other filter may be a plug-in, which is code.
_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
_FAILURES = (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError, AttributeError, OverflowError)
_MOST_OBJECTS = 20_000


@contextmanager
def opened(content: bytes) -> Iterator[h5py.File]:
    """Open the file in memory, every object in it checked first; RefusedFile for anything that does not read."""
    check_heaps(content)
    try:
        with h5py.File.in_memory(content) as file:
            _check(file, "", limits_in_force().depth, [0])
            yield file
    except _FAILURES as error:
        raise RefusedFile("The HDF5 file cannot be read: it is damaged or cut off.") from error


def numbers(group: h5py.Group, path: str) -> np.ndarray | None:
    """Return the numbers at that path below the group, None where there is nothing."""
    found = group.get(path)
    if not isinstance(found, h5py.Dataset):
        return None
    if found.dtype.kind not in "fiub":
        raise RefusedFile(f"'{shown(path)}' in the HDF5 file does not hold numbers: the file is damaged.")
    return np.asarray(found[()])


def text(holder: h5py.Group, name: str) -> str | None:
    """Return an attribute as text, None where there is none."""
    value: Any = holder.attrs.get(name)
    if isinstance(value, bytes | np.bytes_):
        return bytes(value).decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else None


def texts(holder: h5py.Group, name: str) -> list[str]:
    """Return an attribute that is a list of texts; Keras cuts a long one into `name0`, `name1`, ..."""
    names = [name] if name in holder.attrs else [f"{name}{i}" for i in range(len(holder.attrs))]
    parts = [holder.attrs[part] for part in takewhile(lambda part: part in holder.attrs, names)]
    entries = [entry for part in parts for entry in np.atleast_1d(part).tolist()]
    return [entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry) for entry in entries]


def _check(group: h5py.Group, path: str, depth: int, count: list[int]) -> None:
    """Refuse links, data kept elsewhere, unknown packings and too much of anything."""
    if depth < 0:
        raise RefusedFile("The HDF5 file nests its groups deeper than any network does: it is not opened.")
    for name in group:
        count[0] += 1
        where = f"{path}/{name}"
        if count[0] > _MOST_OBJECTS:
            raise RefusedFile(f"The HDF5 file holds more than {_MOST_OBJECTS} objects: it is not opened.")
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            kind = "another file" if isinstance(link, h5py.ExternalLink) else "another place"
            raise RefusedFile(f"'{shown(where)}' in the HDF5 file is a link to {kind}: save the network without links.")
        found = group[name]
        if isinstance(found, h5py.Group):
            _check(found, where, depth - 1, count)
        elif isinstance(found, h5py.Dataset):
            _check_numbers(found, where)


def _check_numbers(found: h5py.Dataset, where: str) -> None:
    stored = found.id.get_create_plist()
    if stored.get_external_count() or found.is_virtual:
        raise RefusedFile(
            f"'{shown(where)}' in the HDF5 file keeps its numbers in another file: save the network as one file."
        )
    if any(stored.get_filter(i)[0] not in _FILTERS for i in range(stored.get_nfilters())):
        raise RefusedFile(f"'{shown(where)}' in the HDF5 file is packed in an unusual way: save the network unpacked.")
    if math.prod(found.shape or ()) > MAX_WEIGHTS:
        raise RefusedFile(
            f"'{shown(where)}' in the HDF5 file has shape {found.shape}, more than the limit of "
            f"{MAX_WEIGHTS // 1_000_000} million numbers: bring a smaller network."
        )
