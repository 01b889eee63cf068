"""fairlearn's AdversarialFairnessClassifier from the given network: an adversary guesses the group from the score.

Source: Zhang, Lemoine, Mitchell, "Mitigating unwanted biases with adversarial learning", AIES 2018; fairlearn's
adversarial.AdversarialFairnessClassifier (https://fairlearn.org), which this file calls.

1. predictor: the given network with a sigmoid behind it, all its parameters in one vector. adversary: one hidden
   layer, from the score (and, for equalized odds, the label) to the group; it learns `SPEED` times as fast
2. each step moves the adversary towards a better guess, and the predictor along
       gradient of its own loss - its part along the adversary's gradient - alpha * the adversary's gradient
3. both learning rates fall to 0 as a cosine, as the paper asks for a falling rate: at a fixed one the two networks
   circle each other and the last step ends anywhere
4. the trained predictor, without its sigmoid, is the repaired network

The strength is alpha. Even at alpha 0 the second term of step 2 stays, so 0 is not the same as training on. fairlearn
works out that term tensor by tensor with `torch.inner`, which is a projection for vectors but not for matrices: with
weights as matrices the training runs away. In one vector it is the projection of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from fairneuron_core.errors import SettingError
from fairneuron_core.models import Trained, build_network, linear_layers, network_of
from fairneuron_core.models.layers import LinearLayer
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.fine_tuning import repaired
from fairneuron_core.repair.peers.extra import fairlearn_at_work, peers_missing
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import Progress

SPEED = 10.0
"""The adversary must be near its best at every step; at the predictor's own pace the two chase each other."""


@dataclass(frozen=True)
class AdversarialFairnessParams:
    """The constraint, the adversary's weight, and how both networks learn."""

    constraint: Literal["demographic_parity", "equalized_odds"] = setting(
        "demographic_parity",
        label="Constraint",
        help="What the adversary sees: the score alone, or the score and the label.",
        choices=("demographic_parity", "equalized_odds"),
    )
    strength: float = setting(
        1.0,
        label="Adversary's weight (alpha)",
        help="How much of the adversary's gradient is taken off the network's own.",
        low=0.0,
        high=1000.0,
    )
    epochs: int = setting(5, label="Epochs", help="Passes over the training rows.", low=1, high=500)
    learning_rate: float = setting(
        1e-3, label="Learning rate", help="Step size of Adam at the start.", low=1e-6, high=1.0
    )
    batch_size: int = setting(
        512, label="Batch size", help="Rows per step.", low=1, high=8192, unit="rows", expert=True
    )
    hidden: int = setting(
        8, label="Adversary's neurons", help="Neurons of the adversary's hidden layer.", low=1, high=1024, expert=True
    )


class OneVector(nn.Module):
    """A network with a sigmoid behind it whose parameters are one vector; `network` is told them by `settle`."""

    def __init__(self, network: nn.Sequential) -> None:
        super().__init__()
        # In a tuple, the network's own parameters are not counted as this module's.
        self._inside = (network,)
        self.vector = nn.Parameter(parameters_to_vector(network.parameters()).detach().clone())

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        (network,), first, values = self._inside, 0, {}
        for name, parameter in network.named_parameters():
            values[name] = self.vector[first : first + parameter.numel()].view(parameter.shape)
            first += parameter.numel()
        return torch.sigmoid(functional_call(network, values, (rows,)))

    def settle(self) -> nn.Sequential:
        """Write the vector into the network and return it."""
        (network,) = self._inside
        with torch.no_grad():
            vector_to_parameters(self.vector, network.parameters())
        return network


def prepare_adversarial_fairness(
    task: RepairTask, params: AdversarialFairnessParams, strengths: Sequence[float]
) -> Prepared:
    """Train one pair of networks per alpha; fairlearn trains them itself, so all is done here."""
    groups, results = _groups(task), []
    for position, alpha in enumerate(strengths):
        results.append(_result(task, replace(params, strength=alpha), groups, (position, len(strengths))))
    return without_training(*results)


def _groups(task: RepairTask) -> np.ndarray:
    """Return the groups of the training rows as consecutive codes (n,): some level may have no row."""
    present, codes = np.unique(task.train.codes(task.attribute), return_inverse=True)
    if len(present) < 2:
        raise SettingError(
            f"The training rows have {len(present)} group of '{task.attribute}': an adversary needs 2 to tell apart."
        )
    return codes


