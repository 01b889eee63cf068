"""Warnings before an audit, on planted columns and on the leaks and proxies that the literature knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairneuron_core.data import check_schema, load_dataset, schema_of, with_roles
from fairneuron_core.data.dependence import cells_of, cramers_v, crosstab, guess_by
from fairneuron_core.errors import DataError


def found(warnings, kind):
    return [w.column for w in warnings if w.kind == kind]


def planted(n: int = 2000, **more):
    generator = np.random.default_rng(0)
    label = generator.random(n) < 0.5
    frame = pd.DataFrame({"sex": np.where(generator.random(n) < 0.5, "f", "m"), "x": generator.random(n), "y": label})
    return frame.assign(**more)


def warnings_of(frame, protected=("sex",)):
    return check_schema(frame, schema_of(frame, target="y", favourable="True", protected=protected))


def test_is_recid_of_compas_is_caught_as_a_leak_when_switched_on():
    compas = load_dataset("compas")
    assert found(check_schema(compas.frame, compas.schema), "leak") == []
    on = with_roles(compas.frame, compas.schema, left_out=["c_charge_desc"])
    assert found(check_schema(compas.frame, on), "leak") == ["is_recid"]


def test_call_length_of_bank_is_informative_but_no_leak():
    bank = load_dataset("bank")
    on = with_roles(bank.frame, bank.schema, left_out=[])
    assert found(check_schema(bank.frame, on), "leak") == []


def test_relationship_of_census_is_caught_as_a_proxy_of_sex_with_its_telling_levels():
    census = load_dataset("census")
    proxies = [w for w in check_schema(census.frame, census.schema) if w.kind == "proxy"]
    assert [w.column for w in proxies] == ["relationship"]
    assert "Husband is 100.0% Male (13,193 rows)" in proxies[0].words


def test_marital_status_of_german_gives_away_the_sex():
    german = load_dataset("german")
    assert found(check_schema(german.frame, german.schema), "proxy") == ["marital_status"]


def test_planted_columns_are_each_caught_by_kind():
    n = 2000
    frame = planted(n)
    frame["copy"] = frame["y"].map({True: "a", False: "b"})
    frame["proxy"] = frame["sex"].map({"f": 1.5, "m": 2.5})
    frame["flat"] = "same"
    frame["word"] = [f"w{i % 60}" for i in range(n)]
    frame.loc[:9, "x"] = np.nan
    warnings = warnings_of(frame)
    assert found(warnings, "leak") == ["copy"]
    assert found(warnings, "proxy") == ["proxy"]
    assert found(warnings, "constant") == ["flat"]
    assert found(warnings, "many levels") == ["word"]
    assert found(warnings, "missing") == ["x"]


def test_a_column_of_unique_values_is_no_leak():
    frame = planted(200)
    frame["id"] = [f"p{i}" for i in range(200)]
    assert found(warnings_of(frame), "leak") == []


def test_an_ordinary_table_has_no_warning():
    assert warnings_of(planted()) == []


def test_small_groups_are_worded_by_size():
    frame = planted(600)
    frame.loc[:28, "sex"] = "x"
    frame.loc[29:128, "sex"] = "z"
    frame.loc[128, "sex"] = None
    words = {w.words.split("'")[1]: w.words for w in warnings_of(frame) if w.kind == "small group"}
    assert "has 29 rows: too few for a reliable rate" in words["x"]
    assert "has 99 rows, about 20 of them in the test part" in words["z"]
    assert "has 1 row: too few" in words["(missing)"]


def test_missing_labels_and_few_rows_are_told():
    frame = planted(100).astype({"y": object})
    frame.loc[:4, "y"] = None
    warnings = warnings_of(frame)
    assert "5 rows have no value in the target 'y'" in next(w.words for w in warnings if w.column == "y")
    assert found(warnings, "few rows") == [""]


def test_notes_of_the_reader_are_repeated():
    frame = planted()
    frame.attrs["notes"] = ["Something was done."]
    assert [w.words for w in warnings_of(frame) if w.kind == "note"] == ["Something was done."]


def test_unusable_roles_are_an_error_and_not_a_warning():
    frame = planted(y=["a", "b", "c", "a"] * 500)
    with pytest.raises(DataError, match="has 3 values"):
        check_schema(frame, schema_of(frame, target="y", favourable="a", protected=("sex",)))


def test_a_table_without_a_column_of_the_roles_is_an_error():
    census = load_dataset("census")
    with pytest.raises(DataError, match="There is no column 'occupation'"):
        check_schema(census.frame.drop(columns="occupation"), census.schema)


def test_cramers_v_is_0_for_independent_and_1_for_identical_columns():
    assert cramers_v(np.array([[500, 500], [500, 500]])) == 0
    assert cramers_v(np.array([[1000, 0], [0, 1000]])) == pytest.approx(1)
    assert np.isnan(cramers_v(np.array([[5, 5]])))


def test_uncorrected_part_of_cramers_v_is_that_of_scipy():
    from scipy.stats.contingency import association

    table = np.array([[9_000, 3_000], [2_000, 6_000]])
    assert cramers_v(table) == pytest.approx(association(table, method="cramer"), abs=1e-3)


def test_guessing_by_a_copy_is_right_and_by_noise_no_better_than_the_base():
    target = np.arange(1000) % 2
    assert guess_by(target, target).accuracy == 1
    noise = guess_by(cells_of(pd.Series(np.random.default_rng(1).random(1000))), target)
    assert noise.base == 0.5
    assert abs(noise.gain) < 0.15


def test_numbers_are_cut_into_at_most_twenty_cells_and_missing_is_a_cell():
    values = pd.Series([*range(1000), None])
    cells = cells_of(values)
    assert len(set(cells[:-1])) == 20
    assert cells[-1] not in cells[:-1]
    assert crosstab(np.array([0, 1, 1]), np.array([0, 0, 1])).tolist() == [[1, 0], [1, 1]]
