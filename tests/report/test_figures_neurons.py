"""The chart and table of neuron usage say what the counts say."""

import itertools

import numpy as np
import pytest

from fairneuron_core.models.layers import build_network
from fairneuron_core.models.planted import planted_network
from fairneuron_core.paths.usage import neuron_usage
from fairneuron_core.report import figures
from fairneuron_core.report.figures_neurons import neurons_table

PEOPLE = np.array([*itertools.product([0.2, 0.4, 0.6, 0.8], [0.3, 0.7], [0, 1])] * 5, np.float32)  # 80 rows


@pytest.fixture(scope="module")
def planted():
    network = planted_network(3, merit=(0, 1), group=2, penalty=2.0, cut=0.0)
    codes = PEOPLE[:, 2].astype(int)
    return neuron_usage(network, PEOPLE, codes, levels=("others", "<b>punished</b>"), coverage=0.5, means=0)


def test_the_table_has_every_neuron_with_the_shares_of_every_group(planted):
    table = neurons_table(planted)
    assert len(table) == 6
    assert table["others: rows"].tolist() == [row.counts[0] for row in planted.neurons]
    assert table["<b>punished</b>: share"].tolist() == [row.shares[1].value for row in planted.neurons]


def test_the_guilty_neuron_is_drawn_and_named_without_letting_names_become_markup(planted):
    chart = figures.neuron_shares(planted)
    texts = " ".join(note.text for note in chart.figure.layout.annotations)
    assert "1 in hidden 2" in texts
    assert "only " in texts
    assert "<b>punished</b>" not in texts
    assert chart.figure.layout.xaxis.range[0] == 0


def test_only_the_largest_differences_are_drawn_and_the_rest_is_counted(planted):
    chart = figures.neuron_shares(planted, most=1)
    assert f"{len(planted.different) - 1} more with a difference stand in the table" in chart.sentence


def test_without_a_difference_the_chart_says_so():
    features = np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 2, axis=0).astype(np.float32)
    usage = neuron_usage(
        build_network((3, 4, 1), seed=0), features, np.arange(40) % 2, levels=("a", "b"), coverage=0.5, means=0
    )
    chart = figures.neuron_shares(usage)
    assert "none is shown to be used more" in chart.sentence
    assert not chart.figure.data
