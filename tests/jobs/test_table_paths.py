"""The paths job on a Parquet table: the numbers of the data set's own rows, groups where they are known, keys."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fairneuron_core.data import encode_frame
from fairneuron_core.errors import DataError, NotFoundError, SettingError
from fairneuron_core.jobs import JOBS, JobContext, gather
from fairneuron_core.paths import slice_paths


def run(filled, **settings):
    job = JOBS["paths"]
    settings = {"model": filled.model, "coverage": 0.3, "rarity": 0.1, **settings}
    return dict(job.run(job.check(settings), JobContext(filled.workspace)).results)


@pytest.fixture
def tables(filled_workspace, tmp_path):
    """The rows of German Credit twice: raw, and encoded under the names of the encoder."""
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    frame, encoder = material.dataset.frame, material.classifier.encoder
    frame.to_parquet(tmp_path / "raw.parquet", row_group_size=300)
    features = encode_frame(frame, encoder)
    pd.DataFrame(features, columns=list(encoder.feature_names)).to_parquet(tmp_path / "encoded.parquet")
    return tmp_path, frame, slice_paths(material.classifier, features, coverage=0.3)


@pytest.mark.parametrize("name", ["raw.parquet", "encoded.parquet"])
def test_a_table_of_raw_or_encoded_columns_is_sliced_from_its_file(filled_workspace, tables, name):
    folder, _, expected = tables
    found = run(filled_workspace, table=str(folder / name))
    assert (found["rows"], found["samples"], found["unique_paths"]) == (1000, 1000, expected.unique_paths)
    assert found["most_frequent"] == expected.most_frequent
    assert found["threshold_count"] == int(0.1 * expected.most_frequent)
    assert found["conflict_samples"] == int((expected.frequency <= 0.1 * expected.most_frequent).sum())
    assert found["rows_per_second"] > 0


def test_groups_are_told_where_the_table_has_the_raw_protected_column(filled_workspace, tables):
    folder, frame, expected = tables
    rare = expected.frequency <= 0.1 * expected.most_frequent
    by_group = run(filled_workspace, table=str(folder / "raw.parquet"))["by_group"]
    for group in by_group:
        mine = (frame["sex"] == group["group"]).to_numpy()
        assert (group["n"], group["conflict"]) == (mine.sum(), (mine & rare).sum())
    assert sum(group["n"] for group in by_group) == 1000
    assert run(filled_workspace, table=str(folder / "encoded.parquet"))["by_group"] == []


def test_groups_that_are_cut_from_a_number_are_cut_in_the_table_too(filled_workspace, tables):
    folder, frame, _ = tables
    frame.drop(columns="age_group").to_parquet(folder / "no_group.parquet")
    found = run(filled_workspace, table=str(folder / "no_group.parquet"), protected="age_group")
    sizes = frame["age_group"].value_counts().to_dict()
    assert {group["group"]: group["n"] for group in found["by_group"]} == sizes


def test_a_group_that_the_data_set_does_not_have_is_refused_before_the_slicing(filled_workspace, tables):
    folder, frame, _ = tables
    frame.assign(sex="unknown").to_parquet(folder / "other.parquet")
    reports = []
    job = JOBS["paths"]
    settings = job.check({"model": filled_workspace.model, "table": str(folder / "other.parquet"), "coverage": 0.3})
    with pytest.raises(DataError, match="Group 'unknown' of 'sex' does not exist"):
        job.run(settings, JobContext(filled_workspace.workspace, reports.append))
    assert reports == []


def test_the_suggested_setting_comes_from_the_rows_that_the_model_was_trained_on(filled_workspace, tables):
    folder, _, _ = tables
    from_table = run(filled_workspace, table=str(folder / "raw.parquet"), coverage=None)
    from_part = run(filled_workspace, data="german", coverage=None)
    assert from_table["params"]["data"] == "german"
    assert from_table["params"]["coverage"] == from_part["params"]["coverage"]
    assert from_table["setting"] == from_part["setting"]


def test_the_keys_of_all_rows_are_written_to_a_file(filled_workspace, tables):
    folder, _, expected = tables
    out = folder / "keys.parquet"
    found = run(filled_workspace, table=str(folder / "raw.parquet"), keys_out=str(out))
    written = pq.read_table(out)
    key = np.stack([written["key_first"].to_numpy(), written["key_second"].to_numpy()], axis=1)
    assert np.array_equal(key, expected.key)
    assert np.array_equal(written["frequency"].to_numpy(), expected.frequency)
    assert np.array_equal(written["synapses"].to_numpy(), expected.synapses)
    assert written["conflict"].to_numpy().sum() == found["conflict_samples"]
    assert {file.name for file in folder.iterdir() if "keys" in file.name} == {"keys.parquet"}


def test_a_place_for_keys_that_does_not_exist_is_refused_before_the_work(filled_workspace, tmp_path):
    with pytest.raises(SettingError, match="cannot be written"):
        run(filled_workspace, data="german", keys_out=str(tmp_path / "no" / "keys.parquet"))


def test_a_table_without_the_model_s_columns_is_refused(filled_workspace, tmp_path):
    pd.DataFrame({"a": np.ones(3)}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"lacks .* columns to read"):
        run(filled_workspace, table=str(tmp_path / "x.parquet"))
    with pytest.raises(NotFoundError, match="There is no file"):
        run(filled_workspace, table=str(tmp_path / "gone.parquet"))
