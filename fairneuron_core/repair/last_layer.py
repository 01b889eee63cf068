"""The last layer by itself: the hidden layers below it as a fixed function, its weights to be replaced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.models import linear_layers, network_of
from fairneuron_core.models.layers import LinearLayer, activate
from fairneuron_core.types import Classifier


@dataclass(frozen=True, eq=False)
class LastLayer:
    """logit(x) = weight . h(x) + bias, h = `hidden` layers; weight (h,) float64. Two outputs count as their difference.

    cut    the logit from which on the decision is favourable
    """

    hidden: Sequence[LinearLayer]
    weight: np.ndarray
    bias: float
    cut: float

    def activations(self, features: np.ndarray) -> np.ndarray:
        """Return h(x) (..., h) float64 for inputs (..., d)."""
        values = features.astype(np.float64)
        for layer in self.hidden:
            values = activate(layer.activation, values @ layer.weight.T.astype(np.float64) + layer.bias)
        return values

    def network(self, change: np.ndarray) -> nn.Sequential:
        """Return the network with `change` (h + 1,) added to weights and bias."""
        weight = (self.weight + change[:-1]).astype(np.float32)[None]
        bias = np.array([self.bias + change[-1]], np.float32)
        return network_of([*self.hidden, LinearLayer(weight, bias, "identity")])


def last_layer_of(classifier: Classifier) -> LastLayer:
    """Split a classifier before its last layer.

    ModelError for a network without a hidden layer or with an activation at its end, SettingError for a threshold that
    every score or none reaches.
    """
    *hidden, last = linear_layers(classifier.network)
    if not hidden or last.activation != "identity":
        raise ModelError("Its last layer can be repaired if hidden layers stand before it and no activation behind it.")
    if not 0 < classifier.threshold < 1:
        raise SettingError(
            f"The threshold is {classifier.threshold:g}, at which all are decided alike: choose one between 0 and 1."
        )
    if len(last.bias) == 2:
        last = replace(last, weight=last.weight[1:] - last.weight[:1], bias=last.bias[1:] - last.bias[:1])
    cut = math.log(classifier.threshold / (1 - classifier.threshold))
    return LastLayer(hidden, last.weight[0].astype(np.float64), float(last.bias[0]), cut)
