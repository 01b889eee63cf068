"""Keras networks in the format of Keras 3 (.keras): a zip archive of a JSON description and an HDF5 file of weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import h5py
import numpy as np

from fairneuron_core.formats.archive import open_archive, shown
from fairneuron_core.formats.hdf5_data import numbers, opened, text
from fairneuron_core.formats.keras_chain import KerasLayer
from fairneuron_core.formats.keras_config import parse_config
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile

_MOST_VARIABLES = 16
# Keras 2.13 to 2.15 kept the layers under the second name.
_FOLDERS = ("layers", "_layer_checkpoint_dependencies")


def parse_keras_zip(content: bytes, answers: Mapping[str, str]) -> NetworkFile:
    """Return the network of a .keras file; RefusedFile with the reason otherwise."""
    archive = open_archive(content)
    description = archive.read("config.json").decode("utf-8", "replace")
    with opened(archive.read("model.weights.h5")) as file:
        return parse_config("keras", description, lambda layers: _all_weights(file, layers))


def _all_weights(file: h5py.File, layers: Sequence[KerasLayer]) -> list[list[np.ndarray]]:
    """Keras numbers the layers of one class in their order: dense, dense_1, dense_2."""
    folder = next((file[name] for name in _FOLDERS if isinstance(file.get(name), h5py.Group)), None)
    if folder is None:
        raise RefusedFile("The file describes a network but holds no weights of layers: save it with model.save.")
    seen: Counter[str] = Counter()
    found = []
    for layer in layers:
        kind = _snake_case(layer.kind)
        place = f"{kind}_{seen[kind]}" if seen[kind] else kind
        seen[kind] += 1
        found.append(_weights(folder, place, layer))
    return found


def _weights(folder: h5py.Group, place: str, layer: KerasLayer) -> list[np.ndarray]:
    variables = folder.get(f"{place}/vars")
    if not isinstance(variables, h5py.Group):
        return []
    owner = text(variables, "name")
    if owner is not None and layer.name and owner != layer.name:
        raise RefusedFile(
            f"The weights of the layer '{shown(layer.name)}' belong to '{shown(owner)}': the file is damaged."
        )
    if len(variables) > _MOST_VARIABLES:
        raise RefusedFile(f"The layer '{shown(layer.name)}' has {len(variables)} weight tensors: it cannot be read.")
    arrays = [numbers(variables, str(i)) for i in range(len(variables))]
    if any(array is None for array in arrays):
        raise RefusedFile(f"The weights of the layer '{shown(layer.name)}' are incomplete: the file is damaged.")
    return [array for array in arrays if array is not None]


def _snake_case(name: str) -> str:
    """Keras' own rule: BatchNormalization -> batch_normalization, ReLU -> re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
