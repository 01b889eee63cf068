"""The network files that are read, told apart by content. A further format is one file beside this one and one row.

A parser is imported when it is first used: the process that reads a safetensors file never loads onnx.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from fairneuron_core.formats.archive import names_in
from fairneuron_core.formats.network_file import NetworkFile, NetworkFormat
from fairneuron_core.formats.plain_tensors import is_tensor_file
from fairneuron_core.formats.protobuf import is_onnx_model
from fairneuron_core.formats.torch_kinds import is_torch_file


@dataclass(frozen=True)
class LateParser:
    """A parser that is imported when it is called, or before by `load`; `needs` are modules it imports on its way."""

    module: str
    function: str
    needs: tuple[str, ...] = ()

    def __call__(self, content: bytes, answers: Mapping[str, str]) -> NetworkFile:
        found: NetworkFile = getattr(self._imported(), self.function)(content, answers)
        return found

    def load(self) -> None:
        """Import everything the parser needs: behind the locked door nothing is imported."""
        for name in self.needs:
            import_module(name)
        self._imported()

    def _imported(self) -> ModuleType:
        return import_module(f"fairneuron_core.formats.{self.module}")


def is_hdf5(content: bytes) -> bool:
    """Say whether the content starts like an HDF5 file."""
    return content.startswith(b"\x89HDF\r\n\x1a\n")


def is_keras_zip(content: bytes) -> bool:
    """Say whether the content is a zip archive with the members of a .keras file."""
    return {"config.json", "model.weights.h5"} <= set(names_in(content)) and not is_torch_file(content)


def is_skops(content: bytes) -> bool:
    """Say whether the content is a zip archive with the schema of a skops file."""
    return "schema.json" in names_in(content) and not is_torch_file(content) and not is_keras_zip(content)


NETWORK_FORMATS: dict[str, NetworkFormat] = {
    "safetensors": NetworkFormat(
        "safetensors", is_tensor_file, LateParser("safetensors_file", "parse_safetensors"), "ours, or named weights"
    ),
    "torch": NetworkFormat(
        "PyTorch (state_dict, nn.Sequential)",
        is_torch_file,
        LateParser("torch_file", "parse_torch"),
        "torch.save(model.state_dict(), 'model.pt')",
    ),
    "onnx": NetworkFormat(
        "ONNX", is_onnx_model, LateParser("onnx_file", "parse_onnx"), "torch.onnx.export, skl2onnx, tf2onnx"
    ),
    "keras_h5": NetworkFormat(
        "Keras HDF5 (.h5)", is_hdf5, LateParser("keras_h5_file", "parse_keras_h5"), "model.save('model.h5')"
    ),
    "keras": NetworkFormat(
        "Keras (.keras)", is_keras_zip, LateParser("keras_zip_file", "parse_keras_zip"), "model.save('model.keras')"
    ),
    "skops": NetworkFormat(
        "scikit-learn (skops)", is_skops, LateParser("skops_file", "parse_skops"), "skops.io.dump(model, 'model.skops')"
    ),
}


def load_parser(form: str) -> None:
    """Import everything that reading this format needs."""
    parse = NETWORK_FORMATS[form].parse
    if isinstance(parse, LateParser):
        parse.load()


def identify(content: bytes) -> str | None:
    """Return the key of the format that the content has, whatever its name, or None; never raises."""
    return next((form for form, row in NETWORK_FORMATS.items() if row.recognise(content)), None)
