"""The table of built-in data sets: to add one, write its file and add its row here."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fairneuron_core.data.bank import BANK
from fairneuron_core.data.census import CENSUS
from fairneuron_core.data.compas import COMPAS, COMPAS_ALL
from fairneuron_core.data.german import GERMAN
from fairneuron_core.data.row import FILES, DatasetRow, stored_hashes
from fairneuron_core.data.schema import with_roles
from fairneuron_core.data.table import make_dataset
from fairneuron_core.errors import DataError, NotFoundError
from fairneuron_core.types import Dataset
from fairneuron_core.workspace import digest

DATASETS: dict[str, DatasetRow] = {row.name: row for row in (CENSUS, COMPAS, COMPAS_ALL, GERMAN, BANK)}
ALIASES = {"adult": "census"}


def dataset_row(name: str) -> DatasetRow:
    """Return the row of a built-in name or alias (NotFoundError with the known names otherwise)."""
    try:
        return DATASETS[ALIASES.get(name.lower(), name.lower())]
    except KeyError:
        raise NotFoundError(f"There is no data set '{name}': choose one of {', '.join(DATASETS)}.") from None


def load_dataset(name: str, *, protected: Sequence[str] | None = None) -> Dataset:
    """Return a built-in data set by name or alias.

    `protected` selects and orders the protected attributes, the first one being the audited one; any column may be
    named, a number is cut into groups. One that is not named becomes a feature (a derived group disappears).

    Raises
    ------
    NotFoundError : no data set of that name.
    DataError : a file of the data set was changed, or `protected` names no usable column.
    """
    row = dataset_row(name)
    frame = _read(row.file)
    if row.keep is not None:
        frame = frame[row.keep(frame)].reset_index(drop=True)
    schema = row.make_schema(frame)
    if protected is not None:
        chosen = [protected] if isinstance(protected, str) else list(protected)
        schema = with_roles(frame, schema, protected=chosen)
    return make_dataset(
        frame,
        schema,
        name=row.name,
        title=row.title,
        source=row.source,
        holdout=None if row.holdout is None else _read(row.holdout),
        include_protected=row.include_protected,
        hidden=row.hidden,
    )


def _read(file: str) -> pd.DataFrame:
    path = FILES / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"The built-in data file '{file}' is missing: install the program again.") from error
    if digest(content) != stored_hashes().get(file):
        raise DataError(f"The built-in data file '{file}' was changed since it was built: install the program again.")
    try:
        return pq.read_table(io.BytesIO(content)).to_pandas()
    except pa.ArrowException as error:
        raise DataError(f"The built-in data file '{file}' cannot be read: install the program again.") from error
