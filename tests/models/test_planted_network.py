import numpy as np
import pytest
import torch

from fairneuron_core.errors import SettingError
from fairneuron_core.models.planted import GUILTY, planted_network
from fairneuron_core.paths import slice_paths

ROWS = np.array([[m, x, g] for m in (0.4, 0.6, 0.9) for x in (0.4, 0.6, 0.9) for g in (0, 1)], np.float32)


def decisions(network):
    with torch.no_grad():
        return (network(torch.from_numpy(ROWS))[:, 0] >= 0).numpy()


def test_merit_decides_and_the_group_costs_exactly_the_penalty():
    found = decisions(planted_network(3, merit=(0, 1), group=2, penalty=0.3, cut=0.5))
    merit, punished = ROWS[:, :2].mean(1), ROWS[:, 2]
    assert np.array_equal(found, merit - 0.3 * punished >= 0.5 - 1e-6)


def test_without_the_guilty_neuron_nobody_s_group_matters():
    network = planted_network(3, merit=(0, 1), group=2, penalty=0.3)
    with torch.no_grad():
        network[2].weight[GUILTY] = 0
    found = decisions(network)
    assert np.array_equal(found[0::2], found[1::2])


def test_the_guilty_neuron_is_on_the_path_of_the_punished_group_only():
    network = planted_network(3, merit=(0, 1), group=2, penalty=2.0, cut=0.0)
    active = slice_paths(network, ROWS, coverage=0.5, means=0, threads=1).active_neurons(range(len(ROWS)))
    assert active[ROWS[:, 2] == 1][:, GUILTY].all()
    assert not active[ROWS[:, 2] == 0][:, GUILTY].any()


@pytest.mark.parametrize(("merit", "group"), [((0, 1), 1), ((0, 5), 1), ((), 1)])
def test_positions_that_cannot_be_are_refused(merit, group):
    with pytest.raises(SettingError):
        planted_network(3, merit=merit, group=group)
