"""Pairs of similar individuals, kept in a file: once found, they test every later network.

The file is JSON of raw values only, so that it outlives encoders and networks:

    {"format": "fairneuron pairs", "version": 1, "data": ..., "data_sha256": ..., "protected": [...], "within": {...},
     "pairs": [{"this": {column: value}, "other": {column: value}, "draw": 0}, ...]}

`draw` is the position by which a rule with a random draw decides about both; other keys of a pair are for readers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.types import MISSING, Classifier, Column, Dataset
from fairneuron_core.verify.individuals import decide_raw
from fairneuron_core.workspace import canonical_json

FORMAT = "fairneuron pairs"
VERSION = 1
MAX_PAIRS_MB = 20
MOST_PAIRS = 20_000
_NOT_READ = "write one with `fairneuron hunt --out-pairs`"


@dataclass(frozen=True)
class Pair:
    """Two similar individuals as raw values."""

    this: Mapping[str, Any]
    other: Mapping[str, Any]
    draw: int = 0

    @property
    def differs(self) -> tuple[str, ...]:
        """The columns in which the two differ, in the order of the first."""
        return tuple(name for name in self.this if self.this[name] != self.other.get(name))


@dataclass(frozen=True)
class PairsFile:
    """What a pairs file says: the data, what may differ, and the pairs."""

    data: str
    data_sha256: str
    protected: tuple[str, ...]
    within: Mapping[str, float]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class PairsCheck:
    """How a classifier treats the pairs of a file. `positions` are those of the pairs that are treated differently."""

    tested: int
    differing: int
    positions: tuple[int, ...]
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "tested": self.tested,
            "differing": self.differing,
            "positions": list(self.positions),
            "sentence": self.sentence,
        }


def pairs_text(
    pairs: Sequence[Pair], *, dataset: Dataset, protected: Sequence[str], within: Mapping[str, float] | None = None
) -> str:
    """Return the text of a pairs file; equal pairs have equal text."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "data": dataset.name,
        "data_sha256": dataset.sha256,
        "protected": list(protected),
        "within": dict(within or {}),
        "pairs": [{"this": dict(p.this), "other": dict(p.other), "draw": p.draw} for p in pairs],
    }
    return canonical_json(content) + "\n"


def read_pairs(path: str | Path) -> PairsFile:
    """Return the pairs of a file (SettingError in one sentence: missing, too large, or no pairs file)."""
    place = Path(path)
    try:
        size = place.stat().st_size
        if size > MAX_PAIRS_MB * 1_000_000:
            raise SettingError(
                f"The pairs file '{place.name}' has {size / 1e6:.0f} MB, more than {MAX_PAIRS_MB}: keep fewer pairs."
            )
        content = place.read_bytes()
    except OSError as error:
        raise SettingError(f"The pairs file '{path}' cannot be read ({error.strerror}): name another one.") from error
    return pairs_from_bytes(content, name=place.name)


def pairs_from_bytes(content: bytes, *, name: str = "this file") -> PairsFile:
    """Return what the bytes of a pairs file say (SettingError in one sentence when they are something else)."""
    try:
        # A damaged or hostile file may be nested deeper than the parser can go.
        found = json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise SettingError(f"'{name}' is no JSON: {_NOT_READ}.") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise SettingError(f"'{name}' holds no pairs: {_NOT_READ}.")
    if found.get("version") != VERSION:
        raise SettingError(
            f"'{name}' is a pairs file of version {str(found.get('version'))[:20]}, this program reads {VERSION}: "
            f"{_NOT_READ}."
        )
    listed = found.get("pairs")
    if not isinstance(listed, list) or len(listed) > MOST_PAIRS:
        raise SettingError(f"'{name}' has no list of at most {MOST_PAIRS:,} pairs: {_NOT_READ}.")
    pairs = tuple(_pair(entry, position, name) for position, entry in enumerate(listed))
    protected, within = found.get("protected", []), found.get("within", {})
    if not _are_texts(protected) or not isinstance(within, dict) or not all(map(_is_number, within.values())):
        raise SettingError(f"'{name}' does not say which columns may differ: {_NOT_READ}.")
    return PairsFile(str(found.get("data")), str(found.get("data_sha256")), tuple(protected), within, pairs)


def _refuse(text: str) -> float:
    raise ValueError(text)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _is_number(value: Any) -> bool:
    # A whole number too large for a float would stop the encoder.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _pair(entry: Any, position: int, name: str) -> Pair:
    sides = [entry.get(side) if isinstance(entry, dict) else None for side in ("this", "other")]
    draw = entry.get("draw", position) if isinstance(entry, dict) else None
    whole = isinstance(draw, int) and not isinstance(draw, bool) and 0 <= draw < 2**62
    if not whole or not all(isinstance(side, dict) and side and all(map(_is_raw, side.values())) for side in sides):
        raise SettingError(f"Pair {position + 1} of '{name}' is not two individuals with plain values: {_NOT_READ}.")
    this, other = sides
    if set(this) != set(other) or this == other:
        raise SettingError(
            f"Pair {position + 1} of '{name}' is not two individuals of equal columns that differ in one: {_NOT_READ}."
        )
    return Pair(this, other, draw)


def _is_raw(value: Any) -> bool:
    return value is None or isinstance(value, str) or _is_number(value)


def check_pairs(dataset: Dataset, classifier: Classifier, pairs: Sequence[Pair]) -> PairsCheck:
    """Decide about both individuals of every pair, as deployed, and say how many pairs are treated differently.

    Raises
    ------
    DataError : a pair has a value that its column of the data set cannot have.
    ModelError : a column that the network or its rule reads is missing.
    """
    if not pairs:
        return PairsCheck(0, 0, (), "The pairs file is empty: nothing was tested.")
    for position, pair in enumerate(pairs):
        _require_domain(dataset, pair, position)
    _, decided = decide_raw(
        dataset,
        classifier,
        [side for p in pairs for side in (p.this, p.other)],
        [p.draw for p in pairs for _ in (0, 1)],
    )
    positions = tuple(np.flatnonzero(decided[::2] != decided[1::2]).tolist())
    tested, differing = len(pairs), len(positions)
    counted = "1 pair is" if tested == 1 else f"{tested:,} pairs are"
    sentence = (
        f"{differing:,} of {tested:,} known pairs of similar individuals {'is' if differing == 1 else 'are'} still "
        "treated differently."
        if differing
        else f"All of {tested:,} known pairs of similar individuals are treated alike."
        if tested > 1
        else f"The {counted} treated alike."
    )
    return PairsCheck(tested, differing, positions, sentence)


def _require_domain(dataset: Dataset, pair: Pair, position: int) -> None:
    known = {column.name: column for column in dataset.schema.columns}
    for side in (pair.this, pair.other):
        for name, value in side.items():
            if (column := known.get(name)) is not None and not _possible(column, value):
                raise DataError(
                    f"Pair {position + 1} has the value '{str(value)[:40]}' in '{name}', which '{dataset.name}' cannot "
                    "have there: test the pairs on the data they were found on."
                )


def _possible(column: Column, value: Any) -> bool:
    if column.kind == "category":
        return isinstance(value, str) and value in column.levels
    return value is None or value == MISSING or (_is_number(value) and math.isfinite(value))
