"""The input mapping that a foreign network most likely expects: of all that fit, the one under which it works best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fairneuron_core.data import encode_frame, labels_of, split_rows
from fairneuron_core.data.mapping import InputMapping, MappedColumn, Scaling, encoder_of
from fairneuron_core.data.mapping_guess import Layout, fitting_layouts, guess_mapping, why
from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.jobs.fit_check import auc_margin, auc_of
from fairneuron_core.models import logits
from fairneuron_core.models.foreign import network_of_file
from fairneuron_core.types import Classifier, Dataset, EncodedColumn, Encoder, ModelRecord

TRIED_ROWS = 3_000
TIED = 0.01
"""Layouts whose AUC lies this near to the best one are told apart by their log-loss."""
_SCALINGS: tuple[tuple[Scaling, Scaling], ...] = (
    ("min_max", "min_max"),
    ("standard", "standard"),
    ("none", "none"),
    ("standard", "none"),
    ("min_max", "none"),
)
_WORDS = {"min_max": "scaled to [0, 1]", "standard": "standardised", "none": "as they are"}


def suggest_mapping(file: NetworkFile, dataset: Dataset) -> tuple[InputMapping | None, str]:
    """Return the most likely mapping and a sentence why; None and what was tried where no width fits.

    1. All layouts whose width fits (`guess_mapping`), with numbers scaled to [0, 1], standardised, or as they are.
    2. Those under which the scores tell the labels of training rows apart best, up to TIED (AUC, of either class).
    3. Of these the one with the smallest log-loss.
    4. The favourable class is the one that the file's own labels name; without labels it is class 1.
    """
    layouts = fitting_layouts(dataset, file.inputs, file.input_names)
    if not layouts:
        return guess_mapping(dataset, file.inputs, file.input_names)
    rows = _some(split_rows(dataset, seed=0).train)
    labels, network = labels_of(dataset, rows), network_of_file(file)
    favourable = favourable_class(file, dataset)
    inputs_of = _Inputs(dataset, rows)
    tried = []
    for layout in layouts:
        for columns, words in _scaled(layout):
            encoder, features = inputs_of(columns)
            z = logits(Classifier(network, encoder, 0.5, ModelRecord("", "", ""), ()), features).astype(np.float64)
            reach = abs(auc_of(z, labels) - 0.5)
            tried.append((reach, min(log_loss(z, labels), log_loss(-z, labels)), layout, columns, words))
    most = max(one[0] for one in tried)
    if not most > auc_margin(labels):
        said = f"{why(layouts[0])} None of {len(tried)} ways to read the columns tells the labels apart."
        return InputMapping(tried[0][3], favourable), said
    _, _, layout, columns, words = min((one for one in tried if one[0] >= most - TIED), key=lambda one: one[1])
    return InputMapping(columns, favourable), f"{why(layout)}{_reason(len(tried), words)}"


class _Inputs:
    """Encoder and inputs of columns on some rows; a column that was encoded once is not encoded again."""

    def __init__(self, dataset: Dataset, rows: np.ndarray) -> None:
        self._dataset, self._rows, self._frame = dataset, rows, dataset.frame.iloc[rows]
        self._known: dict[MappedColumn, tuple[EncodedColumn, np.ndarray]] = {}

    def __call__(self, columns: tuple[MappedColumn, ...]) -> tuple[Encoder, np.ndarray]:
        parts = [self._one(column) for column in columns]
        return Encoder(tuple(one for one, _ in parts)), np.concatenate([block for _, block in parts], axis=1)

    def _one(self, column: MappedColumn) -> tuple[EncodedColumn, np.ndarray]:
        if column not in self._known:
            encoder = encoder_of(InputMapping((column,)), self._dataset, self._rows)
            self._known[column] = encoder.columns[0], encode_frame(self._frame, encoder)
        return self._known[column]


def favourable_class(file: NetworkFile, dataset: Dataset) -> int:
    """Return which class of the network is the favourable outcome by the labels in the file; 1 without labels."""
    named = [text.removesuffix(".0") for text in file.classes]
    return named.index(dataset.schema.favourable) if dataset.schema.favourable in named[:2] else 1


def log_loss(z: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of log(1 + exp(-z)) for label 1 and log(1 + exp(z)) for label 0."""
    return float(np.logaddexp(0, np.where(labels == 1, -z, z)).mean())


def _some(rows: np.ndarray) -> np.ndarray:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), TRIED_ROWS)).round().astype(np.int64))]


def _scaled(layout: Layout) -> Iterator[tuple[tuple[MappedColumn, ...], str]]:
    """Yield the columns with every scaling of numbers and codes, each result once, with words about the numbers."""
    seen = set()
    for numbers, codes in _SCALINGS:
        chosen = {"number": numbers, "codes": codes, "one_hot": "none"}
        columns = tuple(replace(c, scaling=chosen[c.how]) for c in layout.columns)  # type: ignore[arg-type]
        if columns not in seen:
            seen.add(columns)
            some = any(c.how == "number" for c in columns)
            yield columns, f"numbers {_WORDS[numbers]}" if some else ""


def _reason(n: int, words: str) -> str:
    if n == 1:
        return ""
    return f" Of {n} ways to read them this one tells the labels apart best{': ' if words else ''}{words}."
