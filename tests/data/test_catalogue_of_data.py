"""Facts of the built-in data sets, counted by other means where that is possible."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from fairneuron_core.data import DATASETS, catalogue, group_sizes, load_dataset, split_rows
from fairneuron_core.data.page import PAGE, datasets_page
from fairneuron_core.data.row import FILES, stored_hashes
from fairneuron_core.errors import DataError, NotFoundError
from fairneuron_core.workspace import digest


@pytest.mark.parametrize(
    ("name", "rows"), [("census", 32_561), ("compas", 5_278), ("compas_all", 7_214), ("german", 1_000), ("bank", 4_521)]
)
def test_every_data_set_has_its_published_number_of_rows(name, rows):
    assert len(load_dataset(name).frame) == rows


def test_census_keeps_the_test_file_as_hold_out_with_the_same_labels():
    census = load_dataset("adult")
    assert census.name == "census"
    assert len(census.holdout) == 16_281
    assert set(census.holdout["income"]) == set(census.frame["income"]) == {"<=50K", ">50K"}


def test_census_gives_22793_training_rows():
    split = split_rows(load_dataset("census"), seed=0)
    assert (len(split.train), len(split.validation), len(split.test)) == (22_793, 3_256, 6_512)


def test_census_base_rates_on_complete_rows_are_those_of_the_literature():
    frame = load_dataset("census").frame
    complete = frame[(frame[["workclass", "occupation", "native_country"]] != "?").all(axis=1)]
    rates = (complete["income"] == ">50K").groupby(complete["sex"]).mean()
    assert len(complete) == 30_162
    assert rates["Male"] == pytest.approx(0.314, abs=5e-4)
    assert rates["Female"] == pytest.approx(0.114, abs=5e-4)


def test_compas_base_rates_count_people_who_did_not_reoffend():
    sizes = group_sizes(load_dataset("compas")).set_index("group")
    assert sizes.loc["African-American", "base_rate"] == pytest.approx(1 - 0.523, abs=5e-4)
    assert sizes.loc["Caucasian", "base_rate"] == pytest.approx(1 - 0.391, abs=5e-4)


def test_compas_filter_leaves_6172_rows_before_the_choice_of_two_groups():
    everyone = load_dataset("compas_all").frame
    kept = (
        everyone["days_b_screening_arrest"].abs().le(30)
        & everyone["is_recid"].ne(-1)
        & everyone["c_charge_degree"].ne("O")
        & everyone["score_text"].ne("N/A")
    )
    assert kept.sum() == 6_172
    assert len(load_dataset("compas_all").schema.column("race").levels) == 6


def test_german_has_700_good_credits_310_women_and_190_people_up_to_25():
    german = load_dataset("german")
    sizes = group_sizes(german).set_index("group")["n"]
    assert (german.frame["credit"] == "good").sum() == 700
    assert (sizes["female"], sizes["25 and under"]) == (310, 190)
    assert (german.frame["age"] <= 25).sum() == 190
    assert "personal_status" not in german.frame


def test_bank_has_521_customers_who_said_yes_and_leaves_the_call_length_out():
    bank = load_dataset("bank")
    assert (bank.frame["y"] == "yes").sum() == 521
    assert bank.schema.column("duration").role == "left_out"


@pytest.mark.parametrize(
    ("name", "protected", "included", "hidden"),
    [
        ("census", ("sex", "race", "age_group"), False, (128, 128, 128)),
        ("compas", ("race", "sex", "age_cat"), True, (32, 32, 32)),
        ("german", ("sex", "age_group"), True, (32, 32, 32)),
        ("bank", ("age_group", "marital"), False, (32, 32, 32)),
    ],
)
def test_defaults_are_those_of_the_published_set_up(name, protected, included, hidden):
    dataset = load_dataset(name)
    assert dataset.schema.protected == protected
    assert (dataset.include_protected, dataset.hidden) == (included, hidden)
    assert dataset.source.traps
    assert dataset.source.licence


def test_compas_leaves_out_the_leak_and_the_scores_and_has_no_personal_columns():
    compas = load_dataset("compas")
    left_out = {c.name for c in compas.schema.of_role("left_out")}
    assert {"is_recid", "decile_score", "score_text"} <= left_out
    assert not {"name", "first", "last", "dob", "c_case_number", "id"} & set(compas.frame.columns)


def test_every_reference_group_exists_and_no_category_is_missing():
    for name in DATASETS:
        dataset = load_dataset(name)
        texts = [c.name for c in dataset.schema.columns if c.kind == "category"]
        assert not dataset.frame[texts].isna().any().any()
        assert all(group in dataset.schema.column(a).levels for a, group in dataset.schema.reference.items())


def test_protected_selects_orders_and_cuts_attributes():
    census = load_dataset("census", protected=["race", "age", "hours_per_week"])
    assert census.schema.protected == ("race", "age_group", "hours_per_week_group")
    assert census.schema.column("sex").role == "feature"
    assert census.schema.reference["race"] == "White"


def test_protected_that_does_not_exist_is_one_sentence():
    with pytest.raises(DataError, match="There is no column 'colour' in the table"):
        load_dataset("german", protected=["colour"])


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(NotFoundError, match="choose one of census, compas, compas_all, german, bank"):
        load_dataset("titanic")


def test_content_hash_is_the_same_on_every_load_and_differs_between_data_sets():
    hashes = {load_dataset(name).sha256 for name in DATASETS}
    assert len(hashes) == len(DATASETS)
    assert load_dataset("german").sha256 in hashes


def test_german_content_hash_is_the_one_noted_when_it_was_built():
    # Fails when values, roles or levels change: models and runs remember this hash.
    assert load_dataset("german").sha256 == GERMAN_SHA256


GERMAN_SHA256 = "03ac2a99809339f5149f69017a51cdb9261f57e2a4f0ee8c2ab58e1cd8119ae4"


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    shutil.copy(FILES / "german.parquet", tmp_path / "german.parquet")
    with (tmp_path / "german.parquet").open("ab") as file:
        file.write(b"x")
    monkeypatch.setattr(catalogue, "FILES", tmp_path)
    with pytest.raises(DataError, match=r"'german\.parquet' was changed since it was built"):
        load_dataset("german")
    with pytest.raises(DataError, match=r"'bank\.parquet' is missing"):
        load_dataset("bank")


def test_noted_hashes_are_those_of_the_files_and_the_files_are_small():
    notes = stored_hashes()
    assert set(notes) == {path.name for path in FILES.glob("*.parquet")}
    assert all(digest((FILES / name).read_bytes()) == sha for name, sha in notes.items())
    assert sum(path.stat().st_size for path in FILES.glob("*.parquet")) < 1_000_000
    assert DATASETS["german"].sha256 == notes["german.parquet"]


def test_the_page_of_data_sets_is_in_step_with_the_table():
    assert PAGE.read_text(encoding="utf-8") == datasets_page()


def test_importing_data_does_not_import_torch_or_streamlit():
    code = "import sys, fairneuron_core.data; sys.exit('torch' in sys.modules or 'streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
