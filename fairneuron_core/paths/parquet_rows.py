"""Rows of Parquet files, read row group by row group: network inputs as they are, or table columns to be encoded."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fairneuron_core.errors import DataError, NotFoundError
from fairneuron_core.paths.sources import regular, require_finite

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

TAKE_ROWS = 16_384
READ_BYTES = 1 << 18  # per column; with pre_buffer off, no row group is ever held as a whole


class RowGroup(NamedTuple):
    """One row group: its file, its number in that file, its rows, and the place of its first row among all."""

    path: str
    number: int
    rows: int
    first: int


class ParquetRows:
    """The rows of one Parquet file, of several in their order, or of all `*.parquet` of a folder by name.

    columns: the columns to read, in this order (default: all, in the file's order).
    encode: None = the columns are the network's inputs, as numbers; else a function from a pandas frame with these
    columns to features (n, inputs), for instance `functools.partial(encode_frame, encoder=classifier.encoder)`.

    Only names, types and sizes are read here. Pickles without data, so that other machines can read the same paths.

    Raises NotFoundError (no such file), DataError (no Parquet, no rows, a column that is missing or, without `encode`,
    not numeric); reading raises DataError (a missing or infinite value, a damaged file).
    """

    def __init__(
        self,
        path: str | Path | Sequence[str | Path],
        *,
        columns: Sequence[str] | None = None,
        encode: Callable[[pd.DataFrame], np.ndarray] | None = None,
    ) -> None:
        self.encode = encode
        self.groups: tuple[RowGroup, ...] = ()
        self.columns = tuple(columns or ())
        for name in _files(path):
            self._add(name)
        if not self.groups:
            raise DataError(f"'{path}' holds no rows: choose a file with at least one.")

    def _add(self, path: str) -> None:
        with _opened(path) as file:
            schema, about = file.schema_arrow, file.metadata
            self.columns = self.columns or _names(schema)
            _check_columns(schema, self.columns, path, numeric=self.encode is None)
            first = self.rows
            for number in range(about.num_row_groups):
                rows = about.row_group(number).num_rows
                self.groups += (RowGroup(path, number, rows, first),) if rows else ()
                first += rows

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    def only(self, groups: Sequence[RowGroup]) -> ParquetRows:
        """Return the rows of some of the row groups."""
        part = copy.copy(self)
        part.groups = tuple(groups)
        return part

    def shards(self, rows: int) -> Iterator[ParquetRows]:
        """Yield runs of consecutive row groups with at least `rows` rows each; the last one may have fewer."""
        held: list[RowGroup] = []
        for group in self.groups:
            held.append(group)
            if sum(member.rows for member in held) >= rows:
                yield self.only(held)
                held = []
        if held:
            yield self.only(held)

    def batches(self, max_rows: int) -> Iterator[np.ndarray]:
        return regular(self._read(max_rows), max_rows)

    def _read(self, max_rows: int) -> Iterator[np.ndarray]:
        for path, groups in itertools.groupby(self.groups, key=lambda group: group.path):
            members = list(groups)
            first = members[0].first
            with _opened(path) as file:
                numbers = [group.number for group in members]
                for record in file.iter_batches(max_rows, row_groups=numbers, columns=list(self.columns)):
                    yield self._features(record, first, path)
                    first += len(record)

    def _features(self, record: pa.RecordBatch, first: int, path: str) -> np.ndarray:
        """Return float32 features of one record batch whose first row is row `first` of the source."""
        where = f" (file '{Path(path).name}')"
        if self.encode is None:
            features = _as_numbers(record, self.columns, first, where)
            require_finite(features, first=first, names=self.columns, where=where)
            return features
        features = np.asarray(self.encode(record.select(list(self.columns)).to_pandas()), np.float32)
        require_finite(features, first=first, where=where)
        return features

    def take(self, positions: np.ndarray) -> np.ndarray:
        wanted = np.asarray(positions, np.int64)
        starts = np.cumsum([0, *(group.rows for group in self.groups[:-1])])
        place = np.searchsorted(starts, wanted, side="right") - 1
        found: np.ndarray | None = None
        for index in np.unique(place):
            group, mine = self.groups[index], np.flatnonzero(place == index)
            rows = self._take_from(group, wanted[mine] - starts[index])
            found = np.empty((len(wanted), rows.shape[1]), np.float32) if found is None else found
            found[mine] = rows
        return np.empty((0, 0), np.float32) if found is None else found

    def _take_from(self, group: RowGroup, offsets: np.ndarray) -> np.ndarray:
        """Return rows of one row group; reading stops behind the last of them."""
        parts, places, first = [], [], 0
        for batch in self.only([group]).batches(TAKE_ROWS):
            here = np.flatnonzero((offsets >= first) & (offsets < first + len(batch)))
            parts.append(batch[offsets[here] - first])
            places.append(here)
            first += len(batch)
            if first > offsets.max():
                break
        return np.concatenate(parts)[np.argsort(np.concatenate(places))]


def column_names(path: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """Return the columns of the (first) file, whatever they hold (NotFoundError, DataError)."""
    with _opened(_files(path)[0]) as file:
        return _names(file.schema_arrow)


def _names(schema: pa.Schema) -> tuple[str, ...]:
    return tuple(name for name in schema.names if not name.startswith("__index_level_"))


def _files(path: str | Path | Sequence[str | Path]) -> list[str]:
    """Return the files that are meant, as absolute paths: workers may have another working directory."""
    named = [path] if isinstance(path, str | Path) else list(path)
    found: list[Path] = []
    for one in map(Path, named):
        inside = sorted(one.rglob("*.parquet")) if one.is_dir() else [one]
        if not inside:
            raise NotFoundError(f"The folder '{one}' holds no file '*.parquet': name the folder or file that has rows.")
        found += inside
    if not found:
        raise DataError("The list of Parquet files is empty: name at least one file.")
    return [str(file.absolute()) for file in found]


@contextmanager
def _opened(path: str) -> Iterator[pq.ParquetFile]:
    """Open one file for reading in small pieces; what Arrow finds wrong becomes one sentence."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False) as file:
            yield file
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file '{path}': check the path (on every machine that reads it).") from error
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:160].rstrip(".")
        raise DataError(
            f"'{path}' cannot be read as Parquet ({reason}): it is another format or damaged; write it again."
        ) from error


