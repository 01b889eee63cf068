"""Model files of our own, in and out. A further format is one file beside this one and one row in catalogue.py.

The CONTENT of a file decides how it is read, never its name.
"""

from __future__ import annotations

from fairneuron_core.errors import ModelError
from fairneuron_core.models.files.catalogue import MODEL_FORMATS, ModelFormat
from fairneuron_core.models.files.export import export_model
from fairneuron_core.models.files.safetensors_file import from_safetensors, to_safetensors
from fairneuron_core.types import Classifier

MAX_MODEL_MB = 200


def read_model(content: bytes, *, name: str = "the file") -> Classifier:
    """Read a model file of our own; ModelError says what it looks like when it is none.

    Files of other tools are for `formats.door.open_network`, which reads them in a process of their own.
    """
    if len(content) > MAX_MODEL_MB * 1_000_000:
        raise ModelError(f"'{name}' has {len(content) / 1e6:.0f} MB, more than the limit of {MAX_MODEL_MB} MB.")
    for row in MODEL_FORMATS.values():
        if row.recognise is not None and row.read is not None and row.recognise(content):
            return row.read(content)
    raise ModelError(
        f"'{name}' {_looks_like(content)}: save the network as safetensors with `fairneuron train --out`, "
        "or download it as safetensors from the Model page."
    )


def _looks_like(content: bytes) -> str:
    if not content:
        return "is empty"
    if content[:4] == b"PK\x03\x04":
        return "is a zip archive (a PyTorch or Keras file, perhaps), which could run code and is not opened"
    if content[:1] == b"\x80":
        return "is a Python pickle, which could run code and is not opened"
    return "is not a model file of a known format"


__all__ = [
    "MAX_MODEL_MB",
    "MODEL_FORMATS",
    "ModelFormat",
    "export_model",
    "from_safetensors",
    "read_model",
    "to_safetensors",
]
