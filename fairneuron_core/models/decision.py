"""From scores to decisions: one threshold for all, a threshold (or a mix of them) per group, or a vote.

Where a group has several thresholds, every row draws one of them. The draw is a fixed number of the row's position and
the rule's seed, so the same person always gets the same decision, in whatever order or part the rows come.

Source of the draw: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (splitmix64).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairneuron_core.errors import ModelError
from fairneuron_core.models.classify import scores
from fairneuron_core.models.voting import voted
from fairneuron_core.types import Batch, Classifier, DecisionRule, VoteRule

ALWAYS, NEVER = 0.0, 2.0
"""Thresholds that every score reaches, and that none reaches."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def decisions(
    classifier: Classifier, batch: Batch, *, threshold: float | None = None, scored: np.ndarray | None = None
) -> np.ndarray:
    """Return the decisions (n,) uint8: 1 (favourable) where a row's score reaches its threshold, or the vote says so.

    threshold   one threshold for all, instead of the classifier's own or its rule
    scored      the batch's scores (n,) where they are known already; a vote works out its own

    Raises ModelError when the rule's attribute is not among the batch's protected attributes.
    """
    if isinstance(classifier.rule, VoteRule) and threshold is None:
        return voted(classifier, batch.features)
    found = scores(classifier, batch.features) if scored is None else scored
    cut = row_thresholds(classifier, batch) if threshold is None else threshold
    return (found >= cut).astype(np.uint8)


def decide(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Return the decisions (n,) uint8 for encoded rows (n, d) without their groups: by the threshold, or by a vote.

    Raises ModelError for a classifier with a rule per group: features alone do not say who belongs to which group.
    """
    if isinstance(classifier.rule, DecisionRule):
        raise ModelError(
            f"This network reads '{classifier.rule.attribute}' when it decides, and features alone do not say it: "
            "give `decisions` the rows with their groups."
        )
    if classifier.rule is not None:
        return voted(classifier, features)
    return (scores(classifier, features) >= classifier.threshold).astype(np.uint8)


def row_thresholds(classifier: Classifier, batch: Batch) -> np.ndarray:
    """Return the threshold (n,) that each row is judged by: the classifier's own, or the one its rule draws."""
    found = np.full(len(batch.labels), classifier.threshold)
    rule = classifier.rule
    if not isinstance(rule, DecisionRule):
        return found
    if rule.attribute not in batch.protected:
        raise ModelError(
            f"This network reads '{rule.attribute}' when it decides, which is no protected attribute of these rows: "
            "give that column the role, or choose one threshold for all."
        )
    codes, drawn = batch.codes(rule.attribute), draws(batch.rows, rule.seed)
    for code, level in enumerate(batch.levels(rule.attribute)):
        if mix := rule.groups.get(level):
            here = codes == code
            found[here] = np.array([cut for _, cut in mix])[pick([share for share, _ in mix], drawn[here])]
    return found


def draws(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return one number (n,) in [0, 1) per row position: the same for the same position and seed.

    >>> first, second = draws(np.array([4, 7]), 0), draws(np.array([7]), 0)
    >>> bool(first[1] == second[0]), bool(first[0] == first[1])
    (True, False)
    """
    start = _mixed(np.array([seed], np.uint64) * _GOLDEN)
    return (_mixed(start + (rows.astype(np.uint64) + np.uint64(1)) * _GOLDEN) >> np.uint64(11)) * 2.0**-53


def _mixed(values: np.ndarray) -> np.ndarray:
    for shift, multiplier in _MULTIPLIERS:
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(multiplier)
    return values ^ (values >> np.uint64(31))


def pick(shares: Sequence[float], drawn: np.ndarray) -> np.ndarray:
    """Return the option (n,) that each draw in [0, 1) falls into, when option i has `shares[i]` of them.

    >>> pick([0.25, 0.75], np.array([0.0, 0.24, 0.25, 0.99])).tolist()
    [0, 0, 1, 1]
    """
    return np.searchsorted(np.cumsum(shares), drawn, side="right").clip(max=len(shares) - 1)
