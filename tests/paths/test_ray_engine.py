"""Slicing on a real local Ray of two workers gives what one machine gives."""

import builtins
import shutil
import socket

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairneuron_core.errors import Cancelled, DataError, NotFoundError, SettingError
from fairneuron_core.models.layers import build_network
from fairneuron_core.paths import ParquetRows, slice_coverages, slice_paths
from fairneuron_core.paths.ray_cluster import connected
from tests.paths.networks import profile_of

ray = pytest.importorskip("ray")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    network = build_network((12, 16, 8, 1), seed=3)
    features = np.round(np.random.default_rng(5).random((3_000, 12))).astype(np.float32)
    path = tmp_path_factory.mktemp("ray") / "rows.parquet"
    pq.write_table(pa.table({f"x{k}": features[:, k] for k in range(12)}), path, row_group_size=250)
    return network, features, profile_of(network, features), path


def test_without_an_address_ray_is_started_here_and_ended_again(case):
    if ray.is_initialized():
        pytest.skip("a Ray is running in this process")
    network, features, means, path = case
    before = set(psutil.Process().children())
    found = slice_paths(network, path, coverage=0.3, means=means, engine="ray", threads=2)
    assert np.array_equal(found.key, slice_paths(network, features, coverage=0.3, means=means).key)
    assert not ray.is_initialized()
    _, left = psutil.wait_procs(set(psutil.Process().children()) - before, timeout=20)
    assert not left


@pytest.fixture(scope="module")
def cluster():
    """A Ray of two processors that is there before the product looks for one."""
    with connected(None, cpus=2) as running:
        yield running


def test_rows_of_a_file_and_of_an_array_give_the_local_result(case, cluster):
    network, features, means, path = case
    local = slice_coverages(network, features, coverages=(0.3, 0.8), means=means, first_layer=2)
    for rows in (path, features):
        spread = slice_coverages(network, rows, coverages=(0.3, 0.8), means=means, first_layer=2, engine="ray")
        for one, other in zip(local, spread, strict=True):
            assert np.array_equal(one.key, other.key)
            assert np.array_equal(one.frequency, other.frequency)
            assert np.array_equal(one.synapses, other.synapses)
            assert one.decode([0, 2_999]) == other.decode([0, 2_999])


def test_a_running_ray_is_left_running(case, cluster):
    network, _, means, path = case
    slice_paths(network, path, coverage=0.3, means=means, engine="ray")
    assert ray.is_initialized()


def test_progress_counts_up_to_the_end(case, cluster):
    network, _, means, path = case
    seen = []
    slice_paths(network, path, coverage=0.3, means=means, engine="ray", progress=lambda p: seen.append(p.share))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_cancelling_raises_and_leaves_ray_usable(case, cluster):
    network, features, means, path = case

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        slice_paths(network, path, coverage=0.3, means=means, engine="ray", progress=cancel)
    again = slice_paths(network, path, coverage=0.3, means=means, engine="ray")
    assert np.array_equal(again.key, slice_paths(network, features, coverage=0.3, means=means).key)


def test_an_iterator_of_unknown_length_is_sliced_as_it_is_read(case, cluster):
    network, features, means, _ = case
    batches = (features[first : first + 700] for first in range(0, 3_000, 700))
    found = slice_paths(network, batches, coverage=0.3, means=means, engine="ray")
    assert np.array_equal(found.frequency, slice_paths(network, features, coverage=0.3, means=means).frequency)


def test_the_error_of_a_shard_is_one_sentence(case, cluster, tmp_path):
    network, features, means, path = case
    with pytest.raises(DataError, match="reads 12 inputs"):
        slice_paths(network, features[:, :5], coverage=0.3, means=means, engine="ray")
    rows = ParquetRows(shutil.copy(path, tmp_path / "moved.parquet"))
    (tmp_path / "moved.parquet").unlink()
    with pytest.raises(NotFoundError, match="on every machine that reads it"):
        slice_paths(network, rows, coverage=0.3, means=means, engine="ray")
    with pytest.raises(DataError, match=r"could not be sliced on the Ray cluster \(ZeroDivisionError"):
        slice_paths(network, ParquetRows(path, encode=lambda frame: 1 // 0), coverage=0.3, means=means, engine="ray")


def test_without_ray_the_sentence_says_what_to_install(case, monkeypatch):
    network, features, means, _ = case
    found = builtins.__import__

    def no_ray(name, *others, **more):
        if name == "ray":
            raise ImportError(name)
        return found(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", no_ray)
    with pytest.raises(SettingError, match=r'pip install "fairneuron\[ray\]"'):
        slice_paths(network, features, coverage=0.3, means=means, engine="ray")


def test_an_address_without_ray_is_refused_at_once(case, monkeypatch):
    network, features, means, _ = case
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SettingError, match="No Ray can be reached"):
        slice_paths(network, features, coverage=0.3, means=means, engine="ray", address=f"127.0.0.1:{port}")
    with pytest.raises(SettingError, match="is no address of Ray"):
        slice_paths(network, features, coverage=0.3, means=means, engine="ray", address="somewhere")
