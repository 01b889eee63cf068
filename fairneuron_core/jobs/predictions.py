"""Predictions without a network: scores or decisions from a file, beside the data they were made for.

They become a data set with one more column, the log-odds of the scores, and a classifier that reads this column alone
and hands it through: score = sigmoid(log-odds) = the score in the file. Audits and thresholds work as with a network;
what looks inside a network says why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core import __version__
from fairneuron_core.data import encode, make_dataset, read_table, split_rows
from fairneuron_core.data.columns import as_numbers, as_text
from fairneuron_core.data.encodings import utf8_of
from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.jobs.material import find_dataset, store_classifier, store_dataset
from fairneuron_core.models import network_of, profile
from fairneuron_core.types import MISSING, Classifier, Column, Dataset, EncodedColumn, Encoder, LinearLayer, ModelRecord
from fairneuron_core.workspace import Workspace, digest

COLUMN = "prediction (log-odds)"
LEAST = 1e-6
"""Scores are kept between LEAST and 1 - LEAST, so that their log-odds are finite."""
MADE_BY = "predictions"
_ROW = "row of the file"
_NAMED = ("score", "scores", "prediction", "predictions", "predicted", "probability", "proba", "y_pred", "decision")


@dataclass(frozen=True)
class Predictions:
    """What was stored: the ids of data set and classifier, and what was read."""

    data: str
    model: str
    rows: int
    kind: str
    column: str


def bring_predictions(
    content: bytes,
    data: str,
    workspace: Workspace,
    *,
    name: str,
    key: str | None = None,
    column: str | None = None,
    threshold: float = 0.5,
) -> Predictions:
    """Store the data set with its predictions and the classifier that hands them through; return their ids.

    content    a table: scores in [0, 1] of the favourable outcome, or decisions (0 and 1, or the target's two values)
    key        column of both tables that says which rows belong together; None = the same rows in the same order
    column     the column of predictions; None = the only one beside the key, or one named like score or prediction
    threshold  score from which on the decision is favourable

    Raises
    ------
    DataError : another number of rows, doubled, missing or unknown keys, values that are no predictions.
    SettingError : a column that does not exist or cannot be told, a threshold outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise SettingError(f"The threshold is {threshold}: choose a number from 0 to 1.")
    dataset = find_dataset(data, workspace)
    table = predictions_table(content, name=name)
    chosen = _column_of(table, key, column, name=name)
    texts = as_text(table[chosen])
    values = texts if key is None else _joined(texts, as_text(_of(table, key, name)), dataset, key, name=name)
    if len(values) != len(dataset.frame):
        raise DataError(
            f"'{name}' has {len(values):,} rows and '{dataset.title}' has {len(dataset.frame):,}: give one prediction "
            "per row in the same order, or name the column that tells the rows (--key)."
        )
    scores, kind = scores_of(values, dataset, name=f"'{chosen}' of '{name}'")
    reference = store_dataset(with_scores(dataset, scores, name=name), workspace)
    extended = find_dataset(reference, workspace)
    recipe = {"file": name, "file_sha256": digest(content), "column": chosen, "key": key, "kind": kind, "data": data}
    classifier = prediction_classifier(extended, threshold=threshold, recipe=recipe)
    model = store_classifier(classifier, workspace, name=f"predictions of {PurePath(name).stem[:60]}")
    return Predictions(reference, model, len(scores), kind, chosen)


def predictions_table(content: bytes, *, name: str) -> pd.DataFrame:
    """Read a table; a single column, which the usual reader refuses, gets row numbers beside it for a moment."""
    if content[:4] == b"PAR1":
        return read_table(content, name=name)
    text, _ = utf8_of(content, name=name)
    lines = [line for line in text.decode("utf-8", errors="replace").splitlines() if line.strip()]
    if len(lines) < 2 or any(mark in lines[0] for mark in ",;\t|") or lines[0].lstrip().startswith(("@", "%")):
        return read_table(content, name=name)
    numbered = [f"{_ROW};{lines[0]}", *(f"{row};{line}" for row, line in enumerate(lines[1:]))]
    return read_table("\n".join(numbered).encode(), name=name).drop(columns=_ROW)


def _of(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    if column not in table.columns:
        listed = ", ".join(map(str, list(table.columns)[:12]))
        raise SettingError(f"There is no column '{column}' in '{name}': choose one of {listed}.")
    return table[column]


def _column_of(table: pd.DataFrame, key: str | None, column: str | None, *, name: str) -> str:
    if column is not None:
        return str(_of(table, column, name).name)
    others = [str(c) for c in table.columns if c != key]
    named = [c for c in others if c.lower().replace(" ", "_") in _NAMED]
    if len(others) != 1 and len(named) != 1:
        raise SettingError(
            f"'{name}' has {len(others)} columns that may hold the predictions ({', '.join(others[:6])}): name one of "
            "them with --column."
        )
    return others[0] if len(others) == 1 else named[0]


def _joined(values: pd.Series, keys: pd.Series, dataset: Dataset, key: str, *, name: str) -> pd.Series:
    """Return one value per row of the data set, found by the key."""
    if key not in dataset.frame.columns:
        raise SettingError(f"There is no column '{key}' in '{dataset.title}': name a column of both tables.")
    own = as_text(dataset.frame[key])
    for where, found in ((name, keys), (dataset.title, own)):
        if (again := found.duplicated()).any():
            raise DataError(
                f"The key '{key}' has the value '{found[again].iloc[0]}' twice in '{where}': it must be unique."
            )
    places = pd.Index(keys).get_indexer(own)
    if (missing := places < 0).any():
        raise DataError(
            f"'{name}' has no prediction for {missing.sum():,} of {len(own):,} rows, for example '{key}' = "
            f"'{own[missing].iloc[0]}': give one for every row."
        )
    return values.iloc[places].reset_index(drop=True)


def scores_of(values: pd.Series, dataset: Dataset, *, name: str) -> tuple[np.ndarray, str]:
    """Return scores (n,) in [0, 1] of predictions as text, and whether they were "scores" or "decisions".

    Raises DataError for values that are missing, are no numbers, or lie outside [0, 1].
    """
    texts = as_text(values)
    found, target = set(texts), dataset.schema.target
    if MISSING in found:
        raise DataError(f"{int((texts == MISSING).sum()):,} predictions in {name} are missing: give one for every row.")
    zero_one = set(target.levels) == {"0", "1"}
    if found <= set(target.levels) and not zero_one:
        return (texts == dataset.schema.favourable).to_numpy(dtype=float), "decisions"
    if found <= {"0", "1"}:
        # Where the target itself is written 0 and 1, a decision is a value of the target, not of "favourable".
        favourable = dataset.schema.favourable if zero_one else "1"
        return (texts == favourable).to_numpy(dtype=float), "decisions"
    try:
        numbers = as_numbers(pd.Series(pd.to_numeric(texts))).to_numpy(dtype=float)
    except ValueError as error:
        shown = next(iter(sorted(found - set(target.levels))), "")
        raise DataError(
            f"{name} holds '{shown[:40]}', which is no score and no value of '{target.name}': give scores from 0 to 1, "
            f"0 and 1, or {' and '.join(target.levels)}."
        ) from error
    if not ((numbers >= 0) & (numbers <= 1)).all():
        low, high = np.nanmin(numbers), np.nanmax(numbers)
        raise DataError(f"{name} holds numbers from {low:g} to {high:g}: scores must lie between 0 and 1.")
    return numbers, "scores"


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Return log(s / (1 - s)) as float32 numbers whose sigmoid is not below s, so that s >= threshold stays true."""
    kept = scores.clip(LEAST, 1 - LEAST)
    z = np.log(kept / (1 - kept)).astype(np.float32)
    while (below := 1 / (1 + np.exp(-z.astype(np.float64))) < kept).any():
        z[below] = np.nextafter(z[below], np.float32(np.inf))
    return z.astype(np.float64)


def with_scores(dataset: Dataset, scores: np.ndarray, *, name: str) -> Dataset:
    """Return the data set with one more column that no network is trained on: the log-odds of the scores (n,)."""
    if COLUMN in dataset.frame.columns:
        raise DataError(f"'{dataset.title}' holds predictions already: bring these to the data set without them.")
    schema = dataset.schema
    column = Column(COLUMN, "left_out", "numeric", note=f"predictions of {name}")
    *others, target = sorted(schema.columns, key=lambda c: c.role == "target")
    traps = dataset.source.traps
    if dataset.holdout is not None:
        traps = (*traps, "The hold-out table has no predictions and was left out.")
    return make_dataset(
        dataset.frame.assign(**{COLUMN: log_odds(scores)}),
        replace(schema, columns=(*others, column, target)),
        name=dataset.name,
        title=f"{dataset.title} with predictions of {name}",
        source=replace(dataset.source, traps=traps),
        include_protected=dataset.include_protected,
        hidden=dataset.hidden,
    )


def prediction_classifier(dataset: Dataset, *, threshold: float, recipe: Mapping[str, Any]) -> Classifier:
    """Return the classifier whose score is the one that the data set's column of predictions says."""
    encoder = Encoder((EncodedColumn(COLUMN, "numeric"),))
    network = network_of([LinearLayer(np.ones((1, 1), np.float32), np.zeros(1, np.float32), "identity")])
    protected = dataset.schema.protected[:1]
    rows = split_rows(dataset, seed=0, protected=protected).train
    record = ModelRecord(
        data=dataset.name,
        data_sha256=dataset.sha256,
        made_by=MADE_BY,
        recipe=recipe,
        protected=protected,
        version=__version__,
    )
    means = profile(network, encode(dataset, rows, encoder).features)
    return Classifier(network, encoder, float(np.clip(threshold, LEAST, 1 - LEAST)), record, means)


def without_network(classifier: Classifier) -> str | None:
    """Return the sentence with which work on a network refuses predictions; None for a network."""
    if [column.name for column in classifier.encoder.columns] != [COLUMN]:
        return None
    return (
        "These are predictions from a file, not a network: audit them or choose thresholds; bring the network itself "
        "to look inside it, repair or certify it."
    )


def require_network(classifier: Classifier) -> None:
    """Raise SettingError with that sentence for predictions."""
    if said := without_network(classifier):
        raise SettingError(said)
