import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.errors import ModelError
from fairneuron_core.models.classify import profile
from fairneuron_core.models.layers import activate, build_network, layer_sizes, linear_layers, network_of


def forward(network: nn.Sequential, rows: np.ndarray) -> np.ndarray:
    values = rows
    for layer in linear_layers(network):
        values = activate(layer.activation, values @ layer.weight.T + layer.bias)
    return values


def test_layers_compute_what_the_network_computes_batch_norm_and_dropout_included():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(4, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(5, 3, bias=False),
        nn.Tanh(),
        nn.Linear(3, 2),
    )
    network[1].running_mean.uniform_(-1, 1)
    network[1].running_var.uniform_(0.5, 2)
    network.eval()
    rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    expected = network(torch.from_numpy(rows)).detach().numpy()
    assert np.allclose(forward(network, rows), expected, atol=1e-6)
    assert layer_sizes(network) == (4, 5, 3, 2)


def test_a_network_rebuilt_from_its_layers_is_the_same():
    network = build_network((3, 4, 1), seed=1)
    rows = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network(rows), network_of(linear_layers(network))(rows))


def test_equal_seeds_give_equal_networks_and_other_seeds_others():
    first, same, other = (linear_layers(build_network((3, 4, 1), seed=s))[0].weight for s in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_an_unknown_layer_is_refused_by_name():
    with pytest.raises(ModelError, match="Conv2d"):
        linear_layers(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Linear(2, 1)))


def test_the_profile_is_the_mean_of_inputs_and_hidden_activations():
    network = nn.Sequential(nn.Linear(2, 1, bias=False), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
    # Hidden: relu(1 - 0) = 1, relu(0 - 2) = 0, relu(3 - 1) = 2; mean 1.
    means = profile(network, np.array([[1, 0], [0, 2], [3, 1]], np.float32))
    assert means[0].tolist() == pytest.approx([4 / 3, 1])
    assert means[1].tolist() == [1]