def _result(
    task: RepairTask, params: AdversarialFairnessParams, groups: np.ndarray, place: tuple[int, int]
) -> RepairResult:
    network = _trained(task, params, groups, place)
    recipe = {"method": "adversarial_fairness", **params_json(params)}
    trained = Trained(network, (), params.epochs)
    return RepairResult(repaired(task, trained, made_by="repair adversarial_fairness", recipe=recipe))


def _trained(
    task: RepairTask, params: AdversarialFairnessParams, groups: np.ndarray, place: tuple[int, int]
) -> nn.Sequential:
    from fairlearn.adversarial import AdversarialFairnessClassifier

    predictor = OneVector(one_logit(linear_layers(task.classifier.network)))
    count = int(groups.max()) + 1
    seen = 2 if params.constraint == "equalized_odds" else 1
    # fairlearn divides by the adversary's gradient, which is 0 once every ReLU of it is dead; tanh does not die.
    guess = build_network((seen, params.hidden, 1 if count == 2 else count), activation="tanh", seed=task.seed)
    # fairlearn seeds torch with a number that does not depend on ours, so the order of the rows is drawn here.
    order = np.random.default_rng(task.seed).permutation(len(groups))
    mitigator = AdversarialFairnessClassifier(
        backend="torch",
        predictor_model=predictor,
        adversary_model=nn.Sequential(*guess, nn.Sigmoid()) if count == 2 else guess,
        constraints=params.constraint,
        learning_rate=params.learning_rate,
        adversary_optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=SPEED * params.learning_rate),
        alpha=float(params.strength),
        epochs=params.epochs,
        batch_size=params.batch_size,
        shuffle=True,
        callbacks=_after_step(task, params, place),
        random_state=task.seed,
    )
    rows = task.train
    # fairlearn seeds the global generator of torch: in a fork, the caller's stays as it was.
    with fairlearn_at_work(), torch.random.fork_rng(devices=[]):
        mitigator.fit(rows.features[order], rows.labels[order], sensitive_features=groups[order])
    if not predictor.vector.isfinite().all():
        raise SettingError(
            f"The training diverged: its weights are no longer finite; choose an alpha below {params.strength:g} "
            f"or a learning rate below {params.learning_rate:g}."
        )
    return network_of(linear_layers(predictor.settle()))


def one_logit(layers: Sequence[LinearLayer]) -> nn.Sequential:
    """Return a copy of a network that has one output; of two outputs it is favourable minus other."""
    last = layers[-1]
    if len(last.bias) == 2:
        last = replace(last, weight=last.weight[1:] - last.weight[:1], bias=last.bias[1:] - last.bias[:1])
    return network_of([*layers[:-1], last])


def _after_step(task: RepairTask, params: AdversarialFairnessParams, place: tuple[int, int]) -> Callable[..., bool]:
    """Return what fairlearn calls after each step: both learning rates fall to 0 as a cosine, and the bar moves."""
    position, strengths = place
    steps = params.epochs * -(-len(task.train.labels) // params.batch_size)

    def after(mitigator: Any, step: int, **_: Any) -> bool:
        engine, fall = mitigator.backendEngine_, (1 + math.cos(math.pi * step / steps)) / 2
        for optimizer, speed in ((engine.predictor_optimizer, 1.0), (engine.adversary_optimizer, SPEED)):
            optimizer.param_groups[0]["lr"] = speed * params.learning_rate * fall
        if task.progress:
            words = f"Step {step} of {steps}, alpha {position + 1} of {strengths}"
            task.progress(Progress((position + step / steps) / strengths, words))
        return False

    return after


ADVERSARIAL_FAIRNESS = RepairRow(
    name="adversarial_fairness",
    title="Adversarial fairness (fairlearn)",
    sentence="Trains on against an adversary that tries to guess the protected group from the score.",
    changes="training (an adversary's gradient)",
    needs_protected=False,
    cannot="Both networks chase each other, so the outcome jumps with alpha, epochs and seed; a large alpha can ruin "
    "the network.",
    source="Zhang, Lemoine, Mitchell, AIES 2018; fairlearn",
    Params=AdversarialFairnessParams,
    prepare=prepare_adversarial_fairness,
    kind="peer",
    strengths=(0.0, 0.1, 0.3, 1.0, 3.0, 10.0),
    missing=peers_missing,
)
