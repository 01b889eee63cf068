"""The layout of safetensors, read and written with numpy alone: a JSON header, then plain numbers.

    8 bytes       length of the header, little-endian
    header        {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets": [begin, end]}}
    the rest      the tensors, side by side without a gap

The answer of the parser's process travels in the same layout, so everything is checked against everything else.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.network_file import RefusedFile

MAX_HEADER = 4_000_000
_MOST_DIMENSIONS = 8
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_DAMAGED = "The header of the safetensors file cannot be read: the file is damaged."


def is_tensor_file(content: bytes) -> bool:
    """Say whether the content, whatever its name, starts like a safetensors file."""
    if len(content) < 10:
        return False
    (length,) = struct.unpack("<Q", content[:8])
    return 2 <= length <= len(content) - 8 and content[8:9] == b"{"


def read_tensors(content: bytes, *, longest_header: int = MAX_HEADER) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return metadata and tensors (bfloat16 as float32, all others as they are); RefusedFile when anything is off.

    The tensors are views of `content` where no conversion is needed.
    """
    header, start = _header(content, longest_header)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise RefusedFile(_DAMAGED)
    most = limits_in_force().tensors
    if len(header) > most:
        raise RefusedFile(f"The file holds {len(header)} tensors, more than the limit of {most}.")
    spans = {name: _span(name, entry) for name, entry in header.items()}
    _check_side_by_side([span[2:] for span in spans.values()], len(content) - start)
    return metadata, {name: _tensor(content, start, *span[:3]) for name, span in spans.items()}


def write_tensors(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return float32 tensors and texts as one file in this layout."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts, at = [], 0
    for name, tensor in tensors.items():
        part = np.ascontiguousarray(tensor, "<f4")
        header[name] = {"dtype": "F32", "shape": list(part.shape), "data_offsets": [at, at + part.nbytes]}
        parts.append(part.data.cast("B") if part.size else b"")
        at += part.nbytes
    text = json.dumps(header).encode()
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """Return float32 for the 16 upper bits of each number: bfloat16 is float32 with the lower half cut off."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _header(content: bytes, longest: int) -> tuple[dict[str, Any], int]:
    if len(content) < 8:
        raise RefusedFile(_DAMAGED)
    (length,) = struct.unpack("<Q", content[:8])
    if length > longest:
        raise RefusedFile(
            f"The header of the safetensors file claims {length} bytes, more than {longest}: the file is damaged or "
            "not a dense network."
        )
    try:
        header = json.loads(content[8 : 8 + length], object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise RefusedFile(_DAMAGED) from error
    if not isinstance(header, dict) or len(content) < 8 + length:
        raise RefusedFile(_DAMAGED)
    return header, 8 + length


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _span(name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    """Type, shape, begin and end of one tensor, checked against one another."""
    try:
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, begin, end]
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedFile(_DAMAGED) from error
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers) or len(shape) > _MOST_DIMENSIONS:
        raise RefusedFile(_DAMAGED)
    if not isinstance(kind, str) or kind not in _TYPES:
        raise RefusedFile(
            f"The tensor '{shown(name)}' has the type {shown(str(kind), 20)}, which is not read: "
            "save the network as float32."
        )
    if math.prod(shape) * np.dtype(_TYPES[kind]).itemsize != end - begin:
        raise RefusedFile(f"The tensor '{shown(name)}' does not fill its place in the file: the file is damaged.")
    return kind, tuple(shape), begin, end


def _check_side_by_side(spans: list[tuple[int, int]], length: int) -> None:
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise RefusedFile("The tensors of the safetensors file overlap or leave gaps: the file is damaged.")
        at = end
    if at != length:
        raise RefusedFile(f"The tensors need {at} bytes and the file has {length}: it is cut off or damaged.")


def _tensor(content: bytes, start: int, kind: str, shape: tuple[int, ...], begin: int) -> np.ndarray:
    count = math.prod(shape)
    if count == 0:
        return np.zeros(shape, _TYPES[kind])
    flat = np.frombuffer(content, _TYPES[kind], count, start + begin)
    return (from_bfloat16(flat) if kind == "BF16" else flat).reshape(shape)
