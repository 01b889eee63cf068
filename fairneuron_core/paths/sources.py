"""Where rows come from: arrays, Parquet files, or any iterator of batches, read a bounded piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from fairneuron_core.errors import DataError


@runtime_checkable
class RowSource(Protocol):
    """Rows that are read in their order, as often as the source allows.

    rows: how many there are, or None when only the end will tell.
    batches(max_rows): arrays (at most max_rows, inputs) of numbers, float32 unless the caller's own array holds others.
    take(positions): the rows at these positions, (len(positions), inputs), for decoding.
    """

    @property
    def rows(self) -> int | None: ...

    def batches(self, max_rows: int) -> Iterator[np.ndarray]: ...

    def take(self, positions: np.ndarray) -> np.ndarray: ...


def as_source(features: Any) -> RowSource:
    """Return a source for an array, the path of a Parquet file or folder, an iterable of arrays, or a source itself.

    Whatever has a shape and a dtype and can be cut into slices counts as an array: memory-mapped files too.
    Raises DataError for anything else, and what `ParquetRows` raises.
    """
    if isinstance(features, RowSource):
        return features
    if isinstance(features, str | Path):
        from fairneuron_core.paths.parquet_rows import ParquetRows

        return ParquetRows(features)
    if hasattr(features, "shape") and hasattr(features, "dtype"):
        return ArrayRows(features)
    if hasattr(features, "__array__"):
        return ArrayRows(np.asarray(features))
    if isinstance(features, Iterable):
        return BatchRows(iter(features))
    raise DataError(
        f"Rows cannot be read from an object of type {type(features).__name__}: pass an array, the path of a Parquet "
        "file, or an iterable of arrays."
    )


@dataclass(frozen=True, eq=False)
class ArrayRows:
    """The rows of an array (n, inputs) in memory or memory-mapped; batches are views of it."""

    features: Any = field(repr=False)

    @property
    def rows(self) -> int:
        return int(self.features.shape[0]) if self.features.shape else 0

    def batches(self, max_rows: int) -> Iterator[np.ndarray]:
        if len(self.features.shape) != 2:
            raise DataError(f"The features have shape {tuple(self.features.shape)}: pass one line of inputs per row.")
        for first in range(0, self.rows, max_rows):
            yield np.asarray(self.features[first : first + max_rows])

    def take(self, positions: np.ndarray) -> np.ndarray:
        return np.asarray(self.features[positions])


class BatchRows:
    """The rows of an iterator of arrays (any number of rows, inputs). They pass by once and are not kept."""

    rows: int | None = None

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches: Iterator[Any] | None = batches

    def batches(self, max_rows: int) -> Iterator[np.ndarray]:
        batches, self._batches = self._batches, None
        if batches is None:
            raise DataError("The iterator of rows is used up: pass a file or an array to read its rows again.")
        return regular(_checked(batches), max_rows)

    def take(self, positions: np.ndarray) -> np.ndarray:
        raise DataError(
            f"Row {int(positions[0])} came from an iterator and was not kept: pass a file or an array to decode rows."
        )


def _checked(batches: Iterator[Any]) -> Iterator[np.ndarray]:
    """Yield every batch as float32; refuse other shapes, other widths, and values that are no finite numbers."""
    width, first = None, 0
    for number, given in enumerate(batches, start=1):
        batch = _numbers(given, number)
        if width is not None and batch.shape[1] != width:
            raise DataError(
                f"Batch {number} of the iterator has {batch.shape[1]} inputs per row and those before it {width}: "
                "yield batches of one width."
            )
        width = batch.shape[1]
        require_finite(batch, first=first)
        first += len(batch)
        yield batch
    if not first:
        raise DataError("The iterator gave no rows: pass one that still has batches to yield.")


def _numbers(given: Any, number: int) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            batch = np.asarray(given, np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Batch {number} of the iterator holds something other than numbers ({error}): yield arrays of numbers."
        ) from error
    if batch.ndim != 2:
        raise DataError(f"Batch {number} of the iterator has shape {batch.shape}: yield arrays (rows, inputs).")
    return batch


def require_finite(batch: np.ndarray, *, first: int = 0, names: tuple[str, ...] = (), where: str = "") -> None:
    """Raise DataError with row, column and value when a batch holds NaN or infinity; `first` is its first row."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = batch.sum()  # finite unless a value is not (or the sum overflows): one pass, nothing allocated
    if np.isfinite(total) or np.isfinite(batch).all():
        return
    row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(batch)))
    label = f"column '{names[column]}'" if names else f"input {column}"
    raise DataError(
        f"Row {first + row:,}{where} has the value {batch[row, column]} in {label}: fill in or leave out such rows."
    )


def regular(batches: Iterable[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """Yield the same rows in arrays of exactly `rows` rows; the last one may be shorter.

    >>> [len(part) for part in regular([np.ones((3, 1)), np.ones((4, 1))], 2)]
    [2, 2, 2, 1]
    """
    held: list[np.ndarray] = []
    missing = rows
    for batch in batches:
        while len(batch):
            held.append(batch[:missing])
            batch = batch[missing:]
            missing -= len(held[-1])
            if not missing:
                full = _joined(held)
                held, missing = [], rows
                yield full
    if held:
        yield _joined(held)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
