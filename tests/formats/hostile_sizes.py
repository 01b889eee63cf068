"""Builders of files that claim, nest, repeat or unpack out of measure, or whose parts contradict one another."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping

from tests.formats.hostile import changed_zip, members_of, zipped


def zip_bombs(examples: Mapping[str, bytes]) -> dict[str, bytes]:
    """Archives that unpack to far more than they weigh, or lead out of their folder."""
    torch = examples["torch.state"]
    zeros = bytes(20_000_000)
    link = zipfile.ZipInfo("archive/link")
    link.external_attr = 0o120777 << 16
    locked = bytearray(zipped({"archive/data.pkl": b"x" * 20}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1
    inner = zipped({"archive/data/0": zeros[:5_000_000]}, zipfile.ZIP_DEFLATED)
    return {
        "1000 to 1": changed_zip(torch, {"archive/data/0": zeros}, zipfile.ZIP_DEFLATED),
        "keras 1000 to 1": changed_zip(examples["keras.network"], {"config.json": zeros}, zipfile.ZIP_DEFLATED),
        "skops 1000 to 1": changed_zip(examples["skops.network"], {"schema.json": zeros}, zipfile.ZIP_DEFLATED),
        "many members": zipped({"archive/data.pkl": b"."} | {f"archive/{i}": b"" for i in range(10_050)}),
        "bzip2": changed_zip(torch, {"archive/data/0": zeros[:2_000_000]}, zipfile.ZIP_BZIP2),
        "lied about its size": _understated(changed_zip(torch, {"archive/data/0": zeros}, zipfile.ZIP_DEFLATED)),
        "overlapping": _overlapping(torch),
        "archive in an archive": changed_zip(torch, {"archive/data.pkl": inner}),
        "climbing name": changed_zip(torch, {"archive/../../climbed": b"x"}),
        "absolute name": changed_zip(torch, {"/tmp/climbed": b"x"}),
        "backslash name": changed_zip(torch, {"archive\\..\\climbed": b"x"}),
        "drive name": changed_zip(torch, {"C:climbed": b"x"}),
        "link": changed_zip(torch, {link: b"/etc/passwd"}),
        "encrypted": bytes(locked),
        "twice the same name": _twice(torch),
    }


def nestings(examples: Mapping[str, bytes]) -> dict[str, bytes]:
    """Documents and pickles nested, repeated or claimed out of measure."""
    deep = b"[" * 100_000 + b"]" * 100_000
    deep_dict = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    doubled = b"\x80\x02)q\x00" + b"".join(b"h\x00h\x00\x86q\x00" for _ in range(200))
    many = struct.pack("<I", 2**31 - 1)
    programs = {
        "tuples": b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
        "lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        "doubled": doubled + b".",
        "doubled as a key": b"\x80\x02}" + doubled[2:] + b"K\x01s.",
        "long": b"\x80\x02\x8b" + many + b"\x01.",
        "long digits": b"\x80\x02L" + b"9" * 100_000 + b"L\n.",
        "text": b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"x.",
        "more than all text": b"\x80\x04\x8d" + b"\xff" * 8 + b"x.",
        "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
        "byte array": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
        "memo": b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b".",
        "marks": b"\x80\x02" + b"(" * 500_000 + b".",
        "instructions": b"\x80\x02" + b"N0" * 300_000 + b"N.",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
        "nothing": b"\x80\x02.",
        "extension": b"\x80\x02\x82\x01.",
        "circle": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    }
    found = {f"pickle of {name}": zipped({"archive/data.pkl": text}) for name, text in programs.items()}
    for name, text in (("lists", deep), ("objects", deep_dict)):
        found[f"keras {name}"] = changed_zip(examples["keras.network"], {"config.json": text})
        found[f"skops {name}"] = changed_zip(examples["skops.network"], {"schema.json": text})
        found[f"safetensors {name}"] = tensor_file(b'{"a":' + text + b"}")
    described = json.dumps({"__metadata__": {"fairneuron-classifier-1": deep_dict.decode()}}).encode()
    return found | {"safetensors description": tensor_file(described)}


def tensor_headers() -> dict[str, bytes]:
    """safetensors files whose header contradicts itself or the file."""

    def entry(shape: object, begin: object, end: object, kind: str = "F32") -> dict[str, object]:
        return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}

    headers = {
        "overlapping": {"a.weight": entry([1, 2], 0, 8), "b.weight": entry([1, 2], 4, 12)},
        "same place": {"a.weight": entry([1, 3], 0, 12), "b.weight": entry([1, 3], 0, 12)},
        "a gap": {"a.weight": entry([1, 2], 4, 12)},
        "before its start": {"a.weight": entry([1, 3], -12, 0)},
        "behind its end": {"a.weight": entry([1, 300], 0, 1200)},
        "a shape that wraps round": {"a.weight": entry([2**62, 4, 3], 0, 12)},
        "negative twice": {"a.weight": entry([-1, -3], 0, 12)},
        "many dimensions": {"a.weight": entry([1] * 5000 + [3], 0, 12)},
        "no numbers": {"a.weight": entry([0, 2**61], 0, 0)},
        "whole numbers": {"a.weight": entry([1, 3], 0, 12, "I32")},
        "unknown type": {"a.weight": entry([1, 3], 0, 12, "F8_E4M3")},
        "offsets as text": {"a.weight": entry([1, 3], "0", "12")},
        "too many": {f"{i}.weight": entry([0, 1], 0, 0) for i in range(2000)},
    }
    found = {name: tensor_file(json.dumps(header).encode(), bytes(12)) for name, header in headers.items()}
    twice = b'{"a.weight":%b,"a.weight":%b}' % ((json.dumps(entry([1, 3], 0, 12)).encode(),) * 2)
    return found | {
        "a name twice": tensor_file(twice, bytes(12)),
        "header of 2**63 bytes": struct.pack("<Q", 2**63) + b'{"a":1}' + bytes(100),
        "header of 5 MB": tensor_file(b"{" + b" " * 5_000_000 + b"}"),
        "header that is no text": tensor_file(b"{" + b"\xff" * 20),
    }


def tensor_file(header: bytes, tensors: bytes = b"") -> bytes:
    """Return a file in the layout of safetensors."""
    return struct.pack("<Q", len(header)) + header + tensors


def _understated(content: bytes) -> bytes:
    """The directory says 100 bytes where 20 MB come out."""
    changed = bytearray(content)
    at = changed.index(b"archive/data/0", changed.index(b"PK\x01\x02")) - 46
    changed[at + 24 : at + 28] = struct.pack("<I", 100)
    return bytes(changed)


def _overlapping(content: bytes) -> bytes:
    """Two entries of the directory lead to the same bytes."""
    changed = bytearray(zipped(members_of(content)))
    first = changed.index(b"PK\x01\x02")
    second = changed.index(b"PK\x01\x02", first + 4)
    changed[second + 42 : second + 46] = changed[first + 42 : first + 46]
    return bytes(changed)


def _twice(content: bytes) -> bytes:
    """A second data.pkl of the same name: which of the two is read would depend on the reader."""
    changed = changed_zip(content, {"archive/data.pkx": b"N."})
    return changed.replace(b"archive/data.pkx", b"archive/data.pkl")
