"""From table rows to network inputs, by a recipe fitted on training rows only.

Numbers: x' = (x - low) / (high - low) with low, high over the TRAINING rows; values outside the training range are
NOT clipped, so an unseen larger value gives an input above 1; a missing number becomes the training median.
Categories: one input per level seen in the TRAINING rows; a level seen later only gives zeros in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fairneuron_core.data.columns import BinnedColumn, as_numbers, as_text, ordered_levels
from fairneuron_core.data.table import groups_of, labels_of, protected_levels
from fairneuron_core.errors import DataError, ModelError
from fairneuron_core.types import Batch, Dataset, EncodedColumn, Encoder


def input_columns(
    dataset: Dataset, *, include_protected: bool, protected: str | Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the columns that the network reads: features and protected ones, never a derived group or the target.

    Without `include_protected` the attributes named in `protected` (default: the first one) are kept out, and so is
    the column that such a group is derived from (`age` for `age_group`). Other protected attributes stay inputs.
    """
    schema = dataset.schema
    named = schema.protected[:1] if protected is None else [protected] if isinstance(protected, str) else protected
    for name in named:
        protected_levels(dataset, name)
    excluded = set() if include_protected else {*named, *(schema.column(n).derived_from for n in named)}
    readable = (c for c in schema.columns if c.role in ("feature", "protected") and not _is_derived(c))
    return tuple(c.name for c in readable if c.name not in excluded)


def _is_derived(column: object) -> bool:
    return isinstance(column, BinnedColumn) or getattr(column, "derived_from", None) is not None


def fit_encoder(dataset: Dataset, rows: np.ndarray, *, inputs: Sequence[str]) -> Encoder:
    """Return the encoder of the columns `inputs`, fitted on `rows` (positions in the frame) and nothing else.

    Raises
    ------
    DataError : an input does not exist, is the target, or there are no rows or inputs.
    """
    if not len(rows) or not len(inputs):
        raise DataError(f"An encoder needs rows and input columns; it got {len(rows)} rows and {len(inputs)} columns.")
    columns = []
    for name in inputs:
        if name not in dataset.schema.names or name == dataset.schema.target.name:
            raise DataError(f"Column '{name}' of '{dataset.name}' cannot be a network input: target or unknown column.")
        columns.append(_fit_column(name, dataset.schema.column(name).kind, dataset.frame[name].iloc[rows]))
    return Encoder(tuple(columns))


def _fit_column(name: str, kind: str, values: pd.Series) -> EncodedColumn:
    if kind == "category":
        return EncodedColumn(name, "category", levels=ordered_levels(values.unique()))
    numbers = values.dropna().to_numpy(dtype=float)
    if not len(numbers):
        return EncodedColumn(name, "numeric")
    return EncodedColumn(
        name, "numeric", low=float(numbers.min()), high=float(numbers.max()), fill=float(np.median(numbers))
    )


def encode(dataset: Dataset, rows: np.ndarray, encoder: Encoder, *, frame: pd.DataFrame | None = None) -> Batch:
    """Return the rows as network inputs with labels and groups; `frame` replaces the data set's own table.

    Raises
    ------
    ModelError : the table lacks a column that the encoder reads, or has text where it reads numbers.
    DataError : a protected group of `frame` does not exist in the data set.
    """
    table = dataset.frame if frame is None else frame
    positions = np.asarray(rows, dtype=np.int64)
    protected = dataset.schema.protected
    return Batch(
        features=encode_frame(table.iloc[positions], encoder, name=dataset.name),
        labels=labels_of(dataset, positions, frame=frame),
        groups=groups_of(dataset, positions, frame=frame),
        protected=protected,
        group_levels=tuple(dataset.schema.column(p).levels for p in protected),
        rows=positions,
    )


def encode_frame(frame: pd.DataFrame, encoder: Encoder, *, name: str = "this table") -> np.ndarray:
    """Return the inputs (n, encoder.width) float32 of every row of a table; no label is needed.

    Raises
    ------
    ModelError : the table lacks a column that the encoder reads, or has text where it reads numbers.
    """
    if missing := [c.name for c in encoder.columns if c.name not in frame.columns]:
        listed = ", ".join(f"'{m}'" for m in missing[:6]) + (" and others" if len(missing) > 6 else "")
        raise ModelError(
            f"The model reads {len(missing)} column{'s' * (len(missing) > 1)} that '{name}' does not have ({listed}): "
            "choose the data that the model was trained on."
        )
    features = np.zeros((len(frame), encoder.width), np.float32)
    start = 0
    for column in encoder.columns:
        values = frame[column.name]
        if column.kind == "category":
            codes = pd.Index(column.levels).get_indexer(_texts(values))
            known = np.flatnonzero(codes >= 0)
            features[known, start + codes[known]] = 1.0
        elif column.kind == "codes":
            codes = pd.Index(column.levels).get_indexer(_texts(values))
            features[:, start] = _spread(np.where(codes < 0, column.fill, codes), column)
        else:
            features[:, start] = _scaled(values, column, name)
        start += column.width
    return features


def _texts(values: pd.Series) -> pd.Series:
    plain = pd.api.types.is_string_dtype(values) and not values.hasnans
    return values if plain else as_text(values)


def _scaled(values: pd.Series, column: EncodedColumn, name: str) -> np.ndarray:
    try:
        numbers = as_numbers(values).to_numpy(dtype=float)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"The model reads numbers from column '{column.name}', which holds text in '{name}': "
            "choose the data that the model was trained on."
        ) from error
    return _spread(np.where(np.isnan(numbers), column.fill, numbers), column)


def _spread(numbers: np.ndarray, column: EncodedColumn) -> np.ndarray:
    span = column.high - column.low
    return (numbers - column.low) / (span if span > 0 else 1.0)
