"""From names, ids and files to the data set, the classifier and the encoded rows that a job works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from fairneuron_core.data import (
    ALIASES,
    DATASETS,
    dataset_from_bytes,
    dataset_to_bytes,
    encode,
    load_dataset,
    make_dataset,
    split_rows,
)
from fairneuron_core.data.guess import guess_schema
from fairneuron_core.data.upload import read_table
from fairneuron_core.errors import DataError, NotFoundError, SettingError
from fairneuron_core.models import read_model, to_safetensors
from fairneuron_core.store import DatasetRecord, add_dataset, add_model, get_dataset, get_model, open_store
from fairneuron_core.types import Batch, Classifier, Dataset, Split
from fairneuron_core.workspace import Workspace

Part = Literal["train", "validation", "test", "holdout"]
PARTS = ("test", "validation", "train", "holdout")


def find_dataset(ref: str, workspace: Workspace) -> Dataset:
    """Return the data set of a built-in name, a stored id, or a table file (roles guessed).

    Raises NotFoundError when it is none of these, DataError when the file cannot be read.
    """
    if is_built_in(ref):
        return load_dataset(ref)
    if Path(ref).is_file():
        frame = read_table(Path(ref), name=Path(ref).name)
        return make_dataset(frame, guess_schema(frame), name=Path(ref).stem, title=Path(ref).name)
    found = _stored(ref, workspace)
    return replace(dataset_from_bytes(workspace.get(found.sha256), name=found.id), title=found.title)


def is_built_in(ref: str) -> bool:
    """Say whether the reference names a data set of this product."""
    return ref.lower() in DATASETS or ref.lower() in ALIASES


def store_dataset(dataset: Dataset, workspace: Workspace) -> str:
    """Keep an own data set in the workspace and return its id."""
    sha256 = workspace.put(dataset_to_bytes(dataset))
    note = {"data_sha256": dataset.sha256}
    rows = len(dataset.frame)
    return add_dataset(
        open_store(workspace), name=dataset.name, title=dataset.title, sha256=sha256, rows=rows, note=note
    ).id


def stored_reference(ref: str, workspace: Workspace) -> str:
    """Turn a data reference into one that means the same tomorrow: a built-in name, or the id of the stored table."""
    if is_built_in(ref):
        return ALIASES.get(ref.lower(), ref.lower())
    if Path(ref).is_file():
        return store_dataset(find_dataset(ref, workspace), workspace)
    return _stored(ref, workspace).id


def _stored(ref: str, workspace: Workspace) -> DatasetRecord:
    try:
        return get_dataset(open_store(workspace), ref)
    except NotFoundError:
        raise NotFoundError(
            f"There is no data set '{ref}': give one of {', '.join(DATASETS)}, a stored id, or the path of a file."
        ) from None


def find_classifier(ref: str, workspace: Workspace, *, dataset: Dataset | None = None) -> Classifier:
    """Return the classifier of a stored id or a model file (NotFoundError, ModelError).

    Files are read in a process of their own; one of another tool needs the data set that its inputs are made from.
    """
    if Path(ref).is_file():
        from fairneuron_core.jobs.foreign_network import classifier_of_file

        return classifier_of_file(Path(ref), dataset, workspace)
    try:
        return read_model(workspace.get(get_model(open_store(workspace), ref).sha256), name=ref)
    except NotFoundError:
        raise NotFoundError(
            f"There is no model '{ref}': give a stored id (see `fairneuron runs`) or the path of a model file."
        ) from None


def store_classifier(classifier: Classifier, workspace: Workspace, *, name: str, run_id: str | None = None) -> str:
    """Keep a classifier in the workspace and return its id; equal classifiers have one id."""
    record = classifier.record
    return add_model(
        open_store(workspace),
        name=name,
        sha256=workspace.put(to_safetensors(classifier)),
        data=record.data,
        data_sha256=record.data_sha256,
        made_by=record.made_by,
        parent=record.parent,
        run_id=run_id,
    ).id


def stored_model_reference(ref: str, workspace: Workspace, *, classifier: Classifier | None = None) -> str:
    """Turn a model reference into the id of the stored model; a file (read as `classifier` already) is stored first."""
    if Path(ref).is_file():
        return store_classifier(classifier or find_classifier(ref, workspace), workspace, name=Path(ref).stem)
    return get_model(open_store(workspace), ref).id


@dataclass(frozen=True)
class Material:
    """A data set with its split, the classifier that reads it, and the attribute that is audited."""

    dataset: Dataset
    classifier: Classifier
    attribute: str

    @property
    def reference(self) -> str:
        return self.dataset.schema.reference[self.attribute]

    @cached_property
    def split(self) -> Split:
        """The classifier's own split, so that its test rows were never trained on."""
        record = self.classifier.record
        own = [name for name in record.protected if name in self.dataset.schema.protected]
        return split_rows(self.dataset, seed=record.split_seed, protected=own or None)

    def rows(self, part: Part) -> np.ndarray:
        """Return the row positions of one part; `holdout` is a second table that some data sets bring along."""
        if part != "holdout":
            return np.asarray(getattr(self.split, part))
        if self.dataset.holdout is None:
            raise DataError(f"'{self.dataset.name}' has no hold-out table: choose test, validation or train.")
        return np.arange(len(self.dataset.holdout))

    def batch(self, part: Part) -> Batch:
        """Return the encoded rows of one part."""
        return self.encoded(self.rows(part), part)

    def encoded(self, rows: np.ndarray, part: Part) -> Batch:
        """Return the encoded rows at these positions of the part's table."""
        frame = self.dataset.holdout if part == "holdout" else None
        return encode(self.dataset, rows, self.classifier.encoder, frame=frame)


def gather(data: str, model: str, workspace: Workspace, *, protected: str | None = None) -> Material:
    """Find the data set and the classifier and check that they fit; `protected` defaults to the first attribute."""
    dataset = find_dataset(data, workspace)
    return Material(dataset, find_classifier(model, workspace, dataset=dataset), choose_attribute(dataset, protected))


def choose_attribute(dataset: Dataset, protected: str | None) -> str:
    """Return the protected attribute of that name, or the data set's first one (SettingError otherwise)."""
    known = dataset.schema.protected
    if not known:
        raise SettingError(f"'{dataset.name}' has no protected attribute: give one column that role first.")
    if protected is not None and protected not in known:
        raise SettingError(
            f"'{protected}' is not a protected attribute of '{dataset.name}': choose {', '.join(known)}."
        )
    return protected or known[0]
