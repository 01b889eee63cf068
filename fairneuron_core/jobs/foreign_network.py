"""Networks from elsewhere: a parsed file (or a torch module), a mapping and a data set become a classifier."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core import __version__
from fairneuron_core.data import encode, split_rows
from fairneuron_core.data.mapping import InputMapping, encoder_of
from fairneuron_core.data.mapping_json import mapping_to_json
from fairneuron_core.errors import ModelError, NotFoundError
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.jobs.fit_check import check_fit
from fairneuron_core.jobs.mapping_suggestion import suggest_mapping
from fairneuron_core.jobs.saved_mappings import read_mapping, saved_mapping
from fairneuron_core.models import from_safetensors, profile
from fairneuron_core.models.foreign import classifier_of_described, network_file_of, network_of_file
from fairneuron_core.types import Classifier, Dataset, ModelRecord
from fairneuron_core.workspace import Workspace, digest, open_workspace

if TYPE_CHECKING:
    from torch import nn

SPLIT_SEED = 0
_MAPPING = (
    "print a mapping with `fairneuron model mapping FILE --data NAME`, edit it and give it with --mapping (in Python: "
    "mapping=)"
)


def bring_network(
    file: NetworkFile,
    mapping: InputMapping | None,
    dataset: Dataset,
    *,
    name: str,
    content_sha256: str,
    content: bytes | None = None,
) -> Classifier:
    """Return the classifier that a parsed network file is on this data set, its training profile included.

    Files of our own carry their encoder, threshold and history and need no mapping. Others get them from `mapping`;
    the rows that they were trained on are not known, so the data set is split with seed 0. With the bytes of an own
    safetensors file in `content`, its own training profile is kept.

    Raises
    ------
    DataError : the mapping does not fit the data or the network's inputs.
    ModelError : the network is not one of a single favourable outcome, or there is no mapping.
    """
    if file.described:
        return _own(file, dataset, content)
    if mapping is None:
        raise ModelError(f"'{name}' does not say how columns become its {file.inputs} inputs: {_MAPPING}.")
    protected = dataset.schema.protected[:1]
    rows = split_rows(dataset, seed=SPLIT_SEED, protected=protected).train
    encoder = encoder_of(mapping, dataset, rows, inputs=file.inputs)
    network = network_of_file(file, favourable_class=mapping.favourable_class)
    record = ModelRecord(
        data=dataset.name,
        data_sha256=dataset.sha256,
        made_by=f"uploaded {file.form} file",
        recipe={
            "file": name,
            "file_sha256": content_sha256,
            "format": file.form,
            "mapping": json.loads(mapping_to_json(mapping)),
        },
        protected=protected,
        split_seed=SPLIT_SEED,
        version=__version__,
    )
    means = profile(network, encode(dataset, rows, encoder).features)
    return Classifier(network, encoder, mapping.threshold, record, means)


def _own(file: NetworkFile, dataset: Dataset, content: bytes | None) -> Classifier:
    found = from_safetensors(content) if content and file.form == "safetensors" else classifier_of_described(file)
    record = replace(found.record, data=dataset.name)
    if found.means:
        return replace(found, record=record)
    own = [name for name in record.protected if name in dataset.schema.protected]
    rows = split_rows(dataset, seed=record.split_seed, protected=own or None).train
    means = profile(found.network, encode(dataset, rows, found.encoder).features)
    return replace(found, record=record, means=means)


def settled(file: NetworkFile, *, name: str) -> NetworkFile:
    """Return the file; ModelError where it leaves a question open that changes what the network decides."""
    if file.questions:
        first = file.questions[0]
        raise ModelError(
            f"'{name}' leaves a question open: {first.words} Answer it with --answer {first.name}="
            f"{'|'.join(first.choices)}, or with answers={{'{first.name}': '{first.choices[0]}'}} in Python."
        )
    return file


def classifier_of_file(path: Path, dataset: Dataset | None, workspace: Workspace) -> Classifier:
    """Return the classifier of a model file of any format: of our own as it is, of others by the mapping kept for it.

    Without a kept mapping one is guessed, and taken only where the network then does what a trained one does.

    Raises
    ------
    RefusedFile : the file is not opened.
    ModelError : no data set says what the inputs are, a question is open, or no mapping was found.
    """
    file, content = open_file(path)
    settled(file, name=path.name)
    if file.described and file.form == "safetensors":
        return from_safetensors(content)
    if file.described and dataset is None:
        return classifier_of_described(file)
    if dataset is None:
        raise ModelError(f"'{path.name}' does not say how columns become its inputs: name its data set with --data.")
    sha256 = digest(content)
    mapping = None if file.described else (saved_mapping(workspace, sha256) or _guessed(file, dataset, path.name))
    return bring_network(file, mapping, dataset, name=path.name, content_sha256=sha256)


def open_file(path: Path, answers: Mapping[str, str] | None = None) -> tuple[NetworkFile, bytes]:
    """Return what a network file holds, read in a process of its own, and its bytes.

    Raises
    ------
    RefusedFile : the file is not opened; the sentence says why.
    NotFoundError : there is no such file.
    """
    from fairneuron_core.formats.door import open_network
    from fairneuron_core.formats.limits import SETTING, limits_in_force

    if not path.is_file():
        raise NotFoundError(f"There is no model file '{path}': give the path of one.")
    # Read once: what is hashed and remembered is what was parsed, even if the file changes meanwhile.
    most = limits_in_force().file_mb
    with path.open("rb") as stream:
        content = stream.read(int(most * 1e6) + 1)
    if len(content) > most * 1e6:
        raise RefusedFile(f"'{path.name}' has more than {most:g} MB: bring a smaller network, or set {SETTING}.")
    return open_network(content, name=path.name, answers=answers or {}), content


def _guessed(file: NetworkFile, dataset: Dataset, name: str) -> InputMapping:
    mapping, why = suggest_mapping(file, dataset)
    if mapping is None:
        raise ModelError(f"{why} For '{name}', {_MAPPING}.")
    tried = bring_network(file, mapping, dataset, name=name, content_sha256="")
    if warnings := check_fit(dataset, tried).warnings:
        raise ModelError(
            f"The input mapping guessed for '{name}' does not convince: {warnings[0]} To state it, {_MAPPING}."
        )
    return mapping


def load_network(
    path_or_module: str | Path | nn.Module,
    *,
    data: str | Dataset,
    mapping: InputMapping | str | Path | None = None,
    answers: Mapping[str, str] | None = None,
    name: str | None = None,
    home: str | Path | None = None,
) -> Classifier:
    """Return a network from elsewhere as a classifier on a data set.

    path_or_module   a model file of any known format, or a torch module that is a stack of supported layers
    data             a data set, or what `find_dataset` takes: a built-in name, a stored id, a table file
    mapping          how columns become inputs, or the JSON file of one; None = the one kept for the file, else a guess
    answers          what the file leaves open, for example {"activation": "tanh"}
    name, home       name of the network in its record; folder of the workspace, $FAIRNEURON_HOME by default

    Raises
    ------
    ModelError, RefusedFile : the file or module is not one that can be looked into; the sentence says why.
    DataError, NotFoundError : the data set or the mapping do not fit, or there is no such data set or file.
    """
    from fairneuron_core.jobs.material import find_dataset

    workspace = open_workspace(home)
    dataset = find_dataset(data, workspace) if isinstance(data, str) else data
    given = read_mapping(mapping) if isinstance(mapping, str | Path) else mapping
    content: bytes | None = None
    if isinstance(path_or_module, str | Path):
        path = Path(path_or_module)
        file, content = open_file(path, answers)
        sha256, called = digest(content), name or path.name
        settled(file, name=called)
    else:
        file = network_file_of(path_or_module)
        sha256, called = layers_sha256(file), name or type(path_or_module).__name__
    if given is None and not file.described:
        given = saved_mapping(workspace, sha256) or _guessed(file, dataset, called)
    return bring_network(file, given, dataset, name=called, content_sha256=sha256, content=content)


def layers_sha256(file: NetworkFile) -> str:
    """Return a sha256 of the numbers of a network that comes from no file."""
    parts: list[Any] = [np.ascontiguousarray(p, "<f4").tobytes() for one in file.layers for p in (one.weight, one.bias)]
    return digest(b"|".join([repr((file.sizes, [one.activation for one in file.layers])).encode(), *parts]))
