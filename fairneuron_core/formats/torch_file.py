"""Files of torch.save, read without torch: state_dicts, checkpoints that hold one, and plain nn.Sequential networks.

Both forms are read: the zip archive (data.pkl and one member per storage) and the older one (pickles, then storages).
The pickle is read as a description (plain_unpickler), so nothing in it runs; a file that names anything but the
building blocks below is refused with the list of those names. TorchScript and .pt2 are refused: they are programs.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from fairneuron_core.formats.archive import open_archive, shown
from fairneuron_core.formats.named_tensors import network_of_tensors
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.plain_unpickler import Made, Name, Pickled, Stored, read_pickle
from fairneuron_core.formats.torch_kinds import is_legacy, is_program, is_script
from fairneuron_core.formats.torch_modules import MODULES, network_of_module
from fairneuron_core.formats.torch_storages import (
    INERT,
    REBUILDS,
    STORAGE_TYPES,
    Storages,
    legacy_parts,
    tensor_of,
    zip_storages,
)

_ALLOWED = MODULES | REBUILDS | STORAGE_TYPES.keys() | INERT
_RECIPE = "save the weights only, torch.save(model.state_dict(), 'model.pt'), or export the network as ONNX"


def parse_torch(content: bytes, answers: Mapping[str, str]) -> NetworkFile:
    """Read a file of torch.save; raises RefusedFile with the reason, and the way round it, for what is not read."""
    pickled, storages = legacy_parts(content) if is_legacy(content) else _zipped(content)
    strange = [name for name in pickled.names if name not in _ALLOWED]
    if strange:
        listed = ", ".join(shown(name, 60) for name in strange[:8]) + (", ..." if len(strange) > 8 else "")
        raise RefusedFile(
            f"The file wants to import {listed}; what imports can run code, so it is not opened: {_RECIPE}."
        )
    part = _network_part(pickled.value)
    if isinstance(part, Made) and not _is_mapping(part):
        return network_of_module(part, lambda node: tensor_of(node, storages))
    tensors = {name: tensor_of(node, storages) for name, node in _items(part).items()}
    return network_of_tensors(tensors, answers, form="torch", ordered=True)


def _zipped(content: bytes) -> tuple[Pickled, Storages]:
    archive = open_archive(content)
    if is_program(archive.names):
        raise RefusedFile(f"The file is a program of torch.export (.pt2), and opening one can run code: {_RECIPE}.")
    if is_script(archive.names):
        raise RefusedFile(f"The file is a TorchScript program, which is code and not data: {_RECIPE}.")
    found = [name for name in archive.names if name.partition("/")[2] == "data.pkl"]
    if len(found) != 1:
        raise RefusedFile(f"The archive holds {len(found)} networks: save one alone.")
    folder = found[0].partition("/")[0]
    return read_pickle(io.BytesIO(archive.read(found[0]))), zip_storages(archive, folder)


def _is_mapping(node: Any) -> bool:
    if isinstance(node, dict):
        return True
    return isinstance(node, Made) and isinstance(node.maker, Name) and node.maker.text == "collections.OrderedDict"


def _items(node: Any) -> dict[Any, Any]:
    return node if isinstance(node, dict) else node.items


def _is_tensor(node: Any) -> bool:
    return isinstance(node, Made) and isinstance(node.maker, Name) and node.maker.text in REBUILDS


def _is_module(node: Any) -> bool:
    maker = node.maker if isinstance(node, Made) else None
    if isinstance(maker, Stored):
        return isinstance(maker.key, tuple) and maker.key[:1] == ("module",)
    return isinstance(maker, Name) and maker.text in MODULES


def _is_state(node: Any) -> bool:
    """A non-empty mapping of names to tensors."""
    return (
        _is_mapping(node)
        and bool(_items(node))
        and all(isinstance(name, str) and _is_tensor(value) for name, value in _items(node).items())
    )


def _network_part(node: Any) -> Any:
    """The state_dict or module that the file is, or the only one among the parts of a checkpoint."""
    if _is_module(node) or _is_state(node):
        return node
    if not _is_mapping(node):
        raise RefusedFile(f"The file holds no network and no state_dict: {_RECIPE}.")
    found = {name: part for name, part in _items(node).items() if _is_module(part) or _is_state(part)}
    if len(found) == 1:
        return next(iter(found.values()))
    listed = ", ".join(f"'{shown(str(name), 40)}'" for name in list(found or _items(node))[:8])
    if found:
        raise RefusedFile(f"The checkpoint holds {len(found)} networks, {listed}: save the one to audit alone.")
    raise RefusedFile(f"No part of the checkpoint ({listed or 'it is empty'}) is a state_dict: {_RECIPE}.")
