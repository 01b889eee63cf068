"""One trainer for many networks, as batched programs.

Weights carry a leading model axis, so K small networks cost little more than one. The models never meet: the loss is
the sum of their losses and Adam works element by element, so each gets what training it alone gives. Data order,
targets, row weights, dropout, penalty, frozen parameters, learning rate, schedule, early stopping, weight average and
the chosen epoch are each model's own.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch

from fairneuron_core.errors import SettingError
from fairneuron_core.models.batched import Batched
from fairneuron_core.models.checkpoint import Checkpoint
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.models.plan import Trained, TrainingPlan
from fairneuron_core.types import Progress, ProgressCallback, part_of


def train(
    plans: Sequence[TrainingPlan],
    *,
    device: str = "cpu",
    progress: ProgressCallback | None = None,
    dtype: torch.dtype = torch.float32,
    checkpoint: Checkpoint | None = None,
) -> list[Trained]:
    """Carry out `plans` and return their networks in order; those that can share one program do.

    `progress` is called every minibatch, and with one trace point (of a group's first plan) every epoch; it may raise
    `Cancelled`. With a `checkpoint` the state is kept now and then, and the same call goes on from there. Raises
    SettingError without plans, and for a training that diverged.
    """
    if not plans:
        raise SettingError("There is no training to carry out: give at least one plan.")
    groups: dict[Hashable, list[int]] = {}
    for position, plan in enumerate(plans):
        groups.setdefault(_program_of(plan), []).append(position)
    costs = [len(members) * plans[members[0]].epochs * len(plans[members[0]].labels) for members in groups.values()]
    found: dict[int, Trained] = {}
    for index, members in enumerate(groups.values()):
        low, high = sum(costs[:index]) / sum(costs), sum(costs[: index + 1]) / sum(costs)
        together = [plans[position] for position in members]
        trained = _train_together(together, device, part_of(progress, low, high), dtype, checkpoint)
        found |= dict(zip(members, trained, strict=True))
    if checkpoint:
        for members in groups.values():
            checkpoint.forget([plans[position] for position in members])
    return [found[position] for position in range(len(plans))]


def _program_of(plan: TrainingPlan) -> Hashable:
    """Plans with the same answer train as one program."""
    layers = linear_layers(plan.start)
    return (
        tuple((layer.weight.shape, layer.activation) for layer in layers),
        plan.batch_size,
        len(plan.labels),
        len(plan.validation[1]),
        plan.loss,
        type(plan.penalty),
    )


def _train_together(
    plans: Sequence[TrainingPlan],
    device: str,
    progress: ProgressCallback | None,
    dtype: torch.dtype,
    checkpoint: Checkpoint | None,
) -> list[Trained]:
    state = Batched(plans, device, dtype)
    epochs, first = max(plan.epochs for plan in plans), 1
    if checkpoint and (kept := checkpoint.load(plans)):
        first = state.restore(*kept) + 1
    for epoch in range(first, epochs + 1):
        if not state.active:
            break
        _one_epoch(state, epoch, epochs, progress)
        points = state.validate(epoch)
        if checkpoint and (checkpoint.due() or epoch == epochs or not state.active):
            checkpoint.save(plans, *state.snapshot(epoch))
        if progress:
            progress(Progress(epoch / epochs, f"Epoch {epoch} of {epochs}", points[0]))
    return state.results()


def _one_epoch(state: Batched, epoch: int, epochs: int, progress: ProgressCallback | None) -> None:
    state.start_epoch(epoch)
    for first in range(0, state.rows, state.batch_size):
        state.step(first)
        if progress:
            done = (epoch - 1 + min(first + state.batch_size, state.rows) / state.rows) / epochs
            progress(Progress(done, f"Epoch {epoch} of {epochs}"))
