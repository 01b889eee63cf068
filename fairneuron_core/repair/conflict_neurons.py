"""Where accuracy and fairness pull in opposite directions: a conflict score for every hidden neuron.

Every hidden neuron gets a gate g = 1 that multiplies its activation. Over the training rows

    conflict = - (d L_accuracy / d g) (d L_gap / d g)

with L_accuracy the mean cross-entropy and L_gap the gap of mean soft decisions between the groups. Positive = closing
the gap by this neuron costs accuracy; it is what the paper's idea of neurons in conflict looks like in one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from fairneuron_core.models import linear_layers
from fairneuron_core.models.gap_penalty import Gap, GapPenalty
from fairneuron_core.repair.task import RepairTask

Choice = Literal["conflict", "fairness", "random"]


def neuron_slopes(task: RepairTask, gap: Gap) -> tuple[np.ndarray, np.ndarray]:
    """Return (d L_accuracy / d g, d L_gap / d g), each (hidden neurons,), layer after layer."""
    features = torch.from_numpy(task.train.features)
    labels = torch.from_numpy(task.train.labels.astype(np.float32))
    widths = [len(layer.bias) for layer in linear_layers(task.classifier.network)[:-1]]
    gates = torch.ones(sum(widths), requires_grad=True)
    logits = _gated(task.classifier.network, features, list(gates.split(widths)))
    accuracy = F.binary_cross_entropy_with_logits(logits, labels)
    penalty = GapPenalty(task.train.codes(task.attribute), strength=1.0, gap=gap, memory=0.0)
    term = GapPenalty.term([penalty], hidden=widths[-1], device="cpu", dtype=torch.float32, seeds=[task.seed])
    rows = torch.arange(len(labels))[None]
    difference = term(logits[None], logits[None, :, None], labels[None], rows).sum()
    slopes = [torch.autograd.grad(loss, gates, retain_graph=True)[0].numpy() for loss in (accuracy, difference)]
    return slopes[0], slopes[1]


def _gated(network: nn.Sequential, features: torch.Tensor, gates: Sequence[torch.Tensor]) -> torch.Tensor:
    """Logits (n,) with every hidden activation times its gate; the network itself is not touched."""
    values, level = features, 0
    layers = linear_layers(network)
    activations = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": lambda z: z}
    for level, layer in enumerate(layers):
        pre_activation = values @ torch.from_numpy(layer.weight).T + torch.from_numpy(layer.bias)
        values = activations[layer.activation](pre_activation)
        if level < len(gates):
            values = values * gates[level]
    return values[:, 0] if values.shape[1] == 1 else values[:, 1] - values[:, 0]


def conflict_scores(slopes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the conflict score (hidden neurons,) of both slopes.

    >>> conflict_scores((np.array([1.0, -2.0, 0.5]), np.array([-3.0, -1.0, 0.0]))).tolist()
    [3.0, -2.0, -0.0]
    """
    return -(slopes[0] * slopes[1])


def conflict_by_layer(task: RepairTask, gap: Gap) -> tuple[tuple[float, ...], ...]:
    """Return the conflict scores of every hidden layer as shares of the largest one in the network (1 = that one).

    Where no neuron has a conflict, the shares are of the largest agreement, and none is above 0.
    """
    scores = conflict_scores(neuron_slopes(task, gap))
    scores = scores / ((scores.max() if scores.max() > 0 else -scores.min()) or 1.0)
    ends = np.cumsum([len(layer.bias) for layer in linear_layers(task.classifier.network)[:-1]])
    return tuple(tuple(float(share) for share in part) for part in np.split(scores, ends[:-1]))


def chosen_neurons(slopes: tuple[np.ndarray, np.ndarray], choice: Choice, share: float, *, seed: int) -> np.ndarray:
    """Return (hidden neurons,) bool: the `share` with the highest score, largest fairness slope, or drawn at random."""
    count = max(1, round(share * len(slopes[0])))
    ranked = {
        "conflict": conflict_scores(slopes),
        "fairness": np.abs(slopes[1]),
        "random": np.random.default_rng(seed).random(len(slopes[0])),
    }[choice]
    chosen = np.zeros(len(ranked), bool)
    chosen[np.argsort(-ranked, kind="stable")[:count]] = True
    return chosen


def movable_parameters(network: nn.Sequential, chosen: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what may move when only the chosen neurons' incoming and outgoing weights do (see TrainingPlan.trainable).

    The output's own bias moves too: it is the threshold, and belongs to no neuron.
    """
    layers = linear_layers(network)
    masks: list[np.ndarray] = []
    below = np.zeros(layers[0].weight.shape[1], bool)
    first = 0
    for level, layer in enumerate(layers):
        last = level == len(layers) - 1
        own = np.zeros(len(layer.bias), bool) if last else chosen[first : first + len(layer.bias)]
        masks += [own[:, None] | below[None, :], np.ones(len(layer.bias), bool) if last else own]
        below, first = own, first + len(layer.bias)
    return tuple(masks)
