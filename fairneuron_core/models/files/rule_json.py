"""How a decision rule is written into a model file as JSON, and checked when read: it may be a stranger's."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from fairneuron_core.errors import ModelError
from fairneuron_core.types import DecisionRule, VoteRule

_MAX_THRESHOLD, _MAX_SEED = 2.0, 2**63 - 1
_SUM_ERROR = 1e-6
_DAMAGED = "The decision rule in the model file cannot be read: the file is damaged."


def rule_json(rule: DecisionRule | VoteRule) -> dict[str, Any]:
    """Return the rule as plain values; a vote is known by its combinations."""
    return dataclasses.asdict(rule)


def rule_of(described: Any, *, width: int) -> DecisionRule | VoteRule:
    """Return the rule of a network with `width` inputs; ModelError unless every part of it can decide."""
    if isinstance(described, dict) and "combinations" in described:
        return _vote(described, width)
    return _thresholds(described)


def _thresholds(described: Any) -> DecisionRule:
    try:
        attribute, groups, seed = described["attribute"], described["groups"], described["seed"]
        mixes = {level: tuple((float(share), float(cut)) for share, cut in mix) for level, mix in groups.items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(_DAMAGED) from error
    if not isinstance(attribute, str) or not attribute or type(seed) is not int or not 0 <= seed <= _MAX_SEED:
        raise ModelError("The decision rule in the model file names no attribute and seed: the file is damaged.")
    for level, mix in mixes.items():
        if not all(math.isfinite(cut) and 0 <= cut <= _MAX_THRESHOLD for _, cut in mix):
            raise ModelError(
                f"A threshold for '{level}' in the model file lies outside 0 to {_MAX_THRESHOLD:g}: it cannot decide."
            )
        if not all(0 <= share <= 1 for share, _ in mix) or abs(sum(share for share, _ in mix) - 1) > _SUM_ERROR:
            raise ModelError(
                f"The probabilities of the thresholds for '{level}' in the model file do not add up to 1: "
                "the file is damaged."
            )
    return DecisionRule(attribute, mixes, seed)


def _vote(described: dict[str, Any], width: int) -> VoteRule:
    try:
        attributes = tuple(described["attributes"])
        positions = tuple(described["positions"])
        combinations = tuple(tuple(float(value) for value in one) for one in described["combinations"])
        weights = tuple(float(value) for value in described["weights"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(_DAMAGED) from error
    if not attributes or not all(isinstance(name, str) and name for name in attributes):
        raise ModelError("The vote in the model file names no attribute: the file is damaged.")
    rising = all(type(at) is int and 0 <= at < width for at in positions) and list(positions) == sorted(set(positions))
    if not positions or not rising:
        raise ModelError(f"The vote in the model file names inputs outside 0 to {width - 1}: the file is damaged.")
    if not combinations or {len(one) for one in combinations} != {len(positions)}:
        raise ModelError(f"The combinations of the vote in the model file do not have {len(positions)} values each.")
    # The network reads float32: a number beyond its range would be infinite there.
    if not np.abs(np.array(combinations)).max() <= np.finfo(np.float32).max:
        raise ModelError("The combinations of the vote in the model file are not finite numbers: the file is damaged.")
    if weights and (len(weights) != len(combinations) or not all(w > 0 and math.isfinite(w) for w in weights)):
        raise ModelError(f"The vote in the model file needs {len(combinations)} positive weights: the file is damaged.")
    return VoteRule(attributes, positions, combinations, weights)
