"""What a search for discrimination has seen so far: each individual once, pairs, and attributes on their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairneuron_core.verify.examine import Examined, Examiner, Varied
from fairneuron_core.verify.pairs import Pair


@dataclass(frozen=True)
class FoundPair:
    """Two similar individuals that are decided differently, and who found them."""

    strategy: str
    this: Mapping[str, Any]
    other: Mapping[str, Any]
    differs: tuple[str, ...]
    scores: tuple[float, float]
    decisions: tuple[int, int]
    draw: int

    @property
    def pair(self) -> Pair:
        return Pair(self.this, self.other, self.draw)


@dataclass
class Count:
    """What one strategy did: individuals tried, different ones that it found itself, seconds, and its own remark."""

    tried: int = 0
    found: int = 0
    seconds: float = 0.0
    note: str = ""


@dataclass
class Tally:
    """What has been seen so far."""

    counts: dict[str, Count]
    seen: set[int] = field(default_factory=set)
    seen_by: dict[str, set[int]] = field(default_factory=dict)
    hits: int = 0
    uniform_alone: dict[str, int] = field(default_factory=dict)
    alone: dict[str, int] = field(default_factory=dict)
    together: int = 0
    pairs: dict[str, list[FoundPair]] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        return sum(count.tried for count in self.counts.values())


def write_down(name: str, found: Examined, examiner: Examiner, tally: Tally, *, most: int) -> None:
    hit = np.flatnonzero(found.different)
    if not len(hit):
        return
    alone = _alone(found, hit, examiner)
    if name == "uniform":
        tally.hits += len(hit)
        for attribute, one in alone.items():
            tally.uniform_alone[attribute] = tally.uniform_alone.get(attribute, 0) + int(one.sum())
    keys = _keys(found.values[hit][:, examiner.identity])
    fresh = [i for i, key in enumerate(keys) if not (key in tally.seen or tally.seen.add(key))]  # type: ignore[func-returns-value]
    own = tally.seen_by.setdefault(name, set())
    own.update(keys)
    tally.counts[name].found = len(own)
    for attribute, one in alone.items():
        tally.alone[attribute] = tally.alone.get(attribute, 0) + int(one[fresh].sum())
    tally.together += int((~np.any(list(alone.values()), axis=0))[fresh].sum())
    kept = tally.pairs.setdefault(name, [])
    kept += [_pair(name, found, hit[i], examiner) for i in fresh[: max(0, most - len(kept))]]


def _alone(found: Examined, hit: np.ndarray, examiner: Examiner) -> dict[str, np.ndarray]:
    """Return for each freed attribute whether changing it alone suffices (hits,)."""
    freed = attributes(examiner)
    if len(freed) == 1:
        return dict.fromkeys(freed, np.ones(len(hit), bool))
    return {
        attribute: examiner.examine(found.values[hit], found.draws[hit], varied=varied).different
        for attribute, varied in freed.items()
    }


def attributes(examiner: Examiner) -> dict[str, list[Varied]]:
    """Return for each freed attribute that is read the columns that vary when it alone may differ."""
    names = (*examiner.freedom.protected, *examiner.freedom.within)
    found = {name: [one for one in examiner.varied if name in one.names] for name in names}
    return {name: varied for name, varied in found.items() if varied}


def _keys(values: np.ndarray) -> list[int]:
    """Return a 64-bit hash of each row (n, columns): equal rows, equal keys."""
    keys = np.full(len(values), 0x9E3779B97F4A7C15, np.uint64)
    for column in (np.ascontiguousarray(values) + 0.0).T:
        keys = (keys ^ np.ascontiguousarray(column).view(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        keys ^= keys >> np.uint64(29)
    return keys.tolist()


def _pair(name: str, found: Examined, row: int, examiner: Examiner) -> FoundPair:
    this, other = (examiner.people.raw(values[row]) for values in (found.values, found.other))
    scores, decisions = found.scores[row], found.decisions[row]
    return FoundPair(
        name,
        this,
        other,
        tuple(column for column in this if this[column] != other[column]),
        (float(scores[0]), float(scores[1])),
        (int(decisions[0]), int(decisions[1])),
        int(found.draws[row]),
    )
