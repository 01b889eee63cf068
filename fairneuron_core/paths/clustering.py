"""Sample clustering: which rows lie on rare paths ("conflict samples").

Paper: Gao et al., "FairNeuron", ICSE 2022, section 3.3.

1. Count the samples of each distinct path; M = the largest count.
2. A path is RARE when its count <= theta * M (theta = rarity). Its samples are the conflict samples, all others the
   ordinary ones. Counts are whole, so only floor(theta * M) matters.

Plain arrays only: moving theta never slices again, and costs one pass over the distinct paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.paths.frequency import PathFrequency, path_frequency
from fairneuron_core.types import Estimate

if TYPE_CHECKING:
    from fairneuron_core.paths.activation_paths import ActivationPaths

OWN_PATH_SHARE = 0.75


@dataclass(frozen=True)
class RareCounts:
    """What theta cuts off. `threshold` = theta * M; `threshold_count` = the whole number that takes effect.

    Nothing changes for theta in [unchanged_from, unchanged_below), nor up to 1 when unchanged_below is infinite.
    own_path: samples that share their path with no other.
    """

    theta: float
    threshold: float
    threshold_count: int
    rare_paths: int
    conflict_samples: int
    paths: int
    samples: int
    most_frequent: int
    own_path: int
    unchanged_from: float
    unchanged_below: float

    @property
    def separates(self) -> bool:
        """False when there is no conflict sample, nothing but conflict samples, or hardly a shared path."""
        return 0 < self.conflict_samples < self.samples and not self.mostly_own_paths

    @property
    def mostly_own_paths(self) -> bool:
        return self.own_path > 1 and self.own_path >= OWN_PATH_SHARE * self.samples

    @property
    def words(self) -> str:
        """Say in one or two sentences what this theta does."""
        if not self.samples:
            return "There are no samples."
        return " ".join(filter(None, [self._cut_words(), self._warning()]))

    def _cut_words(self) -> str:
        cut = f"theta × M = {self.theta:g} × {self.most_frequent:,} = {self.threshold:,.4g}"
        if not self.conflict_samples:
            return f"No conflict samples ({cut}): this equals plain retraining."
        return (
            f"Rare = at most {self.threshold_count:,} {_plural(self.threshold_count, 'sample')} on the path ({cut}): "
            f"{self.rare_paths:,} of {self.paths:,} paths, {self.conflict_samples:,} of {self.samples:,} samples "
            f"({100 * self.conflict_samples / self.samples:.1f} %)."
        )

    def _warning(self) -> str:
        if self.mostly_own_paths:
            return (
                f"{self.own_path:,} of {self.samples:,} samples have a path of their own: theta cannot separate "
                "anything; lower the coverage or look at the upper layers only."
            )
        if self.conflict_samples == self.samples:
            return "Every sample is a conflict sample: this equals dropout for all; lower theta."
        return ""


@dataclass(frozen=True, eq=False)
class SampleSplit:
    """The conflict samples at one theta: conflicting (n,) bool, and the counts behind it."""

    conflicting: np.ndarray
    counts: RareCounts

    @property
    def theta(self) -> float:
        return self.counts.theta

    @property
    def threshold(self) -> float:
        return self.counts.threshold

    @property
    def threshold_count(self) -> int:
        return self.counts.threshold_count

    @property
    def rare_paths(self) -> int:
        return self.counts.rare_paths

    @property
    def conflict_samples(self) -> int:
        return self.counts.conflict_samples

    @property
    def neighbours(self) -> tuple[float, float]:
        """The interval [from, below) of theta in which nothing changes."""
        return self.counts.unchanged_from, self.counts.unchanged_below

    @property
    def words(self) -> str:
        return self.counts.words


@dataclass(frozen=True)
class MakeupRow:
    """One level among the conflict and among the ordinary samples: counts and shares with 95 % intervals."""

    level: str
    conflict_count: int
    ordinary_count: int
    conflict_share: Estimate
    ordinary_share: Estimate


def cluster(paths: ActivationPaths | PathFrequency, theta: float) -> SampleSplit:
    """Split the rows by the frequency of their path. Raises SettingError unless theta is between 0 and 1."""
    frequency = paths if isinstance(paths, PathFrequency) else path_frequency(paths)
    counts = cluster_counts(frequency.count, theta)
    return SampleSplit(conflict_mask(frequency.count, frequency.path_of_row, counts.threshold_count), counts)


def cluster_counts(count: np.ndarray, theta: float) -> RareCounts:
    """Return what `theta` cuts off, from the counts of the distinct paths alone; count (paths,) int.

    >>> cut = cluster_counts(np.array([25, 10, 3, 2]), 0.3)
    >>> cut.threshold, cut.rare_paths, cut.conflict_samples
    (7.5, 2, 5)
    """
    if not 0 <= theta <= 1:
        raise SettingError(f"Rarity (theta) is {theta}: choose a value between 0 and 1.")
    count = np.asarray(count, np.int64)
    most = int(count.max(initial=0))
    effective = threshold_count(theta, most)
    rare = count <= effective
    over = count[~rare]
    return RareCounts(
        theta=theta,
        threshold=theta * most,
        threshold_count=effective,
        rare_paths=int(rare.sum()),
        conflict_samples=int(count[rare].sum()),
        paths=len(count),
        samples=int(count.sum()),
        most_frequent=most,
        own_path=int((count == 1).sum()),
        unchanged_from=int(count[rare].max(initial=0)) / most if most else 0.0,
        unchanged_below=int(over.min()) / most if len(over) else float("inf"),
    )


def threshold_count(theta: float, most_frequent: int) -> int:
    """Return floor(theta * M), forgiving the rounding of a product such as 0.29 * 100."""
    return int(np.floor(theta * most_frequent * (1 + 1e-12)))


def conflict_mask(count: np.ndarray, path_of_row: np.ndarray, threshold: int) -> np.ndarray:
    """Return which rows lie on a path of at most `threshold` rows: bool (n,)."""
    return (np.asarray(count) <= threshold)[path_of_row]


def conflict_makeup(conflicting: np.ndarray, codes: np.ndarray, *, levels: Sequence[str]) -> list[MakeupRow]:
    """Return the share of every level (a group, a label, ...) among conflict and among ordinary samples.

    conflicting (n,) bool; codes (n,) whole numbers into `levels`. Intervals are Wilson's at 95 %; a share of no samples
    is NaN. Equal shares on both sides mean: rare paths have nothing to do with these levels.
    """
    codes = np.asarray(codes, np.int64)
    among = [np.bincount(codes[side], minlength=len(levels)) for side in (conflicting, ~conflicting)]
    conflict_shares, ordinary_shares = (_shares(counts) for counts in among)
    return [
        MakeupRow(level, int(among[0][i]), int(among[1][i]), conflict_shares[i], ordinary_shares[i])
        for i, level in enumerate(levels)
    ]


def _shares(counts: np.ndarray) -> list[Estimate]:
    from fairneuron_core.metrics.intervals import wilson

    total = int(counts.sum())
    if not total:
        return [Estimate(float("nan"), float("nan"), float("nan"), 0)] * len(counts)
    low, high = wilson(counts, np.full(len(counts), total))
    return [Estimate(float(x) / total, float(a), float(b), total) for x, a, b in zip(counts, low, high, strict=True)]


def _plural(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"
