"""The rows of a Parquet table as a classifier reads them, their groups, and their paths written to a file."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fairneuron_core.data import encode_frame, groups_of
from fairneuron_core.errors import NotFoundError, SettingError
from fairneuron_core.jobs.material import Material, find_classifier, find_dataset
from fairneuron_core.paths import ActivationPaths, ParquetRows
from fairneuron_core.paths.parquet_rows import column_names
from fairneuron_core.types import Dataset
from fairneuron_core.workspace import Workspace

READ_ROWS = 65_536
WRITTEN_ROWS = 1_000_000


def data_of_model(model: str, workspace: Workspace, *, otherwise: str) -> str:
    """Return the data set that a model was trained on, whose groups and training rows count; or `otherwise`."""
    own = find_classifier(model, workspace).record.data
    try:
        find_dataset(own, workspace)
    except NotFoundError:
        return otherwise
    return own


def table_rows(material: Material, path: str) -> ParquetRows:
    """Return the rows of a Parquet file or folder as network inputs.

    A table with the columns that the encoder reads is encoded piece by piece; one that lacks them and has columns named
    as the encoder's outputs (`age`, `sex=male`, ...) is taken as encoded. Raises what `ParquetRows` raises.
    """
    encoder = material.classifier.encoder
    raw, encoded = [column.name for column in encoder.columns], encoder.feature_names
    found = set(column_names(path))
    if not set(raw) <= found and set(encoded) <= found:
        return ParquetRows(path, columns=encoded)
    return ParquetRows(path, columns=raw, encode=partial(encode_frame, encoder=encoder, name=Path(path).name))


def table_codes(material: Material, path: str) -> np.ndarray | None:
    """Return the group of every row of a raw table, codes (n,) int16; None when the table does not say it.

    Raises DataError for a group that the data set does not have.
    """
    column = material.dataset.schema.column(material.attribute)
    columns = set(column_names(path))
    source = column.name if column.name in columns else column.derived_from
    if source not in columns or not {c.name for c in material.classifier.encoder.columns} <= columns:
        return None
    codes = partial(_codes, dataset=material.dataset, attribute=material.attribute)
    rows = ParquetRows(path, columns=[source], encode=codes)
    return np.concatenate([batch[:, 0].astype(np.int16) for batch in rows.batches(READ_ROWS)])


def _codes(frame: pd.DataFrame, *, dataset: Dataset, attribute: str) -> np.ndarray:
    return groups_of(dataset, attributes=[attribute], frame=frame)


def require_place(path: str) -> None:
    """Raise SettingError when no file can be written there, before the work."""
    place = Path(path)
    if place.is_dir() or not os.access(place.absolute().parent, os.W_OK):
        raise SettingError(f"'{path}' cannot be written: name a file in a folder that exists.")


def write_keys(paths: ActivationPaths, conflicting: np.ndarray, path: str) -> None:
    """Write one line per row to a Parquet file: both words of the key, frequency, synapses, conflict sample or not.

    Raises SettingError when the file cannot be written; then none is left.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "key_first": paths.key[:, 0],
        "key_second": paths.key[:, 1],
        "frequency": paths.frequency,
        "synapses": paths.synapses,
        "conflict": conflicting,
    }
    schema = pa.schema([(name, pa.from_numpy_dtype(values.dtype)) for name, values in columns.items()])
    half = Path(f"{path}.{os.getpid()}.partial")
    try:
        with pq.ParquetWriter(half, schema, compression="zstd") as file:
            for first in range(0, len(paths), WRITTEN_ROWS):
                part = slice(first, first + WRITTEN_ROWS)
                file.write_table(pa.table([pa.array(values[part]) for values in columns.values()], schema=schema))
        half.replace(path)
    except OSError as error:
        raise SettingError(f"'{path}' cannot be written ({error.strerror or error}): choose another place.") from error
    finally:
        half.unlink(missing_ok=True)
