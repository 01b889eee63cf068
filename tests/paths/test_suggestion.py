"""The suggested setting against one slicing per setting."""

import numpy as np
import pytest

from fairneuron_core.errors import Cancelled
from fairneuron_core.models.layers import build_network
from fairneuron_core.paths import slice_paths, suggest_setting


@pytest.fixture(scope="module")
def made():
    features = np.random.default_rng(0).integers(0, 2, (400, 10)).astype(np.float32)
    network = build_network((10, 12, 12, 1), seed=2)
    return network, features


@pytest.mark.parametrize("granularity", ["synapses", "neurons"])
def test_every_row_of_the_table_equals_a_slicing_of_its_own(made, granularity):
    network, features = made
    suggested = suggest_setting(network, features, means=0, granularity=granularity)
    assert [(row.first_layer, row.coverage) for row in suggested.table] == [
        (first, step / 10) for first in (1, 2, 3) for step in range(10)
    ]
    for row in suggested.table[::4]:
        setting = {"coverage": row.coverage, "first_layer": row.first_layer, "granularity": granularity}
        paths = slice_paths(network, features, means=0, **setting)
        assert row.synapses == paths.synapses.mean()
        assert (row.unique_paths, row.most_frequent) == (paths.unique_paths, paths.most_frequent)
        assert row.shared_share == (paths.frequency >= 10).mean()


def test_the_suggestion_is_the_longest_path_that_half_of_the_rows_share(made):
    network, features = made
    suggested = suggest_setting(network, features, means=0)
    usable = [row for row in suggested.table if row.shared_share >= 0.5]
    best = max(usable, key=lambda row: row.synapses)
    assert (suggested.first_layer, suggested.coverage) == (best.first_layer, best.coverage)
    assert suggested.theta == 0.03
    assert "400 rows lie on paths that 10 or more rows share" in suggested.reason


def test_without_shared_paths_the_reason_says_so(made):
    network, features = made
    suggested = suggest_setting(network, features[:8], means=0)
    assert suggested.reason.startswith("No setting tried has half of the rows on paths that 10 or more rows share.")


def test_many_rows_are_sampled_with_the_seed_and_the_reason_says_so(made, monkeypatch):
    network, features = made
    monkeypatch.setattr("fairneuron_core.paths.suggestion.MAX_ROWS", 100)
    first, again, other = (suggest_setting(network, features, means=0, seed=seed) for seed in (1, 1, 2))
    assert first.rows == 100
    assert "100 rows drawn from 400" in first.reason
    assert first == again
    assert first.table != other.table


def test_the_released_reading_starts_at_layer_2(made):
    network, features = made
    suggested = suggest_setting(network, features, reading="released")
    assert {row.first_layer for row in suggested.table} == {2, 3}


def test_cancelling_stops_the_suggestion(made):
    network, features = made

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        suggest_setting(network, features, means=0, progress=cancel)
