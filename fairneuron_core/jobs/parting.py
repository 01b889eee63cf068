"""Where two people part in a network: the difference of their activations, neuron by neuron, and what carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fairneuron_core.data import encode_frame
from fairneuron_core.models.layers import LinearLayer, activate, linear_layers
from fairneuron_core.types import Classifier


@dataclass(frozen=True)
class NeuronChange:
    """One hidden neuron for both people. `layer` counts from 1; `into_logit` is known in the last hidden layer."""

    layer: int
    neuron: int
    this: float
    other: float
    into_logit: float | None

    @property
    def change(self) -> float:
        return self.other - self.this


@dataclass(frozen=True, eq=False)
class Parting:
    """Activations of both people: `this[l]` and `other[l]` (width of level l,), inputs first, the logit last.

    neurons     hidden neurons whose activation differs, largest difference first
    logits      of this person and of the other one
    """

    this: tuple[np.ndarray, ...]
    other: tuple[np.ndarray, ...]
    neurons: tuple[NeuronChange, ...]
    weights: tuple[np.ndarray, ...]

    @property
    def logits(self) -> tuple[float, float]:
        return _logit(self.this[-1]), _logit(self.other[-1])

    @property
    def hidden(self) -> int:
        """How many hidden neurons there are."""
        return sum(len(values) for values in self.this[1:-1])

    def sizes(self) -> list[list[float]]:
        """Return |other - this| of every neuron, level by level."""
        return [np.abs(b - a).tolist() for a, b in zip(self.this, self.other, strict=True)]

    def edges(self, most: int = 14) -> list[list[float]]:
        """Return, for each layer, the synapses that carry most of the difference: [layer from 0, source, target, c].

        c = weight * (activation of the other - activation of this one); only into neurons that differ themselves.
        """
        found = []
        for level, weight in enumerate(self.weights):
            carried = weight * (self.other[level] - self.this[level])  # (out, in)
            carried[self.other[level + 1] == self.this[level + 1]] = 0
            largest = np.argsort(-np.abs(carried), axis=None, kind="stable")[:most]
            targets, sources = np.unravel_index(largest, carried.shape)
            found += [
                [level, int(source), int(target), float(carried[target, source])]
                for source, target in zip(sources, targets, strict=True)
                if carried[target, source] != 0
            ]
        return found


def _logit(outputs: np.ndarray) -> float:
    return float(outputs[0]) if len(outputs) == 1 else float(outputs[1] - outputs[0])


def parting(classifier: Classifier, this: Mapping[str, Any], other: Mapping[str, Any]) -> Parting:
    """Return where two people part; both are raw values of at least the columns that the network reads."""
    features = encode_frame(pd.DataFrame([dict(this), dict(other)]), classifier.encoder, name="these two people")
    layers = linear_layers(classifier.network)
    levels = _levels(layers, features)
    first, second = ([level[i] for level in levels] for i in (0, 1))
    last = len(layers) - 1
    into = layers[-1].weight[-1] - (layers[-1].weight[0] if len(layers[-1].weight) == 2 else 0)
    changes = [
        NeuronChange(
            level,
            int(unit),
            float(first[level][unit]),
            float(second[level][unit]),
            float(into[unit] * (second[level][unit] - first[level][unit])) if level == last else None,
        )
        for level in range(1, last + 1)
        for unit in np.flatnonzero(first[level] != second[level])
    ]
    ordered = sorted(changes, key=lambda one: (-abs(one.change), one.layer, one.neuron))
    return Parting(tuple(first), tuple(second), tuple(ordered), tuple(layer.weight for layer in layers))


def _levels(layers: Sequence[LinearLayer], features: np.ndarray) -> list[np.ndarray]:
    values = [features]
    for layer in layers:
        values.append(activate(layer.activation, values[-1] @ layer.weight.T + layer.bias))
    return values
