"""Making a data set, its labels and groups, its hash, and the file it travels in."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairneuron_core.data import (
    DATASETS,
    dataset_from_bytes,
    dataset_to_bytes,
    group_sizes,
    groups_of,
    labels_of,
    load_dataset,
    make_dataset,
    rows_sha256,
    schema_of,
    with_roles,
)
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "g": ["a", "b", None, "a", " b "],
            "age": [20, 30, 40, np.nan, 60],
            "c": ["u", None, "v", "u", "u"],
            "y": [1, 0, 1, None, 0],
        }
    )


@pytest.fixture
def dataset(table):
    return make_dataset(table, schema_of(table, target="y", favourable="1", protected=("g",)), name="t", title="T")


def test_rows_without_a_label_are_left_out_and_counted(dataset):
    assert len(dataset.frame) == 4
    assert "1 rows without a value in 'y' were left out." in dataset.source.traps
    assert dataset.schema.target.levels == ("0", "1")


def test_missing_categories_and_groups_become_a_level_and_numbers_stay_missing(dataset):
    assert dataset.frame["g"].tolist() == ["a", "b", MISSING, "b"]
    assert dataset.frame["c"].tolist() == ["u", MISSING, "v", "u"]
    assert dataset.schema.column("g").levels == ("a", "b", MISSING)
    age = dataset.schema.column("age")
    assert (age.low, age.high, age.integer) == (20, 60, True)


def test_labels_and_group_codes_follow_rows(dataset):
    assert labels_of(dataset).tolist() == [1, 0, 1, 0]
    assert labels_of(dataset, np.array([2, 1])).tolist() == [1, 0]
    assert groups_of(dataset).tolist() == [[0], [1], [2], [1]]
    assert groups_of(dataset, np.array([3])).dtype == np.int16


def test_group_sizes_count_rows_and_favourable_labels(dataset):
    sizes = group_sizes(dataset)
    assert sizes["n"].tolist() == [1, 2, 1]
    assert sizes["favourable"].tolist() == [1, 0, 1]
    assert sizes["base_rate"].tolist() == [1, 0, 1]
    assert sizes["share"].sum() == 1


def test_a_group_without_rows_has_no_base_rate(table):
    frame = table.assign(y=[1, 0, 1, 0, 1])
    schema = with_roles(
        frame,
        schema_of(frame, target="y", favourable="1", protected=("g",)),
        protected=["age"],
        edges={"age": [10, 35]},
    )
    sizes = group_sizes(make_dataset(frame, schema, name="t", title="T")).set_index("group")
    assert sizes.loc["under 10", "n"] == 0
    assert np.isnan(sizes.loc["under 10", "base_rate"])
    assert sizes.loc[MISSING, "n"] == 1


def test_a_hold_out_shares_levels_and_ranges(table):
    full = table.assign(y=[1, 0, 1, 0, 1])
    schema = schema_of(full, target="y", favourable="1", protected=("g",))
    later = pd.DataFrame({"g": ["z"], "age": [99], "c": ["w"], "y": [1]})
    dataset = make_dataset(full, schema, name="t", title="T", holdout=later)
    assert dataset.schema.column("g").levels == ("a", "b", "z", MISSING)
    assert dataset.schema.column("age").high == 99
    assert len(dataset.holdout) == 1


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_survives_its_file_with_the_same_hash(name):
    dataset = load_dataset(name)
    back = dataset_from_bytes(dataset_to_bytes(dataset), name=name)
    assert back.sha256 == dataset.sha256
    assert back.schema == dataset.schema
    assert back.source == dataset.source
    assert (back.hidden, back.include_protected) == (dataset.hidden, dataset.include_protected)
    pd.testing.assert_frame_equal(back.frame, dataset.frame)
    assert (back.holdout is None) == (dataset.holdout is None)


def test_the_hash_changes_with_a_value_and_with_a_role_but_not_with_words(dataset, table):
    schema = dataset.schema
    other = table.copy()
    other.loc[0, "age"] = 21
    assert make_dataset(other, schema, name="t", title="T").sha256 != dataset.sha256
    chosen = replace(schema, reference={"g": "a" if schema.reference["g"] == "b" else "b"})
    assert make_dataset(table, chosen, name="t", title="T").sha256 != dataset.sha256
    assert make_dataset(table, schema, name="x", title="X").sha256 == dataset.sha256
    assert make_dataset(table, replace(schema, favourable_words="!"), name="t", title="T").sha256 == dataset.sha256


def test_the_hash_of_the_rows_does_not_change_with_roles():
    by_sex, by_age = load_dataset("german"), load_dataset("german", protected=["age"])
    assert by_sex.sha256 != by_age.sha256
    assert rows_sha256(by_sex) == rows_sha256(by_age)
    assert rows_sha256(by_sex) != rows_sha256(load_dataset("bank"))


def test_other_files_are_refused():
    plain = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), plain)
    for content in (b"", b"PAR1", plain.getvalue()):
        with pytest.raises(DataError, match="The stored data set 't' cannot be read"):
            dataset_from_bytes(content, name="t")


def test_the_callers_table_is_left_as_found(table):
    before = table.copy(deep=True)
    make_dataset(table, schema_of(table, target="y", favourable="1", protected=("g",)), name="t", title="T")
    pd.testing.assert_frame_equal(table, before)
