"""The deployed network taken apart: a first layer whose sums can be shared, the layers behind it, and what rounding
can do to the logit.

Sums in another order differ from the deployed float32 forward pass in their last bits. Whoever decides with these parts
must ask the deployed network again where a logit comes closer to the cut than `tolerance`.
"""

from __future__ import annotations

import numpy as np
import torch

from fairneuron_core.models import linear_layers
from fairneuron_core.types import Classifier

NEAR = 1e-3
"""Logits so near to the cut are decided by the deployed forward pass, whatever the error bound says."""

_UNIT = 2.0**-24
_IN_PLACE = {"relu": torch.relu_, "tanh": torch.tanh_, "sigmoid": torch.sigmoid_}


class Parts:
    """The layers of a network as float32 tensors on one device: z0 = weight @ x + bias, then `finish`."""

    def __init__(self, classifier: Classifier, device: str = "cpu") -> None:
        layers = linear_layers(classifier.network)
        self.columns = classifier.encoder.columns
        weights = [layer.weight for layer in layers]
        biases = [layer.bias for layer in layers]
        self.activations = [layer.activation for layer in layers]
        if len(biases[-1]) == 2 and self.activations[-1] == "identity":
            weights[-1], biases[-1] = weights[-1][1:] - weights[-1][:1], biases[-1][1:] - biases[-1][:1]
        self.host = list(zip(weights, biases, strict=True))
        self.device = torch.device(device)
        self.weights = [torch.from_numpy(np.ascontiguousarray(w)).to(self.device) for w in weights]
        self.biases = [torch.from_numpy(np.ascontiguousarray(b)).to(self.device) for b in biases]

    @property
    def first_width(self) -> int:
        return len(self.host[0][1])

    @property
    def widest(self) -> int:
        return max(len(bias) for _, bias in self.host)

    def finish(self, z: torch.Tensor) -> torch.Tensor:
        """Return the logits (r,) from pre-activations of the first layer (r, h), which are overwritten."""
        values = self._activate(0, z)
        for at in range(1, len(self.weights)):
            values = self._activate(at, torch.addmm(self.biases[at], values, self.weights[at].T))
        return self._logit(values)

    def finish_activated(self, values: torch.Tensor, second_bias: torch.Tensor) -> torch.Tensor:
        """Return the logits (r,) from activations (r, h) of the first layer and another bias of the second."""
        for at in range(1, len(self.weights)):
            bias = second_bias if at == 1 else self.biases[at]
            values = self._activate(at, torch.addmm(bias, values, self.weights[at].T))
        return self._logit(values)

    def _activate(self, at: int, z: torch.Tensor) -> torch.Tensor:
        in_place = _IN_PLACE.get(self.activations[at])
        return in_place(z) if in_place else z

    def _logit(self, values: torch.Tensor) -> torch.Tensor:
        return values[:, 0] if values.shape[1] == 1 else values[:, 1] - values[:, 0]

    def tolerance(self, low: np.ndarray, high: np.ndarray, *, shifted: bool = False) -> float:
        """Return how near to the cut a logit must be asked again, for inputs between low and high (d,).

        Two float32 sums of the same m products differ by at most 2 g sum |products|, g = m u / (1 - m u), u = 2^-24.
        Of a category at most one input is 1, and adding zeros rounds nothing. `shifted` says that max(a, -c) stands
        for relu(a + c) - c in the first layer (`whole_space.py`). Never less than NEAR.
        Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1.
        """
        below, above, reach = self._first_range(low, high)
        error = _growth(len(self.columns) + 2) * reach
        size = 2 * (reach + error) if shifted else None
        for at, ((weight, bias), activation) in enumerate(zip(self.host[1:], self.activations, strict=False)):
            below, above, error = _behind(activation, below, above, error)
            entering = size if at == 0 and size is not None else np.maximum(np.abs(below), np.abs(above)) + error
            exact = weight.astype(np.float64)
            up, down, absolute = exact.clip(min=0), exact.clip(max=0), np.abs(exact)
            error = absolute @ error + _growth(weight.shape[1] + 2) * (absolute @ entering + np.abs(bias))
            below, above = up @ below + down @ above + bias, up @ above + down @ below + bias
        if self.activations[-1] in ("tanh", "sigmoid"):
            error = error + 16 * _UNIT
        return max(NEAR, 2.0 * float(error.sum()))

    def _first_range(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the range of the first pre-activations (h,), and the largest sum of absolute products."""
        weight, bias = (part.astype(np.float64) for part in self.host[0])
        below, above, reach, start = bias.copy(), bias.copy(), np.abs(bias), 0
        for column in self.columns:
            at = slice(start, start + column.width)
            ends = np.stack([weight[:, at] * low[at], weight[:, at] * high[at]])
            if column.kind == "category":
                ends = np.append(ends, np.zeros_like(ends[:1]), axis=0)
            below, above = below + ends.min((0, 2)), above + ends.max((0, 2))
            reach = reach + np.abs(ends).max((0, 2))
            start = at.stop
        return below, above, reach


def _growth(terms: int) -> float:
    return terms * _UNIT / (1 - terms * _UNIT)


def _behind(
    activation: str, below: np.ndarray, above: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if activation == "relu":
        error = np.where(above + error <= 0, 0.0, error)
        return below.clip(min=0), above.clip(min=0), error
    if activation in ("tanh", "sigmoid"):
        # Slopes are at most 1; the functions themselves are exact to a few units in the last place.
        return np.full_like(below, -1.0), np.ones_like(above), error + 16 * _UNIT
    return below, above, error
