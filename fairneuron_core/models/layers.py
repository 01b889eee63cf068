"""The one place that knows what a network is made of: a stack of Linear layers with an activation after each.

Everything that looks inside a network (slicing, masking, bounds, export) asks here, so a new layer type is
taught to the whole product in this file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from fairneuron_core.errors import ModelError
from fairneuron_core.types import LinearLayer

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Identity: "identity",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
}
_NUMPY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0, dtype=z.dtype),
    "identity": lambda z: z,
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


def activate(name: str, z: np.ndarray) -> np.ndarray:
    """Apply the activation of that name to pre-activations of any shape."""
    return _NUMPY[name](z)


def linear_layers(network: nn.Sequential) -> list[LinearLayer]:
    """Return the Linear layers in order, batch norm (in eval mode) folded in, dropout left out.

    Raises ModelError for a layer this product cannot look into.
    """
    layers: list[LinearLayer] = []
    for module in network:
        if isinstance(module, nn.Linear):
            layers.append(_from_linear(module))
        elif type(module) in ACTIVATIONS and layers:
            layers[-1] = _with_activation(layers[-1], ACTIVATIONS[type(module)])
        elif isinstance(module, nn.BatchNorm1d) and layers and layers[-1].activation == "identity":
            layers[-1] = _fold_batch_norm(layers[-1], module)
        elif not isinstance(module, nn.Dropout | nn.Flatten):
            raise ModelError(
                f"A layer of type {type(module).__name__} at this place cannot be read: use Linear layers, each "
                "followed by batch norm (optional), an activation (ReLU, Tanh, Sigmoid) and dropout (optional)."
            )
    if not layers:
        raise ModelError("The network has no Linear layer: there is nothing to look into.")
    return layers


def _from_linear(module: nn.Linear) -> LinearLayer:
    weight = module.weight.detach().cpu().numpy().astype(np.float32)
    bias = np.zeros(len(weight), np.float32) if module.bias is None else module.bias.detach().cpu().numpy()
    return LinearLayer(weight, bias.astype(np.float32), "identity")


def _with_activation(layer: LinearLayer, name: str) -> LinearLayer:
    if layer.activation != "identity" and name != "identity":
        raise ModelError(f"Two activations ({layer.activation}, {name}) follow one Linear layer: remove one of them.")
    return LinearLayer(layer.weight, layer.bias, name if layer.activation == "identity" else layer.activation)


def _fold_batch_norm(layer: LinearLayer, norm: nn.BatchNorm1d) -> LinearLayer:
    if norm.running_mean is None or norm.running_var is None:
        raise ModelError("A batch norm layer without running statistics cannot be folded: train it with them.")
    scale = torch.rsqrt(norm.running_var + norm.eps)
    shift = -norm.running_mean * scale
    if norm.affine:
        shift = shift * norm.weight + norm.bias
        scale = scale * norm.weight
    s, t = (v.detach().cpu().numpy().astype(np.float32) for v in (scale, shift))
    return LinearLayer(layer.weight * s[:, None], layer.bias * s + t, layer.activation)


def build_network(sizes: Sequence[int], *, activation: str = "relu", seed: int = 0) -> nn.Sequential:
    """Return Linear, activation, ..., Linear for `sizes` = (inputs, hidden ..., outputs), initialised from `seed`.

    The initialisation is torch's own (uniform in +-1/sqrt(inputs)), drawn from a generator of its own so that the
    global random state is left alone.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        bound = inputs**-0.5
        weight = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=generator).numpy()
        bias = torch.empty(outputs).uniform_(-bound, bound, generator=generator).numpy()
        layers.append(LinearLayer(weight, bias, activation))
    return network_of([*layers[:-1], replace(layers[-1], activation="identity")])


def network_of(layers: Sequence[LinearLayer]) -> nn.Sequential:
    """Return the plain stack of Linear and activation modules that computes what `layers` say."""
    modules: list[nn.Module] = []
    for layer in layers:
        # The random start is overwritten below; drawn in a fork, it leaves the caller's random state alone.
        with torch.random.fork_rng(devices=[]):
            linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.weight))
            linear.bias.copy_(torch.from_numpy(layer.bias))
        modules += [linear, _module(layer.activation)]
    return nn.Sequential(*(modules[:-1] if layers[-1].activation == "identity" else modules)).eval()


def _module(activation: str) -> nn.Module:
    for kind, name in ACTIVATIONS.items():
        if name == activation:
            return kind()
    raise ModelError(f"Unknown activation '{activation}': choose one of {', '.join(ACTIVATIONS.values())}.")


def layer_sizes(network: nn.Sequential) -> tuple[int, ...]:
    """Return (inputs, hidden ..., outputs)."""
    layers = linear_layers(network)
    return (layers[0].weight.shape[1], *(len(layer.bias) for layer in layers))
