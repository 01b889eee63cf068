"""A search on a real local Ray of two workers has the trials and the choice of one on this machine."""

import dataclasses

import pytest

from fairneuron_core.errors import Cancelled, DataError, SettingError
from fairneuron_core.experiments import SearchParams, search
from fairneuron_core.paths.ray_cluster import connected

ray = pytest.importorskip("ray")

pytestmark = pytest.mark.timeout(180)
GRID = SearchParams(epochs=2, thetas=(0.1, 0.01, 1e-5), gammas=(0.8, 0.4, 0.3))


@pytest.fixture(scope="module")
def cluster():
    with connected(None, cpus=2) as running:
        yield running


def assert_equal(spread, local):
    assert spread.chosen == local.chosen
    assert spread.reason == local.reason
    assert spread.before == local.before
    for one, other in zip(spread.trials, local.trials, strict=True):
        assert one.metrics == pytest.approx(other.metrics, nan_ok=True, abs=1e-6)
        assert one.score == pytest.approx(other.score, nan_ok=True, abs=1e-6)
        bare = {"metrics": {}, "score": 0.0}
        assert dataclasses.replace(one, **bare) == dataclasses.replace(other, **bare)


def test_a_grid_on_two_workers_is_the_grid_on_this_machine(task, cluster):
    assert_equal(search(task, dataclasses.replace(GRID, engine="ray")), search(task, GRID))


def test_optuna_s_points_on_two_workers_are_those_of_this_machine(task, cluster):
    drawn = dataclasses.replace(GRID, engine="optuna", trials=6, batch=4)
    assert_equal(search(task, dataclasses.replace(drawn, engine="ray", ray_points="optuna")), search(task, drawn))


def test_progress_rises_to_the_end_and_cancelling_leaves_ray_usable(task, cluster):
    params = dataclasses.replace(GRID, engine="ray", epochs=1)
    seen = []
    search(dataclasses.replace(task, progress=lambda p: seen.append(p.share)), params)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        search(dataclasses.replace(task, progress=cancel), params)
    assert ray.is_initialized()


def test_the_error_of_a_share_is_the_error_of_the_search(task, cluster):
    with pytest.raises(SettingError, match="hidden layer 9"):
        search(task, dataclasses.replace(GRID, engine="ray", dropout_layers=(9,)))
    broken = dataclasses.replace(task, train=None)
    with pytest.raises(DataError, match="share of the trials failed on the Ray cluster"):
        search(broken, dataclasses.replace(GRID, engine="ray", first_layer=1))
