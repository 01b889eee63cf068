"""Classifiers: a network with the encoder before it, the decision after it, and what it remembers of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.types.tables import Encoder

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelRecord:
    """What a model remembers of itself; travels inside its file as JSON."""

    data: str
    data_sha256: str
    made_by: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    protected: tuple[str, ...] = ()
    split_seed: int = 0
    version: str = ""


@dataclass(frozen=True)
class DecisionRule:
    """A threshold per group, or a seeded draw among several per row: level -> ((probability, threshold), ...).

    A threshold of 0 is always favourable, one above 1 never; a level that is missing keeps the classifier's own.
    """

    attribute: str
    groups: Mapping[str, tuple[tuple[float, float], ...]]
    seed: int = 0


@dataclass(frozen=True)
class VoteRule:
    """The decision of the majority over what a row could also have been: its own inputs at `positions` do not count.

    Every row of `combinations` takes the place of the row's inputs at `positions`; each of these points is decided by
    the classifier's threshold, and weighs `weights` (all equal when empty). At a tie the weighted mean score decides.

    attributes    the columns that the vote leaves out, for words
    positions     (f,) rising network inputs
    combinations  (m, f) encoded values
    weights       (m,) positive, or empty
    """

    attributes: tuple[str, ...]
    positions: tuple[int, ...]
    combinations: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Classifier:
    """A network with the encoder before it and the decision after it.

    score(x) = sigmoid(network(x)) = estimated probability of the favourable outcome; decision = score >= threshold,
    or by `rule`, which reads the protected attribute (DecisionRule) or decides so that some columns do not matter
    (VoteRule).
    `means` is the training profile: mean of the inputs, then of every hidden layer after its activation.
    """

    network: nn.Sequential
    encoder: Encoder
    threshold: float
    record: ModelRecord
    means: tuple[np.ndarray, ...]
    rule: DecisionRule | VoteRule | None = None
