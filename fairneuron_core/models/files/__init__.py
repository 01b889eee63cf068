"""Model files in and out. A further format is one file beside this one and one row in MODEL_FORMATS.

The CONTENT of a file decides how it is read, never its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fairneuron_core.errors import ModelError
from fairneuron_core.models.files.safetensors_file import from_safetensors, is_safetensors, to_safetensors
from fairneuron_core.types import Classifier

MAX_MODEL_MB = 200


@dataclass(frozen=True)
class ModelFormat:
    """One file format: how it is recognised, read and written."""

    title: str
    suffix: str
    recognise: Callable[[bytes], bool]
    read: Callable[[bytes], Classifier]
    write: Callable[[Classifier], bytes]


MODEL_FORMATS: dict[str, ModelFormat] = {
    "safetensors": ModelFormat("safetensors", ".safetensors", is_safetensors, from_safetensors, to_safetensors),
}


def read_model(content: bytes, *, name: str = "the file") -> Classifier:
    """Read a model file of any known format; ModelError says what it looks like when it is none of them."""
    if len(content) > MAX_MODEL_MB * 1_000_000:
        raise ModelError(f"'{name}' has {len(content) / 1e6:.0f} MB, more than the limit of {MAX_MODEL_MB} MB.")
    for row in MODEL_FORMATS.values():
        if row.recognise(content):
            return row.read(content)
    raise ModelError(
        f"'{name}' {_looks_like(content)}: save the network as safetensors with `fairneuron train --out`, "
        f"or download it from the Model page ({', '.join(MODEL_FORMATS)})."
    )


def _looks_like(content: bytes) -> str:
    if not content:
        return "is empty"
    if content[:4] == b"PK\x03\x04":
        return "is a zip archive (a PyTorch or Keras file, perhaps), which could run code and is not opened"
    if content[:1] == b"\x80":
        return "is a Python pickle, which could run code and is not opened"
    return "is not a model file of a known format"


__all__ = ["MAX_MODEL_MB", "MODEL_FORMATS", "ModelFormat", "from_safetensors", "read_model", "to_safetensors"]
