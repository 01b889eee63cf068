"""Decisions by majority vote: some inputs of a row are replaced by every combination that the rule carries.

Two rows that differ in these inputs only are asked about the same points, so that they get the same decision whatever
the network does with the inputs. Of all deciders that do not look at them, an equal vote changes the fewest decisions
when every combination counts the same.
"""

from __future__ import annotations

import numpy as np

from fairneuron_core.models.classify import scores
from fairneuron_core.types import Classifier, VoteRule

_NUMBERS_AT_ONCE = 4_000_000


def voted(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Return the decisions (n,) uint8 of the classifier's VoteRule for encoded rows (n, d)."""
    rule = classifier.rule
    assert isinstance(rule, VoteRule)
    step = max(1, _NUMBERS_AT_ONCE // (len(rule.combinations) * max(1, features.shape[1])))
    parts = [_part(classifier, rule, features[first : first + step]) for first in range(0, len(features), step)]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint8)


def vote_points(rule: VoteRule, features: np.ndarray) -> np.ndarray:
    """Return every point that is asked about (n, m, d) float32: the row with each combination in its place.

    >>> vote_points(VoteRule(("sex",), (1,), ((0.0,), (1.0,))), np.array([[0.5, 1.0]])).tolist()
    [[[0.5, 0.0], [0.5, 1.0]]]
    """
    points = np.repeat(features[:, None].astype(np.float32), len(rule.combinations), 1)
    points[:, :, list(rule.positions)] = np.array(rule.combinations, np.float32)
    return points


def _part(classifier: Classifier, rule: VoteRule, features: np.ndarray) -> np.ndarray:
    points = vote_points(rule, features)
    found = scores(classifier, points.reshape(-1, points.shape[2])).reshape(points.shape[:2])  # (n, m)
    weights = np.array(rule.weights or (1.0,) * len(rule.combinations))
    votes = (found >= classifier.threshold) @ weights
    tied = np.isclose(2 * votes, weights.sum(), rtol=0, atol=1e-9 * weights.sum())
    return np.where(tied, found @ weights >= classifier.threshold * weights.sum(), 2 * votes > weights.sum()).astype(
        np.uint8
    )
