"""Roles: first guess, a person's choices, JSON, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fairneuron_core.data import (
    DATASETS,
    guess_schema,
    load_dataset,
    make_dataset,
    schema_from_json,
    schema_to_json,
    with_roles,
)
from fairneuron_core.data.favourable import guess_favourable
from fairneuron_core.errors import DataError
from fairneuron_core.types import MISSING


@pytest.fixture
def people():
    n = 60
    return pd.DataFrame(
        {
            "id": range(100, 100 + n),
            "Gender": ["w", "m", "m"] * 20,
            "age": [20 + i for i in range(n)],
            "maritalStatus": ["single", "married", None] * 20,
            "city": [f"city {i}" for i in range(n)],
            "score": np.linspace(0, 1, n),
            "since": ["2020-01-05"] * 30 + ["2021-02-06"] * 30,
            "owner": ["yes", "no"] * 30,
            "approved": [1, 0] * 30,
        }
    )


def test_guess_finds_target_protected_attributes_and_columns_to_leave_out(people):
    schema = guess_schema(people)
    assert (schema.target.name, schema.favourable) == ("approved", "1")
    assert schema.protected == ("Gender", "age_group", "maritalStatus")
    assert {c.name for c in schema.of_role("left_out")} == {"id", "city", "since"}
    assert {c.name for c in schema.of_role("feature")} == {"age", "score", "owner"}


def test_guessed_reference_is_the_largest_group_and_never_the_missing_one(people):
    people["maritalStatus"] = [None] * 40 + ["single"] * 9 + ["married"] * 11
    schema = guess_schema(people)
    assert schema.reference["Gender"] == "m"
    assert schema.reference["maritalStatus"] == "married"


@pytest.mark.parametrize("name", ["census", "german", "bank"])
def test_guess_agrees_with_the_table_of_data_sets(name):
    dataset = load_dataset(name)
    guess = guess_schema(dataset.frame.drop(columns=[c.name for c in dataset.schema.columns if c.derived_from]))
    assert (guess.target.name, guess.favourable) == (dataset.schema.target.name, dataset.schema.favourable)
    assert set(dataset.schema.protected) <= set(guess.protected)


@pytest.mark.parametrize(
    ("target", "values", "favourable"),
    [
        ("income", ("<=50K", ">50K"), ">50K"),
        ("two_year_recid", ("0", "1"), "0"),
        ("default", ("no", "yes"), "no"),
        ("y", ("no", "yes"), "yes"),
        ("class", ("1", "2"), "1"),
        ("credit_risk", ("bad", "good"), "good"),
        ("loan", ("N", "Y"), "Y"),
        ("status", ("rejected", "waiting"), "waiting"),
        ("hired", ("False", "True"), "True"),
        ("x", (), ""),
    ],
)
def test_favourable_value_is_guessed_from_its_words(target, values, favourable):
    assert guess_favourable(target, values) == favourable


def test_choices_change_only_what_is_named(people):
    guess = guess_schema(people)
    schema = with_roles(people, guess, protected=["maritalStatus"], left_out=["id", "city", "since", "score"])
    assert schema.target == guess.target
    assert schema.protected == ("maritalStatus",)
    assert "age_group" not in schema.names
    assert schema.column("score").role == "left_out"
    assert schema.column("Gender").role == "feature"


def test_a_new_target_frees_the_old_one_and_brings_its_own_favourable_value(people):
    schema = with_roles(people, guess_schema(people), target="owner")
    assert (schema.target.name, schema.favourable, schema.favourable_words) == ("owner", "yes", "owner = yes")
    assert schema.column("approved").role == "feature"


def test_reference_group_can_be_chosen_and_an_unknown_one_is_refused(people):
    guess = guess_schema(people)
    assert with_roles(people, guess, reference={"Gender": "w"}).reference["Gender"] == "w"
    with pytest.raises(DataError, match="reference group 'x' of 'Gender' does not exist: choose one of m, w"):
        with_roles(people, guess, reference={"Gender": "x"})
    with pytest.raises(DataError, match="'city' is not a protected attribute here"):
        with_roles(people, guess, reference={"city": "x"})


def test_numbers_with_many_values_are_cut_at_quartiles_or_given_edges(people):
    guess = guess_schema(people)
    assert len(with_roles(people, guess, protected=["score"]).column("score_group").levels) == 4
    schema = with_roles(people, guess, protected=["age"], edges={"age": [40]})
    assert schema.column("age_group").levels == ("under 40", "40 and over")
    assert with_roles(people, schema, favourable="0").column("age_group").edges == (40,)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"target": "nothing"}, "There is no column 'nothing'"),
        ({"favourable": "2"}, "favourable value '2' is not a value of column 'approved': choose one of 0, 1"),
        ({"protected": ["approved"]}, "'approved' is the target and cannot be a protected attribute"),
        ({"left_out": ["nothing"]}, "There is no column 'nothing'"),
    ],
)
def test_impossible_choices_are_one_sentence(people, choice, words):
    with pytest.raises(DataError, match=words):
        with_roles(people, guess_schema(people), **choice)


@pytest.mark.parametrize(
    ("change", "choice", "words"),
    [
        ({"approved": ["a", "b", "c"] * 20}, {}, "Column 'approved' has 3 values \\(a, b, c\\) but a target needs"),
        ({"approved": 1}, {}, "Column 'approved' has 1 value \\(1\\) but"),
        ({"Gender": "w"}, {"protected": ["Gender"]}, "Column 'Gender' has one group only \\(w\\)"),
        ({}, {"protected": []}, "No protected attribute is chosen"),
        ({}, {"left_out": ["id", "age", "city", "score", "since", "owner"]}, "No column is left for the network"),
    ],
)
def test_roles_that_cannot_carry_an_audit_are_refused(people, change, choice, words):
    table = people.assign(**change)
    schema = guess_schema(people)
    with pytest.raises(DataError, match=words):
        make_dataset(table, with_roles(table, schema, **choice), name="t", title="T")


def test_a_table_with_one_column_cannot_be_guessed():
    with pytest.raises(DataError, match="at least 2 of each"):
        guess_schema(pd.DataFrame({"a": [1, 2]}))


def test_a_table_without_any_two_valued_column_still_gives_a_guess_to_correct():
    schema = guess_schema(pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}))
    assert schema.target.name == "b"
    assert schema.protected == ()


def test_schemas_survive_json():
    for name in DATASETS:
        schema = load_dataset(name).schema
        assert schema_from_json(schema_to_json(schema)) == schema


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"columns": [{"nme": 1}]}', "null"])
def test_other_json_is_refused(text):
    with pytest.raises(DataError, match="column roles cannot be read"):
        schema_from_json(text)


def test_json_without_a_target_is_refused():
    schema = load_dataset("german").schema
    without = replace(schema, columns=tuple(c for c in schema.columns if c.role != "target"))
    with pytest.raises(DataError, match="name no target"):
        schema_from_json(schema_to_json(without))


def test_missing_groups_are_levels_of_the_schema(people):
    assert guess_schema(people).column("maritalStatus").levels == ("married", "single", MISSING)
