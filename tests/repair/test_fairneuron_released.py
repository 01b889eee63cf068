"""The released code's rule and training, as its description has them."""

from collections import Counter

import numpy as np
import pytest

from fairneuron_core.models import build_network, profile
from fairneuron_core.paths import PathFrequency, cluster, count_keys, slice_paths
from fairneuron_core.repair import repair
from fairneuron_core.repair.fairneuron_released import (
    FAIRNEURON_RELEASED,
    ReleasedParams,
    prepare_released,
    released_split,
)
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord


def frequency_of(counts: list[int]) -> PathFrequency:
    """Rows on paths that as many rows share as `counts` says."""
    keys = np.zeros((sum(counts), 2), np.uint64)
    keys[:, 0] = np.repeat(np.arange(len(counts)), counts)
    return count_keys(keys)


@pytest.mark.parametrize("theta", [0.0, 1e-4, 0.05, 0.1, 0.3, 1.0])
def test_a_path_is_rare_when_its_count_is_at_most_the_larger_of_theta_m_and_1(theta):
    counts = [20, 6, 2, 1, 1]
    split = released_split(frequency_of(counts), theta)
    expected = [count <= max(theta * 20, 1) for count in counts for _ in range(count)]
    assert split.conflicting.tolist() == expected


def test_the_paper_has_no_conflict_samples_where_the_released_code_has_the_singletons():
    frequency = frequency_of([20, 2, 1, 1])
    assert cluster(frequency, 1e-3).conflict_samples == 0
    assert released_split(frequency, 1e-3).conflict_samples == 2
    assert released_split(frequency, 1e-3).threshold_count == 1


def test_the_smallest_threshold_is_one_row_whatever_the_largest_count():
    """1 / M * M may round to just below 1."""
    assert {released_split(frequency_of([most, 1]), 0.0).threshold_count for most in range(1, 300)} == {1}


@pytest.fixture
def task() -> RepairTask:
    def batch(seed: int) -> Batch:
        generator = np.random.default_rng(seed)
        codes = generator.integers(0, 2, 120)
        features = np.column_stack([codes, generator.random(120), generator.random(120)]).astype(np.float32)
        labels = (0.4 * codes + features[:, 1] > 0.7).astype(np.uint8)
        return Batch(features, labels, codes[:, None].astype(np.int16), ("sex",), (("f", "m"),), np.arange(120))

    rows, network = batch(0), build_network((3, 6, 5, 1), seed=3)
    encoder = Encoder(tuple(EncodedColumn(name, "numeric") for name in ("sex", "x", "y")))
    classifier = Classifier(network, encoder, 0.5, ModelRecord("small", "0", "test"), profile(network, rows.features))
    return RepairTask(classifier, rows, batch(1), "sex", "m", seed=4, threads=1)


def test_the_plan_is_the_released_codes(task):
    (plan,) = prepare_released(task, ReleasedParams(), ()).plans
    assert (plan.loss, plan.epochs, plan.batch_size, plan.dropout, plan.dropout_layers) == ("mse", 50, 128, 0.1, (0,))
    assert plan.betas == (0.9, 0.999)
    assert plan.start is not task.classifier.network
    paths = slice_paths(task.classifier, task.train.features, coverage=0.9, reading="released", threads=1)
    keys = [tuple(key) for key in np.asarray(paths.key).tolist()]
    counts = Counter(keys)
    limit = max(1e-3 * max(counts.values()), 1)
    assert plan.dropout_rows.tolist() == [counts[key] <= limit for key in keys]


def test_the_result_remembers_its_own_method(task):
    found = repair(task, FAIRNEURON_RELEASED, ReleasedParams(epochs=1))
    assert found.classifier.record.made_by == "repair fairneuron_released"
    assert found.facts["threshold_count"] >= 1
    assert found.facts["reading"] == "released"
