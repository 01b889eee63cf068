"""Ethical Adversaries: a reader that must not see the group, and a feeder that adds adversarial rows to the training.

Source: Delobelle, Temple, Perrouin, Frenay, Heymans, Berendt, "Ethical Adversaries: Towards Mitigating Unfairness with
Adversarial Machine Learning", SIGKDD Explorations 23(1), 2021.

Every round:
1. reader   train on for some epochs, minimising L_CE - lambda * L_A; L_A = cross-entropy with which an adversary tells
            the protected group from the last hidden layer (lambda is the strength; their README has 50)
2. feeder   draw rows, move each against its label, add the moved rows WITH their labels and groups to the training rows

Differences from the paper: it trains 50 rounds of 50 epochs from scratch, here a few rounds fine-tune the given
network; its attack comes from a tool that no longer installs, here it is a step on the current network,

    x' = clip(x + size * d / |d|, 0, 1),   d = +-(gradient of the logit by x), the sign against the label

with the Euclidean norm. Every strength is attacked at its own network, at the same rows. The adversary starts anew in
every round. The last epoch of the last round is kept (`fad.py` says why).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from fairneuron_core.models import Trained, TrainingPlan, train
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.adversary import Adversary
from fairneuron_core.repair.fine_tuning import TrainingSettings, plan_for, repaired
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import part_of


@dataclass(frozen=True)
class EthicalAdversariesParams(TrainingSettings):
    """How strong the reader is, and how much the feeder adds."""

    strength: float = setting(
        1.0,
        label="Strength (lambda)",
        help="Weight of the reader's loss against the cross-entropy; 0 = adversarial rows alone.",
        low=0.0,
        high=1000.0,
    )
    epochs: int = setting(
        10, label="Epochs", help="Passes over the training rows in all, spread over the rounds.", low=1, high=2500
    )
    rounds: int = setting(5, label="Rounds", help="How often the feeder adds rows; at most the epochs.", low=1, high=50)
    added: float = setting(
        0.05,
        label="Added rows",
        help="Adversarial rows that a round adds, as a share of the training rows.",
        low=0.0,
        high=1.0,
    )
    size: float = setting(
        0.1, label="Size of the attack", help="Length of its step; inputs run from 0 to 1.", low=0.0, high=10.0
    )
    keep: Literal["best", "last"] = setting(
        "last",
        label="Keep the epoch",
        help="last = a round's final epoch; best = lowest validation loss, which is seldom the fairest epoch.",
        choices=("best", "last"),
        expert=True,
    )


@dataclass
class _Course:
    """One strength on its way through the rounds: its network, its training rows, what has happened."""

    strength: float
    network: nn.Sequential
    features: np.ndarray
    labels: np.ndarray
    codes: np.ndarray
    trace: list[Mapping[str, Any]] = field(default_factory=list)
    added: int = 0
    wrong: int = 0


def prepare_ethical_adversaries(
    task: RepairTask, params: EthicalAdversariesParams, strengths: Sequence[float]
) -> Prepared:
    """Carry out all rounds, the strengths of a round as one program, and give one result per strength."""
    rows, codes = task.train, task.train.codes(task.attribute)
    start = plan_for(task, params).start
    courses = [_Course(strength, start, rows.features, rows.labels, codes) for strength in strengths]
    per_round = epochs_of_rounds(params.epochs, params.rounds)
    for index, epochs in enumerate(per_round):
        plans = [_reader(task, params, course, index, epochs) for course in courses]
        low, high = index / len(per_round), (index + 1) / len(per_round)
        told = part_of(task.progress, low, high)
        trained = train(plans, device=task.device, progress=told, checkpoint=task.checkpoint)
        for course, one in zip(courses, trained, strict=True):
            _end_round(task, params, course, one, last=high == 1, index=index)
    return without_training(*(_result(task, params, course) for course in courses))


def epochs_of_rounds(epochs: int, rounds: int) -> tuple[int, ...]:
    """Spread `epochs` over at most `rounds` rounds, the first ones getting what does not divide.

    >>> epochs_of_rounds(10, 5), epochs_of_rounds(7, 3), epochs_of_rounds(1, 5)
    ((2, 2, 2, 2, 2), (3, 2, 2), (1,))
    """
    rounds = min(rounds, epochs)
    return tuple(epochs // rounds + (index < epochs % rounds) for index in range(rounds))


def _reader(
    task: RepairTask, params: EthicalAdversariesParams, course: _Course, index: int, epochs: int
) -> TrainingPlan:
    levels = len(task.train.levels(task.attribute))
    return plan_for(
        task,
        params,
        start=course.network,
        features=course.features,
        labels=course.labels,
        epochs=epochs,
        seed=round_seed(task.seed, index),
        penalty=Adversary(course.codes, levels, course.strength),
    )


def round_seed(seed: int, index: int) -> int:
    """Return the seed of one round: the task's own in the first, others after it."""
    return seed if index == 0 else int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def _end_round(
    task: RepairTask, params: EthicalAdversariesParams, course: _Course, trained: Trained, *, last: bool, index: int
) -> None:
    """Take the round's network and trace; feed, unless no training would follow."""
    before = len(course.trace)
    course.trace += [{**point, "epoch": before + point["epoch"]} for point in trained.trace]
    course.network = trained.network
    count = int(params.added * len(task.train.labels))
    if last or not count:
        return
    generator = np.random.default_rng([task.seed, index, count])
    drawn = generator.choice(len(task.train.labels), count, replace=False)
    labels = task.train.labels[drawn]
    moved = attacked(course.network, task.train.features[drawn], labels, size=params.size)
    course.added += count
    course.wrong += int((favourable(course.network, moved) != labels).sum())
    course.features = np.concatenate([course.features, moved])
    course.labels = np.concatenate([course.labels, labels])
    course.codes = np.concatenate([course.codes, task.train.codes(task.attribute)[drawn]])


