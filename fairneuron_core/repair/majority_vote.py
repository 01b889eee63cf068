"""Majority vote: the network stays, and decides for all individuals that are similar to a row what most of them get.

decision(x) = the majority of the network's decisions over S(x). S(x) is the same set for all who are similar, so that
their decision is the same: proved for every input without a solver. At a tie the mean score decides.

With equal weights no other decider that ignores the free columns changes fewer of the network's decisions, counted over
all of S(x); weighted by training rows, counted over people as frequent as those rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.deciding import deciding
from fairneuron_core.repair.individual import IndividualSettings, individual_facts, space_of
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import VoteRule
from fairneuron_core.verify import SimilarSpace

_MOST = 5000


@dataclass(frozen=True)
class MajorityVoteParams(IndividualSettings):
    """How much each possibility weighs in the vote."""

    weights: Literal["equal", "training rows"] = setting(
        "equal",
        label="Weight of a possibility",
        help="equal = each counts the same; training rows = as often as it occurs in training.",
        choices=("equal", "training rows"),
    )


def prepare_majority_vote(task: RepairTask, params: MajorityVoteParams, strengths: Sequence[float]) -> Prepared:
    """Give the task's network with a vote as its rule; nothing is trained."""
    began = time.perf_counter()
    space = space_of(task, params)
    rule = vote_over(space, task.train.features, weights=params.weights) if len(space.positions) else None
    recipe, threshold = params_json(params), task.classifier.threshold
    classifier = deciding(task, method="majority_vote", recipe=recipe, threshold=threshold, rule=rule)
    seconds = {"in all": time.perf_counter() - began}
    return without_training(
        RepairResult(classifier, facts=individual_facts(task, space, classifier, params, seconds=seconds))
    )


def vote_over(space: SimilarSpace, features: np.ndarray, *, weights: str = "equal") -> VoteRule:
    """Return the vote over all combinations of the free columns.

    SettingError where they cannot be listed once for all rows, or are more than 5,000. `features` (n, d) give the
    weights of "training rows"; a combination without a row weighs as much as a single one.
    """
    if space.finite and not space.windowed and space.size > _MOST:
        raise SettingError(
            f"A vote over {space.size:,} possibilities would be asked at every decision, more than {_MOST:,}: "
            "free fewer attributes at once."
        )
    combinations = space.combinations()  # (m, f)
    order = np.argsort(space.positions)
    counted = () if weights == "equal" else _frequency(combinations, features[:, space.positions])
    return VoteRule(
        attributes=tuple(column.name for column in space.columns),
        positions=tuple(int(at) for at in space.positions[order]),
        combinations=tuple(tuple(float(value) for value in one) for one in combinations[:, order]),
        weights=tuple(counted),
    )


def _frequency(combinations: np.ndarray, values: np.ndarray) -> list[float]:
    """Return one more than the number of rows with each combination, so that every weight is positive."""
    distinct, counts = np.unique(values, axis=0, return_counts=True)
    found = {row.tobytes(): int(count) for row, count in zip(distinct, counts, strict=True)}
    return [1.0 + found.get(np.ascontiguousarray(one).tobytes(), 0) for one in combinations.astype(values.dtype)]


MAJORITY_VOTE = RepairRow(
    name="majority_vote",
    title="Majority vote",
    sentence="The network stays; each decision is what most of the person's similar individuals would get from it.",
    changes="decisions (a vote)",
    needs_protected=False,
    cannot="It says nothing about gaps between groups, needs attributes whose values can be listed, and asks the "
    "network once for every possibility at each decision.",
    source="A baseline of individual fairness",
    Params=MajorityVoteParams,
    prepare=prepare_majority_vote,
    individual=True,
)
