"""Small networks and domains that the verify tests share, and the plain way to try every individual."""

import itertools

import numpy as np
import torch

from fairneuron_core.models.layers import LinearLayer, build_network, network_of
from fairneuron_core.verify.bounds import layers64
from fairneuron_core.verify.columns import InputColumn

ONE_HOT = np.eye(3, dtype=np.float32)
FLAG = InputColumn(0, 1, "integers", np.array([[0], [1]], np.float32), free=True)
LEVELS = InputColumn(1, 3, "levels", ONE_HOT)
GRADE = InputColumn(4, 1, "integers", np.linspace(0, 1, 5, dtype=np.float32)[:, None])
COUNT = InputColumn(5, 1, "integers", np.linspace(-1, 2, 7, dtype=np.float32)[:, None])
SMALL = (FLAG, LEVELS, GRADE, COUNT)  # 3 x 5 x 7 = 105 cells of 2 individuals


def random_layers(sizes, seed, scale=3.0):
    """Return a float64 network whose logit crosses zero often."""
    network = build_network(sizes, seed=seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(scale)
    return layers64(network)


def stacked(*weights, biases=None):
    """Return float64 layers with these weights."""
    weights = [np.array(w, np.float32) for w in weights]
    biases = [np.array(b, np.float32) for b in biases or [np.zeros(len(w)) for w in weights]]
    named = [LinearLayer(w, b, "relu") for w, b in zip(weights, biases, strict=True)]
    return layers64(network_of([*named[:-1], LinearLayer(weights[-1], biases[-1], "identity")]))


def plain_logits(layers, inputs):
    """Return the float32 logits (n,) of inputs (n, d), in plain numpy."""
    values = inputs.astype(np.float32)
    for weight, bias in layers[:-1]:
        values = np.maximum(values @ weight.numpy().astype(np.float32).T + bias.numpy().astype(np.float32), 0)
    weight, bias = layers[-1]
    return (values @ weight.numpy().astype(np.float32).T + bias.numpy().astype(np.float32))[:, 0]


def every_individual(columns, width):
    """Return (cell key, inputs) of every individual of finite columns without reach."""
    for positions in itertools.product(*(range(len(c.values)) for c in columns)):
        inputs = np.zeros(width, np.float32)
        for column, at in zip(columns, positions, strict=True):
            inputs[column.inputs] = column.values[at]
        yield tuple(at for c, at in zip(columns, positions, strict=True) if not c.free), inputs


def unfair_cells(layers, columns, cut=0.0):
    """Return the numbers of unfair and of all cells, by trying every individual."""
    keys, inputs = zip(*every_individual(columns, layers[0][0].shape[1]), strict=True)
    decided = plain_logits(layers, np.stack(inputs)) >= cut
    seen = {}
    for key, decision in zip(keys, decided, strict=True):
        seen.setdefault(key, set()).add(bool(decision))
    return sum(len(found) == 2 for found in seen.values()), len(seen)
