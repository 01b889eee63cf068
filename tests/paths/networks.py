"""Small networks with weights that a test states."""

import numpy as np

from fairneuron_core.models.layers import LinearLayer, linear_layers, network_of

READINGS = ("delta", "released", "activation")


def stack(weights, biases=None, activation="relu"):
    """Return a network with these weights; the last layer has no activation."""
    weights = [np.array(w, np.float32) for w in weights]
    biases = biases or [np.zeros(len(w)) for w in weights]
    layers = [LinearLayer(w, np.array(b, np.float32), activation) for w, b in zip(weights, biases, strict=True)]
    return network_of([*layers[:-1], LinearLayer(layers[-1].weight, layers[-1].bias, "identity")])


def profile_of(network, features):
    """Return the mean of the inputs and of every hidden layer of a ReLU network."""
    means, values = [features.mean(axis=0)], features.astype(np.float64)
    for layer in linear_layers(network)[:-1]:
        values = np.maximum(values @ layer.weight.T + layer.bias, 0)
        means.append(values.mean(axis=0).astype(np.float32))
    return means
