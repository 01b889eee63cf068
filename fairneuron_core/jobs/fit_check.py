"""Does a network fit the data it is put on? What it decides there says most: a wrong column order decides by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from fairneuron_core.data import encode
from fairneuron_core.data.mapping import levels_in
from fairneuron_core.errors import ModelError
from fairneuron_core.models import decisions, linear_layers, scores
from fairneuron_core.types import Classifier, Dataset, EncodedColumn

CHECKED_ROWS = 50_000
"""Larger tables are checked on so many rows, evenly spaced."""
FIRST_ROWS = 5
NEAR_MAJORITY = 0.01
_RANKS_WELL = 0.6
_FEW_NEURONS = 4


@dataclass(frozen=True)
class FitReport:
    """What a network does on a data set.

    rows            how many rows were decided on
    accuracy        share of them with the right decision; majority: of deciding like the more frequent label
    favourable      share of favourable decisions
    auc             P(score of a favourable label > score of another one); NaN where there is one label only
    warnings        sentences a person must read before trusting any number
    features        names of the network's inputs, and the first rows of them, (rows <= 5, inputs)
    """

    rows: int
    accuracy: float
    majority: float
    favourable: float
    auc: float
    warnings: tuple[str, ...]
    features: tuple[str, ...]
    first_rows: np.ndarray


def check_fit(dataset: Dataset, classifier: Classifier) -> FitReport:
    """Let the network decide about the data and report how well; what looks wrong stands in `warnings`.

    Raises
    ------
    ModelError : a column is missing, holds text where a number is read, or has none of the levels that are known.
    """
    for column in classifier.encoder.columns:
        _require_known(dataset, column)
    n = len(dataset.frame)
    rows = np.unique(np.linspace(0, n - 1, min(n, CHECKED_ROWS)).round().astype(np.int64))
    batch = encode(dataset, rows, classifier.encoder)
    scored = scores(classifier, batch.features)
    decided = decisions(classifier, batch, scored=scored)
    accuracy, base = float((decided == batch.labels).mean()), float(batch.labels.mean())
    majority, auc = max(base, 1 - base), auc_of(scored, batch.labels)
    favourable = float(decided.mean())
    said = [
        *_about_decisions(len(rows), favourable, accuracy, majority, auc),
        *_about_order(auc, batch.labels),
        *_about_levels(dataset, classifier, rows),
        *_about_first_layer(classifier, batch.features),
    ]
    return FitReport(
        rows=len(rows),
        accuracy=accuracy,
        majority=majority,
        favourable=favourable,
        auc=auc,
        warnings=tuple(said),
        features=classifier.encoder.feature_names,
        first_rows=batch.features[:FIRST_ROWS],
    )


def auc_of(scored: np.ndarray, labels: np.ndarray) -> float:
    """Return P(score of a label 1 > score of a label 0) + half of P(equal), NaN where one label is missing.

    >>> auc_of(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.75
    """
    ones = int(labels.sum())
    zeros = len(labels) - ones
    if not ones or not zeros:
        return float("nan")
    return float((rankdata(scored)[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def auc_margin(labels: np.ndarray) -> float:
    """Return three standard errors of the AUC of scores that know nothing: sqrt((a + b + 1) / (12 a b)).

    Source: Mann, Whitney, "On a test of whether one of two random variables is stochastically larger", 1947.
    """
    ones = int(labels.sum())
    zeros = len(labels) - ones
    return 3 * float(np.sqrt((ones + zeros + 1) / (12 * ones * zeros))) if ones and zeros else 0.5


def _require_known(dataset: Dataset, column: EncodedColumn) -> None:
    if column.kind == "numeric" or column.name not in dataset.schema.names:
        return  # a missing column is named by `encode`
    if not set(levels_in(dataset, column.name)) & set(column.levels):
        raise ModelError(
            f"The model knows none of the values that '{dataset.title}' has in column '{column.name}': choose the "
            "data that the model was trained on."
        )


def _about_decisions(n: int, favourable: float, accuracy: float, majority: float, auc: float) -> list[str]:
    if favourable in (0.0, 1.0):
        word = "favourable" if favourable else "unfavourable"
        return [f"All {n:,} decisions are {word}: the columns are probably in another order, or scaled in another way."]
    if accuracy > majority + NEAR_MAJORITY:
        return []
    compared = (
        f"{accuracy:.1%} of the decisions are right, and deciding everybody alike would make {majority:.1%} right"
    )
    if auc >= _RANKS_WELL:
        return [
            f"{compared}, although the scores put the favourable labels first (AUC {auc:.2f}): the threshold or the "
            "scaling is probably another one."
        ]
    return [f"{compared}: this is near chance, and the columns are probably in another order."]


def _about_order(auc: float, labels: np.ndarray) -> list[str]:
    if not auc < 0.5 - auc_margin(labels):
        return []
    return [
        f"High scores go with unfavourable labels (AUC {auc:.2f}, chance is 0.50): the classes are probably swapped; "
        "state 0 as the favourable class."
    ]


def _about_levels(dataset: Dataset, classifier: Classifier, rows: np.ndarray) -> list[str]:
    """Name levels that the network does not know; one left out of one-hot inputs is the usual way to write them."""
    said = []
    for column in classifier.encoder.columns:
        if column.kind == "numeric":
            continue
        unknown = [level for level in levels_in(dataset, column.name) if level not in column.levels]
        if len(unknown) <= (column.kind == "category"):
            continue
        share = float(dataset.frame[column.name].iloc[rows].astype(str).isin(unknown).mean())
        what = "all inputs 0" if column.kind == "category" else f"the code {column.fill:g}"
        listed = ", ".join(f"'{level}'" for level in unknown[:4]) + (", ..." if len(unknown) > 4 else "")
        said.append(
            f"{len(unknown)} values of '{column.name}' ({listed}; {share:.1%} of the rows) are unknown to the network, "
            f"which reads them as {what}: check the levels of the mapping."
        )
    return said


def _about_first_layer(classifier: Classifier, features: np.ndarray) -> list[str]:
    """Say so where not one ReLU of the first layer switches between the rows: a trained one has some that do."""
    first, *others = linear_layers(classifier.network)
    if first.activation != "relu" or not others or len(first.bias) < _FEW_NEURONS or len(features) < 2:
        return []
    active = features @ first.weight.T + first.bias > 0
    if (active.any(axis=0) & ~active.all(axis=0)).any():
        return []
    return [
        f"None of the {len(first.bias)} neurons of the first layer switches on or off between these rows: the numbers "
        "are probably scaled in another way."
    ]
