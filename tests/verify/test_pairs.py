"""Pairs files: written and read without loss, refused with one sentence, and a gate for later networks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.errors import DataError, ModelError, SettingError
from fairneuron_core.verify import pairs as pairs_file
from fairneuron_core.verify.hunt import hunt
from fairneuron_core.verify.pairs import Pair, check_pairs, pairs_from_bytes, pairs_text, read_pairs
from fairneuron_core.verify.similar import Freedom
from tests.verify.hunting_ground import network_reading, small_dataset

THIS = {"sex": "male", "race": "a", "job": "cook", "score": 5}
OTHER = THIS | {"sex": "female"}


@pytest.fixture(scope="module")
def dataset():
    return small_dataset()


def written(dataset, *pairs):
    return pairs_text(pairs, dataset=dataset, protected=("sex",), within={"score": 1}).encode()


def test_what_is_written_is_read_again(dataset, tmp_path):
    path = tmp_path / "pairs.json"
    path.write_bytes(written(dataset, Pair(THIS, OTHER, 3)))
    found = read_pairs(path)
    assert found.pairs == (Pair(THIS, OTHER, 3),)
    assert (found.data, found.data_sha256, found.protected, found.within) == (
        "small",
        dataset.sha256,
        ("sex",),
        {"score": 1},
    )
    assert found.pairs[0].differs == ("sex",)


def test_the_file_holds_raw_values_only(dataset):
    content = json.loads(written(dataset, Pair(THIS, OTHER)))
    assert content["version"] == 1
    assert content["pairs"] == [{"this": THIS, "other": OTHER, "draw": 0}]


def changed(dataset, **values):
    return json.dumps(json.loads(written(dataset, Pair(THIS, OTHER))) | values).encode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"format": "other"}, "holds no pairs"),
        ({"version": 2}, "of version 2, this program reads 1"),
        ({"pairs": {}}, "has no list of at most"),
        ({"pairs": [1]}, "Pair 1 of 'x' is not two individuals"),
        ({"pairs": [{"this": THIS}]}, "is not two individuals with plain values"),
        ({"pairs": [{"this": THIS, "other": {}}]}, "is not two individuals with plain values"),
        ({"pairs": [{"this": THIS, "other": OTHER | {"score": [5]}}]}, "is not two individuals with plain values"),
        ({"pairs": [{"this": THIS, "other": OTHER, "draw": -1}]}, "is not two individuals with plain values"),
        ({"pairs": [{"this": THIS, "other": OTHER, "draw": True}]}, "is not two individuals with plain values"),
        ({"pairs": [{"this": THIS, "other": THIS}]}, "of equal columns that differ in one"),
        ({"pairs": [{"this": THIS, "other": {"sex": "female"}}]}, "of equal columns that differ in one"),
        ({"protected": "sex"}, "does not say which columns may differ"),
        ({"within": {"score": "much"}}, "does not say which columns may differ"),
    ],
)
def test_a_malformed_file_is_refused_with_one_sentence(dataset, values, sentence):
    with pytest.raises(SettingError, match=sentence) as refused:
        pairs_from_bytes(changed(dataset, **values), name="x")
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b"[]", b"null"])
def test_what_is_no_json_object_is_refused(content):
    with pytest.raises(SettingError):
        pairs_from_bytes(content)


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_json_in_the_place_of_the_pairs_is_read_or_refused(value):
    content = {"format": "fairneuron pairs", "version": 1, "protected": [], "within": {}, "pairs": [value, value]}
    with pytest.raises(SettingError):
        pairs_from_bytes(json.dumps(content).encode())


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(SettingError, match="cannot be read"):
        read_pairs(tmp_path / "nowhere.json")
    with pytest.raises(SettingError, match="cannot be read"):
        read_pairs(tmp_path)
    monkeypatch.setattr(pairs_file, "MAX_PAIRS_MB", 0.00001)
    (tmp_path / "large.json").write_text(" " * 100)
    with pytest.raises(SettingError, match="keep fewer pairs"):
        read_pairs(tmp_path / "large.json")
    monkeypatch.setattr(pairs_file, "MOST_PAIRS", 0)
    with pytest.raises(SettingError, match="at most 0 pairs"):
        pairs_from_bytes(b'{"format": "fairneuron pairs", "version": 1, "pairs": [1]}')


def test_a_pair_is_decided_as_deployed(dataset):
    unfair = network_reading(dataset, sex__male=1.0, sex__female=-1.0)
    far = Pair(THIS | {"score": 9}, OTHER | {"score": 9})
    found = check_pairs(dataset, unfair, [Pair(THIS, OTHER), far])
    assert (found.tested, found.differing, found.positions) == (2, 1, (0,))
    assert found.sentence == "1 of 2 known pairs of similar individuals is still treated differently."


def test_pairs_of_the_parent_fail_it_and_pass_for_the_blind_network(dataset):
    parent = network_reading(dataset, sex__male=1.0, sex__female=-1.0)
    blind = network_reading(dataset)
    kept = pairs_from_bytes(
        pairs_text(
            [p.pair for p in hunt(dataset, parent, Freedom(("sex",)), budget=60, tries=400).pairs],
            dataset=dataset,
            protected=("sex",),
        ).encode()
    )
    assert check_pairs(dataset, parent, kept.pairs).differing == len(kept.pairs) > 0
    repaired = check_pairs(dataset, blind, kept.pairs)
    assert repaired.differing == 0
    assert repaired.sentence.startswith(f"All of {len(kept.pairs)} known pairs")


def test_an_empty_file_says_that_nothing_was_tested(dataset):
    assert check_pairs(dataset, network_reading(dataset), []).sentence == (
        "The pairs file is empty: nothing was tested."
    )


def test_a_value_that_the_data_cannot_have_is_refused(dataset):
    classifier = network_reading(dataset, sex__male=1.0)
    for wrong in ({"race": "z"}, {"race": 3}, {"score": "five"}):
        with pytest.raises(DataError, match="cannot have there"):
            check_pairs(dataset, classifier, [Pair(THIS | wrong, OTHER | wrong)])


def test_a_missing_column_is_one_sentence(dataset):
    with pytest.raises(ModelError, match="reads 3 columns that 'small' does not have"):
        check_pairs(dataset, network_reading(dataset), [Pair({"sex": "male"}, {"sex": "female"})])
