"""FairNeuron: selective training of the samples whose activation path is rare.

Source: Gao, Zhai, Ma, Shen, Chen, Wang, "FairNeuron: Improving Deep Neural Network Fairness with Adversary Games on
Selective Neurons", ICSE 2022, Algorithm 1.

1. Slice the network: the activation path of every training row            (coverage gamma)
2. Cluster the rows by path; rare paths give the conflict samples            (rarity theta: count <= theta * largest)
3. Train on: ordinary samples without dropout, conflict samples with it      (probability p, random or off the path)

This file follows the paper; `fairneuron_released.py` follows the code that its authors released.

Published figures and what an independent reproduction measured differ; the dashboard shows controls and intervals.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.models import TrainingPlan
from fairneuron_core.params import setting
from fairneuron_core.paths import ActivationPaths, SampleSplit, cluster, slice_coverages, suggest_setting
from fairneuron_core.repair.fine_tuning import TrainingSettings, one_training, plan_for
from fairneuron_core.repair.task import Prepared, RepairRow, RepairTask
from fairneuron_core.types import part_of


@dataclass(frozen=True)
class FairNeuronParams(TrainingSettings):
    """All options of selective training."""

    coverage: float | None = setting(
        None,
        label="Coverage (gamma)",
        help="Share of a neuron's change that its kept synapses explain; empty = the suggested setting.",
        low=0.0,
        high=1.0,
        empty="suggested",
    )
    first_layer: int | None = setting(
        None,
        label="First layer that counts",
        help="Only synapses of this Linear layer and above enter a path; empty = suggested, or 1 with own coverage.",
        low=1,
        high=64,
        empty="suggested",
    )
    rarity: float = setting(
        0.03,
        label="Rarity (theta)",
        help="A path is rare when at most this share of the most frequent path's rows take it.",
        low=0.0,
        high=1.0,
    )
    dropout: float = setting(
        0.3, label="Dropout p", help="Probability that a neuron is muted for a conflict sample.", low=0.0, high=0.95
    )
    mute: Literal["random", "off_path"] = setting(
        "random",
        label="Muted neurons",
        help="random = any hidden neuron; off_path = only neurons that are not on the sample's own path.",
        choices=("random", "off_path"),
    )
    reading: Literal["delta", "activation", "released"] = setting(
        "delta",
        label="Reading",
        help="delta = changes against the training mean (the paper); activation = no mean; released = published code.",
        choices=("delta", "activation", "released"),
        expert=True,
    )
    granularity: Literal["synapses", "neurons"] = setting(
        "synapses", label="Path of", help="What makes two paths equal.", choices=("synapses", "neurons"), expert=True
    )
    dropout_layers: tuple[int, ...] | None = setting(
        None,
        label="Layers with dropout",
        help="Hidden layers counted from 0; empty = all. The published code mutes layer 0 only.",
        low=0,
        high=64,
        expert=True,
        empty="all",
    )


@dataclass(frozen=True)
class Selection:
    """Paths and conflict samples of the training rows under `params`, whose empty settings are filled in."""

    params: FairNeuronParams
    reason: str
    paths: ActivationPaths
    split: SampleSplit


def prepare_fairneuron(task: RepairTask, params: FairNeuronParams, strengths: Sequence[float]) -> Prepared:
    """Slice and cluster, then ask for one selective training; facts say how many samples are in conflict."""
    return selective_training(task, slice_and_cluster(task, params), method="fairneuron")


def slice_and_cluster(
    task: RepairTask,
    params: FairNeuronParams,
    *,
    rule: Callable[[ActivationPaths, float], SampleSplit] = cluster,
) -> Selection:
    """Return the paths of the training rows and which of them are in conflict; `rule` cuts at the rarity."""
    params, reason = with_suggestion(replace(task, progress=part_of(task.progress, 0.0, 0.7)), params)
    paths = slice_training_rows(replace(task, progress=part_of(task.progress, 0.7, 1.0)), params)
    return Selection(params, reason, paths, rule(paths, params.rarity))


def selection_facts(found: Selection) -> dict[str, Any]:
    """Return what slicing and clustering found, and the settings they ran with."""
    return conflict_facts(found.split, found.paths) | {"setting": found.reason, **dataclasses.asdict(found.params)}


def selective_training(task: RepairTask, found: Selection, *, method: str) -> Prepared:
    """Ask for the one training in which dropout acts on the conflict samples only."""
    plan = selective_plan(task, found.params, paths=found.paths, split=found.split)
    return one_training(task, plan, method=method, params=found.params, facts=selection_facts(found))


def with_suggestion(task: RepairTask, params: FairNeuronParams) -> tuple[FairNeuronParams, str]:
    """Fill an empty coverage and first layer from the suggested setting; return the reason in words."""
    if params.coverage is not None:
        return replace(params, first_layer=params.first_layer or 1), "chosen by the user"
    found = suggest_setting(
        task.classifier,
        task.train.features,
        reading=params.reading,
        granularity=params.granularity,
        threads=task.threads,
        progress=task.progress,
    )
    first_layer = params.first_layer or found.first_layer
    return replace(params, coverage=found.coverage, first_layer=first_layer), found.reason


def slice_training_rows(task: RepairTask, params: FairNeuronParams) -> ActivationPaths:
    """Return the paths of the training rows under the method's reading (coverage and first layer filled in)."""
    if params.coverage is None:
        raise SettingError("Slicing needs a coverage: choose one, or take the suggested setting.")
    return slice_grid(task, params, (params.coverage,))[0]


