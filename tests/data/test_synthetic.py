"""The planted table has exactly the gap and the proxy that it states; the example uploads have their faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairneuron_core.data import check_schema, group_sizes, guess_schema, make_dataset, planted_dataset, read_table
from fairneuron_core.data.examples import example_files, example_table, main
from fairneuron_core.errors import SettingError

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"


@pytest.mark.parametrize("gap", [-0.3, 0.0, 0.2, 0.6])
def test_the_gap_of_the_labels_is_the_stated_one(gap):
    rates = group_sizes(planted_dataset(2000, gap=gap, seed=3)).set_index("group")["base_rate"]
    assert rates["A"] - rates["B"] == pytest.approx(gap, abs=1e-9)
    assert rates.mean() == pytest.approx(0.5)


def test_the_proxy_is_right_in_the_stated_share_of_rows():
    frame = planted_dataset(1000, proxy=0.8, seed=1).frame
    assert ((frame["district"] == "north") == (frame["group"] == "A")).sum() == 800


def test_a_perfect_proxy_is_found_and_a_useless_one_is_not():
    for proxy, expected in ((1.0, ["district"]), (0.5, [])):
        planted = planted_dataset(2000, proxy=proxy)
        warnings = check_schema(planted.frame, planted.schema)
        assert [w.column for w in warnings if w.kind == "proxy"] == expected


def test_honest_features_tell_the_label_in_both_groups_alike():
    frame = planted_dataset(4000, gap=0.4, seed=2).frame
    means = frame.groupby(["group", "hired"])["experience"].mean().unstack()
    distance = means["yes"] - means["no"]
    assert distance["A"] == pytest.approx(3, abs=0.4)
    assert distance["B"] == pytest.approx(3, abs=0.4)


def test_the_same_seed_is_the_same_table_on_every_machine():
    assert planted_dataset().sha256 == planted_dataset().sha256 == PLANTED_SHA256
    assert planted_dataset(seed=1).sha256 != PLANTED_SHA256


PLANTED_SHA256 = "da2ea54cf7ecdcef65bc7fc443c77bd1380ad2b5bed5cd15e882d6daa4eb318f"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"n": 10}, "of 10 people is too small"),
        ({"proxy": 0.4}, "gets right is 0.4"),
        ({"gap": 1.0}, "A gap of 1.0 does not fit around a base rate of 0.5"),
        ({"gap": 0.3, "base_rate": 0.1}, "A gap of 0.3 does not fit around a base rate of 0.1"),
    ],
)
def test_impossible_settings_are_one_sentence(choice, words):
    with pytest.raises(SettingError, match=words):
        planted_dataset(**choice)


@pytest.mark.parametrize("name", ["hiring.csv", "hiring.arff", "hiring.parquet"])
def test_the_example_uploads_give_one_data_set_and_every_planted_warning(name):
    frame = read_table((EXAMPLES / name).read_bytes(), name=name)
    schema = guess_schema(frame)
    assert (schema.target.name, schema.favourable) == ("hired", "yes")
    assert schema.protected == ("gender", "age_group")
    assert [c.name for c in schema.of_role("left_out")] == ["candidate_id"]
    warnings = {(w.kind, w.column) for w in check_schema(frame, schema)}
    assert {
        ("leak", "contract_sent"),
        ("proxy", "district"),
        ("missing", "gender"),
        ("missing", "test_score"),
    } <= warnings
    example = example_table()
    same = make_dataset(example, guess_schema(example), name="e", title="E")
    assert make_dataset(frame, schema, name="e", title="E").sha256 == same.sha256


def test_the_example_files_are_written_as_they_stand_in_assets(tmp_path):
    assert main([str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(example_files())
    for name in ("hiring.csv", "hiring.arff"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()
