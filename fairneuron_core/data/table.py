"""From a table and its roles to a `Dataset`: values made uniform, labels, groups, content hash, one file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fairneuron_core.data.columns import BinnedColumn, as_numbers, as_text
from fairneuron_core.data.schema import (
    describe,
    needed_columns,
    protected_text,
    require_columns,
    schema_from_json,
    schema_to_json,
)
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING, Dataset, DataSource, Schema
from fairneuron_core.workspace import canonical_json

METADATA_KEY = b"fairneuron"
UPLOADED = DataSource(
    title="Uploaded table",
    url="",
    licence="as stated by whoever uploaded it",
    citation="",
)


def make_dataset(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    name: str,
    title: str,
    source: DataSource = UPLOADED,
    holdout: pd.DataFrame | None = None,
    include_protected: bool = False,
    hidden: tuple[int, ...] = (32, 32, 32),
) -> Dataset:
    """Return the data set that `schema` describes.

    Categories become text in which a missing value is the level `(missing)`; numbers stay numbers with NaN; derived
    groups are added; rows without a label are left out and `source.traps` says how many.

    Raises
    ------
    DataError : the target has not exactly two values, the favourable value or a column is missing, or an attribute
        has one group only.
    """
    main, dropped = _uniform(frame, schema)
    extra, dropped_extra = _uniform(holdout, schema) if holdout is not None else (None, 0)
    everything = main if extra is None else pd.concat([main, extra], ignore_index=True)
    final = replace(schema, columns=tuple(describe(everything, c) for c in schema.columns))
    require_usable(everything, final)
    notes = [*frame.attrs.get("notes", ())]
    if dropped + dropped_extra:
        notes.append(f"{dropped + dropped_extra:,} rows without a value in '{final.target.name}' were left out.")
    return Dataset(
        name=name,
        title=title,
        frame=main,
        schema=final,
        source=replace(source, traps=(*source.traps, *(n for n in notes if n not in source.traps))),
        sha256=_content_sha256(main, extra, _roles_text(final)),
        holdout=extra,
        include_protected=include_protected,
        hidden=hidden,
    )


def _uniform(frame: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, int]:
    """Return the frame with the schema's columns only, in its order, and the number of rows without a label."""
    require_columns(frame, needed_columns(schema))
    labelled = (as_text(frame[schema.target.name]) != MISSING).to_numpy()
    kept = frame[labelled].reset_index(drop=True)
    values = {}
    for column in schema.columns:
        if column.role == "protected":
            values[column.name] = protected_text(kept, column)
        elif column.kind == "numeric" and pd.api.types.is_numeric_dtype(kept[column.name]):
            values[column.name] = as_numbers(kept[column.name])
        else:
            values[column.name] = as_text(kept[column.name])
    return pd.DataFrame(values), int((~labelled).sum())


def require_usable(frame: pd.DataFrame, schema: Schema) -> None:
    """Raise a DataError with one sentence when the roles cannot carry an audit."""
    target = schema.target
    if not len(frame):
        raise DataError(f"No row has a value in the target '{target.name}': choose another target column.")
    if len(target.levels) != 2:
        shown = ", ".join(target.levels[:5]) + (", ..." if len(target.levels) > 5 else "")
        raise DataError(
            f"Column '{target.name}' has {len(target.levels)} value{'s' * (len(target.levels) != 1)} ({shown}) but a "
            "target needs exactly 2: choose another column, or merge its values into two before the upload."
        )
    if schema.favourable not in target.levels:
        raise DataError(
            f"The favourable value '{schema.favourable}' is not in column '{target.name}': "
            f"choose {' or '.join(target.levels)}."
        )
    if not schema.protected:
        raise DataError("No protected attribute is chosen: choose at least one column whose groups are compared.")
    for name in schema.protected:
        levels = schema.column(name).levels
        found = [level for level in levels if (frame[name] == level).any()]
        if len(found) < 2:
            raise DataError(
                f"Column '{name}' has one group only ({found[0]}): choose a protected attribute with at least 2 groups."
            )
        if schema.reference.get(name) not in levels:
            raise DataError(
                f"The reference group '{schema.reference.get(name)}' is not in column '{name}': "
                f"choose one of {', '.join(levels[:8])}."
            )
    if not schema.of_role("feature"):
        raise DataError("No column is left for the network to read: keep at least one feature column.")


def labels_of(dataset: Dataset, rows: np.ndarray | None = None, *, frame: pd.DataFrame | None = None) -> np.ndarray:
    """Return 1 where the label is the favourable one, (n,) uint8; of all rows when `rows` is None."""
    values = _values(dataset, dataset.schema.target.name, rows, frame)
    return (values == dataset.schema.favourable).to_numpy(dtype=np.uint8)


def groups_of(
    dataset: Dataset,
    rows: np.ndarray | None = None,
    *,
    attributes: Sequence[str] | None = None,
    frame: pd.DataFrame | None = None,
) -> np.ndarray:
    """Return group codes (n, p) int16 into `dataset.schema.column(name).levels`, one column per protected attribute.

    Raises
    ------
    DataError : a group of `frame` does not exist in the data set.
    """
    codes = []
    for name in dataset.schema.protected if attributes is None else attributes:
        levels = protected_levels(dataset, name)
        values = _values(dataset, name, rows, frame)
        code = pd.Index(levels).get_indexer(values)
        if len(code) and code.min() < 0:
            raise DataError(
                f"Group '{values[code < 0].iloc[0]}' of '{name}' does not exist in '{dataset.name}': "
                f"its groups are {', '.join(levels[:8])}."
            )
        codes.append(code.astype(np.int16))
    n = len(dataset.frame if frame is None else frame) if rows is None else len(rows)
    return np.stack(codes, axis=1) if codes else np.empty((n, 0), np.int16)


