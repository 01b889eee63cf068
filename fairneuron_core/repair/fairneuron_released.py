"""FairNeuron as its authors' released code does it, which differs from their paper.

Source: the code released with Gao et al., "FairNeuron", ICSE 2022; written from a description of what it does.

paths       pre-activation values, no mean, no input layer (reading `released`), coverage 0.9
rare        count <= max(theta * M, 1), M the largest count: a path of one row is always rare, and every theta below
            2 / M is the same setting (the paper: count <= theta * M)
training    from fresh weights, squared error of the score, dropout 0.1 after the first hidden layer only, 50 epochs,
            Adam with its usual betas
kept        the final epoch: on small data the lowest validation loss can be that of an early, nearly constant network

Its published score for choosing theta and gamma is unbounded below and not used; both are settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairneuron_core.params import setting
from fairneuron_core.paths import ActivationPaths, PathFrequency, SampleSplit, cluster, path_frequency
from fairneuron_core.repair.fairneuron import FairNeuronParams, selective_training, slice_and_cluster
from fairneuron_core.repair.task import Prepared, RepairRow, RepairTask


@dataclass(frozen=True)
class ReleasedParams(FairNeuronParams):
    """The defaults of the released code. They are its constants, not tuned; Adam's betas are torch's own."""

    epochs: int = setting(50, label="Epochs", help="Passes over the training rows.", low=1, high=500)
    learning_rate: float = setting(
        1e-2, label="Learning rate", help="Step size of Adam at the start.", low=1e-6, high=1.0
    )
    start: Literal["given", "scratch"] = setting(
        "scratch",
        label="Start from",
        help="given = fine-tune the network to be repaired; scratch = train anew from fresh weights.",
        choices=("given", "scratch"),
    )
    keep: Literal["best", "last"] = setting(
        "last",
        label="Keep the epoch",
        help="last = the final epoch; best = lowest validation loss.",
        choices=("best", "last"),
        expert=True,
    )
    loss: Literal["cross_entropy", "mse"] = setting(
        "mse",
        label="Loss",
        help="The squared error of the score, or cross_entropy.",
        choices=("cross_entropy", "mse"),
        expert=True,
    )
    coverage: float | None = setting(
        0.9,
        label="Coverage (gamma)",
        help="Share of a neuron's value that its kept synapses explain; empty = the suggested setting.",
        low=0.0,
        high=1.0,
        empty="suggested",
    )
    rarity: float = setting(
        1e-3,
        label="Rarity (theta)",
        help="A path is rare when at most this share of the most frequent path's rows take it, or one row alone.",
        low=0.0,
        high=1.0,
    )
    dropout: float = setting(
        0.1, label="Dropout p", help="Probability that a neuron is muted for a conflict sample.", low=0.0, high=0.95
    )
    reading: Literal["delta", "activation", "released"] = setting(
        "released",
        label="Reading",
        help="released = published code; delta = changes against the training mean (the paper); activation = no mean.",
        choices=("delta", "activation", "released"),
        expert=True,
    )
    dropout_layers: tuple[int, ...] | None = setting(
        (0,),
        label="Layers with dropout",
        help="Hidden layers counted from 0; empty = all. The published code mutes layer 0 only.",
        low=0,
        high=64,
        expert=True,
        empty="all",
    )


def prepare_released(task: RepairTask, params: ReleasedParams, strengths: Sequence[float]) -> Prepared:
    """Do the same under the released code's rule, by which a path of one row is always rare."""
    return selective_training(task, slice_and_cluster(task, params, rule=released_split), method="fairneuron_released")


def released_split(paths: ActivationPaths | PathFrequency, theta: float) -> SampleSplit:
    """Split by count <= max(theta * M, 1), M the largest count; theta in the result is the one that takes effect."""
    frequency = paths if isinstance(paths, PathFrequency) else path_frequency(paths)
    return cluster(frequency, max(theta, 1 / max(frequency.most_frequent, 1)))


FAIRNEURON_RELEASED = RepairRow(
    name="fairneuron_released",
    title="FairNeuron (released code)",
    sentence="Trains anew as the published code does: first-layer dropout for rows whose path is rare or their own.",
    changes="training (from scratch)",
    needs_protected=False,
    cannot="It never looks at the protected attribute and starts from fresh weights, so it is a new network and no "
    "repair of the given one; written from the paper and a description of the code, not from the code itself.",
    source="Released code of Gao et al., ICSE 2022",
    Params=ReleasedParams,
    prepare=prepare_released,
)
