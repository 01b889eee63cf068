"""Where the decision changes, as a logit: the threshold of every similar individual, by the classifier's rule too.

A rule of decision reads a protected attribute. When that attribute may differ, similar individuals are judged by
different thresholds: `low` is the least threshold that a variant can meet and `high` the greatest, equal unless the
network does not tell which group a variant belongs to. A variant can be decided favourably when its logit reaches
`low`, and unfavourably when it stays below `high`.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import BinnedColumn, bin_values
from fairneuron_core.models.decision import draws, pick
from fairneuron_core.types import MISSING, Classifier, Dataset
from fairneuron_core.verify.free_column import FreeColumn
from fairneuron_core.verify.similar import SimilarSpace, group_rule, root_of


@dataclass(frozen=True, eq=False)
class Cuts:
    """Cuts of the logit, low and high (n or 1, m or 1) float32: for every individual, or for every variant of it."""

    low: np.ndarray
    high: np.ndarray

    def of(self, rows: slice | np.ndarray) -> Cuts:
        return self if len(self.low) == 1 else Cuts(self.low[rows], self.high[rows])

    @property
    def alike(self) -> bool:
        """Whether every variant meets exactly one threshold."""
        return self.low is self.high


def same_cut(thresholds: np.ndarray) -> Cuts:
    """Return the cuts of known thresholds, of any shape."""
    cut = logit_cuts(thresholds)
    return Cuts(cut, cut)


def logit_cuts(thresholds: np.ndarray) -> np.ndarray:
    """Return for every threshold the smallest float32 logit whose score reaches it, as the deployed score is computed.

    >>> logit_cuts(np.array([0.0, 2.0])).tolist()
    [-inf, inf]
    """
    found, inverse = np.unique(np.asarray(thresholds, np.float64), return_inverse=True)
    cuts = np.array([_logit_cut(float(t)) for t in found], np.float32)
    return cuts[inverse].reshape(np.shape(thresholds))


@functools.lru_cache(maxsize=4096)
def _logit_cut(threshold: float) -> float:
    low, high = np.float32(-800), np.float32(800)
    if _score(low) >= threshold:
        return -np.inf
    if _score(high) < threshold:
        return np.inf
    while np.nextafter(low, high) < high:
        middle = np.float32(low / 2 + high / 2)
        middle = middle if low < middle < high else np.nextafter(low, high)
        low, high = (low, middle) if _score(middle) >= threshold else (middle, high)
    return float(high)


def _score(logit: np.float32) -> np.float64:
    return 1 / (1 + np.exp(-np.float64(logit).clip(-700, 700)))


def thresholds_by_level(classifier: Classifier, levels: tuple[str, ...], drawn: np.ndarray) -> np.ndarray:
    """Return the threshold (n, levels) of a member of each group, for the draws (n,) of the rule."""
    found, rule = np.full((len(drawn), len(levels)), classifier.threshold), group_rule(classifier)
    for code, level in enumerate(levels):
        if rule and (mix := rule.groups.get(level)):
            found[:, code] = np.array([cut for _, cut in mix])[pick([share for share, _ in mix], drawn)]
    return found


def different_draws(classifier: Classifier) -> np.ndarray:
    """Return one draw (k,) for every different way in which the rule's draw can turn out."""
    rule = group_rule(classifier)
    mixes = rule.groups.values() if rule else ()
    ends = sorted({0.0, 1.0, *(e for mix in mixes for e in np.cumsum([share for share, _ in mix]) if e < 1)})
    return np.array([(a + b) / 2 for a, b in itertools.pairwise(ends)])


