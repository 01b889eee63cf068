"""The values that cross file borders: frozen, plain, and free of torch and streamlit at import time.

Conventions used everywhere
---------------------------
labels, predictions   1 = the FAVOURABLE outcome, 0 = the other one
groups                integer codes into `group_levels`, one column per protected attribute; a missing value is a level
rates, shares         between 0 and 1; undefined is NaN, never 0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

Role = Literal["feature", "protected", "target", "left_out"]
Kind = Literal["numeric", "category"]
MISSING = "(missing)"


@dataclass(frozen=True)
class Column:
    """One column of a data set: its role, and its domain (levels of a category, range of a number)."""

    name: str
    role: Role
    kind: Kind
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    integer: bool = False
    derived_from: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Schema:
    """Roles and domains of all columns, the favourable label, and the reference group per protected attribute."""

    columns: tuple[Column, ...]
    favourable: str
    reference: Mapping[str, str]
    favourable_words: str = "favourable outcome"

    def column(self, name: str) -> Column:
        """Return the column of that name (KeyError when there is none)."""
        return {c.name: c for c in self.columns}[name]

    def of_role(self, role: Role) -> tuple[Column, ...]:
        """Return the columns that play `role`, in the order of the data set."""
        return tuple(c for c in self.columns if c.role == role)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def target(self) -> Column:
        return self.of_role("target")[0]

    @property
    def protected(self) -> tuple[str, ...]:
        """Names of the protected attributes; the first one is audited by default."""
        return tuple(c.name for c in self.of_role("protected"))


@dataclass(frozen=True)
class DataSource:
    """Where a data set comes from and what a careful reader must know about it."""

    title: str
    url: str
    licence: str
    citation: str
    traps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A table with its schema. `sha256` identifies the content: frame, hold-out and schema."""

    name: str
    title: str
    frame: pd.DataFrame
    schema: Schema
    source: DataSource
    sha256: str
    holdout: pd.DataFrame | None = None
    include_protected: bool = False
    hidden: tuple[int, ...] = (32, 32, 32)


@dataclass(frozen=True)
class Split:
    """Row positions of the three parts (7:1:2), stratified on label x protected groups."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    seed: int


@dataclass(frozen=True)
class EncodedColumn:
    """How one column becomes inputs: min-max to [0, 1] by the TRAINING range, or one input per level."""

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    fill: float = 0.0

    @property
    def width(self) -> int:
        return len(self.levels) if self.kind == "category" else 1


@dataclass(frozen=True)
class Encoder:
    """The ordered recipe from table to network inputs, fitted on training rows only."""

    columns: tuple[EncodedColumn, ...]

    @property
    def width(self) -> int:
        return sum(c.width for c in self.columns)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per network input: `age`, `workclass=Private`, ..."""
        named = ([f"{c.name}={v}" for v in c.levels] if c.kind == "category" else [c.name] for c in self.columns)
        return tuple(name for names in named for name in names)


@dataclass(frozen=True)
class Batch:
    """Rows ready for a network.

    features (n, d) float32; labels (n,) uint8; groups (n, p) int16 codes into `group_levels[p]`;
    rows (n,) positions in the data set's frame.
    """

    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    protected: tuple[str, ...]
    group_levels: tuple[tuple[str, ...], ...]
    rows: np.ndarray

    def codes(self, attribute: str) -> np.ndarray:
        """Group codes (n,) of one protected attribute."""
        return self.groups[:, self.protected.index(attribute)]

    def levels(self, attribute: str) -> tuple[str, ...]:
        return self.group_levels[self.protected.index(attribute)]


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
class Classifier:
    """A network with the encoder before it and the decision after it.

    score(x) = sigmoid(network(x)) = estimated probability of the favourable outcome; decision = score >= threshold,
    or by `rule`, which reads the protected attribute.
    `means` is the training profile: mean of the inputs, then of every hidden layer after its activation.
    """

    network: nn.Sequential
    encoder: Encoder
    threshold: float
    record: ModelRecord
    means: tuple[np.ndarray, ...]
    rule: DecisionRule | None = None


@dataclass(frozen=True)
class Estimate:
    """A number with its interval. `n` counts the rows that the number rests on; NaN means undefined."""

    value: float
    low: float
    high: float
    n: int
    confidence: float = 0.95


@dataclass(frozen=True)
class GroupRates:
    """Counts and rates of one group. `counts[label, prediction]` is (2, 2)."""

    group: str
    counts: np.ndarray
    rates: Mapping[str, Estimate]

    @property
    def n(self) -> int:
        return int(self.counts.sum())


@dataclass(frozen=True)
class Metric:
    """One metric of one audit. `pair` = (higher group, lower group) that make a gap; `words` states it with counts."""

    name: str
    estimate: Estimate
    pair: tuple[str, str] | None
    words: str


@dataclass(frozen=True)
class Audit:
    """All metrics of one set of decisions, for one protected attribute.

    counts (groups, label, prediction); `degenerate` is None or the reason in words; `set_aside` names the groups
    that are too small to enter a gap (they stay in `groups`).
    """

    attribute: str
    reference: str
    groups: tuple[GroupRates, ...]
    metrics: Mapping[str, Metric]
    counts: np.ndarray
    degenerate: str | None = None
    set_aside: tuple[str, ...] = ()


Verdict = Literal["improved", "worsened", "changed", "cannot tell", "undefined"]
"""`changed` is for metrics of which neither side is better as such, like the selection rate."""


@dataclass(frozen=True)
class Change:
    """Paired change of one metric, after minus before, on the same rows."""

    name: str
    before: Estimate
    after: Estimate
    difference: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class PairedAudit:
    """Before against after on the SAME rows. `counts` is (groups, label, before, after)."""

    before: Audit
    after: Audit
    changes: Mapping[str, Change]
    counts: np.ndarray


@dataclass(frozen=True)
class Progress:
    """How far a long piece of work is: `share` in [0, 1], what it does now, and optionally one point of its trace."""

    share: float
    message: str
    point: Mapping[str, Any] | None = None


ProgressCallback = Callable[[Progress], None]
"""Called often (every chunk or minibatch); it may raise `Cancelled`, which the work must let through."""


def part_of(progress: ProgressCallback | None, low: float, high: float) -> ProgressCallback | None:
    """Return a callback for one stage of a longer work: its 0..1 becomes low..high of the whole."""
    return progress and (lambda p: progress(Progress(low + (high - low) * p.share, p.message, p.point)))
