"""Input mappings: the inputs they make, checked against scikit-learn and pandas; what is guessed; what JSON may say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from fairneuron_core.data import encode_frame, fit_encoder, input_columns, make_dataset, schema_of
from fairneuron_core.data.mapping import InputMapping, MappedColumn, encoder_of
from fairneuron_core.data.mapping_guess import guess_mapping
from fairneuron_core.data.mapping_json import mapping_from_json, mapping_to_json
from fairneuron_core.errors import DataError, ModelError
from fairneuron_core.types import MISSING

ALL = np.arange(6)


def table(**columns):
    frame = pd.DataFrame(
        {
            "sex": ["f", "m", "m", "f", "m", "f"],
            "age": [20, 30, 40, 50, 60, 70],
            "job": ["cook", "nurse", "smith", "cook", "nurse", "cook"],
            "pay": [1.5, 2.5, 3.5, 1.0, 2.0, 3.0],
            **columns,
            "hired": ["no", "yes", "yes", "no", "yes", "no"],
        }
    )
    schema = schema_of(frame, target="hired", favourable="yes", protected=("sex",))
    return make_dataset(frame, schema, name="people", title="People")


DATA = table()


def inputs_of(*columns, dataset=DATA):
    return encode_frame(dataset.frame, encoder_of(InputMapping(columns), dataset, ALL))


@pytest.mark.parametrize(
    ("scaling", "scaler"), [("min_max", MinMaxScaler()), ("standard", StandardScaler()), ("none", "passthrough")]
)
def test_a_mapping_makes_the_inputs_of_scikit_learns_column_transformer(scaling, scaler):
    transformer = ColumnTransformer(
        [
            ("num", scaler, ["pay", "age"]),
            ("cat", OneHotEncoder(drop="first"), ["job"]),
            ("ord", OrdinalEncoder(), ["sex"]),
        ]
    )
    expected = transformer.fit_transform(DATA.frame)
    found = inputs_of(
        MappedColumn("pay", "number", scaling=scaling),
        MappedColumn("age", "number", scaling=scaling),
        MappedColumn("job", "one_hot", levels=("nurse", "smith")),
        MappedColumn("sex", "codes"),
    )
    assert np.allclose(found, expected, atol=1e-6)


def test_given_numbers_scale_as_they_say():
    found = inputs_of(MappedColumn("age", "number", scaling="given", subtract=10, divide=20))
    assert found.ravel().tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_codes_can_be_scaled_and_an_unknown_level_is_minus_one():
    coded = MappedColumn("job", "codes", levels=("smith", "cook"))
    assert inputs_of(coded).ravel().tolist() == [1, -1, 0, 1, -1, 1]
    scaled = inputs_of(MappedColumn("job", "codes", levels=("smith", "cook", "nurse"), scaling="min_max"))
    assert scaled.ravel().tolist() == [0.5, 1.0, 0.0, 0.5, 1.0, 0.5]
    standard = inputs_of(MappedColumn("job", "codes", levels=("smith", "cook", "nurse"), scaling="standard"))
    assert (standard.mean(), standard.std()) == pytest.approx((0, 1), abs=1e-6)


def test_groups_that_are_evenly_spaced_numbers_are_read_as_these_numbers():
    frame = DATA.frame.assign(grade=[10, 20, 30, 10, 20, 30])
    schema = schema_of(frame, target="hired", favourable="yes", protected=("grade",))
    graded = make_dataset(frame, schema, name="graded", title="Graded")
    assert graded.schema.column("grade").kind == "category"
    assert inputs_of(MappedColumn("grade", "number"), dataset=graded).ravel().tolist() == [10, 20, 30] * 2
    halved = MappedColumn("grade", "number", scaling="given", subtract=10, divide=20)
    assert inputs_of(halved, dataset=graded).ravel().tolist() == [0, 0.5, 1] * 2


def test_a_missing_number_is_the_training_median_and_a_missing_level_a_level_of_its_own():
    gaps = table(pay=[1.0, 2.0, 4.0, 8.0, 16.0, np.nan], job=["cook", None, "cook", "smith", "cook", "smith"])
    found = inputs_of(MappedColumn("pay", "number"), MappedColumn("job", "codes"), dataset=gaps)
    assert found[:, 0].tolist() == [1, 2, 4, 8, 16, 4]
    assert found[:, 1].tolist() == [0, 2, 0, 1, 0, 1]
    assert gaps.schema.column("job").levels == ("cook", "smith", MISSING)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ((), "0 columns"),
        ((MappedColumn("hired", "codes"),), "no input column"),
        ((MappedColumn("height", "number"),), "no input column"),
        ((MappedColumn("age", "number"), MappedColumn("age", "number")), "'age' twice"),
        ((MappedColumn("job", "number"),), "holds text such as 'cook'"),
        ((MappedColumn("pay", "one_hot"),), "holds numbers"),
        ((MappedColumn("age", "codes"),), "map it as number, or as one_hot"),
        ((MappedColumn("job", "one_hot", levels=("king", "queen")),), "has cook, nurse, smith"),
        ((MappedColumn("job", "one_hot", levels=("cook", "cook")),), "twice"),
        ((MappedColumn("job", "one_hot", scaling="standard"),), "scaling must be none"),
        ((MappedColumn("age", "number", scaling="given", divide=0.0),), "above 0"),
        ((MappedColumn("age", "number"), MappedColumn("job", "one_hot")), r"4 inputs \(age 1, job 3\) but .* reads 9"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_in_one_sentence(columns, sentence):
    with pytest.raises(DataError, match=sentence):
        encoder_of(InputMapping(columns), DATA, ALL, inputs=9)


def test_unevenly_spaced_groups_are_no_numbers():
    frame = DATA.frame.assign(grade=[1, 2, 9, 1, 2, 9])
    graded = make_dataset(
        frame, schema_of(frame, target="hired", favourable="yes", protected=("grade",)), name="g", title="G"
    )
    with pytest.raises(DataError, match="gaps of different size"):
        encoder_of(InputMapping((MappedColumn("grade", "number"),)), graded, ALL)


def test_whole_numbers_that_spread_wide_are_no_levels():
    with pytest.raises(DataError, match="whole numbers from 0 to 5000: that many"):
        inputs_of(MappedColumn("age", "one_hot"), dataset=table(age=[0, 1, 10, 100, 1000, 5000]))


def test_a_text_in_a_later_table_is_refused_where_a_number_is_read():
    encoder = encoder_of(InputMapping((MappedColumn("age", "number"),)), DATA, ALL)
    with pytest.raises(ModelError, match="holds text"):
        encode_frame(DATA.frame.assign(age="old"), encoder)


def test_our_own_feature_names_give_our_own_encoder():
    own = fit_encoder(DATA, ALL, inputs=input_columns(DATA, include_protected=True))
    mapping, why = guess_mapping(DATA, own.width, own.feature_names)
    assert encoder_of(mapping, DATA, ALL) == own
    assert why == "4 columns as the file names its inputs: 7 inputs, as the network expects."


def test_the_names_of_a_column_transformer_are_read_with_the_dropped_levels():
    transformer = ColumnTransformer(
        [("num", StandardScaler(), ["pay", "age"]), ("cat", OneHotEncoder(drop="first"), ["job", "sex"])]
    ).fit(DATA.frame)
    names = transformer.get_feature_names_out()
    assert "cat__job_nurse" in names
    mapping, _ = guess_mapping(DATA, len(names), names)
    assert [(c.name, c.how, c.levels) for c in mapping.columns] == [
        ("pay", "number", ()),
        ("age", "number", ()),
        ("job", "one_hot", ("nurse", "smith")),
        ("sex", "one_hot", ("m",)),
    ]


def test_the_names_of_get_dummies_are_read_in_their_order():
    dummies = pd.get_dummies(DATA.frame[["job", "pay", "sex", "age"]])
    mapping, _ = guess_mapping(DATA, dummies.shape[1], list(dummies.columns))
    assert [c.name for c in mapping.columns] == ["pay", "age", "job", "sex"]
    found = encode_frame(DATA.frame, encoder_of(mapping, DATA, ALL))
    assert np.array_equal(found[:, 2:], dummies.to_numpy(dtype=np.float32)[:, 2:])


def test_a_whole_number_may_be_read_as_levels_and_a_category_as_a_code_by_name():
    mapping, _ = guess_mapping(DATA, 4, ["age_20", "age_30", "job", "sex"])
    assert [(c.name, c.how, c.levels) for c in mapping.columns] == [
        ("age", "one_hot", ("20", "30")),
        ("job", "codes", ("cook", "nurse", "smith")),
        ("sex", "codes", ("f", "m")),
    ]


@pytest.mark.parametrize("names", [["x1", "x2"], ["age", "age"], ["job=cook", "age", "job=nurse"], ["job=king", "age"]])
def test_names_that_speak_of_no_column_or_tear_one_are_not_used(names):
    mapping, why = guess_mapping(DATA, len(names), names)
    assert mapping is None or "names its inputs" not in why


@pytest.mark.parametrize(
    ("inputs", "words", "first"),
    [
        (7, "4 columns in table order, categories one-hot: 7 inputs, as the network expects.", "sex"),
        (6, "4 columns in table order, categories one-hot, two levels as one input: 6 inputs", "sex"),
        (5, "3 columns in table order without sex, categories one-hot", "age"),
        (4, "3 columns in table order without sex, categories one-hot without their first level", "age"),
        (3, "3 columns in table order without sex, categories as codes", "age"),
    ],
)
def test_a_width_alone_gives_the_first_layout_that_fits(inputs, words, first):
    mapping, why = guess_mapping(DATA, inputs)
    assert why.startswith(words)
    assert mapping.columns[0].name == first
    assert encoder_of(mapping, DATA, ALL, inputs=inputs).width == inputs


def test_no_fitting_width_lists_what_was_tried():
    mapping, why = guess_mapping(DATA, 40)
    assert mapping is None
    assert "makes 40 inputs" in why
    assert "7 inputs: in table order, categories one-hot" in why


MAPPING = InputMapping(
    (
        MappedColumn("age", "number", scaling="given", subtract=1.5, divide=0.1),
        MappedColumn("job", "one_hot", levels=("nurse", 'a "quoted" one', "smith")),
        MappedColumn("sex", "codes", levels=("m", "f"), scaling="standard"),
    ),
    favourable_class=0,
    threshold=0.4,
)


def test_a_mapping_survives_json():
    assert mapping_from_json(mapping_to_json(MAPPING)) == MAPPING


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{", "", "no JSON"),
        ("fairneuron input mapping", "something else", "does not call itself"),
        ('"version": 1', '"version": 2', "version 1"),
        ('"favourable_class": 0', '"favourable_class": true', "write 0 or 1"),
        ('"threshold": 0.4', '"threshold": 7', "from 0 to 1"),
        ('"threshold": 0.4', '"threshold": NaN', "'NaN' is no number"),
        ('"divide": 0.1', '"divide": 0', "above 0"),
        ('"divide": 0.1', '"divide": 1e999', "above 0"),
        ('"divide": 0.1', '"multiply": 0.1', "says 'multiply'"),
        ('"how": "number"', '"how": "magic"', "choose one of number, one_hot, codes"),
        ('"scaling": "standard"', '"scaling": ["standard"]', "choose of none, min_max, standard, given"),
        ('"name": "age"', '"name": "job"', "'job' twice"),
        ('"name": "age"', '"name": 5', "Column 1 of the mapping has no name"),
        ('"smith"]', "7]", "no list of at most"),
        ('"smith"]', '"nurse"]', "twice"),
        ('"columns": [', '"columns": [], "others": [', "says 'others'"),
    ],
)
def test_json_that_is_no_mapping_is_refused_in_one_sentence(old, new, sentence):
    text = mapping_to_json(MAPPING)
    assert old in text
    with pytest.raises(DataError, match=sentence):
        mapping_from_json(text.replace(old, new, 1))


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "[]", '{"a": 1}', "", "1" * 5_000_000])
def test_hostile_json_ends_in_one_sentence(text):
    with pytest.raises(DataError):
        mapping_from_json(text)
