"""Slicing on a real local Ray of two workers gives what one machine gives."""

import socket

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairneuron_core.errors import Cancelled, DataError, SettingError
from fairneuron_core.models.layers import build_network
from fairneuron_core.paths import slice_coverages, slice_paths
from tests.paths.networks import profile_of

ray = pytest.importorskip("ray")

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    network = build_network((12, 16, 8, 1), seed=3)
    features = np.round(np.random.default_rng(5).random((3_000, 12))).astype(np.float32)
    path = tmp_path_factory.mktemp("ray") / "rows.parquet"
    pq.write_table(pa.table({f"x{k}": features[:, k] for k in range(12)}), path, row_group_size=250)
    return network, features, profile_of(network, features), path


@pytest.fixture(scope="module")
def cluster():
    """A Ray of two processors that is there before the product looks for one."""
    import os
    import warnings

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


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


def test_the_error_of_a_shard_is_one_sentence(case, cluster):
    network, features, means, _ = case
    with pytest.raises(DataError, match="reads 12 inputs"):
        slice_paths(network, features[:, :5], coverage=0.3, means=means, engine="ray")


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
