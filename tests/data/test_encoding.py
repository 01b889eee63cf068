"""Encoding of a hand-made table, and of the built-in ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairneuron_core.data import encode, encode_frame, fit_encoder, input_columns, load_dataset, make_dataset, schema_of
from fairneuron_core.data import split_rows as split
from fairneuron_core.errors import DataError, ModelError
from fairneuron_core.types import MISSING


@pytest.fixture
def tiny():
    frame = pd.DataFrame(
        {
            "sex": ["f", "m", None, "m", "f"],
            "age": [20.0, 30.0, 40.0, np.nan, 100.0],
            "job": ["a", "b", "a", "c", None],
            "flat": [7, 7, 7, 7, 9],
            "y": [1, 0, 1, 0, 1],
        }
    )
    schema = schema_of(frame, target="y", favourable="1", protected=("sex",))
    return make_dataset(frame, schema, name="tiny", title="Tiny")


def test_encoder_knows_only_its_training_rows(tiny):
    encoder = fit_encoder(tiny, np.array([0, 1, 2]), inputs=("age", "job"))
    age, job = encoder.columns
    assert (age.low, age.high, age.fill) == (20, 40, 30)
    assert job.levels == ("a", "b")
    assert encoder.feature_names == ("age", "job=a", "job=b")


def test_values_outside_the_training_range_are_not_clipped_and_missing_gets_the_median(tiny):
    encoder = fit_encoder(tiny, np.array([0, 1, 2]), inputs=("age", "job"))
    features = encode(tiny, np.arange(5), encoder).features
    assert features.dtype == np.float32
    assert features.tolist() == [[0, 1, 0], [0.5, 0, 1], [1, 1, 0], [0.5, 0, 0], [4, 0, 0]]


def test_a_level_not_seen_in_training_gives_zeros_only(tiny):
    encoder = fit_encoder(tiny, np.array([0]), inputs=("job",))
    assert encode(tiny, np.array([1]), encoder).features.tolist() == [[0]]


def test_a_constant_training_column_does_not_divide_by_zero(tiny):
    encoder = fit_encoder(tiny, np.array([0, 1]), inputs=("flat",))
    assert encode(tiny, np.array([0, 4]), encoder).features.ravel().tolist() == [0, 2]


def test_missing_group_is_a_group_and_labels_are_favourable_ones(tiny):
    batch = encode(tiny, np.array([2, 1]), fit_encoder(tiny, np.arange(5), inputs=("age",)))
    assert batch.group_levels == (("f", "m", MISSING),)
    assert batch.codes("sex").tolist() == [2, 1]
    assert batch.labels.tolist() == [1, 0]
    assert batch.rows.tolist() == [2, 1]


def test_missing_columns_are_named(tiny):
    encoder = fit_encoder(tiny, np.arange(5), inputs=("age", "job"))
    with pytest.raises(ModelError, match="reads 2 columns that 'other' does not have \\('age', 'job'\\)"):
        encode_frame(pd.DataFrame({"x": [1]}), encoder, name="other")


def test_text_where_the_model_reads_numbers_is_one_sentence(tiny):
    encoder = fit_encoder(tiny, np.arange(5), inputs=("age",))
    with pytest.raises(ModelError, match="reads numbers from column 'age', which holds text"):
        encode_frame(pd.DataFrame({"age": ["old"]}), encoder)


def test_the_target_cannot_be_an_input(tiny):
    with pytest.raises(DataError, match="Column 'y' of 'tiny' cannot be a network input"):
        fit_encoder(tiny, np.arange(5), inputs=("y",))


def test_an_encoder_needs_rows(tiny):
    with pytest.raises(DataError, match="got 0 rows and 1 columns"):
        fit_encoder(tiny, np.array([], dtype=int), inputs=("age",))


def test_another_frame_can_be_encoded_and_an_unknown_group_is_named(tiny):
    encoder = fit_encoder(tiny, np.arange(5), inputs=("age",))
    twin = tiny.frame.assign(sex="m")
    assert encode(tiny, np.arange(5), encoder, frame=twin).codes("sex").tolist() == [1] * 5
    with pytest.raises(DataError, match="Group 'x' of 'sex' does not exist in 'tiny'"):
        encode(tiny, np.arange(5), encoder, frame=tiny.frame.assign(sex="x"))


def test_census_without_sex_has_105_inputs_and_the_hold_out_fits():
    census = load_dataset("census")
    inputs = input_columns(census, include_protected=False)
    encoder = fit_encoder(census, split(census, seed=0).train, inputs=inputs)
    assert "sex" not in inputs
    assert "race" in inputs
    assert encoder.width == 105 == 5 + 9 + 16 + 7 + 15 + 6 + 5 + 42
    batch = encode(census, np.arange(len(census.holdout)), encoder, frame=census.holdout)
    assert batch.features.shape == (16_281, 105)
    assert not np.isnan(batch.features).any()


def test_a_level_that_the_training_rows_lack_has_no_input():
    census = load_dataset("census")
    rows = np.flatnonzero(census.frame["native_country"] != "Holand-Netherlands")
    assert fit_encoder(census, rows, inputs=("native_country",)).width == 41


@pytest.mark.parametrize("name", ["census", "compas", "german", "bank"])
def test_derived_groups_and_the_target_are_never_inputs(name):
    dataset = load_dataset(name)
    inputs = input_columns(dataset, include_protected=True)
    roles = {c.name: c for c in dataset.schema.columns}
    assert all(roles[n].derived_from is None and roles[n].role in ("feature", "protected") for n in inputs)


def test_excluding_a_derived_group_excludes_its_source():
    bank = load_dataset("bank")
    assert "age" in input_columns(bank, include_protected=True)
    assert "age" not in input_columns(bank, include_protected=False)
    assert "marital" in input_columns(bank, include_protected=False)
    assert "marital" not in input_columns(bank, include_protected=False, protected=["marital"])


def test_an_attribute_that_is_not_protected_cannot_be_excluded():
    with pytest.raises(DataError, match="'job' is not a protected attribute of 'bank'"):
        input_columns(load_dataset("bank"), include_protected=False, protected="job")
