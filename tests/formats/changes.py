"""Seeded changes to a file's bytes: rough ones, gentle ones, and ones that keep the outer layers of a format right."""

from __future__ import annotations

import copy
import io
import json
import random
import struct
import zipfile
from typing import Any

_LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
_FORMS = ("<B", "<H", "<I", "<Q", ">I", ">Q")
_VALUES = (
    0,
    -1,
    1,
    3,
    0.5,
    1e308,
    2**31,
    2**63,
    10**30,
    True,
    None,
    "",
    "relu",
    "a" * 300,
    [],
    {},
    [[]],
    [0, 4],
    [5, 4],
)


def mutated(content: bytes, seed: int, others: list[bytes]) -> bytes:
    """Return the content with a few changes that the seed decides; archives and headers are often packed anew."""
    chance = random.Random(seed)
    if content[:2] == b"PK" and chance.random() < 0.7:
        return _changed_member(content, chance, others)
    if content[8:9] == b"{" and chance.random() < 0.7:
        return _changed_header(content, chance)
    if content[:1] == b"\x08" and chance.random() < 0.7:
        return _changed_graph(content, chance)
    return _changed(content, chance, others)


def cuts(content: bytes) -> list[bytes]:
    """Return the content cut off at every twentieth of its length."""
    return [content[: len(content) * part // 20] for part in range(20)]


def _changed(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    changed = bytearray(content)
    if chance.random() < 0.5:
        _flip(changed, chance, others)
        return bytes(changed)
    for _ in range(chance.randint(1, 4)):
        if changed:
            chance.choice((_flip, _length, _length, _copy, _cut_out, _repeat, _splice))(changed, chance, others)
    return bytes(changed)


def _changed_member(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """One member changed, its check sum right again: what lies behind the archive's own checks is reached."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    telling = [i for i, (name, _) in enumerate(members) if name.endswith((".pkl", ".json", ".h5"))]
    at = chance.choice(telling) if chance.random() < 0.8 else chance.randrange(len(members))
    name, part = members[at]
    as_json = name.endswith(".json") and chance.random() < 0.8
    members[at] = name, _changed_json(part, chance) if as_json else _changed(part, chance, others)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in members:
            archive.writestr(name, part)
    return packed.getvalue()


def _changed_header(content: bytes, chance: random.Random) -> bytes:
    """A safetensors header changed as JSON, its length right again."""
    (length,) = struct.unpack("<Q", content[:8])
    header = _changed_json(content[8 : 8 + length], chance)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def _changed_json(text: bytes, chance: random.Random) -> bytes:
    """The same document with one to three of its values, at any depth, replaced, removed or moved."""
    document = json.loads(text)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(document))
        if not places:
            break
        holder, key = chance.choice(places)
        what = chance.random()
        if what < 0.15:
            del holder[key]
        elif what < 0.3:
            other, at = chance.choice(places)
            holder[key] = copy.deepcopy(other.get(at) if isinstance(other, dict) else other[at])
        elif what < 0.5 and isinstance(holder[key], str):
            holder[key] = _as_json_in(holder[key], chance)
        else:
            holder[key] = copy.deepcopy(chance.choice(_VALUES))
    return json.dumps(document).encode()


def _as_json_in(text: str, chance: random.Random) -> str:
    """A document inside the document (our own description, Keras' configuration) is changed as one."""
    return _changed_json(text.encode(), chance).decode() if text[:1] == "{" else text + "\x00"


def _places(node: Any) -> Any:
    """Every (holder, key) in the document."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from _places(node[key])


def _changed_graph(content: bytes, chance: random.Random) -> bytes:
    """An ONNX graph with one to three of its fields changed, the protocol buffer whole."""
    import onnx

    model = onnx.ModelProto.FromString(content)
    graph = model.graph
    operators = ("Gemm", "MatMul", "Softmax", "Conv", "Reshape", "Identity", "If", "MaxPool", "BatchNormalization")
    for _ in range(chance.randint(1, 3)):
        node, stored = chance.choice(graph.node), chance.choice(graph.initializer)
        what = chance.randrange(8)
        if what == 0:
            node.op_type = chance.choice(operators)
        elif what == 1 and node.input:
            node.input[chance.randrange(len(node.input))] = chance.choice([n.name for n in graph.initializer] + [""])
        elif what == 2 and stored.dims:
            stored.dims[chance.randrange(len(stored.dims))] = chance.choice((-1, 0, 1, 2**40, 2**62, 7))
        elif what == 3:
            stored.data_type = chance.randrange(25)
        elif what == 4:
            stored.raw_data = bytes(chance.randrange(40))
        elif what == 5 and node.attribute:
            chosen = chance.choice(node.attribute)
            chosen.i, chosen.f, chosen.type = chance.choice((-1, 2**62, 3)), 1e38, chance.randrange(15)
        elif what == 6 and len(graph.node) > 1:
            graph.node.append(graph.node.pop(chance.randrange(len(graph.node))))
        elif what == 7:
            node.attribute.add(
                name=chance.choice(("axis", "alpha", "transB", "perm")), i=chance.choice((-9, 0, 2**62)), type=2
            )
    return model.SerializeToString()


def _flip(changed: bytearray, chance: random.Random, _: list[bytes]) -> None:
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _length(changed: bytearray, chance: random.Random, _: list[bytes]) -> None:
    form, value = chance.choice(_FORMS), chance.choice((*_LENGTHS, chance.randrange(1 << 16)))
    packed = struct.pack(form, value & (256 ** struct.calcsize(form) - 1))
    at = chance.randrange(len(changed))
    changed[at : at + len(packed)] = packed[: len(changed) - at]


def _block(changed: bytearray, chance: random.Random) -> slice:
    at = chance.randrange(len(changed))
    return slice(at, at + chance.choice((1, 4, 16, 64, 512)))


def _copy(changed: bytearray, chance: random.Random, _: list[bytes]) -> None:
    block = bytes(changed[_block(changed, chance)])
    at = chance.randrange(len(changed))
    changed[at : at + len(block)] = block


def _cut_out(changed: bytearray, chance: random.Random, _: list[bytes]) -> None:
    del changed[_block(changed, chance)]


def _repeat(changed: bytearray, chance: random.Random, _: list[bytes]) -> None:
    block = bytes(changed[_block(changed, chance)])
    at = chance.randrange(len(changed) + 1)
    changed[at:at] = block * chance.choice((1, 3, 100))


def _splice(changed: bytearray, chance: random.Random, others: list[bytes]) -> None:
    other = chance.choice(others)
    at, start = chance.randrange(len(changed)), chance.randrange(len(other))
    length = chance.choice((8, 64, 1024, len(other)))
    changed[at : at + length] = other[start : start + length]
