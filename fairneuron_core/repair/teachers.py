"""Boosted trees as teachers: what a strong model says about every training row WITHOUT having seen its label.

A teacher estimates a probability per row, P(favourable | x) or P(group | x). Each row is judged by the trees that were
grown without it (cross-fitting), so a teacher does not repeat the labels' noise; further rows by the mean of all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.types import EncodedColumn, Encoder

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

MANY_ROWS = 10_000
_TREES: dict[str, Any] = {
    "learning_rate": 0.08,
    "max_iter": 150,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
}
_FEW_ROWS: dict[str, Any] = {
    "learning_rate": 0.06,
    "max_iter": 80,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 30,
    "l2_regularization": 5.0,
}
"""On a few thousand rows smaller trees and more folds gave the better front (COMPAS, 10 seeds)."""
_MOST_LEVELS = 250


@dataclass(frozen=True)
class Teacher:
    """Cross-fitted trees. `own` (n, classes): the probabilities of the training rows, each from trees without it."""

    encoder: Encoder
    own: np.ndarray
    present: np.ndarray
    trees: tuple[HistGradientBoostingClassifier, ...] = field(default=(), repr=False)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the mean probabilities (n, classes) of all trees for further rows."""
        if not self.trees or not len(features):
            return np.tile(self.own[:1], (len(features), 1))
        columns, _ = as_columns(self.encoder, features)
        found = np.zeros((len(features), self.own.shape[1]))
        found[:, self.present] = np.mean([tree.predict_proba(columns) for tree in self.trees], axis=0)
        return found


def fit_teacher(encoder: Encoder, features: np.ndarray, codes: np.ndarray, *, classes: int, seed: int) -> Teacher:
    """Grow the trees that estimate P(code | x), classes 0..classes-1; a class without rows gets probability 0.

    Where a class has fewer rows than folds, or there is one class only, its share is the estimate for every row.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold

    columns, categorical = as_columns(encoder, features)
    present, counts = np.unique(codes, return_counts=True)
    few = len(codes) < MANY_ROWS
    folds = int(min(5 if few else 3, counts.min()))
    if len(present) < 2 or folds < 2:
        shares = np.bincount(codes, minlength=classes) / len(codes)
        return Teacher(encoder, np.tile(shares, (len(codes), 1)), present)
    own, trees = np.zeros((len(codes), classes)), []
    settings = _TREES | (_FEW_ROWS if few else {}) | {"categorical_features": categorical, "random_state": seed}
    settings["min_samples_leaf"] = min(settings["min_samples_leaf"], max(2, len(codes) // 50))
    for grown_on, judged in StratifiedKFold(folds, shuffle=True, random_state=seed).split(columns, codes):
        tree = HistGradientBoostingClassifier(**settings).fit(columns[grown_on], codes[grown_on])
        own[np.ix_(judged, present)] = tree.predict_proba(columns[judged])
        trees.append(tree)
    return Teacher(encoder, own, present, tuple(trees))


def as_columns(encoder: Encoder, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn one-hot blocks back into codes: (n, columns) float64 and which columns are categories, for the trees.

    Trees split a category in one step instead of level by level: eight times as fast on Census and no less accurate.
    """
    columns, categorical, first = [], [], 0
    for column in encoder.columns:
        block = features[:, first : first + column.width]
        first += column.width
        if column.kind == "category":
            columns.append(np.where(block.any(axis=1), block.argmax(axis=1), np.nan))
        elif column.kind == "codes":
            columns.append(_codes(column, block[:, 0]))
        else:
            columns.append(block[:, 0].astype(np.float64))
        categorical.append(column.kind != "numeric" and len(column.levels) <= _MOST_LEVELS)
    return np.stack(columns, axis=1), np.array(categorical)


def _codes(column: EncodedColumn, inputs: np.ndarray) -> np.ndarray:
    """Return the positions of the levels behind inputs (n,), NaN for a value that is none of them."""
    span = column.high - column.low
    codes = np.rint(inputs.astype(np.float64) * (span if span > 0 else 1.0) + column.low)
    return np.where((codes >= 0) & (codes < len(column.levels)), codes, np.nan)
