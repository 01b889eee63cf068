"""safetensors files: our own, whose header says everything, and foreign ones, which are named tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.named_tensors import network_of_tensors, numbers_of
from fairneuron_core.formats.network_file import HIDDEN_ACTIVATIONS, NetworkFile, RefusedFile
from fairneuron_core.formats.plain_tensors import read_tensors
from fairneuron_core.formats.stacking import Activation, Dense, Step, stacked

OWN = "fairneuron-classifier-1"
_DAMAGED = "The description of the network in the file's header cannot be read: the file is damaged."


def parse_safetensors(content: bytes, answers: Mapping[str, str]) -> NetworkFile:
    """Read a safetensors file; our own one hands its metadata over in `described`."""
    metadata, tensors = read_tensors(content)
    if OWN in metadata:
        return _own(metadata[OWN], tensors)
    return network_of_tensors(tensors, answers, form="safetensors", ordered=False)


def _own(described: str, tensors: Mapping[str, np.ndarray]) -> NetworkFile:
    try:
        fields = json.loads(described)
        activations = list(fields["activations"])
        names = _input_names(fields["encoder"]["columns"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedFile(_DAMAGED) from error
    steps: list[Step] = []
    for i, activation in enumerate(activations):
        if activation not in HIDDEN_ACTIVATIONS:
            raise RefusedFile(f"Layer {i + 1} has the activation '{shown(str(activation), 30)}', which is not known.")
        steps += [
            Dense(_tensor(tensors, f"layer{i}.weight"), _tensor(tensors, f"layer{i}.bias")),
            Activation(activation),
        ]
    result = stacked(steps)
    if len(names) != result.layers[0].weight.shape[1]:
        raise RefusedFile(
            f"The file's encoder makes {len(names)} inputs and its network reads {result.layers[0].weight.shape[1]}: "
            "the file does not fit together."
        )
    # What stacking has to say of logits is settled here: our networks end in them.
    return NetworkFile("safetensors", result.layers, result.head, input_names=names, described=described)


def _tensor(tensors: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in tensors:
        raise RefusedFile(f"The tensor '{name}' is missing: the file is incomplete.")
    return numbers_of(name, tensors[name])


def _input_names(columns: list[Any]) -> tuple[str, ...]:
    """One name per input, as the encoder names them: `age`, `workclass=Private`, ..."""
    named = (
        [f"{column['name']}={level}" for level in column["levels"]]
        if column["kind"] == "category"
        else [column["name"]]
        for column in columns
    )
    names = tuple(name for part in named for name in part)
    if not all(isinstance(name, str) for name in names):
        raise TypeError("a name that is no text")
    return names