def attacked(network: nn.Sequential, features: np.ndarray, labels: np.ndarray, *, size: float) -> np.ndarray:
    """Return the rows (n, d) float32 after one step of Euclidean length `size` against their labels, within [0, 1].

    A row whose logit does not depend on the inputs stays where it is.
    """
    inputs = torch.from_numpy(np.ascontiguousarray(features, np.float32)).requires_grad_(True)
    (slope,) = torch.autograd.grad(network(inputs)[:, 0].sum(), inputs)
    length = slope.norm(dim=1, keepdim=True)
    against = torch.where(torch.from_numpy(labels == 1)[:, None], -1.0, 1.0)
    step = torch.where(length > 0, size * against * slope / length.clamp(min=1e-30), 0.0)
    return np.asarray((inputs.detach() + step).clamp(0, 1).numpy())


def favourable(network: nn.Sequential, features: np.ndarray) -> np.ndarray:
    """Return whether each row's logit is at least 0: (n,) bool."""
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(features))[:, 0].numpy() >= 0)


def _result(task: RepairTask, params: EthicalAdversariesParams, course: _Course) -> RepairResult:
    recipe = {"method": "ethical_adversaries", **params_json(replace(params, strength=course.strength))}
    # A plain record of the last training: its network; the trace runs over all rounds.
    trained = Trained(course.network, tuple(course.trace), len(course.trace))
    classifier = repaired(task, trained, made_by="repair ethical_adversaries", recipe=recipe)
    facts = {
        "rounds": len(epochs_of_rounds(params.epochs, params.rounds)),
        "adversarial_rows": course.added,
        "adversarial_rows_decided_wrong": course.wrong,
    }
    return RepairResult(classifier, trained.trace, facts)


ETHICAL_ADVERSARIES = RepairRow(
    name="ethical_adversaries",
    title="Ethical Adversaries",
    sentence="Trains on in rounds against an adversary that reads the group, adding adversarial rows after each round.",
    changes="training (adversary, added rows)",
    needs_protected=False,
    cannot="It promises no gap; its attack is one gradient step of our own in place of the published tool, whose rows "
    "are no real people (parts of categories), and it runs a few rounds where the paper runs 50.",
    source="Delobelle et al., SIGKDD Explorations, 2021",
    Params=EthicalAdversariesParams,
    prepare=prepare_ethical_adversaries,
    strengths=(0.0, 0.3, 1.0, 3.0, 10.0, 50.0),
)
