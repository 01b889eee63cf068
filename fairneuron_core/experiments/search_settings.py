"""The settings of a search: which points are tried, where, and how they are scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairneuron_core.params import setting
from fairneuron_core.repair.fairneuron import FairNeuronParams

THETAS = (0.1, 0.01, 3e-3, 1e-3, 3e-4, 1e-4)
GAMMAS = (0.95, 0.9, 0.85, 0.8, 0.7, 0.6)
GAPS = ("demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference")


@dataclass(frozen=True)
class SearchParams(FairNeuronParams):
    """Settings shared by all points, what is varied, and the weights of the score."""

    engine: Literal["grid", "optuna", "ray"] = setting(
        "grid",
        label="Engine",
        help="grid = every pair of theta and gamma; optuna = a sampler that learns from the trials so far, also about "
        "dropout, first layer and learning rate; ray = the points are shared out over a Ray cluster.",
        choices=("grid", "optuna", "ray"),
    )
    first_layer: int | None = setting(
        None,
        label="First layer that counts",
        help="Only synapses of this Linear layer and above enter a path; empty = the suggested one on a grid, drawn "
        "anew for each trial by Optuna.",
        low=1,
        high=64,
        empty="suggested or drawn",
    )
    thetas: tuple[float, ...] = setting(
        THETAS, label="Rarity grid (theta)", help="Values to try; Optuna draws between the ends.", low=0.0, high=1.0
    )
    gammas: tuple[float, ...] = setting(
        GAMMAS, label="Coverage grid (gamma)", help="Values to try; Optuna draws between the ends.", low=0.0, high=1.0
    )
    trials: int = setting(48, label="Trials", help="How many points Optuna tries.", low=1, high=5000)
    batch: int = setting(
        12, label="Trials at a time", help="Optuna asks for so many, which train as one program.", low=1, high=500
    )
    gaps: tuple[str, ...] = setting(
        GAPS[:2], label="Gaps that Optuna lowers", help=f"Beside accuracy, which goes up: any of {', '.join(GAPS)}."
    )
    dropouts: tuple[float, ...] = setting(
        (0.05, 0.6), label="Dropout between", help="Ends of the range Optuna draws from.", low=0.0, high=0.95
    )
    learning_rates: tuple[float, ...] = setting(
        (1e-4, 1e-2), label="Learning rate between", help="Ends of the range Optuna draws from.", low=1e-6, high=1.0
    )
    ray_points: Literal["grid", "optuna"] = setting(
        "grid",
        label="Points on Ray",
        help="Which points the engine ray shares out.",
        choices=("grid", "optuna"),
        expert=True,
    )
    address: str | None = setting(
        None, label="Address of the Ray cluster", help="Empty = a Ray of its own on this machine.", expert=True
    )
    weight_dp: float = setting(1.0, label="Weight of demographic parity", low=0.0, high=100.0)
    weight_eo: float = setting(1.0, label="Weight of equal opportunity", low=0.0, high=100.0)
    weight_ratio: float = setting(1.0, label="Weight of the parity ratio", low=0.0, high=100.0)
    weight_accuracy: float = setting(1.0, label="Weight of lost accuracy", low=0.0, high=100.0)

    @property
    def sampled(self) -> bool:
        """Whether Optuna names the points."""
        return "optuna" in (self.engine, self.ray_points if self.engine == "ray" else self.engine)
