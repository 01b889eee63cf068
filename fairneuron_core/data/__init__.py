"""Tables and what is done to them before a network sees them: data sets, upload, roles, splits, encoding."""

from fairneuron_core.data.catalogue import ALIASES, DATASETS, dataset_row, load_dataset
from fairneuron_core.data.check import SchemaWarning, check_schema
from fairneuron_core.data.columns import BinnedColumn
from fairneuron_core.data.encoding import encode, encode_frame, fit_encoder, input_columns
from fairneuron_core.data.guess import guess_schema
from fairneuron_core.data.row import DatasetRow
from fairneuron_core.data.schema import schema_from_json, schema_of, schema_to_json, with_roles
from fairneuron_core.data.splitting import split_rows
from fairneuron_core.data.synthetic import planted_dataset
from fairneuron_core.data.table import (
    dataset_from_bytes,
    dataset_to_bytes,
    group_sizes,
    groups_of,
    labels_of,
    make_dataset,
    rows_sha256,
)
from fairneuron_core.data.upload import AS_GUESSED, MAX_UPLOAD_MB, Reading, read_table

__all__ = [
    "ALIASES",
    "AS_GUESSED",
    "DATASETS",
    "MAX_UPLOAD_MB",
    "BinnedColumn",
    "DatasetRow",
    "Reading",
    "SchemaWarning",
    "check_schema",
    "dataset_from_bytes",
    "dataset_row",
    "dataset_to_bytes",
    "encode",
    "encode_frame",
    "fit_encoder",
    "group_sizes",
    "groups_of",
    "guess_schema",
    "input_columns",
    "labels_of",
    "load_dataset",
    "make_dataset",
    "planted_dataset",
    "read_table",
    "rows_sha256",
    "schema_from_json",
    "schema_of",
    "schema_to_json",
    "split_rows",
    "with_roles",
]
