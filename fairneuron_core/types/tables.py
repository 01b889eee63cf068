"""Tables: columns with their roles and domains, data sets, splits, and rows encoded for a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["feature", "protected", "target", "left_out"]
Kind = Literal["numeric", "category"]
EncodedKind = Literal["numeric", "category", "codes"]
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
    """How one column becomes inputs.

    numeric   one input (x - low) / (high - low): min-max to [0, 1] by the TRAINING range; a missing x is `fill`
    category  one input per level, 1 where the value is that level, all 0 for other values
    codes     one input like numeric, where x is the position of the value in `levels`, and `fill` for other values
    """

    name: str
    kind: EncodedKind
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    fill: float = 0.0

    @property
    def width(self) -> int:
        return len(self.levels) if self.kind == "category" else 1

    @property
    def raw_kind(self) -> Kind:
        """What the column holds before it is encoded: numbers, or levels."""
        return "numeric" if self.kind == "numeric" else "category"


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
