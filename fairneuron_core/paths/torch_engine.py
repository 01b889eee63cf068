"""Slicing in torch, for a GPU: the rule of `slicing.py` on whole tensors, with the same keys bit for bit.

1. The forward pass adds one input at a time, ascending, in float64, as the kernels do: same sums, same bits.
2. The contributions of all active neurons of all rows of a chunk, (pairs, sources), are rounded to the same grid of
   whole numbers as in `exact_cut.py`; a stable sort and a running sum give the shortest prefix, ties by index.
3. Keys are added up row by row in wrapping 64-bit arithmetic, whose order is free.

Where the device computes tanh or sigmoid in another way, activations can differ in their last bit, and then paths in
synapses whose inclusion hangs on that bit; `agreement.py` counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from fairneuron_core.errors import ModelError
from fairneuron_core.paths.packing import ACTIVATIONS, PackedNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES = {"cpu": 2**28, "cuda": 2**31}
_TENSORS_AT_ONCE = 8  # of the size of all contributions of a layer: values, order, sums, masks
_LARGEST_POWER = 800
_FUNCTIONS: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (torch.relu, lambda z: z, torch.tanh, torch.sigmoid)
assert len(_FUNCTIONS) == len(ACTIVATIONS)


@dataclass(frozen=True, eq=False)
class TorchEngine:
    """A packed network on a torch device. profiles (2, units): see `Slicer`."""

    network: PackedNetwork
    profiles: np.ndarray
    released: bool
    device: str

    @property
    def chunk_rows(self) -> int:
        """Rows whose contributions in the widest layer, with all that is made of them, fit the memory set aside."""
        widths = self.network.widths
        widest = int((widths[1:] * widths[:-1]).max())
        return max(16, CHUNK_BYTES.get(self.device, 2**28) // (8 * _TENSORS_AT_ONCE * widest))

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        names = ("biases", "row_scale", "words")
        found = {name: getattr(self.network, name) for name in names} | {"profiles": self.profiles}
        return {name: torch.from_numpy(np.ascontiguousarray(value)).to(self.device) for name, value in found.items()}

    @cached_property
    def _weights(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Per layer the weights (out, in) float64, as they are and with scaled rows."""
        net, pairs = self.network, []
        for index, layer in enumerate(net.layers):
            plain = torch.from_numpy(layer.weight.astype(np.float64)).to(self.device)
            pairs.append((plain, plain * self._tensors["row_scale"][net.level(index + 1), None]))
        return pairs

    @torch.no_grad()
    def keys(self, features: np.ndarray, coverages: Sequence[float], neurons: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return per-layer keys (n, coverages, L, 2) int64 and synapse counts (n, coverages, L) int64."""
        before, after = self._forward(torch.from_numpy(np.asarray(features, np.float64)).to(self.device))
        profiles = self._tensors["profiles"]
        sources = before if self.released else after - profiles[0]
        changes = (before - profiles[1]) * self._tensors["row_scale"]
        start = before[:, self.network.level(-1)].argmax(dim=1)
        found = [self._walk(sources, changes, start, float(coverage), neurons) for coverage in coverages]
        keys, counts = (torch.stack(parts, dim=1).cpu().numpy() for parts in zip(*found, strict=True))
        return keys, counts

    def _forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pre-activations and activations of all levels, (n, units) float64."""
        net = self.network
        before = torch.zeros(len(features), net.units, dtype=torch.float64, device=self.device)
        before[:, net.level(0)] = features
        after = before.clone()
        for index, (weights, _) in enumerate(self._weights):
            inputs, total = after[:, net.level(index)], before[:, net.level(index + 1)]
            for k in range(weights.shape[1]):
                total += inputs[:, k, None] * weights[:, k]
            total += self._tensors["biases"][net.level(index + 1)]
            after[:, net.level(index + 1)] = _FUNCTIONS[int(net.activations[index])](total)
        if not (before.isfinite().all() and after.isfinite().all()):
            raise ModelError(
                "A row gives values that are not finite (NaN or infinite): clean its inputs or the weights."
            )
        return before, after

    def _walk(
        self, sources: torch.Tensor, changes: torch.Tensor, start: torch.Tensor, coverage: float, neurons: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Slice all rows at one coverage: keys (n, L, 2), counts (n, L)."""
        net, rows, layers = self.network, len(sources), len(self.network.layers)
        keys = torch.zeros(rows, layers, 2, dtype=torch.int64, device=self.device)
        counts = torch.zeros(rows, layers, dtype=torch.int64, device=self.device)
        active = torch.zeros(rows, int(net.widths[-1]), dtype=torch.bool, device=self.device)
        active[torch.arange(rows, device=self.device), start] = True
        for layer in range(layers - 1, 0 if self.released else -1, -1):
            row, target = active.nonzero(as_tuple=True)
            taken = self._taken(layer, row, target, sources, changes, coverage)
            below = torch.zeros(rows, int(net.widths[layer]), dtype=torch.int32, device=self.device)
            below.index_add_(0, row, taken.int())
            counts[:, layer].index_add_(0, row, taken.sum(dim=1))
            words = self._words(layer, taken if not neurons else below > 0)
            if not neurons:
                words = words * self._tensors["words"][2:, net.level(layer + 1)].T[target]
            keys[:, layer] = words if neurons else torch.zeros_like(keys[:, layer]).index_add_(0, row, words)
            active = below > 0
        if neurons:
            keys[:, -1] += self._tensors["words"][2:, net.level(layers)].T[start]
        return keys, counts

    def _words(self, layer: int, chosen: torch.Tensor) -> torch.Tensor:
        """Return the sums of B and B' over the chosen units of a level: (rows of `chosen`, 2)."""
        own = self._tensors["words"][:2, self.network.level(layer)]
        return torch.stack([torch.where(chosen, word, 0).sum(dim=1) for word in own], dim=1)

    def _taken(
        self,
        layer: int,
        row: torch.Tensor,
        target: torch.Tensor,
        sources: torch.Tensor,
        changes: torch.Tensor,
        coverage: float,
    ) -> torch.Tensor:
        """Return which sources each active neuron takes: bool (pairs, sources)."""
        net = self.network
        here = sources[:, net.level(layer)]
        _, exponent = torch.frexp(here.abs().amax(dim=1))
        power = torch.ldexp(torch.ones_like(here[:, 0]), (int(net.bits[layer]) - exponent).clamp(max=_LARGEST_POWER))
        grid = (self._weights[layer][1][target] * (here * power[:, None])[row]).round().long()
        if self.released:
            goal = changes[:, net.level(layer + 1)][row, target] * power[row] * coverage
            return _prefix_to(grid, goal)
        return _prefix_above(grid, coverage)


def _prefix_above(grid: torch.Tensor, coverage: float) -> torch.Tensor:
    """Return the shortest prefix of c * sign(sum), largest first, whose sum exceeds coverage * |sum|."""
    total = grid.sum(dim=1, keepdim=True)
    signed = grid * total.sign()
    if coverage >= 1:
        return signed > 0
    values, order = signed.sort(dim=1, descending=True, stable=True)
    target = (coverage * total.abs().double()).floor().long()
    taken = (values.cumsum(dim=1) - values <= target) & (values > 0)
    return torch.zeros_like(taken).scatter_(1, order, taken)


def _prefix_to(grid: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """Return the shortest prefix of the signed contributions whose running sum reaches `goal`, or all of them."""
    values, order = grid.sort(dim=1, descending=True, stable=True)
    wanted = goal.ceil().clamp(-(2.0**62), 2.0**62).long()[:, None]
    reached = (values.cumsum(dim=1) >= wanted).cummax(dim=1).values
    taken = torch.ones_like(reached)
    taken[:, 1:] = ~reached[:, :-1]
    return torch.zeros_like(taken).scatter_(1, order, taken)
