"""The state of K trainings that run as one program: data, weights, Adam's moments, averages, schedules."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from fairneuron_core.errors import SettingError
from fairneuron_core.models.muting import Muting
from fairneuron_core.models.penalty import NeighbourTerm
from fairneuron_core.models.plan import Trained, TrainingPlan
from fairneuron_core.models.schedule import Schedule
from fairneuron_core.models.stack import Stack

_EPSILON = 1e-8
_ROWS_AT_ONCE = 2048


class Batched:
    """All models of one program. K = models, B = rows of a minibatch, P = parameters of one network."""

    def __init__(self, plans: Sequence[TrainingPlan], device: str, dtype: torch.dtype) -> None:
        self.plans, self.device, self.dtype = plans, device, dtype
        self.rows, self.batch_size = len(plans[0].labels), plans[0].batch_size
        self.steps_per_epoch = math.ceil(self.rows / self.batch_size)
        self.stack = Stack([plan.start for plan in plans], device=device, dtype=dtype)
        self.features, self.which = self._shared([plan.features for plan in plans])
        self.val_features, self.val_which = self._shared([plan.validation[0] for plan in plans])
        self.labels = self._tensor([plan.labels for plan in plans])
        self.val_labels = self._tensor([plan.validation[1] for plan in plans])
        self.targets = self._optional([plan.targets for plan in plans], [plan.labels for plan in plans])
        self.weights = self._optional([plan.row_weights for plan in plans], [np.ones(self.rows)] * len(plans))
        self.movable = self._movable()
        self.proximal = self._column([plan.proximal for plan in plans])
        self.start = self.stack.flat.clone() if any(plan.proximal for plan in plans) else None
        self.ema = self._column([plan.ema for plan in plans])
        self.average = self.stack.flat.clone() if any(plan.ema for plan in plans) else self.stack.flat
        self.term = self._term()
        self.optimised = (
            [self.stack.flat, *(p.detach() for p in self.term.parameters)] if self.term else [self.stack.flat]
        )
        self.moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.optimised]
        self.betas = [self._column([plan.betas[i] for plan in plans]) for i in (0, 1)]
        self.best = self.stack.flat.clone()
        self.muting = Muting(plans, self.stack.widths)
        self.schedules = [Schedule(rate=plan.learning_rate) for plan in plans]
        self.steps = 0

    @property
    def active(self) -> bool:
        return any(schedule.active for schedule in self.schedules)

    def _tensor(self, arrays: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self.device, self.dtype)

    def _column(self, values: Sequence[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=self.dtype, device=self.device)[:, None]  # (K, 1)

    def _shared(self, arrays: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        """Stack each distinct array once; models that look at the same rows share them."""
        distinct = {id(a): a for a in arrays}
        order = list(distinct)
        which = torch.tensor([order.index(id(a)) for a in arrays], device=self.device)
        return self._tensor(list(distinct.values())), which

    def _optional(self, given: Sequence[np.ndarray | None], otherwise: Sequence[np.ndarray]) -> torch.Tensor | None:
        if all(array is None for array in given):
            return None
        return self._tensor([own if array is None else array for array, own in zip(given, otherwise, strict=True)])

    def _movable(self) -> torch.Tensor | None:
        """(K, P): 1 where a parameter may move, 0 where it is frozen."""
        if all(plan.trainable is None for plan in self.plans):
            return None
        everything = np.ones(self.stack.flat.shape[1], bool)
        masks = [everything if p.trainable is None else self.stack.flattened(p.trainable) for p in self.plans]
        return self._tensor(masks)

    def _term(self) -> Any:
        kind = type(self.plans[0].penalty)
        if kind is type(None):
            return None
        hidden = self.stack.shapes[-1][0]
        seeds = [plan.seed for plan in self.plans]
        penalties = [plan.penalty for plan in self.plans]
        return kind.term(penalties, hidden=hidden, device=self.device, dtype=self.dtype, seeds=seeds)

    def start_epoch(self, epoch: int) -> None:
        """Draw every model's own order of the rows, seeded by (seed, epoch)."""
        self.order = np.stack([np.random.default_rng([p.seed, epoch]).permutation(self.rows) for p in self.plans])
        self.muting.start_epoch(epoch)
        self.losses: list[torch.Tensor] = []

    def step(self, first: int) -> None:
        """One minibatch of every model: forward, loss, gradients, Adam, average."""
        rows = self.order[:, first : first + self.batch_size]
        picked = torch.from_numpy(rows).to(self.device)  # (K, B)
        inputs = self._inputs(picked)
        masks = self.muting.factors(rows)
        if masks is not None:
            masks = [mask.to(self.device, self.dtype) for mask in masks]
        with torch.no_grad():
            logits, entering = self.stack.forward(inputs, masks=masks)
            on_logits = self._loss_slope(logits, picked)
        on_hidden, own = None, []
        if self.term is not None:
            more, on_hidden, own = self._term_slopes(logits, entering[-1], picked)
            on_logits = on_logits + more
        with torch.no_grad():
            self.stack.backward(entering, on_logits, on_hidden=on_hidden, masks=masks)
            if isinstance(self.term, NeighbourTerm):
                self._add_neighbours(self.term, inputs, picked)
            self._adam([self._adjusted(self.stack.gradient), *own])
            self._average()

    def _inputs(self, picked: torch.Tensor) -> torch.Tensor:
        """(K, B, d): each model's rows from its own array."""
        places = picked + self.which[:, None] * self.rows
        width = self.features.shape[2]
        return self.features.view(-1, width).index_select(0, places.view(-1)).view(*picked.shape, width)

    def _loss_slope(self, logits: torch.Tensor, picked: torch.Tensor) -> torch.Tensor:
        """Gradient (K, B) of the mean loss; the losses themselves are kept for the trace."""
        targets = (self.labels if self.targets is None else self.targets).gather(1, picked)
        scores = torch.sigmoid(logits)
        if self.plans[0].loss == "mse":
            losses, slope = (scores - targets) ** 2, 2 * (scores - targets) * scores * (1 - scores)
        else:
            losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
            slope = scores - targets
        if self.weights is not None:
            weights = self.weights.gather(1, picked)
            losses, slope = losses * weights, slope * weights
        self.losses.append(losses.sum(1))
        return slope / picked.shape[1]

    def _term_slopes(
        self, logits: torch.Tensor, hidden: torch.Tensor, picked: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, list[torch.Tensor]]:
        """Gradients of the penalty by logits (K, B), by the last hidden layer, and by its own parameters."""
        leaves = [logits.detach().requires_grad_(True), hidden.detach().requires_grad_(True)]
        value = self.term(leaves[0], leaves[1], self.labels.gather(1, picked), picked)
        slopes = torch.autograd.grad(value.sum(), [*leaves, *self.term.parameters], allow_unused=True)
        on_logits = torch.zeros_like(logits) if slopes[0] is None else slopes[0]
        own = [torch.zeros_like(p) if g is None else g for p, g in zip(self.term.parameters, slopes[2:], strict=True)]
        return on_logits, slopes[1], own

    def _add_neighbours(self, term: NeighbourTerm, inputs: torch.Tensor, picked: torch.Tensor) -> None:
        """Add the gradient of the penalty over inputs of its own to that of the rows."""
        of_rows = self.stack.gradient.clone()
        logits, entering = self.stack.forward(term.neighbours(inputs, picked))
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_(True)
            (slopes,) = torch.autograd.grad(term.over_neighbours(leaf, picked).sum(), [leaf])
        self.stack.backward(entering, slopes)
        self.stack.gradient.add_(of_rows)

    def _adjusted(self, gradient: torch.Tensor) -> torch.Tensor:
        if self.start is not None:
            gradient.addcmul_(self.proximal, self.stack.flat - self.start)
        return gradient if self.movable is None else gradient.mul_(self.movable)

    def _adam(self, gradients: Sequence[torch.Tensor]) -> None:
        """Kingma and Ba (2015) with a learning rate and betas per model; a stopped model stands still."""
        rates = [
            s.rate_at(p, self.steps, self.steps_per_epoch) for s, p in zip(self.schedules, self.plans, strict=True)
        ]
        self.steps += 1
        one, two = self.betas
        step_size = self._column(rates) / (1 - one**self.steps)
        correction = (1 - two**self.steps).sqrt()
        for parameter, gradient, (mean, square) in zip(self.optimised, gradients, self.moments, strict=True):
            shape = (-1,) + (1,) * (parameter.ndim - 1)
            first, second = one.view(shape), two.view(shape)
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient * (1 - second))
            scale = (square.sqrt() / correction.view(shape)).add_(_EPSILON)
            parameter.addcdiv_(-step_size.view(shape) * mean, scale)

    def _average(self) -> None:
        """Move the running average; early on it follows faster, so that the start is forgotten."""
        if self.average is not self.stack.flat:
            decay = self.ema.clamp(max=(1 + self.steps) / (10 + self.steps))
            self.average.lerp_(self.stack.flat, 1 - decay)

    @torch.no_grad()
    def validate(self, epoch: int) -> list[dict[str, Any]]:
        """Score the validation rows, advance every model's schedule, and return one trace point per model."""
        logits = self._validation_logits()
        losses = self._validation_losses(logits)
        correct = ((logits >= 0) == (self.val_labels > 0.5)).to(self.dtype).mean(1).tolist()
        train_losses = (torch.stack(self.losses).sum(0) / self.rows).tolist()
        points = []
        for k, (plan, schedule) in enumerate(zip(self.plans, self.schedules, strict=True)):
            point: dict[str, Any] = {
                "epoch": epoch,
                "train_loss": train_losses[k],
                "validation_loss": losses[k],
                "validation_accuracy": correct[k],
                "learning_rate": schedule.rate_at(plan, self.steps - 1, self.steps_per_epoch),
            }
            points.append(point)
            if not schedule.active:
                continue
            scores = torch.sigmoid(logits[k]).cpu().numpy()
            point |= plan.watch(scores) if plan.watch else {}
            schedule.points.append(point)
            if schedule.end_epoch(plan, epoch, plan.criterion(scores) if plan.criterion else losses[k]):
                self.best[k] = self.average[k]
        return points

    def _validation_logits(self) -> torch.Tensor:
        """(K, m), in parts that stay in the processor's cache."""
        parts = [
            self.stack.forward(self.val_features[:, first : first + _ROWS_AT_ONCE][self.val_which], flat=self.average)[
                0
            ]
            for first in range(0, self.val_features.shape[1], _ROWS_AT_ONCE)
        ]
        return torch.cat(parts, 1)

    def _validation_losses(self, logits: torch.Tensor) -> list[float]:
        if self.plans[0].loss == "mse":
            return list(((torch.sigmoid(logits) - self.val_labels) ** 2).mean(1).tolist())
        return list(F.binary_cross_entropy_with_logits(logits, self.val_labels, reduction="none").mean(1).tolist())

    def snapshot(self, epoch: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return everything that a resumed training needs, as JSON values and arrays."""
        described = {"epoch": epoch, "steps": self.steps, "schedules": [dataclasses.asdict(s) for s in self.schedules]}
        return described, {name: tensor.cpu().numpy() for name, tensor in self._kept().items()}

    def restore(self, described: dict[str, Any], arrays: dict[str, np.ndarray]) -> int:
        """Take a snapshot up again and return its epoch."""
        for name, tensor in self._kept().items():
            tensor.copy_(torch.from_numpy(arrays[name]))
        self.schedules = [Schedule(**values) for values in described["schedules"]]
        self.steps = described["steps"]
        return int(described["epoch"])

    def _kept(self) -> dict[str, torch.Tensor]:
        moments = {f"moment{i}.{j}": m for i, pair in enumerate(self.moments) for j, m in enumerate(pair)}
        optimised = {f"optimised{i}": p for i, p in enumerate(self.optimised)}
        return moments | optimised | {"average": self.average, "best": self.best}

    def results(self) -> list[Trained]:
        """Return the trained networks; SettingError when not one of them has finite weights."""
        if not self.best.isfinite().all(1).any():
            raise SettingError(
                f"The training diverged: its weights are no longer finite; choose a learning rate below "
                f"{self.plans[0].learning_rate}."
            )
        return [
            Trained(self.stack.network(k, self.best), tuple(schedule.points), schedule.best_epoch)
            for k, schedule in enumerate(self.schedules)
        ]
