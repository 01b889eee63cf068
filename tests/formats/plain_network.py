"""What a parsed network computes, in plain numpy: independent of torch and of the libraries that wrote the file."""

import numpy as np

from fairneuron_core.formats.network_file import NetworkFile

_ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}


def outputs(file: NetworkFile, rows: np.ndarray) -> np.ndarray:
    """What the last layer puts out (n, 1) or (n, 2), in float32 like the product computes."""
    values = rows.reshape(len(rows), -1).astype(np.float32)
    for layer in file.layers:
        values = _ACTIVATIONS[layer.activation](values @ layer.weight.T + layer.bias)
    return values


def probabilities(file: NetworkFile, rows: np.ndarray) -> np.ndarray:
    """Probability of class 1 (n,) float64."""
    found = outputs(file, rows).astype(np.float64)
    logit = found[:, 0] if found.shape[1] == 1 else found[:, 1] - found[:, 0]
    return 1 / (1 + np.exp(-logit))
