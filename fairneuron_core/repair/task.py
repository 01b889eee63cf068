"""What every repair method is given and gives back.

A method never trains by itself: `prepare` returns the trainings it wants and a function that turns the trained
networks into results. So one method, a sweep of its strength, and many methods on many seeds are all carried out by
the one trainer, as batched programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fairneuron_core.models import Checkpoint, Trained, TrainingPlan
from fairneuron_core.types import Batch, Classifier, ProgressCallback, Schema

RepairKind = Literal["control", "method", "peer"]


@dataclass(frozen=True)
class RepairTask:
    """A trained classifier and the rows a repair may look at; the test part stays outside.

    checkpoint   where trainings keep their state, so that the same repair goes on after a kill; None = nowhere
    schema       the domains of the data set's columns, for methods that look at individuals who are no row
    """

    classifier: Classifier
    train: Batch
    validation: Batch
    attribute: str
    reference: str
    seed: int
    device: str = "cpu"
    threads: int | None = None
    progress: ProgressCallback | None = None
    checkpoint: Checkpoint | None = None
    schema: Schema | None = None


@dataclass(frozen=True)
class RepairResult:
    """The repaired classifier, one trace point an epoch, and facts about the method's own work (JSON values).

    decisions   rows -> decisions (n,) uint8, for a result that no single network can express (a random mix of
                networks); None = the classifier's own decisions
    """

    classifier: Classifier
    trace: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    decisions: Callable[[Batch], np.ndarray] | None = None


@dataclass(frozen=True)
class Prepared:
    """The trainings a method asks for (any architecture-equal plans, or none) and what it makes of them.

    finish   trained networks, in the order of `plans` -> one result per asked strength (one for a method without), or
             what is to be trained next, for a method that works in rounds
    share    of the repair that is done with these trainings, for the progress bar
    """

    plans: tuple[TrainingPlan, ...]
    finish: Callable[[Sequence[Trained]], tuple[RepairResult, ...] | Prepared]
    share: float = 1.0


@dataclass(frozen=True)
class RepairRow:
    """One method of the table: what it is, what it changes, what it needs and what it cannot do.

    prepare         (task, params, strengths) -> Prepared; `strengths` replaces the field `strength` of the params and
                    is empty for a method without one
    strengths       the values that an experiment sweeps, ascending, 0 first where 0 is the same training without the
                    fairness part; empty for a method without a strength (its Params then have no field `strength`)
    needs_protected the attribute is read when it DECIDES (in training all but the controls may read it)
    one_network     the result is one network with a decision rule, which a file can hold
    individual      its aim is that similar individuals get the same decision, which no gap between groups measures
    missing         None, or the sentence that says which extra is not installed
    """

    name: str
    title: str
    sentence: str
    changes: str
    needs_protected: bool
    cannot: str
    source: str
    Params: type
    prepare: Callable[[RepairTask, Any, Sequence[float]], Prepared]
    kind: RepairKind = "method"
    strengths: tuple[float, ...] = ()
    one_network: bool = True
    individual: bool = False
    missing: Callable[[], str | None] = lambda: None


def without_training(*results: RepairResult) -> Prepared:
    """Return the answer of a method that has already done all its work."""
    return Prepared((), lambda _: results)
