"""What a slicing is asked to do, checked: coverage, reading, granularity, first layer, and the training profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from fairneuron_core.errors import ModelError, SettingError

Reading = Literal["delta", "released", "activation"]
Granularity = Literal["synapses", "neurons"]

READINGS: dict[str, str] = {
    "delta": "change against the training mean, after the activation (the paper)",
    "released": "pre-activation values without mean or input layer (what the paper's released code does)",
    "activation": "as delta, without subtracting the mean",
}
GRANULARITIES: dict[str, str] = {
    "synapses": "the set of synapses (the paper)",
    "neurons": "the set of active neurons",
}


@dataclass(frozen=True)
class SlicingSetting:
    """The setting of one slicing. coverage = gamma in [0, 1]; first_layer counts Linear layers from 1."""

    coverage: float
    reading: Reading = "delta"
    granularity: Granularity = "synapses"
    first_layer: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.coverage <= 1:
            raise SettingError(f"Coverage (gamma) is {self.coverage}: choose a value between 0 and 1.")
        _check_choice("reading", self.reading, get_args(Reading))
        _check_choice("granularity", self.granularity, get_args(Granularity))

    def check_layers(self, layers: int) -> None:
        """Raise SettingError when `first_layer` is not one of the layers that can be in a path."""
        lowest = 2 if self.reading == "released" else 1
        if layers < lowest:
            raise SettingError("The reading 'released' needs at least two Linear layers: choose the reading 'delta'.")
        if isinstance(self.first_layer, bool) or not 1 <= self.first_layer <= layers:
            raise SettingError(f"First layer is {self.first_layer}: the network has Linear layers 1 to {layers}.")


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(f"Unknown {what} '{value}': choose one of {', '.join(choices)}.")


def training_profile(means: Any, *, stored: Sequence[np.ndarray] | None, widths: Sequence[int]) -> list[np.ndarray]:
    """Return the mean of the inputs and of every hidden layer (after its activation), float64.

    `means`: None = the profile stored with the classifier; 0 = zeros; or one array per level. The means are those of
    the TRAINING rows: they are never computed from the rows that are sliced.
    Raises ModelError when there is no profile, or when it was made for other layers.
    """
    if means is None:
        means = stored or None
    if means is None:
        raise ModelError(
            "This network has no training profile, and the reading 'delta' needs one: run the TRAINING rows through "
            "the network and pass `means` = the mean of the inputs and of every hidden layer after its activation, "
            "or pass means=0 to leave it out."
        )
    if np.isscalar(means):
        if means != 0:
            raise SettingError(f"means = {means}: pass 0 to leave the profile out, or one array of means per layer.")
        return [np.zeros(width) for width in widths[:-1]]
    profile = [np.asarray(mean, np.float64) for mean in means]
    found, wanted = [mean.shape for mean in profile], [(int(width),) for width in widths[:-1]]
    if found != wanted:
        raise ModelError(
            f"The training profile has sizes {[s[0] if s else 1 for s in found]} and the network needs "
            f"{[s[0] for s in wanted]} (inputs, then hidden layers): make the profile with this network."
        )
    return profile
