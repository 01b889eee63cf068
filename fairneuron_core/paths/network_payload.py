"""What the network view needs: int8 weights of every layer, and the synapses to light up.

A dense layer's edges are implied by its weights, so 40,000 edges travel as 54 kB of text.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fairneuron_core.types import Classifier

if TYPE_CHECKING:
    from torch import nn

    from fairneuron_core.paths.activation_paths import ActivationPaths


def network_payload(
    network: nn.Sequential | Classifier, *, feature_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the network for drawing, ready for JSON.

    sizes: units per level. features: names of the inputs (those of the classifier's encoder unless given).
    layers: one {weights, scale} per Linear layer; weights = base64 of int8 (out x in, row by row);
    weight = int8 * scale, off by at most scale / 2.
    """
    from fairneuron_core.models.layers import linear_layers

    if isinstance(network, Classifier):
        feature_names = feature_names or network.encoder.feature_names
        network = network.network
    layers = linear_layers(network)
    sizes = [layers[0].weight.shape[1], *(len(layer.weight) for layer in layers)]
    return {
        "sizes": [int(size) for size in sizes],
        "features": list(feature_names) if feature_names else [f"input {k}" for k in range(sizes[0])],
        "layers": [_quantised(layer.weight) for layer in layers],
    }


def _quantised(weight: np.ndarray) -> dict[str, Any]:
    scale = float(np.abs(weight).max()) / 127 or 1.0
    values = np.rint(weight / scale).astype(np.int8)
    return {"weights": base64.b64encode(values.tobytes()).decode("ascii"), "scale": scale}


def path_payload(paths: ActivationPaths, row: int) -> list[tuple[int, int, int, float]]:
    """Return the synapses of one row's path as (layer, source, target, contribution), for highlighting."""
    trace = paths.trace(row)
    parts = (trace.layer, trace.source, trace.target, trace.contribution)
    return list(zip(*(part.tolist() for part in parts), strict=True))