def row_cuts(
    dataset: Dataset,
    classifier: Classifier,
    space: SimilarSpace,
    *,
    features: np.ndarray,
    frame: pd.DataFrame,
    rows: np.ndarray,
) -> Cuts:
    """Return the cuts of rows of a table, given by their features (n, d), their raw values and their positions (n,)."""
    rule = group_rule(classifier)
    if rule is None:
        return same_cut(np.array([[classifier.threshold]]))
    attribute = rule.attribute
    levels = dataset.schema.column(attribute).levels
    by_level = thresholds_by_level(classifier, levels, draws(np.asarray(rows), rule.seed))
    return _cuts_of(by_level, space, levels, attribute, features, frame)


def _cuts_of(
    by_level: np.ndarray,
    space: SimilarSpace,
    levels: tuple[str, ...],
    attribute: str,
    features: np.ndarray,
    frame: pd.DataFrame,
) -> Cuts:
    root = root_of(space.schema, attribute)
    column = next((c for c in space.columns if c.name == root or root_of(space.schema, c.name) == root), None)
    if space.rule_attribute is None:
        codes = _own_codes(space, attribute, levels, frame)
        return same_cut(np.take_along_axis(by_level, codes[:, None], 1))
    if column is not None and column.finite:
        variants = variant_codes(space, column, attribute, levels, features)[:, column_index(space, column)]
        n = max(len(by_level), len(variants))
        shape = (n, variants.shape[1])
        table = np.broadcast_to(by_level, (n, by_level.shape[1]))
        return same_cut(np.take_along_axis(table, np.broadcast_to(variants, shape), 1))
    reached = np.ones_like(by_level, dtype=bool)
    if root in space.freedom.within:
        reached = _reached(space, attribute, levels, frame[root], space.freedom.within[root])
    low = np.where(reached, by_level, np.inf).min(1, keepdims=True)
    high = np.where(reached, by_level, -np.inf).max(1, keepdims=True)
    return Cuts(logit_cuts(low), logit_cuts(high))


def column_index(space: SimilarSpace, column: FreeColumn) -> np.ndarray:
    """Return which value of `column` each variant has, (m,)."""
    return space.indices()[[c.name for c in space.columns].index(column.name)]


def variant_codes(
    space: SimilarSpace, column: FreeColumn, attribute: str, levels: tuple[str, ...], features: np.ndarray
) -> np.ndarray:
    """Return the group (n or 1, values of the column) of `attribute` that each value of a free column means."""
    if not column.windowed:
        return codes_of(space, attribute, levels, pd.Series(list(column.raw)))[None]
    raw = column.raw_values(features)
    return codes_of(space, attribute, levels, pd.Series(raw.reshape(-1))).reshape(raw.shape)


def codes_of(space: SimilarSpace, attribute: str, levels: tuple[str, ...], values: pd.Series) -> np.ndarray:
    """Return the codes (n,) into `levels` of raw values of the attribute, or of the number it is cut from."""
    described = space.schema.column(attribute)
    texts = values.astype(str)
    if isinstance(described, BinnedColumn) and not texts.isin([*levels]).all():
        texts = bin_values(pd.to_numeric(values.where(values != MISSING), errors="coerce"), described)
    # A level that the schema does not know keeps the classifier's own threshold: it is given the last code's place.
    return np.maximum(pd.Index(levels).get_indexer(texts), 0)


def _own_codes(space: SimilarSpace, attribute: str, levels: tuple[str, ...], frame: pd.DataFrame) -> np.ndarray:
    name = attribute if attribute in frame.columns else root_of(space.schema, attribute)
    return codes_of(space, attribute, levels, frame[name])


def _reached(
    space: SimilarSpace, attribute: str, levels: tuple[str, ...], values: pd.Series, reach: float
) -> np.ndarray:
    """Return which groups (n, levels) a number within +-reach of each value can fall into."""
    described = space.schema.column(root_of(space.schema, attribute))
    codes = []
    for shift in (-reach, reach):
        shifted = (pd.to_numeric(values, errors="coerce") + shift).clip(described.low, described.high)
        codes.append(codes_of(space, attribute, levels, shifted)[:, None])
    every = np.arange(len(levels))[None]
    return (every >= codes[0]) & (every <= codes[1])
