"""Slicing rows as they are read: the same paths as from memory, bounded, with progress and cancel."""

import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairneuron_core.errors import Cancelled, DataError, SettingError
from fairneuron_core.models.layers import build_network
from fairneuron_core.paths import BatchRows, slice_coverages, slice_paths
from fairneuron_core.paths.frequency import count_keys, key_table, merge_tables, row_frequency
from tests.paths.networks import profile_of


@pytest.fixture(scope="module")
def case():
    network = build_network((12, 16, 8, 1), seed=3)
    features = np.round(np.random.default_rng(5).random((2_000, 12))).astype(np.float32)
    return network, features, profile_of(network, features)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("fairneuron_core.paths.slicer.CHUNK_BYTES", 1)


def in_batches(features, size):
    return iter([features[first : first + size] for first in range(0, len(features), size)])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_iterator_gives_the_paths_of_the_array_whatever_its_batches(case, size):
    network, features, means = case
    whole = slice_paths(network, features, coverage=0.3, means=means)
    streamed = slice_paths(network, in_batches(features, size), coverage=0.3, means=means, threads=2)
    assert np.array_equal(whole.key, streamed.key)
    assert np.array_equal(whole.frequency, streamed.frequency)
    assert np.array_equal(whole.synapses, streamed.synapses)
    with pytest.raises(DataError, match="pass a file or an array"):
        streamed.decode([0])


def test_a_parquet_file_gives_the_paths_of_the_array_and_decodes(case, tmp_path):
    network, features, means = case
    names = [f"x{k}" for k in range(12)]
    pq.write_table(pa.table(dict(zip(names, features.T, strict=True))), tmp_path / "x.parquet", row_group_size=333)
    whole = slice_paths(network, features, coverage=0.3, means=means)
    from_file = slice_paths(network, tmp_path / "x.parquet", coverage=0.3, means=means)
    assert np.array_equal(whole.key, from_file.key)
    assert from_file.decode([1999, 3]) == whole.decode([1999, 3])
    assert np.array_equal(from_file.active_neurons([7, 700]), whole.active_neurons([7, 700]))


def test_many_coverages_come_from_one_pass_over_the_rows(case):
    network, features, means = case
    read = []

    def once():
        for batch in in_batches(features, 500):
            read.append(len(batch))
            yield batch

    found = slice_coverages(network, once(), coverages=(0.9, 0.2, 0.9), means=means)
    assert sum(read) == 2_000
    for paths, coverage in zip(found, (0.9, 0.2, 0.9), strict=True):
        assert paths.coverage == coverage
        assert np.array_equal(paths.key, slice_paths(network, features, coverage=coverage, means=means).key)


def test_only_a_few_batches_are_alive_at_a_time(case, small_chunks):
    network, features, means = case
    alive, most = 0, 0

    class Batch(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= self.base is not None and getattr(self, "counted", False)

    def batches():
        nonlocal alive, most
        for _ in range(200):
            batch = features[:256].copy().view(Batch)
            batch.counted = True
            alive += 1
            most = max(most, alive)
            yield batch

    slice_paths(network, batches(), coverage=0.3, means=means, threads=2)
    assert 1 <= most <= 8


def test_progress_without_a_known_total_counts_rows(case, small_chunks):
    network, features, means = case
    seen = []
    slice_paths(network, in_batches(features, 100), coverage=0.3, means=means, progress=seen.append)
    assert {p.share for p in seen[:-1]} == {0.0}
    assert seen[-2].message == "Slicing: 2,000 rows so far"
    assert seen[-1].share == 1.0


def test_cancelling_ends_reading_and_leaves_no_thread(case, small_chunks):
    network, features, means = case
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield features[:64]

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        slice_paths(network, endless(), coverage=0.3, means=means, progress=cancel)
    assert read < 60
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slicing")]


def test_an_error_of_the_source_is_passed_on(case):
    network, features, means = case

    def broken():
        yield features[:100]
        raise DataError("The disk is gone: plug it in.")

    with pytest.raises(DataError, match="The disk is gone"):
        slice_paths(network, broken(), coverage=0.3, means=means)


def test_a_wrong_width_is_refused(case):
    network, features, means = case
    with pytest.raises(DataError, match="reads 12 inputs"):
        slice_paths(network, BatchRows(iter([features[:, :5]])), coverage=0.3, means=means)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"coverages": ()}, "empty"),
        ({"coverages": (0.5, 1.5)}, "1.5"),
        ({"coverages": (0.5,), "engine": "spark"}, "Unknown engine 'spark'"),
        ({"coverages": (0.5,), "address": "here:1"}, "no use"),
    ],
)
def test_bad_settings_are_refused(case, wrong, words):
    network, features, means = case
    with pytest.raises(SettingError, match=words):
        slice_coverages(network, features, means=means, **wrong)


def test_tables_of_shards_merge_to_the_counts_of_all_rows():
    key = np.random.default_rng(0).integers(0, 3, (500, 2)).astype(np.uint64)  # few keys, sharing their first words
    merged = merge_tables([key_table(key[:100]), key_table(key[100:101]), key_table(key[101:])])
    assert merged.count.sum() == 500
    assert np.array_equal(merged.frequency(key), count_keys(key).frequency)
    assert np.array_equal(row_frequency(key), count_keys(key).frequency)
    plain = [sum(np.array_equal(one, other) for other in key) for one in key]
    assert merged.frequency(key).tolist() == plain
