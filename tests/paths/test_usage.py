"""Which neurons serve whom: counts against plain Python, tests against plain ones, and a planted guilty neuron."""

import itertools

import numpy as np
import pytest

from fairneuron_core.errors import Cancelled, DataError, SettingError
from fairneuron_core.metrics import holm, two_share_p_value
from fairneuron_core.models.layers import build_network, linear_layers
from fairneuron_core.models.planted import GUILTY, IDLE, planted_network
from fairneuron_core.paths.reference import reference_path
from fairneuron_core.paths.usage import EVERYBODY, NO_DIFFERENCE, NOBODY, neuron_usage
from tests.paths.networks import profile_of

PEOPLE = np.array([*itertools.product([0.2, 0.4, 0.6, 0.8], [0.3, 0.7], [0, 1])] * 5, np.float32)  # 80 rows
GROUP = PEOPLE[:, 2].astype(int)


@pytest.fixture(scope="module")
def case():
    network = build_network((10, 8, 6, 1), seed=4)
    draw = np.random.default_rng(2)
    features = draw.normal(size=(90, 10)).astype(np.float32)
    codes = draw.integers(0, 3, 90)
    features[codes == 1, 0] += 3
    return network, features, codes, profile_of(network, features)


def usage_of(case, **changed):
    network, features, codes, means = case
    wanted = {"levels": ("a", "b", "c"), "coverage": 0.5, "means": means, "threads": 1, **changed}
    return neuron_usage(network, features, codes, **wanted)


def test_the_planted_guilty_neuron_is_found_and_no_other():
    network = planted_network(3, merit=(0, 1), group=2, penalty=2.0, cut=0.0)
    found = neuron_usage(network, PEOPLE, GROUP, levels=("others", "punished"), coverage=0.5, means=0)
    guilty = [(row.layer, row.neuron) for row in found.one_group_only if "punished" in row.verdict]
    assert guilty == [(1, GUILTY), (2, GUILTY)]
    assert all(row.verdict == "serves punished only" for row in found.neurons if row.neuron == GUILTY)
    assert all(row.verdict == NOBODY for row in found.neurons if row.neuron == IDLE)
    assert "punished" in found.sentence or "others" in found.sentence


def test_shares_and_differences_are_those_of_plain_python(case):
    network, features, codes, means = case
    found = usage_of(case)
    layers = linear_layers(network)
    paths = [reference_path(layers, row, coverage=0.5, means=means) for row in features]
    for row in found.neurons:
        users = [any((layer, k) == (row.layer + 1, row.neuron) for layer, k, _ in path) for path in paths]
        by_group = [sum(u for u, code in zip(users, codes, strict=True) if code == g) for g in range(3)]
        assert list(row.counts) == by_group
        assert [share.value for share in row.shares] == [x / n for x, n in zip(by_group, found.rows, strict=True)]
        g = found.groups.index(row.group)
        others = sum(by_group) - by_group[g]
        assert row.difference.value == pytest.approx(by_group[g] / found.rows[g] - others / (90 - found.rows[g]))


def test_p_values_are_fishers_and_corrected_over_all_neurons_and_groups(case):
    found = usage_of(case)
    p = {}
    for row, g in itertools.product(found.neurons, range(3)):
        if 0 < sum(row.counts) < 90:
            x, n = row.counts[g], found.rows[g]
            p[row.layer, row.neuron, g] = two_share_p_value(x, n, sum(row.counts) - x, 90 - n)
    assert found.tests == len(p)
    corrected = dict(zip(p, holm(list(p.values())), strict=True))
    for row in found.neurons:
        own = [(p[key], corrected[key]) for key in p if key[:2] == (row.layer, row.neuron)]
        if own:
            assert (row.p, row.p_holm) == pytest.approx(min(own))
        else:
            assert row.verdict in (NOBODY, EVERYBODY)
            assert np.isnan(row.p)


def test_two_groups_are_compared_with_the_reference(case):
    network, features, codes, means = case
    two = np.minimum(codes, 1)
    first = usage_of((network, features, two, means), levels=("a", "b"))
    other = usage_of((network, features, two, means), levels=("a", "b"), reference="b")
    assert (first.against, other.against) == ("a", "b")
    assert {row.group for row in first.neurons} == {"b"}
    for one, turned in zip(first.neurons, other.neurons, strict=True):
        assert one.difference.value == pytest.approx(-turned.difference.value)
        assert one.p == pytest.approx(turned.p, nan_ok=True)


def test_chance_alone_is_not_reported(case):
    network, features, _, means = case
    shuffled = np.arange(90) % 2
    features = np.repeat(features[:45], 2, axis=0)  # the same rows in both groups
    found = usage_of((network, features, shuffled, means), levels=("a", "b"))
    assert {row.verdict for row in found.neurons} <= {NO_DIFFERENCE, NOBODY, EVERYBODY}
    assert found.sentence.startswith("No neuron serves one group only, and none")


def test_threads_do_not_change_the_counts_and_empty_groups_are_left_out(case):
    one, many = usage_of(case), usage_of(case, threads=3, levels=("a", "b", "c", "nobody"))
    assert one.groups == many.groups == ("a", "b", "c")
    assert [row.counts for row in one.neurons] == [row.counts for row in many.neurons]


def test_it_can_be_cancelled(case):
    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        usage_of(case, progress=cancel)


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"levels": ("a",)}, DataError, "Only 1"),
        ({"levels": ("a", "b"), "reference": "z"}, SettingError, "'z' has no rows"),
        ({"coverage": 2.0}, SettingError, "2.0"),
        ({"reading": "other"}, SettingError, "other"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(case, changed, error, words):
    with pytest.raises(error, match=words):
        usage_of(case, **changed)


def test_one_code_per_row_is_needed(case):
    network, features, codes, means = case
    with pytest.raises(DataError, match="90 rows and 3 group codes"):
        usage_of((network, features, codes[:3], means))
