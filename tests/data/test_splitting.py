"""The 7:1:2 split: exact, disjoint, stratified, deterministic."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.data import load_dataset, make_dataset, schema_of, split_rows
from fairneuron_core.errors import DataError


def dataset_of(groups: list[str], labels: list[int]):
    frame = pd.DataFrame({"g": groups, "x": range(len(groups)), "y": labels})
    schema = schema_of(frame, target="y", favourable="1", protected=("g",))
    return make_dataset(frame, schema, name="t", title="T")


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), min_size=6, max_size=120),
    seed=st.integers(0, 2**32 - 1),
)
def test_parts_are_disjoint_exact_and_every_stratum_gives_its_share_to_within_one_row(rows, seed):
    rows = [("a", 0), ("b", 1), ("a", 1), ("b", 0), *rows]
    dataset = dataset_of([g for g, _ in rows], [y for _, y in rows])
    split = split_rows(dataset, seed=seed)
    n = len(rows)
    assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(n))
    assert len(split.test) == round(0.2 * n)
    assert len(split.validation) == round(0.1 * n)
    whole, test = Counter(rows), Counter(rows[i] for i in split.test)
    assert all(abs(test[stratum] - size * len(split.test) / n) < 1 for stratum, size in whole.items())


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    german = load_dataset("german")
    first, again, other = (split_rows(german, seed=s) for s in (0, 0, 1))
    assert np.array_equal(first.test, again.test)
    assert np.array_equal(first.train, again.train)
    assert not np.array_equal(first.test, other.test)
    assert first.seed == 0


def test_rows_of_a_known_seed_stay_the_same_on_every_machine():
    assert split_rows(load_dataset("german"), seed=0).test[:8].tolist() == KNOWN_TEST_ROWS


KNOWN_TEST_ROWS = [4, 8, 15, 28, 30, 42, 43, 44]


def test_base_rates_of_the_parts_of_german_differ_by_less_than_one_row():
    german = load_dataset("german")
    split = split_rows(german, seed=3)
    women = (german.frame["sex"] == "female").to_numpy()
    assert abs(women[split.test].sum() - 0.2 * 310) <= 1
    assert abs(women[split.validation].sum() - 0.1 * 310) <= 2


def test_strata_can_be_several_attributes_or_another_one():
    german = load_dataset("german")
    both = split_rows(german, seed=0, protected=["sex", "age_group"])
    assert not np.array_equal(both.test, split_rows(german, seed=0).test)
    assert len(split_rows(german, seed=0, protected="age_group").train) == 700


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="has 4 rows; training, validation and test parts need at least 10"):
        split_rows(dataset_of(list("abab"), [0, 1, 1, 0]), seed=0)
