"""What a training is: a `TrainingPlan` describes one, `trainer.train` carries out any number of them together.

A repair method writes plans; it never trains by itself. So every method can be seeded, swept and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import nn

from fairneuron_core.errors import SettingError
from fairneuron_core.models.penalty import Penalty


@dataclass(frozen=True)
class TrainingPlan:
    """One training: where it starts, which rows with which weights, what is muted, and when it ends.

    start                 network whose weights it starts from (left untouched)
    features, labels      training rows (n, d) float32 and (n,) 0/1
    validation            (features, labels) for the plateau schedule, early stopping and the choice of the epoch
    row_weights           (n,) relative weights in the loss, None = all 1
    dropout_rows          (n,) bool: rows in which hidden neurons are muted with probability `dropout`
    mutable               (n, hidden neurons in all) bool: which neurons may be muted in a row, None = all of them
    dropout_layers        hidden layers (0-based) in which neurons may be muted, None = every one
    targets               (n,) soft labels in [0, 1] that the loss uses instead of `labels`; validation keeps the labels
    penalty               a term added to the loss (a group gap, an adversary); None = none
    trainable             bool arrays (weight (out, in), bias (out,), next weight, ...): parameters that may move,
                          None = all
    proximal              weight of half the squared distance to the starting parameters in the loss
    ema                   decay per step of the averaged weights that are validated and kept; 0 = the weights themselves
    schedule              "plateau" = times `plateau_factor` after `plateau_patience` epochs without progress,
                          "cosine" = falls to 0 over all steps
    keep                  "best" = the epoch with the lowest criterion, "last" = the final epoch
    criterion             validation scores (m,) -> what "best" minimises; None = the validation loss
    watch                 validation scores (m,) -> numbers for the live trace (gaps between groups)
    """

    start: nn.Sequential
    features: np.ndarray
    labels: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    epochs: int
    seed: int
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    batch_size: int = 128
    row_weights: np.ndarray | None = None
    dropout: float = 0.0
    dropout_rows: np.ndarray | None = None
    mutable: np.ndarray | None = None
    dropout_layers: tuple[int, ...] | None = None
    targets: np.ndarray | None = None
    penalty: Penalty | None = None
    trainable: tuple[np.ndarray, ...] | None = None
    proximal: float = 0.0
    ema: float = 0.0
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    schedule: Literal["plateau", "cosine"] = "plateau"
    plateau_patience: int = 3
    plateau_factor: float = 0.1
    stop_patience: int | None = None
    keep: Literal["best", "last"] = "best"
    criterion: Callable[[np.ndarray], float] | None = None
    watch: Callable[[np.ndarray], Mapping[str, float]] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise SettingError(f"Dropout is a probability from 0 to below 1, not {self.dropout}: choose one.")
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            raise SettingError(
                f"Training needs at least 1 epoch, 1 row a batch and a positive learning rate, not {self.epochs}, "
                f"{self.batch_size} and {self.learning_rate}."
            )
        if len(self.features) != len(self.labels) or len(self.features) == 0:
            raise SettingError(
                f"{len(self.features)} rows of features meet {len(self.labels)} labels: both must match."
            )


@dataclass(frozen=True)
class Trained:
    """The result of one plan. `trace` has one dict an epoch; losses are means over rows."""

    network: nn.Sequential
    trace: tuple[Mapping[str, Any], ...]
    best_epoch: int
