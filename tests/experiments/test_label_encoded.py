"""Label-encoded tables: the published sizes and domains, and codes that mean what the table said."""

import math

import numpy as np
import pandas as pd
import pytest

from fairneuron_core.data import encode_frame, load_dataset
from fairneuron_core.errors import NotFoundError
from fairneuron_core.experiments.coded_columns import by_level, in_bins, quartiles, uniform_bins
from fairneuron_core.experiments.label_encoded import LABEL_ENCODED, label_encoded
from fairneuron_core.models import build_network
from fairneuron_core.types import Classifier, ModelRecord
from fairneuron_core.verify import Freedom, similar_space

SMALL = ("compas", "german", "bank")


def classifier_of(table):
    network = build_network((table.encoder.width, 4, 1), seed=0)
    return Classifier(network, table.encoder, 0.5, ModelRecord("x", "ab" * 32, "train"), ())


def values_of(table, name: str) -> int:
    column = table.dataset.schema.column(name)
    return int(column.high - column.low) + 1


@pytest.mark.parametrize(("name", "rows", "inputs"), [("compas", 6172, 6), ("german", 1000, 20), ("bank", 4521, 16)])
def test_a_table_has_the_rows_and_inputs_of_its_set_up(name, rows, inputs):
    table = label_encoded(name)
    assert (len(table.dataset.frame), table.encoder.width) == (rows, inputs)


def test_adult_is_both_files_without_the_rows_that_have_a_question_mark():
    table = label_encoded("adult")
    assert len(table.dataset.frame) == 45_222
    assert [c.name for c in table.encoder.columns][7:9] == ["race_code", "sex_code"]
    assert (values_of(table, "age"), values_of(table, "native_country")) == (91, 41)


def test_spaces_have_as_many_cells_as_published():
    compas, bank = (label_encoded(name) for name in ("compas", "bank"))
    assert math.prod(values_of(compas, c.name) for c in compas.encoder.columns) == 1248
    fixed = [c.name for c in bank.encoder.columns if c.name != "age"]
    assert math.prod(values_of(bank, name) for name in fixed) == 58_392_576


@pytest.mark.parametrize("name", SMALL)
def test_inputs_are_the_whole_numbers_of_the_table_within_their_domain(name):
    table = label_encoded(name)
    inputs = encode_frame(table.dataset.frame, table.encoder)
    for position, column in enumerate(table.encoder.columns):
        described = table.dataset.schema.column(column.name)
        assert np.array_equal(inputs[:, position], table.dataset.frame[column.name])
        assert described.integer
        assert described.low <= inputs[:, position].min() <= inputs[:, position].max() <= described.high


@pytest.mark.parametrize("name", SMALL)
def test_groups_are_those_of_the_coded_column_that_freeing_them_frees(name):
    table = label_encoded(name)
    for attribute in table.dataset.schema.protected:
        space = similar_space(table.dataset.schema, classifier_of(table), Freedom((attribute,)))
        (free,) = space.columns
        assert space.size == values_of(table, free.name)
        groups = table.dataset.frame.groupby(free.name)[attribute].unique()
        assert all(len(found) == 1 for found in groups)


def test_a_code_means_the_word_that_the_table_had():
    german, raw = label_encoded("german"), load_dataset("german").frame
    sexes = german.dataset.frame["sex_code"].map({0: "female", 1: "male"})
    assert (sexes == raw["sex"]).all()
    assert (german.dataset.frame["age_code"] == (raw["age"] >= 26)).all()
    assert german.dataset.schema.column("telephone").note == "0 = no; 1 = yes"


def test_levels_are_numbered_in_reading_order_and_a_bin_holds_its_upper_edge():
    assert by_level("x", pd.Series(["b", "a", "b"])).values.tolist() == [1, 0, 1]
    assert in_bins("x", pd.Series([10, 11, 20, 21]), (10, 20)).values.tolist() == [1, 2, 2, 3]
    assert uniform_bins("x", pd.Series([0, 9, 10, 99, 100]), 10).values.tolist() == [0, 0, 1, 9, 9]
    assert quartiles("x", pd.Series([1, 2, 3, 4, 5])).values.tolist() == [1, 1, 2, 3, 4]
    assert set(quartiles("x", pd.Series([-1] * 9 + [200])).values.tolist()) == {1, 4}


def test_what_differs_from_the_published_tables_is_said():
    assert "4,521 rows" in label_encoded("bank").differs[0]
    assert all("7:1:2" in " ".join(label_encoded(name).differs) for name in SMALL)


def test_an_unknown_table_is_refused_with_the_known_ones():
    with pytest.raises(NotFoundError, match="choose one of adult, compas, german, bank"):
        label_encoded("titanic")
    assert tuple(LABEL_ENCODED) == ("adult", "compas", "german", "bank")
