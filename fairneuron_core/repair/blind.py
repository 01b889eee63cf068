"""Blind: the network is made unable to see what must not matter, and trained on.

1. a constant for the free inputs is folded into the first bias: b' = b + W[:, free] c
2. W[:, free] = 0, and these weights are frozen at 0
3. the rest is fine-tuned

c is the one of highest accuracy on training rows among all combinations of the free columns, their mean and their most
frequent one. A weight of 0 is a proof for every input, by inspection. Whatever other columns tell about the attribute
(proxies) stays: a blind network can still have gaps between groups.

Source: "fairness through unawareness", e.g. Dwork et al., "Fairness through awareness", ITCS 2012, which names its
limits; the choice of the constant and the fine-tuning are ours.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from fairneuron_core.models import Trained, decide, linear_layers, network_of
from fairneuron_core.params import params_json
from fairneuron_core.repair.deciding import deciding
from fairneuron_core.repair.fine_tuning import TrainingSettings, plan_for, repaired
from fairneuron_core.repair.individual import IndividualSettings, individual_facts, space_of
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.verify import SimilarSpace

_MOST_CONSTANTS = 200


@dataclass(frozen=True)
class BlindParams(TrainingSettings, IndividualSettings):
    """Blindness has no setting of its own besides what must not matter and the training's."""


def prepare_blind(task: RepairTask, params: BlindParams, strengths: Sequence[float]) -> Prepared:
    """Fold the best constant, and ask for one training with the free columns frozen at 0."""
    began = time.perf_counter()
    space = space_of(task, params)
    recipe = {"method": "blind", **params_json(params)}
    if not len(space.positions):
        same = deciding(task, method="blind", recipe=recipe, threshold=task.classifier.threshold)
        return without_training(RepairResult(same, facts=individual_facts(task, space, same, params)))
    constant, accuracy = best_constant(task, space)
    plan = plan_for(task, params)
    start = folded(plan.start, space.positions, constant)
    plan = replace(plan, start=start, trainable=all_but(start, space.positions))
    folding = time.perf_counter() - began

    def finish(trained: Sequence[Trained]) -> tuple[RepairResult, ...]:
        classifier = repaired(task, trained[0], made_by="repair blind", recipe=recipe)
        seconds = {"folding": folding, "in all": time.perf_counter() - began}
        facts = {"constant": constant.tolist(), "accuracy_folded": accuracy}
        facts |= individual_facts(task, space, classifier, params, seconds=seconds)
        return (RepairResult(classifier, trained[0].trace, facts),)

    return Prepared((plan,), finish)


def folded(network: nn.Sequential, positions: np.ndarray, constant: np.ndarray) -> nn.Sequential:
    """Return the network that takes the inputs at `positions` (f,) for `constant` (f,), whatever they are."""
    first, *rest = linear_layers(network)
    weight = first.weight.copy()
    bias = first.bias.astype(np.float64) + weight[:, positions].astype(np.float64) @ constant
    weight[:, positions] = 0.0
    return network_of([replace(first, weight=weight, bias=bias.astype(np.float32)), *rest])


def all_but(network: nn.Sequential, positions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return which parameters may move: all but the first layer's weights on `positions`."""
    parts = [np.ones(part.shape, bool) for layer in linear_layers(network) for part in (layer.weight, layer.bias)]
    parts[0][:, positions] = False
    return tuple(parts)


def best_constant(task: RepairTask, space: SimilarSpace) -> tuple[np.ndarray, float]:
    """Return the constant (f,) with the highest accuracy on training rows, the first of equals, and that accuracy."""
    plain, rows = replace(task.classifier, rule=None), task.train
    best, accuracy = np.zeros(0), -1.0
    for constant in _constants(rows.features[:, space.positions], space):
        blind = replace(plain, network=folded(plain.network, space.positions, constant))
        found = float((decide(blind, rows.features) == rows.labels).mean())
        if found > accuracy:
            best, accuracy = constant, found
    return best, accuracy


def _constants(values: np.ndarray, space: SimilarSpace) -> list[np.ndarray]:
    """Most frequent combination, mean, and every combination of the domain where these can be listed."""
    distinct, counts = np.unique(values, axis=0, return_counts=True)
    listed = [] if space.windowed or not space.finite or space.size > _MOST_CONSTANTS else list(space.combinations())
    return [np.asarray(c, np.float64) for c in (distinct[counts.argmax()], values.mean(0, dtype=np.float64), *listed)]


BLIND = RepairRow(
    name="blind",
    title="Blind by construction",
    sentence="Makes the network unable to see the attribute (its weights become 0 and stay 0) and trains it on.",
    changes="training (frozen inputs)",
    needs_protected=False,
    cannot="It says nothing about gaps between groups: other columns that tell about the attribute stay.",
    source="Fairness through unawareness (Dwork et al., ITCS 2012, discuss its limits)",
    Params=BlindParams,
    prepare=prepare_blind,
    individual=True,
)
