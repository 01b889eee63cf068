"""Similar individuals: every raw value of what is free, encoded as deployed, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fairneuron_core.data import encode_frame
from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.types import DecisionRule, VoteRule
from fairneuron_core.verify import Freedom, similar_space
from tests.verify.plain_people import network_on, people, similar_frame

DATA = people()
MODEL = network_on(DATA)
FEATURES = encode_frame(DATA.frame, MODEL.encoder)
FREEDOMS = [
    (("sex",), {}),
    (("age_group",), {}),
    (("sex", "age_group"), {}),
    (("sex",), {"age": 2}),
    ((), {"age": 1, "score": 2}),
    (("sex",), {"score": 0}),
]


def space_of(protected, within=None, classifier=MODEL, dataset=DATA):
    return similar_space(dataset.schema, classifier, Freedom(tuple(protected), within or {}))


def as_set(points):
    return {tuple(point) for point in np.round(points, 6).tolist()}


@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
def test_the_points_are_the_encoded_raw_values_of_every_possibility(protected, within):
    points = space_of(protected, within).points(FEATURES)
    for row in range(len(FEATURES)):
        plain = encode_frame(similar_frame(DATA, row, protected, within), MODEL.encoder)
        assert as_set(points[row]) == as_set(plain)
        assert (points[row] == FEATURES[row]).all(1).any()


@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
def test_the_box_is_the_smallest_one_around_the_points(protected, within):
    space = space_of(protected, within)
    points, (low, high) = space.points(FEATURES), space.box(FEATURES)
    assert np.array_equal(low, points.min(1))
    assert np.array_equal(high, points.max(1))


def test_a_derived_group_frees_the_column_that_is_read():
    space = space_of(("age_group",))
    assert [column.name for column in space.columns] == ["age"]
    assert space.columns[0].raw == (20, 21, 22, 23, 24, 25)
    assert (space.size, space.unread, space.finite) == (6, (), True)


def test_the_last_column_varies_fastest():
    found = space_of(("sex", "age_group")).combinations()
    assert found[:, 0].tolist() == [1.0] * 6 + [0.0] * 6
    assert found[:6, 2].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_windows_clip_at_the_domain():
    space = space_of((), {"age": 3})
    youngest = FEATURES[[DATA.frame["age"].argmin()]]
    ages = {space.describe(point, {})["age"] for point in space.points(youngest)[0]}
    assert ages == {20, 21, 22, 23}


def test_a_level_that_the_encoder_never_saw_is_a_point_of_zeros():
    column = DATA.schema.column("sex")
    more = replace(column, levels=("f", "m", "x"))
    schema = replace(DATA.schema, columns=(more, *(c for c in DATA.schema.columns if c is not column)))
    found = similar_space(schema, MODEL, Freedom(("sex",))).combinations()
    assert found.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_a_point_reads_as_the_row_with_the_free_values_replaced():
    space = space_of(("sex", "age_group"))
    base = {"sex": "f", "age": 20, "age_group": "under 23", "job": "cook", "score": 1}
    told = [space.describe(point, base) for point in space.points(FEATURES[:1])[0]]
    assert {(t["sex"], t["age"], t["age_group"]) for t in told} == {
        (sex, age, "under 23" if age < 23 else "23 and over") for sex in "fm" for age in range(20, 26)
    }
    assert {(t["job"], t["score"]) for t in told} == {("cook", 1)}


def test_what_the_network_does_not_read_is_unread():
    blind = network_on(DATA, inputs=("job", "score"))
    space = space_of(("sex", "age_group"), classifier=blind)
    assert space.unread == ("sex", "age_group")
    assert space.nothing_read


def test_zeroed_columns_are_not_read():
    zeroed = network_on(DATA)
    with torch.no_grad():
        zeroed.network[0].weight[:, :2] = 0
    space = space_of(("sex", "age_group"), classifier=zeroed)
    assert space.unread == ("sex",)
    assert [column.name for column in space.columns] == ["age"]


def test_a_rule_that_reads_a_freed_group_is_not_unread():
    blind = replace(network_on(DATA, inputs=("job", "score")), rule=DecisionRule("age_group", {}))
    assert space_of(("age_group",), classifier=blind).rule_attribute == "age_group"
    assert space_of((), {"age": 1}, classifier=blind).rule_attribute == "age_group"
    assert space_of(("sex",), classifier=blind).nothing_read


def test_what_a_vote_replaces_is_not_read():
    rule = VoteRule(("sex",), (0, 1), ((0.0, 1.0), (1.0, 0.0)))
    assert space_of(("sex",), classifier=replace(MODEL, rule=rule)).nothing_read


def test_a_real_valued_window_has_a_box_and_no_points():
    data = people(pay=True)
    model = network_on(data, inputs=("sex", "pay"))
    space = space_of(("sex",), {"pay": 0.25}, model, data)
    features = encode_frame(data.frame, model.encoder)
    low, high = space.box(features)
    assert (space.finite, space.size) == (False, 0)
    assert np.allclose(
        high[:, 2] - low[:, 2], np.minimum(features[:, 2] + 0.25, 1) - np.maximum(features[:, 2] - 0.25, 0)
    )
    with pytest.raises(SettingError, match="endlessly many"):
        space.points(features)


@pytest.mark.parametrize(
    ("protected", "within", "words"),
    [
        (("sexe",), {}, "no column 'sexe'"),
        (("job",), {}, "not a protected attribute"),
        (("sex",), {"job": 1}, "is a category"),
        (("sex",), {"age": -1}, "is -1"),
        (("sex",), {"age": float("nan")}, "is nan"),
        (("hired",), {}, "is the target"),
        (("age_group",), {"age": 1}, "within a window too"),
    ],
)
def test_a_freedom_that_cannot_be_is_refused_in_one_sentence(protected, within, words):
    with pytest.raises(SettingError, match=words):
        space_of(protected, within)


def test_a_number_and_its_groups_cannot_vary_apart():
    with pytest.raises(ModelError, match="reads 'age' twice"):
        space_of(("age_group",), classifier=network_on(DATA, inputs=("age", "age_group", "score")))


def test_windows_have_no_list_of_combinations():
    with pytest.raises(SettingError, match="cannot be listed once"):
        space_of((), {"age": 1}).combinations()
