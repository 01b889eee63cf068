"""How files of torch are told from other bytes, and its kinds of zip archive from one another."""

from __future__ import annotations

from collections.abc import Iterable

from fairneuron_core.formats.archive import names_in

# A pickle of the number 0x1950a86a20f9469cfc6c: every file of torch before its zip archives starts with it.
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PROGRAM = frozenset(("archive_format", "models/model.json", "serialized_exported_program.json"))


def is_torch_file(content: bytes) -> bool:
    """Say whether the content is one of torch's: a zip with a data.pkl or the marks of a .pt2, or the older form."""
    if is_legacy(content):
        return True
    names = names_in(content)
    return "data.pkl" in _inner(names) or is_program(names)


def is_legacy(content: bytes) -> bool:
    """Say whether the content starts like a file of torch before its zip archives."""
    return content.startswith(_LEGACY_START)


def is_program(names: Iterable[str]) -> bool:
    """Say whether these are the members of a .pt2, a program of torch.export (early ones have no folder around)."""
    names = set(names)
    return bool(_PROGRAM & (names | _inner(names)))


def is_script(names: Iterable[str]) -> bool:
    """Say whether these are the members of a TorchScript program."""
    inner = _inner(names)
    return "constants.pkl" in inner or any(name.startswith("code/") for name in inner)


def _inner(names: Iterable[str]) -> set[str]:
    """Names behind the one folder that torch puts everything into."""
    return {name.partition("/")[2] for name in names}
