"""One trainer for many networks of one architecture, as one batched program.

Weights carry a leading model axis, so K small networks cost little more than one. The models never meet: the loss is
the sum of their losses and Adam works element by element, so each gets what training it alone gives. Data order,
row weights, dropout, learning rate, plateau schedule, early stopping and the chosen epoch are each model's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from fairneuron_core.errors import SettingError
from fairneuron_core.models.layers import layer_sizes, linear_layers, network_of
from fairneuron_core.models.plan import Trained, TrainingPlan
from fairneuron_core.types import Progress, ProgressCallback

_ACTIVATIONS = {"relu": torch.relu, "identity": lambda z: z, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
_EPSILON = 1e-8


def train(
    plans: Sequence[TrainingPlan],
    *,
    device: str = "cpu",
    progress: ProgressCallback | None = None,
    dtype: torch.dtype = torch.float32,
) -> list[Trained]:
    """Carry out `plans` (one architecture, batch size and row count) together and return their networks in order.

    `progress` is called every minibatch, and with one trace point (of the first plan) every epoch; it may raise
    `Cancelled`. Raises SettingError when the plans cannot share one program.
    """
    _check_alike(plans)
    state = _Batched(plans, device, dtype)
    epochs = max(plan.epochs for plan in plans)
    for epoch in range(1, epochs + 1):
        _one_epoch(state, epoch, epochs, progress)
        points = state.validate(epoch)
        if progress:
            progress(Progress(epoch / epochs, f"Epoch {epoch} of {epochs}", points[0]))
        if not state.active.any():
            break
    return state.results()


def _check_alike(plans: Sequence[TrainingPlan]) -> None:
    if not plans:
        raise SettingError("There is no training to carry out: give at least one plan.")
    alike = {(layer_sizes(p.start), p.batch_size, len(p.labels), len(p.validation[1]), p.loss) for p in plans}
    if len(alike) > 1:
        raise SettingError("Plans trained together need one architecture, batch size, loss and row count: split them.")


def _one_epoch(state: _Batched, epoch: int, epochs: int, progress: ProgressCallback | None) -> None:
    state.start_epoch(epoch)
    for first in range(0, state.rows, state.batch_size):
        state.step(first)
        if progress:
            done = (epoch - 1 + min(first + state.batch_size, state.rows) / state.rows) / epochs
            progress(Progress(done, f"Epoch {epoch} of {epochs}"))


@dataclass
class _History:
    """What one model's schedule remembers."""

    best_loss: float = float("inf")
    best_epoch: int = 0
    since_best: int = 0
    since_drop: int = 0
    points: list[dict[str, Any]] = field(default_factory=list)


