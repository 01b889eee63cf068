"""Tensors of torch files as numpy arrays: a storage of plain numbers, seen through offset, size and stride."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fairneuron_core.formats.archive import Archive, shown
from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.plain_tensors import from_bfloat16
from fairneuron_core.formats.plain_unpickler import Made, Name, Pickled, Stored, read_pickle

Storages = Callable[[str, str, int], np.ndarray]
"""(type, key, number of elements) -> the elements; RefusedFile when they are not in the file."""

STORAGE_TYPES = {
    "torch.DoubleStorage": "f8",
    "torch.FloatStorage": "f4",
    "torch.HalfStorage": "f2",
    "torch.BFloat16Storage": "u2",
    "torch.LongStorage": "i8",
    "torch.IntStorage": "i4",
    "torch.ShortStorage": "i2",
    "torch.CharStorage": "i1",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "?",
}
_TENSOR, _PARAMETER = "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"
REBUILDS = frozenset((_TENSOR, _PARAMETER))
INERT = frozenset(
    [
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.Counter",
        "builtins.set",
        "torch.Size",
        "torch.device",
        "torch.float64",
        "torch.float32",
        "torch.float16",
        "torch.bfloat16",
        "torch.int64",
        "numpy.dtype",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "_codecs.encode",
    ]
)
"""Found in honest checkpoints beside the network (the best loss, a counter); of no meaning here."""

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_MOST_DIMENSIONS = 8


def zip_storages(archive: Archive, folder: str) -> Storages:
    """Return the storages that lie as members `FOLDER/data/KEY` in the archive."""
    order = archive.read(f"{folder}/byteorder") if f"{folder}/byteorder" in archive else b"little"
    sign = {b"little": "<", b"big": ">"}.get(order)
    if sign is None:
        raise RefusedFile("The file names no known order of bytes: it is damaged.")
    kept: dict[tuple[str, str], np.ndarray] = {}

    def elements(kind: str, key: str, count: int) -> np.ndarray:
        if (kind, key) not in kept:
            kept[kind, key] = _elements(archive.read(f"{folder}/data/{key}"), sign, kind, count)
        return _enough(kept[kind, key], count)

    return elements


def legacy_parts(content: bytes) -> tuple[Pickled, Storages]:
    """Return the pickle and the storages of the older form: magic, protocol, system, pickle, keys, then storages."""
    stream = io.BytesIO(content)
    magic, protocol, system = (read_pickle(stream).value for _ in range(3))
    little = system.get("little_endian") if isinstance(system, dict) else None
    if magic != _LEGACY_MAGIC or protocol != _LEGACY_PROTOCOL or type(little) is not bool:
        raise RefusedFile("The head of the torch file cannot be read: the file is damaged.")
    pickled = read_pickle(stream)
    keys = read_pickle(stream).value
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise RefusedFile("The list of storages in the torch file cannot be read: the file is damaged.")
    return pickled, _legacy_storages(content, stream.tell(), keys, _types_in(pickled.value), "<" if little else ">")


def tensor_of(node: Any, storages: Storages) -> np.ndarray:
    """Return the tensor that a node of the pickle describes; RefusedFile when it reaches beyond its storage."""
    if _maker(node) == _PARAMETER and isinstance(node.arguments, tuple) and node.arguments:
        node = node.arguments[0]
    if _maker(node) != _TENSOR or not isinstance(node.arguments, tuple) or len(node.arguments) < 4:
        raise RefusedFile("A tensor of the file is described in an unknown way: save it with a current torch.")
    stored, offset, size, stride = node.arguments[:4]
    kind, key, count = _reference(stored)
    numbers = (offset, *size, *stride) if isinstance(size, tuple) and isinstance(stride, tuple) else (None,)
    if not all(type(number) is int and 0 <= number < 2**40 for number in numbers) or len(size) != len(stride):
        raise RefusedFile("The shape of a tensor in the file makes no sense: the file is damaged.")
    if len(size) > _MOST_DIMENSIONS:
        raise RefusedFile(f"A tensor of the file has {len(size)} dimensions: a dense layer has two.")
    return _view(storages(kind, key, count), kind, offset, size, stride)


def _maker(node: Any) -> str:
    return node.maker.text if isinstance(node, Made) and isinstance(node.maker, Name) else ""


def _reference(stored: Any) -> tuple[str, str, int]:
    """Type, key and number of elements of the storage that a persistent id names."""
    parts = stored.key if isinstance(stored, Stored) else None
    if not isinstance(parts, tuple) or len(parts) not in (5, 6) or parts[0] != "storage":
        raise RefusedFile("A tensor of the file refers to no storage: the file is damaged.")
    _, kind, key, _, count = parts[:5]
    if not isinstance(kind, Name) or kind.text not in STORAGE_TYPES or not isinstance(key, str):
        raise RefusedFile("A tensor of the file has an unknown type of numbers: save the network as float32.")
    if type(count) is not int or not 0 <= count < 2**40 or parts[5:] not in ((), (None,)):
        raise RefusedFile("A storage of the file has no sensible size: load the file in torch and save it again.")
    return kind.text, key, count


def _elements(content: bytes, sign: str, kind: str, count: int) -> np.ndarray:
    """The numbers of one storage, bfloat16 as float32."""
    kind = sign + STORAGE_TYPES[kind]
    if len(content) != count * np.dtype(kind).itemsize:
        raise RefusedFile(f"A storage of the file has {len(content)} bytes for {count} numbers: the file is damaged.")
    return np.frombuffer(content, kind)


def _enough(elements: np.ndarray, count: int) -> np.ndarray:
    if len(elements) != count:
        raise RefusedFile("Two tensors of the file contradict each other about their storage: the file is damaged.")
    return elements


def _view(elements: np.ndarray, kind: str, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """The elements at offset + sum(index * stride), as an array of its own."""
    total = 1
    for length in size:
        total *= length
    if total > limits_in_force().unpacked_mb * 1e6 / 8:
        raise RefusedFile(f"A tensor of the file has {total} numbers, more than a network here can have.")
    if total == 0:
        return np.zeros(size, np.float32)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if last >= len(elements):
        raise RefusedFile("A tensor of the file reaches beyond its storage: the file is damaged.")
    width = elements.itemsize
    seen = np.lib.stride_tricks.as_strided(elements[offset:], size, [step * width for step in stride], writeable=False)
    native = np.ascontiguousarray(seen, elements.dtype.newbyteorder("="))
    return from_bfloat16(native) if kind == "torch.BFloat16Storage" else native


def _types_in(node: Any) -> dict[str, str]:
    """Type of every storage that the tree refers to, by key: the older form does not repeat it beside the numbers."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Stored) and isinstance(part.key, tuple) and part.key[:1] == ("storage",):
            kind, key, _ = _reference(part)
            found[key] = kind
        elif isinstance(part, Made):
            waiting += [part.arguments, part.state, part.items, part.values]
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    return found


def _legacy_storages(content: bytes, at: int, keys: list[str], kinds: Mapping[str, str], sign: str) -> Storages:
    """Each storage stands as its number of elements (8 bytes) and the elements, in the order of the keys."""
    kept: dict[str, tuple[str, np.ndarray]] = {}
    for key in keys:
        if key not in kinds or len(content) < at + 8:
            raise RefusedFile("The storages behind the pickle are incomplete: the torch file is cut off or damaged.")
        (count,) = struct.unpack(sign + "q", content[at : at + 8])
        length = count * np.dtype(STORAGE_TYPES[kinds[key]]).itemsize
        if not 0 <= length <= len(content) - at - 8:
            raise RefusedFile("The storages behind the pickle are incomplete: the torch file is cut off or damaged.")
        kept[key] = kinds[key], _elements(content[at + 8 : at + 8 + length], sign, kinds[key], count)
        at += 8 + length

    def elements(kind: str, key: str, count: int) -> np.ndarray:
        if key not in kept or kept[key][0] != kind:
            raise RefusedFile(f"The storage '{shown(key, 30)}' is missing from the torch file: it is damaged.")
        return _enough(kept[key][1], count)

    return elements
