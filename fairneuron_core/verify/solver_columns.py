"""The columns of a data set as the bounds and the solvers want them: free ones, fixed ones, and reach."""

from __future__ import annotations

import itertools

import numpy as np

from fairneuron_core.types import Classifier, Column, Schema
from fairneuron_core.verify.columns import InputColumn
from fairneuron_core.verify.domains import domain_of, encode_values
from fairneuron_core.verify.free_column import FreeColumn
from fairneuron_core.verify.similar import SimilarSpace


def free_columns(space: SimilarSpace) -> list[InputColumn]:
    """Return the free columns alone: a row's own inputs fix the others."""
    return [_free(column) for column in space.columns]


def all_columns(schema: Schema, classifier: Classifier, space: SimilarSpace) -> list[InputColumn]:
    """Return every column that the encoder writes, with its whole domain; those that are not read are not free."""
    free = {column.name: column for column in space.columns}
    columns = classifier.encoder.columns
    found = []
    for encoded, start in zip(columns, [0, *itertools.accumulate(c.width for c in columns)], strict=False):
        if encoded.name in free:
            found.append(_free(free[encoded.name]))
            continue
        known = encoded.name in schema.names
        column = schema.column(encoded.name) if known else Column(encoded.name, "feature", encoded.raw_kind)
        domain = domain_of(column, encoded)
        found.append(InputColumn(start, encoded.width, domain.kind, domain.values))
    return found


def _free(column: FreeColumn) -> InputColumn:
    if column.kind in ("levels", "integers", "reals"):
        return InputColumn(column.start, column.width, column.kind, column.values, free=True)
    if column.kind == "window":
        values = encode_values(column.encoded, np.arange(np.ceil(column.low), np.floor(column.high) + 1))
        return InputColumn(column.start, 1, "integers", values, free=True, reach=float(column.values.max()))
    ends = encode_values(column.encoded, np.array([column.low, column.high]))
    span = column.encoded.high - column.encoded.low
    return InputColumn(
        column.start, 1, "reals", ends, free=True, reach=float(column.values.max()) / (span if span > 0 else 1.0)
    )