def _check_columns(schema: pa.Schema, columns: Sequence[str], path: str, *, numeric: bool) -> None:
    if missing := [name for name in columns if name not in schema.names]:
        listed = ", ".join(f"'{name}'" for name in missing[:6]) + (" and others" if len(missing) > 6 else "")
        raise DataError(
            f"'{path}' lacks {len(missing)} of the {len(columns)} columns to read ({listed}): add or rename them."
        )
    if twice := [name for name in columns if schema.names.count(name) > 1]:
        raise DataError(f"'{path}' has several columns named '{twice[0]}': give every column a name of its own.")
    if not numeric:
        return
    for name in columns:
        if not _is_number(kind := schema.field(name).type):
            raise DataError(
                f"Column '{name}' of '{path}' holds {kind}, not numbers: pass `encode` to make features of raw columns."
            )


def _is_number(kind: Any) -> bool:
    import pyarrow.types as kinds

    kind = kind.value_type if kinds.is_dictionary(kind) else kind
    return any(test(kind) for test in (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_decimal))


def _as_numbers(record: pa.RecordBatch, columns: Sequence[str], first: int, where: str) -> np.ndarray:
    """Return the columns as float32 (n, columns), each contiguous: who slices a chunk turns it, in parallel."""
    import pyarrow as pa

    features = np.empty((len(columns), len(record)), np.float32)
    for place, name in enumerate(columns):
        values = record.column(name)
        if values.null_count:
            row = first + int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
            raise DataError(f"Row {row:,}{where} has no value in column '{name}': fill in or leave out such rows.")
        plain = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
        with np.errstate(over="ignore"):
            features[place] = (values if plain else values.cast(pa.float64())).to_numpy(zero_copy_only=False)
    return features.T