def slice_grid(task: RepairTask, params: FairNeuronParams, coverages: Sequence[float]) -> tuple[ActivationPaths, ...]:
    """Return the paths of the training rows at every coverage, from one pass over them (first layer filled in)."""
    if params.first_layer is None:
        raise SettingError("Slicing needs a first layer: choose one, or take the suggested setting.")
    return slice_coverages(
        task.classifier,
        task.train.features,
        coverages=coverages,
        reading=params.reading,
        granularity=params.granularity,
        first_layer=params.first_layer,
        device=task.device,
        threads=task.threads,
        progress=task.progress,
    )


def selective_plan(
    task: RepairTask, params: FairNeuronParams, *, paths: ActivationPaths, split: SampleSplit
) -> TrainingPlan:
    """Return the plan in which dropout acts on the conflict samples only."""
    layers = len(paths.hidden_sizes)
    if params.dropout_layers and max(params.dropout_layers) >= layers:
        raise SettingError(
            f"Dropout is asked for in hidden layer {max(params.dropout_layers)}; the network has hidden layers 0 to "
            f"{layers - 1}: choose from these."
        )
    return plan_for(
        task,
        params,
        dropout=params.dropout,
        dropout_rows=split.conflicting,
        mutable=_off_path(paths, split) if params.mute == "off_path" else None,
        dropout_layers=params.dropout_layers,
    )


def _off_path(paths: ActivationPaths, split: SampleSplit) -> np.ndarray:
    """(n, hidden neurons) bool: neurons that are NOT on a conflict sample's own path."""
    rows = np.flatnonzero(split.conflicting)
    mutable = np.ones((len(split.conflicting), sum(paths.hidden_sizes)), bool)
    mutable[rows] = ~paths.active_neurons(rows)
    return mutable


def conflict_facts(split: SampleSplit, paths: ActivationPaths) -> dict[str, Any]:
    """Return how many samples and paths the clustering put on which side."""
    return {
        "samples": len(split.conflicting),
        "unique_paths": int(paths.unique_paths),
        "most_frequent": int(paths.most_frequent),
        "threshold_count": int(split.threshold_count),
        "rare_paths": int(split.rare_paths),
        "conflict_samples": int(split.conflicting.sum()),
        "words": split.words,
    }


FAIRNEURON = RepairRow(
    name="fairneuron",
    title="FairNeuron (selective training)",
    sentence="Trains on, muting neurons at random for the rows whose activation path is rare.",
    changes="training",
    needs_protected=False,
    cannot="It never looks at the protected attribute, so it cannot aim at a chosen gap; in an independent "
    "reproduction it kept accuracy and moved demographic parity no further than noise.",
    source="Gao et al., ICSE 2022",
    Params=FairNeuronParams,
    prepare=prepare_fairneuron,
)