def protected_levels(dataset: Dataset, attribute: str) -> tuple[str, ...]:
    """Return the groups of one protected attribute (DataError when it is not one)."""
    if attribute not in dataset.schema.protected:
        raise DataError(
            f"'{attribute}' is not a protected attribute of '{dataset.name}': "
            f"choose one of {', '.join(dataset.schema.protected)}."
        )
    return dataset.schema.column(attribute).levels


def _values(dataset: Dataset, name: str, rows: np.ndarray | None, frame: pd.DataFrame | None) -> pd.Series:
    table: pd.DataFrame = dataset.frame if frame is None else frame
    column = dataset.schema.column(name)
    if name not in table.columns and isinstance(column, BinnedColumn):
        require_columns(table, [column.derived_from or name])
        values = protected_text(table, column)
    else:
        require_columns(table, [name])
        values = table[name]
        is_own = table is dataset.frame or table is dataset.holdout
        values = values if is_own else as_text(values)
    return values if rows is None else values.iloc[rows]


def group_sizes(dataset: Dataset) -> pd.DataFrame:
    """Return one row per group: attribute, group, n, share of rows, favourable labels, base rate (favourable / n)."""
    labels = labels_of(dataset)
    rows = []
    for position, name in enumerate(dataset.schema.protected):
        codes = groups_of(dataset)[:, position]
        levels = dataset.schema.column(name).levels
        sizes = np.bincount(codes, minlength=len(levels))
        favourable = np.bincount(codes, weights=labels, minlength=len(levels)).astype(int)
        rows += [
            (name, g, n, n / len(labels), f, f / n if n else np.nan)
            for g, n, f in zip(levels, sizes, favourable, strict=True)
        ]
    return pd.DataFrame(rows, columns=["attribute", "group", "n", "share", "favourable", "base_rate"])


def rows_sha256(dataset: Dataset) -> str:
    """Return the sha256 of the values alone: equal for one table under different roles or reference groups."""
    plain = sorted(c.name for c in dataset.schema.columns if not isinstance(c, BinnedColumn))
    text = {c: as_text(dataset.frame[c]) for c in plain}
    held = None if dataset.holdout is None else pd.DataFrame({c: as_text(dataset.holdout[c]) for c in plain})
    return _content_sha256(pd.DataFrame(text), held, "")


def _roles_text(schema: Schema) -> str:
    # Words for people are no content: rewording a note must not make another data set of it.
    return schema_to_json(
        replace(schema, columns=tuple(replace(c, note="") for c in schema.columns), favourable_words="")
    )


def _content_sha256(frame: pd.DataFrame, holdout: pd.DataFrame | None, schema_text: str) -> str:
    # Values, not file bytes: Parquet bytes change with the version of its writer, the values do not.
    found = hashlib.sha256(schema_text.encode())
    for table in (frame, holdout):
        found.update(f"|{0 if table is None else len(table)}|".encode())
        if table is None:
            continue
        for name in table.columns:
            values = table[name]
            found.update(f"|{name}|".encode())
            if pd.api.types.is_numeric_dtype(values):
                found.update((values.to_numpy(dtype="<f8") + 0.0).tobytes())
            else:
                for part in _joined(values):
                    found.update(part)
    return found.hexdigest()


def _joined(values: pd.Series, *, rows: int = 2**18) -> Iterator[bytes]:
    """Yield the texts joined by the unit separator, many rows at a time and without making Python objects."""
    for start in range(0, len(values), rows):
        part = pa.array(values.iloc[start : start + rows], pa.string())
        part = part.combine_chunks() if isinstance(part, pa.ChunkedArray) else part
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(part)], pa.int32()), part), "\x1f")
        yield (b"\x1f" if start else b"") + joined[0].as_buffer().to_pybytes()


def dataset_to_bytes(dataset: Dataset) -> bytes:
    """Write a data set as one Parquet file: hold-out rows last, roles and source as JSON in its metadata."""
    held = dataset.holdout
    frame = dataset.frame if held is None else pd.concat([dataset.frame, held], ignore_index=True)
    about = {
        "title": dataset.title,
        "schema": schema_to_json(dataset.schema),
        "source": asdict(dataset.source),
        "holdout_rows": None if held is None else len(held),
        "include_protected": dataset.include_protected,
        "hidden": list(dataset.hidden),
    }
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({METADATA_KEY: canonical_json(about).encode()})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def dataset_from_bytes(content: bytes, *, name: str) -> Dataset:
    """Read what `dataset_to_bytes` wrote (DataError when it is something else); the sha256 comes out the same."""
    try:
        table = pq.read_table(io.BytesIO(content))
        about = json.loads((table.schema.metadata or {})[METADATA_KEY])
        source = DataSource(**{**about["source"], "traps": tuple(about["source"]["traps"])})
        title, schema_text, hidden = about["title"], about["schema"], tuple(about["hidden"])
        held, include_protected = about["holdout_rows"], bool(about["include_protected"])
    except (pa.ArrowException, KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(f"The stored data set '{name}' cannot be read: delete it and upload it again.") from error
    frame = table.to_pandas(ignore_metadata=True)
    n = len(frame) - (held or 0)
    return make_dataset(
        frame[:n],
        schema_from_json(schema_text),
        name=name,
        title=title,
        source=source,
        holdout=None if held is None else frame[n:].reset_index(drop=True),
        include_protected=include_protected,
        hidden=hidden,
    )
