"""Members of a zip archive, read one by one and only after the whole directory was found harmless.

Refused: names that climb out of a folder, links, encrypted members, two members of one name or on the same bytes, other
packings than stored and deflated, and members that unpack to more than the limits. Nothing is ever written to a disk,
and no archive inside an archive is opened.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass

from fairneuron_core.formats.limits import Limits, limits_in_force
from fairneuron_core.formats.network_file import RefusedFile

_END, _END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65535
_MOST_MEMBERS = 10_000
_LARGEST_DIRECTORY = 4_000_000
_FAILURES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
    EOFError,
    IndexError,
    KeyError,
)
# A member below this size cannot fill a memory, whatever its ratio (a file of zeros packs 1000:1).
_SMALL = 1_000_000


@dataclass(frozen=True)
class Archive:
    """A harmless zip archive: `names` in the order of its directory, contents by `read`."""

    names: tuple[str, ...]
    _opened: zipfile.ZipFile

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def read(self, name: str) -> bytes:
        """Return the content of one member; RefusedFile when it is missing or damaged."""
        if name not in self.names:
            raise RefusedFile(f"The archive has no member '{shown(name)}': the file is incomplete.")
        try:
            return self._opened.read(name)
        except _FAILURES as error:
            raise RefusedFile(
                f"The member '{shown(name)}' of the archive cannot be read: the file is damaged."
            ) from error


def open_archive(content: bytes, limits: Limits | None = None) -> Archive:
    """Open the archive after checking every entry of its directory; raises RefusedFile with the reason."""
    limits = limits or limits_in_force()
    opened = _directory(content)
    if opened is None:
        raise RefusedFile("The zip archive's directory cannot be read: the file is damaged or cut off.")
    members = opened.infolist()
    if len(members) > _MOST_MEMBERS:
        raise RefusedFile(f"The archive has {len(members)} members, more than {_MOST_MEMBERS}: it is not opened.")
    names = tuple(member.filename for member in members)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise RefusedFile(f"The archive holds two members named '{shown(twice[0])}': it is not opened.")
    for member in members:
        _check_member(member, limits)
    _check_sizes(members, opened.start_dir, limits)
    return Archive(names, opened)


def names_in(content: bytes) -> tuple[str, ...]:
    """Return the names in the directory of a zip archive, none for anything else; never raises."""
    opened = _directory(content) if content[:4] == b"PK\x03\x04" else None
    return tuple(member.filename for member in opened.infolist()[:_MOST_MEMBERS]) if opened else ()


def shown(name: str, length: int = 80) -> str:
    """Return a stranger's name fit for a sentence: printable, on one line, not too long."""
    clean = "".join(sign if sign.isprintable() else "?" for sign in str(name)[: 10 * length])
    return clean if len(clean) <= length else clean[: length - 3] + "..."


def _directory(content: bytes) -> zipfile.ZipFile | None:
    """The archive's directory, unless it is damaged or larger than any network needs."""
    at = content.rfind(_END, max(0, len(content) - _END_BYTES - _LONGEST_COMMENT))
    if at < 0 or len(content) < at + _END_BYTES:
        return None
    (size,) = struct.unpack("<I", content[at + 12 : at + 16])
    # A size of all ones points to the 64-bit record, whose own size counts for 4 GB and more only.
    if size > _LARGEST_DIRECTORY:
        return None
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except _FAILURES:
        return None


def _check_member(member: zipfile.ZipInfo, limits: Limits) -> None:
    name = member.filename
    parts = re.split(r"[/\\]", name)
    if not name or name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name) or "\\" in name:
        raise RefusedFile(f"The archive's member '{shown(name)}' points outside its folder: it is not opened.")
    if len(parts) > limits.depth:
        raise RefusedFile(f"The archive nests {len(parts)} folders, more than {limits.depth}: it is not opened.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise RefusedFile(f"The archive's member '{shown(name)}' is a link to another file: it is not opened.")
    if member.flag_bits & 0x1:
        raise RefusedFile(f"The archive's member '{shown(name)}' is encrypted: save the network without a password.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedFile(f"The archive's member '{shown(name)}' is packed in an unusual way: it is not opened.")
    if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
        raise RefusedFile(f"The sizes of the archive's member '{shown(name)}' contradict: the file is damaged.")
    if member.file_size > _SMALL and member.file_size > limits.expansion * member.compress_size:
        raise RefusedFile(
            f"The archive's member '{shown(name)}' unpacks to {member.file_size / 1e6:.0f} MB, more than "
            f"{limits.expansion} times its packed size: it is not opened."
        )


def _check_sizes(members: list[zipfile.ZipInfo], end: int, limits: Limits) -> None:
    """Refuse what unpacks to too much together, and members that share their bytes."""
    total = sum(member.file_size for member in members)
    if total > limits.unpacked_mb * 1e6:
        raise RefusedFile(
            f"The archive unpacks to {total / 1e6:.0f} MB, more than the limit of {limits.unpacked_mb:.0f} MB: "
            "it is not opened."
        )
    for member in sorted(members, key=lambda m: m.header_offset, reverse=True):
        # Behind a header of 30 bytes and the name stand the packed bytes.
        if not 0 <= member.header_offset <= end - 30 - member.compress_size:
            raise RefusedFile(f"The archive's member '{shown(member.filename)}' overlaps another: it is not opened.")
        end = member.header_offset
