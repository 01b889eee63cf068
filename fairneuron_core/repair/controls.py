"""Controls: what a repair has to beat before its own idea deserves the credit.

Source: Gao et al., "FairNeuron", ICSE 2022, Tables 2 and 3 (random clustering, ordinary training, pure dropout).

no_repair          the given network, unchanged
plain_retraining   as many epochs from the same start, and nothing else
dropout_all        the same with dropout on every row
random_group       FairNeuron with its conflict samples replaced by as many rows drawn at random
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fairneuron_core.params import setting
from fairneuron_core.repair.fairneuron import FairNeuronParams, selection_facts, selective_plan, slice_and_cluster
from fairneuron_core.repair.fine_tuning import TrainingSettings, one_training, plan_for
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training


@dataclass(frozen=True)
class NoRepairParams:
    """Doing nothing has no setting."""


@dataclass(frozen=True)
class PlainRetrainingParams(TrainingSettings):
    """Plain retraining has no setting of its own besides the training's."""


@dataclass(frozen=True)
class DropoutAllParams(TrainingSettings):
    """How much is muted."""

    dropout: float = setting(
        0.3, label="Dropout p", help="Probability that a hidden neuron is muted for a row.", low=0.0, high=0.95
    )


@dataclass(frozen=True)
class RandomGroupParams(FairNeuronParams):
    """FairNeuron's settings: they decide how many rows are drawn and what is muted in them."""


def prepare_no_repair(task: RepairTask, params: NoRepairParams, strengths: Sequence[float]) -> Prepared:
    """Give the task's classifier back as it is."""
    return without_training(RepairResult(task.classifier))


def prepare_plain_retraining(task: RepairTask, params: PlainRetrainingParams, strengths: Sequence[float]) -> Prepared:
    """Ask for one training with nothing added."""
    return one_training(task, plan_for(task, params), method="plain_retraining", params=params)


def prepare_dropout_all(task: RepairTask, params: DropoutAllParams, strengths: Sequence[float]) -> Prepared:
    """Ask for one training with dropout on every row."""
    every = np.ones(len(task.train.labels), bool)
    plan = plan_for(task, params, dropout=params.dropout, dropout_rows=every)
    return one_training(task, plan, method="dropout_all", params=params)


def prepare_random_group(task: RepairTask, params: RandomGroupParams, strengths: Sequence[float]) -> Prepared:
    """Slice and cluster as FairNeuron does, draw a group of the same size, ask for one selective training."""
    found = slice_and_cluster(task, params)
    drawn = random_group(len(found.split.conflicting), int(found.split.conflicting.sum()), seed=task.seed)
    plan = selective_plan(task, found.params, paths=found.paths, split=replace(found.split, conflicting=drawn))
    shared = int((drawn & found.split.conflicting).sum())
    facts = selection_facts(found) | {"random_samples": int(drawn.sum()), "random_samples_in_conflict": shared}
    return one_training(task, plan, method="random_group", params=found.params, facts=facts)


def random_group(rows: int, size: int, *, seed: int) -> np.ndarray:
    """Return a mask (rows,) with `size` rows drawn without replacement.

    >>> int(random_group(10, 4, seed=0).sum())
    4
    """
    chosen = np.zeros(rows, bool)
    # The second number keeps this draw apart from the data order of the same seed.
    chosen[np.random.default_rng([seed, rows, size]).choice(rows, size, replace=False)] = True
    return chosen


_SOURCE = "A control of this dashboard; compare Gao et al., ICSE 2022, Tables 2 and 3"

NO_REPAIR = RepairRow(
    name="no_repair",
    title="No repair",
    sentence="Control: the network as it was given.",
    changes="nothing",
    needs_protected=False,
    cannot="It repairs nothing: every other row is compared with it.",
    source="A control of this dashboard",
    Params=NoRepairParams,
    prepare=prepare_no_repair,
    kind="control",
)

PLAIN_RETRAINING = RepairRow(
    name="plain_retraining",
    title="Plain retraining",
    sentence="Control: trains on for the same number of epochs, with nothing added.",
    changes="training (nothing added)",
    needs_protected=False,
    cannot="It repairs nothing on purpose: it shows how far a gap moves by training on alone.",
    source=_SOURCE,
    Params=PlainRetrainingParams,
    prepare=prepare_plain_retraining,
    kind="control",
)

DROPOUT_ALL = RepairRow(
    name="dropout_all",
    title="Dropout on all rows",
    sentence="Control: trains on, muting neurons at random for every row.",
    changes="training (dropout)",
    needs_protected=False,
    cannot="It repairs nothing on purpose: it shows what dropout does when nobody chooses the rows.",
    source=_SOURCE,
    Params=DropoutAllParams,
    prepare=prepare_dropout_all,
    kind="control",
)

RANDOM_GROUP = RepairRow(
    name="random_group",
    title="Random group",
    sentence="Control: FairNeuron with as many rows drawn at random in place of those with a rare path.",
    changes="training",
    needs_protected=False,
    cannot="It repairs nothing on purpose: what FairNeuron does beyond it is due to the choice of the rows.",
    source=_SOURCE,
    Params=RandomGroupParams,
    prepare=prepare_random_group,
    kind="control",
)
