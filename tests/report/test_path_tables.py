"""Activation paths as tables."""

import numpy as np
import pytest

from fairneuron_core.paths import SettingRow, SynapseRow, count_keys
from fairneuron_core.report.path_tables import compared_synapses, counts_table, settings_table, synapses_table


def synapse(layer, source, target, contribution):
    names = f"n{source} of {layer - 1}", f"n{target} of {layer}"
    return SynapseRow(layer, source, target, *names, 1.0, contribution, 0.5, 0.5)


def test_every_distinct_path_has_one_row_with_its_groups():
    frequency = count_keys(np.array([[7, 1], [8, 1], [7, 1], [7, 1]], np.uint64))
    table = counts_table(frequency, np.array([0, 1, 1, 0]), levels=("men", "women"), threshold_count=1)
    assert table["samples"].tolist() == [3, 1]
    assert table["side of theta"].tolist() == ["ordinary", "rare"]
    assert table["samples: men"].tolist() == [2, 0]
    assert table["share: women"].tolist() == [pytest.approx(1 / 3), 1.0]
    assert table["path"][0] == "0000000000000007" + "0000000000000001"
    assert table["one row that has it"].tolist() == [0, 1]


def test_counts_of_the_groups_add_up_to_the_samples_of_each_path():
    generator = np.random.default_rng(0)
    frequency = count_keys(generator.integers(0, 20, (500, 2)).astype(np.uint64))
    codes = generator.integers(0, 3, 500)
    table = counts_table(frequency, codes, levels=("a", "b", "c"), threshold_count=2)
    parts = table[["samples: a", "samples: b", "samples: c"]]
    assert (parts.sum(axis=1) == table["samples"]).all()
    assert parts.sum().tolist() == np.bincount(codes).tolist()


def test_two_paths_are_one_table_with_nan_where_a_synapse_is_missing():
    first = [synapse(2, 0, 0, -0.9), synapse(1, 3, 0, 0.2)]
    second = [synapse(2, 0, 0, 0.1), synapse(1, 4, 0, 0.5)]
    table = compared_synapses(first, second, names=("row 1", "row 2"))
    assert table["from"].tolist() == ["n0 of 1", "n4 of 0", "n3 of 0"]
    assert table["on"].tolist() == ["both", "row 2", "row 1"]
    assert np.isnan(table["row 1"][1])
    assert table["row 2"].tolist()[:2] == [0.1, 0.5]


def test_the_synapse_table_keeps_the_given_order():
    table = synapses_table([synapse(2, 0, 0, -0.9), synapse(1, 3, 0, 0.2)])
    assert table["contribution"].tolist() == [-0.9, 0.2]
    assert table["layer"].tolist() == [2, 1]


def test_the_suggested_setting_is_marked():
    rows = [SettingRow(1, 0.5, 9.0, 30, 4, 0.1), SettingRow(4, 0.5, 3.0, 8, 40, 0.8)]
    assert settings_table(rows, coverage=0.5, first_layer=4)["suggested"].tolist() == ["", "●"]
