"""What the engines slice: a network that is really trained on a built-in table, and any number of rows like its own.

Paths of a network with random weights are shorter or longer than those of a trained one, and so would be the times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairneuron_core.bench.sizes import Size

if TYPE_CHECKING:
    from torch import nn

    from fairneuron_core.models.layers import LinearLayer

SEED = 0
EPOCHS = {"census": 4}
MANY_EPOCHS = 20
NOISE = np.float32(0.01)
_BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class Case:
    """A trained network as its layers, its training profile and its rows at x1, float32 (rows, inputs).

    Arrays only, so that it can be sent to another process.
    """

    size: Size
    layers: tuple[LinearLayer, ...]
    means: tuple[np.ndarray, ...]
    features: np.ndarray

    def network(self) -> nn.Sequential:
        """Build the network."""
        from fairneuron_core.models import network_of

        return network_of(self.layers)

    @property
    def shape(self) -> str:
        """Units per layer, as in `105-128-128-128-1`."""
        return "-".join(map(str, (self.features.shape[1], *self.size.hidden, 1)))


def make_case(size: Size) -> Case:
    """Train the network of one size, seeded, in seconds. Every call gives equal weights and rows on one machine."""
    from fairneuron_core.data import encode, fit_encoder, input_columns, load_dataset, split_rows
    from fairneuron_core.models import linear_layers, profile

    dataset = load_dataset(size.data)
    split = split_rows(dataset, seed=SEED)
    inputs = input_columns(dataset, include_protected=dataset.include_protected, protected=dataset.schema.protected[:1])
    encoder = fit_encoder(dataset, split.train, inputs=inputs)
    parts = [encode(dataset, rows, encoder) for rows in (split.train, split.validation)]
    features, check = (_widened(part.features, size.inputs) for part in parts)
    network = trained(size.hidden, (features, parts[0].labels), (check, parts[1].labels), epochs=_epochs(size))
    return Case(size, tuple(linear_layers(network)), profile(network, features), _exactly(features, size.rows))


def trained(
    hidden: tuple[int, ...],
    rows: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    epochs: int,
) -> nn.Sequential:
    """Return a network trained with the product's own trainer on (features, labels)."""
    from fairneuron_core.models import TrainingPlan, build_network, train

    start = build_network((rows[0].shape[1], *hidden, 1), seed=SEED)
    plan = TrainingPlan(start, *rows, validation=validation, epochs=epochs, seed=SEED, stop_patience=None)
    return train([plan], device="cpu")[0].network


def scaled_rows(features: np.ndarray, scale: int, *, seed: int = SEED) -> np.ndarray:
    """Return `scale` times as many rows: seeded draws of the given ones, each value changed by about 1 %.

    Zeros stay zero: a table with many categories keeps its many zeros.
    """
    if scale == 1:
        return features
    generator = np.random.default_rng(seed)
    rows = np.empty((len(features) * scale, features.shape[1]), np.float32)
    for first in range(0, len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        generator.standard_normal(out=block, dtype=np.float32)
        np.multiply(block, NOISE, out=block)
        block += 1
        block *= features[generator.integers(len(features), size=len(block))]
    return rows


def _epochs(size: Size) -> int:
    return EPOCHS.get(size.data, MANY_EPOCHS)


def _widened(features: np.ndarray, inputs: int | None) -> np.ndarray:
    """Append seeded columns until there are `inputs` of them."""
    missing = max((inputs or 0) - features.shape[1], 0)
    noise = np.random.default_rng(SEED).random((len(features), missing), dtype=np.float32)
    return np.hstack([features, noise]) if missing else features


def _exactly(features: np.ndarray, rows: int) -> np.ndarray:
    """Return the first `rows` rows; what the table lacks is drawn like the rows of a larger scale."""
    more = scaled_rows(features, -(-rows // len(features)))
    return np.ascontiguousarray(more[:rows])