class _Batched:
    """All models of one call: stacked weights, Adam moments, data, schedules. K = models, B = rows of a batch."""

    def __init__(self, plans: Sequence[TrainingPlan], device: str, dtype: torch.dtype) -> None:
        self.plans, self.device, self.dtype = plans, device, dtype
        self.rows, self.batch_size = len(plans[0].labels), plans[0].batch_size
        stacks = [linear_layers(plan.start) for plan in plans]
        self.activations = [_ACTIVATIONS[layer.activation] for layer in stacks[0]]
        self.widths = [len(layer.bias) for layer in stacks[0][:-1]]
        self.parameters: list[torch.Tensor] = []
        for level in range(len(stacks[0])):
            self.parameters.append(self._tensor([s[level].weight.T for s in stacks]))  # (K, in, out)
            self.parameters.append(self._tensor([s[level].bias[None] for s in stacks]))  # (K, 1, out)
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters]
        self.best = [p.detach().clone() for p in self.parameters]
        self.features, self.which = self._shared([plan.features for plan in plans])
        self.val_features, self.val_which = self._shared([plan.validation[0] for plan in plans])
        self.labels = self._tensor([plan.labels for plan in plans])
        self.val_labels = self._tensor([plan.validation[1] for plan in plans])
        self.weights = self._weights()
        self.rates = torch.tensor([plan.learning_rate for plan in plans], dtype=dtype, device=device)
        self.betas = torch.tensor([plan.betas for plan in plans], dtype=dtype, device=device)
        self.active = torch.ones(len(plans), dtype=torch.bool)
        self.history = [_History() for _ in plans]
        self.generators = [torch.Generator().manual_seed(plan.seed) for plan in plans]
        self.steps = 0

    def _tensor(self, arrays: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self.device, self.dtype)

    def _shared(self, arrays: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        """Stack each distinct array once; models that look at the same rows share them."""
        distinct = {id(a): a for a in arrays}
        order = list(distinct)
        which = torch.tensor([order.index(id(a)) for a in arrays], device=self.device)
        return self._tensor(list(distinct.values())), which

    def _weights(self) -> torch.Tensor | None:
        if all(plan.row_weights is None for plan in self.plans):
            return None
        return self._tensor([np.ones(self.rows) if p.row_weights is None else p.row_weights for p in self.plans])

    def start_epoch(self, epoch: int) -> None:
        orders = [np.random.default_rng([plan.seed, epoch]).permutation(self.rows) for plan in self.plans]
        self.order = torch.from_numpy(np.stack(orders)).to(self.device)  # (K, rows)
        self.losses: list[torch.Tensor] = []

    def step(self, first: int) -> None:
        """One minibatch of every model: forward, loss, gradients, Adam."""
        picked = self.order[:, first : first + self.batch_size]  # (K, B)
        inputs = self.features[self.which[:, None], picked]  # (K, B, d)
        logits = self.forward(inputs, self._keep_masks(picked))
        labels = self.labels.gather(1, picked)
        losses = self._loss(logits, labels)
        if self.weights is not None:
            losses = losses * self.weights.gather(1, picked)
        gradients = torch.autograd.grad(losses.mean(1).sum(), self.parameters)
        self.losses.append(losses.detach().sum(1))
        self._adam(gradients)

    def forward(self, inputs: torch.Tensor, masks: list[torch.Tensor] | None = None) -> torch.Tensor:
        """Logits (K, B) of inputs (K, B, d)."""
        values = inputs
        for level, activation in enumerate(self.activations):
            values = activation(torch.baddbmm(self.parameters[2 * level + 1], values, self.parameters[2 * level]))
            if masks is not None and level < len(masks):
                values = values * masks[level]
        return values[..., 0]

    def _loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self.plans[0].loss == "mse":
            return (torch.sigmoid(logits) - labels) ** 2
        return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")

    def _keep_masks(self, picked: torch.Tensor) -> list[torch.Tensor] | None:
        """Factors per hidden layer (K, B, width): 0 where muted, 1/(1-p) in the other neurons that could have been."""
        if all(plan.dropout_rows is None or plan.dropout == 0 for plan in self.plans):
            return None
        factors = torch.stack([self._keep_factor(k, picked[k].cpu()) for k in range(len(self.plans))])
        return list(factors.to(self.device, self.dtype).split(self.widths, dim=2))

    def _keep_factor(self, k: int, rows: torch.Tensor) -> torch.Tensor:
        plan, total = self.plans[k], sum(self.widths)
        if plan.dropout_rows is None or plan.dropout == 0:
            return torch.ones(len(rows), total)
        eligible = torch.from_numpy(plan.dropout_rows[rows.numpy()])[:, None].expand(-1, total)
        if plan.mutable is not None:
            eligible = eligible & torch.from_numpy(plan.mutable[rows.numpy()])
        if plan.dropout_layers is not None:
            chosen = [level in plan.dropout_layers for level, width in enumerate(self.widths) for _ in range(width)]
            eligible = eligible & torch.tensor(chosen)
        muted = torch.rand(len(rows), total, generator=self.generators[k]) < plan.dropout
        return torch.where(eligible, torch.where(muted, 0.0, 1 / (1 - plan.dropout)), 1.0)

    @torch.no_grad()
    def _adam(self, gradients: Sequence[torch.Tensor]) -> None:
        """Kingma and Ba (2015) with a learning rate and betas per model; a stopped model stands still."""
        self.steps += 1
        shape = (-1, 1, 1)
        rate = (self.rates * self.active.to(self.rates)).view(shape)
        one, two = self.betas[:, 0].view(shape), self.betas[:, 1].view(shape)
        step_size = rate / (1 - one**self.steps)
        correction = (1 - two**self.steps).sqrt()
        for parameter, gradient, (mean, square) in zip(self.parameters, gradients, self.moments, strict=True):
            mean.lerp_(gradient, 1 - one)
            square.mul_(two).addcmul_(gradient, gradient * (1 - two))
            parameter.addcdiv_(-step_size * mean, (square.sqrt() / correction).add_(_EPSILON))

    @torch.no_grad()
    def validate(self, epoch: int) -> list[dict[str, Any]]:
        """Score the validation rows, advance every model's schedule, and return one trace point per model."""
        logits = self.forward(self.val_features[self.val_which])  # (K, m)
        losses = self._loss(logits, self.val_labels).mean(1).tolist()
        correct = ((logits >= 0) == (self.val_labels > 0.5)).to(self.dtype).mean(1).tolist()
        train_losses = (torch.stack(self.losses).sum(0) / self.rows).tolist()
        points = []
        for k, plan in enumerate(self.plans):
            point: dict[str, Any] = {
                "epoch": epoch,
                "train_loss": train_losses[k],
                "validation_loss": losses[k],
                "validation_accuracy": correct[k],
                "learning_rate": float(self.rates[k]),
            }
            if plan.watch:
                point |= plan.watch(torch.sigmoid(logits[k]).cpu().numpy())
            if self.active[k]:
                self.history[k].points.append(point)
                self._schedule(k, epoch, losses[k])
            points.append(point)
        return points

    def _schedule(self, k: int, epoch: int, loss: float) -> None:
        plan, history = self.plans[k], self.history[k]
        improved = loss < history.best_loss - 1e-4 * abs(history.best_loss) if history.best_epoch else True
        if improved:
            history.best_loss, history.since_best, history.since_drop = loss, 0, 0
        else:
            history.since_best += 1
            history.since_drop += 1
        if improved or plan.keep == "last":
            history.best_epoch = epoch
            for best, parameter in zip(self.best, self.parameters, strict=True):
                best[k] = parameter.detach()[k]
        if history.since_drop > plan.plateau_patience:
            self.rates[k] *= plan.plateau_factor
            history.since_drop = 0
        out_of_patience = plan.stop_patience is not None and history.since_best > plan.stop_patience
        if epoch >= plan.epochs or out_of_patience:
            self.active[k] = False

    def results(self) -> list[Trained]:
        """Return the trained networks; SettingError when not one of them has finite weights."""
        if not torch.stack([p.isfinite().all(2).all(1) for p in self.best]).all(0).any():
            raise SettingError(
                f"The training diverged: its weights are no longer finite; choose a learning rate below "
                f"{self.plans[0].learning_rate}."
            )
        return [
            Trained(self._network(k), tuple(history.points), history.best_epoch)
            for k, history in enumerate(self.history)
        ]

    def _network(self, k: int) -> nn.Sequential:
        """The starting network's layers with the chosen weights of model k."""
        trained = [
            replace(
                layer,
                weight=self.best[2 * level][k].T.contiguous().cpu().numpy(),
                bias=self.best[2 * level + 1][k, 0].cpu().numpy(),
            )
            for level, layer in enumerate(linear_layers(self.plans[k].start))
        ]
        return network_of(trained)
