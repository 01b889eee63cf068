"""From a classifier and encoded rows to logits and scores, and the profile that slicing needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from fairneuron_core.errors import ModelError
from fairneuron_core.models.layers import activate, linear_layers
from fairneuron_core.types import Classifier

_CHUNK = 8192


def logits(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Return the network's output (n,) float32 for encoded rows (n, d): one logit, or favourable minus other."""
    width = classifier.encoder.width
    if features.ndim != 2 or features.shape[1] != width:
        raise ModelError(
            f"The network reads {width} inputs, these rows have {features.shape[-1]}: encode them with it."
        )
    with torch.inference_mode():
        outputs = [classifier.network(torch.from_numpy(part)).numpy() for part in _chunks(features)]
    stacked = np.concatenate(outputs) if outputs else np.zeros((0, 1), np.float32)
    return stacked[:, 0] if stacked.shape[1] == 1 else stacked[:, 1] - stacked[:, 0]


def scores(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Return the estimated probability of the favourable outcome (n,) float64: sigmoid of the logit."""
    return 1 / (1 + np.exp(-logits(classifier, features).astype(np.float64).clip(-700, 700)))


def profile(network: nn.Sequential, features: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the mean of the inputs and of every hidden layer after its activation, each (width,) float32.

    Path slicing measures every neuron against these means. They belong to the TRAINING rows and travel with the model.
    """
    layers = linear_layers(network)
    sums = [np.zeros(layer.weight.shape[1]) for layer in layers]
    for part in _chunks(features):
        values = part
        for level, layer in enumerate(layers):
            sums[level] += values.sum(0, dtype=np.float64)
            values = activate(layer.activation, values @ layer.weight.T + layer.bias)
    return tuple((total / len(features)).astype(np.float32) for total in sums)


def _chunks(features: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(features), _CHUNK):
        yield np.ascontiguousarray(features[first : first + _CHUNK], dtype=np.float32)
