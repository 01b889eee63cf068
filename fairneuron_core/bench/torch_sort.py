"""The method of `paths/slicing.py` as one would write it in vectorised torch: float32, sort, cumulated sums.

1. Forward in chunks of rows; s_k = a_k - m_k.
2. Per layer from the output down: contributions W_jk * s_k, torch.sort in the order of c_k * sign(sum), cumsum, the
   shortest prefix whose sum exceeds gamma * |sum|, and a scatter back to the places of the neurons.
3. A neuron that any prefix took is active in the layer below.

`active_only` sorts the contributions of active neurons; without it every neuron of the layer is sorted in one tensor
(rows, targets, sources) and the inactive ones are masked away. Only synapses are counted: no keys, no sets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from fairneuron_core.models.layers import LinearLayer

CHUNK_ROWS = 128
DENSE_VALUES = 2**22
"""Contributions of a dense chunk: with fewer, two threads wait for one another; with more, they leave the cache."""


class TorchSort:
    """A network and its training profile as tensors, ready to count the synapses of any rows."""

    def __init__(
        self,
        layers: Sequence[LinearLayer],
        means: Sequence[np.ndarray],
        *,
        coverage: float,
        active_only: bool,
    ) -> None:
        import torch

        self.layers = [(torch.from_numpy(one.weight), torch.from_numpy(one.bias), one.activation) for one in layers]
        self.means = [torch.from_numpy(np.asarray(mean, np.float32)) for mean in means]
        self.coverage, self.active_only = coverage, active_only
        largest = max(weight.numel() for weight, _, _ in self.layers)
        self.chunk_rows = CHUNK_ROWS if active_only else max(16, DENSE_VALUES // largest)

    def count(self, features: np.ndarray) -> np.ndarray:
        """Return the synapses on the path of every row, int64 (n,)."""
        import torch

        rows = torch.from_numpy(features)
        with torch.no_grad():
            parts = [self._count_chunk(chunk) for chunk in rows.split(self.chunk_rows)]
        return torch.cat(parts).numpy()

    def _count_chunk(self, rows: Tensor) -> Tensor:
        import torch

        values = [rows]
        for weight, bias, activation in self.layers:
            values.append(_activated(activation, values[-1] @ weight.T + bias))
        head = values.pop()
        active = torch.zeros_like(head, dtype=torch.bool).scatter_(1, head.argmax(1, keepdim=True), True)
        synapses = torch.zeros(len(rows), dtype=torch.int64)
        expand = _expand_active if self.active_only else _expand_all
        for (weight, _, _), after, mean in zip(self.layers[::-1], values[::-1], self.means[::-1], strict=True):
            taken, active = expand(weight, after - mean, active, self.coverage)
            synapses += taken
        return synapses


def _expand_active(weight: Tensor, sources: Tensor, active: Tensor, coverage: float) -> tuple[Tensor, Tensor]:
    """Return synapses per row (n,) and the active sources (n, sources), sorting one line per ACTIVE neuron."""
    import torch

    row, target = active.nonzero(as_tuple=True)
    length, mask = _cut(sources[row] * weight[target], coverage)  # (pairs, sources)
    synapses = torch.zeros(len(sources), dtype=torch.int64).index_add_(0, row, length)
    hits = torch.zeros(sources.shape, dtype=torch.int32).index_add_(0, row, mask.int())
    return synapses, hits > 0


def _expand_all(weight: Tensor, sources: Tensor, active: Tensor, coverage: float) -> tuple[Tensor, Tensor]:
    """The same with one line per neuron of the layer."""
    length, mask = _cut(sources[:, None, :] * weight, coverage)  # (n, targets, sources)
    return (length * active).sum(1), (mask & active[:, :, None]).any(1)


def _cut(contributions: Tensor, coverage: float) -> tuple[Tensor, Tensor]:
    """Return length (...) and mask (..., sources) of the shortest prefix of every line whose sum exceeds its goal."""
    import torch

    total = contributions.sum(-1, keepdim=True)
    ordered, order = (contributions * total.sign()).sort(dim=-1, descending=True)
    beyond = ordered.cumsum(-1) > coverage * total.abs()
    if coverage >= 1:
        beyond = torch.zeros_like(beyond)
    first = beyond.int().argmax(-1) + 1
    length = torch.where(beyond.any(-1), first, (ordered > 0).sum(-1)) * (total[..., 0] != 0)
    prefix = torch.arange(ordered.shape[-1]) < length[..., None]
    return length, torch.zeros_like(prefix).scatter_(-1, order, prefix)


def _activated(name: str, z: Tensor) -> Tensor:
    import torch

    known: dict[str, Callable[[Tensor], Tensor]] = {
        "relu": torch.relu,
        "identity": lambda same: same,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }
    return known[name](z)
