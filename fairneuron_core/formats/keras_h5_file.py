"""Whole Keras networks in one HDF5 file (.h5), as Keras 2 and Keras 3 write them."""

from __future__ import annotations

from collections.abc import Mapping

import h5py
import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.hdf5_data import numbers, opened, text, texts
from fairneuron_core.formats.keras_chain import KerasLayer
from fairneuron_core.formats.keras_config import parse_config
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile


def parse_keras_h5(content: bytes, answers: Mapping[str, str]) -> NetworkFile:
    """Return the network of a whole-model file; RefusedFile for files that hold weights only."""
    with opened(content) as file:
        description = text(file, "model_config")
        if description is None:
            raise RefusedFile(
                "The HDF5 file holds no description of a network, at most its weights: save the whole network with "
                "model.save('network.keras') or model.save('network.h5')."
            )
        stored = file.get("model_weights")
        if not isinstance(stored, h5py.Group):
            raise RefusedFile("The HDF5 file describes a network but holds no weights: save it with model.save.")
        return parse_config("keras_h5", description, lambda layers: [_weights(stored, layer) for layer in layers])


def _weights(stored: h5py.Group, layer: KerasLayer) -> list[np.ndarray]:
    """The weights of one layer in the order of its own list."""
    group = stored.get(layer.name) if layer.name else None
    if not isinstance(group, h5py.Group):
        return []
    return [_one(group, layer, name) for name in texts(group, "weight_names")]


def _one(group: h5py.Group, layer: KerasLayer, name: str) -> np.ndarray:
    found = numbers(group, name)
    if found is None:
        raise RefusedFile(
            f"The weights '{shown(name)}' of the layer '{shown(layer.name)}' are missing: the file is damaged."
        )
    return found
