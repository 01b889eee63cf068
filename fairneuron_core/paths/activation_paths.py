"""The paths of some rows: keys and counts for all of them, and any single path decoded again on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.paths.settings import SlicingSetting

if TYPE_CHECKING:
    import networkx as nx

    from fairneuron_core.paths.slicer import Slicer
    from fairneuron_core.paths.sources import RowSource

TAKEN_ROWS = 4096
Synapse = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class TracedPath:
    """One decoded path: layer (from 1), source, target and contribution of every synapse, and what the row computes.

    activations and deltas: one array per level (inputs, hidden layers, outputs); deltas are what the reading takes
    from a neuron (at the outputs: the sum of the contributions). neurons: per level, the units on the path.
    start: the output neuron.
    """

    layer: np.ndarray
    source: np.ndarray
    target: np.ndarray
    contribution: np.ndarray
    activations: tuple[np.ndarray, ...]
    deltas: tuple[np.ndarray, ...]
    neurons: tuple[np.ndarray, ...]
    start: int


@dataclass(frozen=True, eq=False)
class ActivationPaths:
    """The activation path of every row.

    key (n, 2) uint64: equal sets have equal keys. frequency (n,) int64: how many of these rows share the row's path.
    synapses (n,) int32: synapses of the path, counted from `first_layer` up. setting: what was asked for.
    source: where the rows can be read again; those of an iterator cannot (DataError from decode, graph and trace).
    """

    key: np.ndarray
    frequency: np.ndarray
    synapses: np.ndarray
    setting: SlicingSetting
    slicer: Slicer = field(repr=False)
    source: RowSource = field(repr=False)

    def __len__(self) -> int:
        return len(self.key)

    @property
    def coverage(self) -> float:
        return self.setting.coverage

    @property
    def reading(self) -> str:
        return self.setting.reading

    @property
    def granularity(self) -> str:
        return self.setting.granularity

    @property
    def first_layer(self) -> int:
        return self.setting.first_layer

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per level: inputs, hidden layers, outputs."""
        return tuple(int(width) for width in self.slicer.network.widths)

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        return self.sizes[1:-1]

    @cached_property
    def unique_paths(self) -> int:
        """Number of distinct paths: every row counts 1 / its path's frequency."""
        return round(float((1.0 / self.frequency).sum()))

    @property
    def most_frequent(self) -> int:
        """M = the number of rows on the most frequent path."""
        return int(self.frequency.max(initial=0))

    def decode(self, rows: Iterable[int]) -> list[set[Synapse]]:
        """Return the path of each row as a set of (layer, source, target), layers from `first_layer` up.

        Layers count from 1, neurons from 0. Two rows have equal sets when (granularity `synapses`) their keys agree.
        """
        return [
            set(zip(p.layer.tolist(), p.source.tolist(), p.target.tolist(), strict=True)) for p in self._traces(rows)
        ]

    def graph(self, row: int) -> nx.DiGraph:
        """Return one path as a networkx graph: nodes (level, unit), edges with their contribution."""
        from fairneuron_core.paths.graph import path_graph

        return path_graph(self, row)

    def trace(self, row: int) -> TracedPath:
        """Recompute the path of one row with all its numbers."""
        return next(self._traces([row]))

    def _traces(self, rows: Iterable[int]) -> Iterator[TracedPath]:
        from fairneuron_core.paths.tracing import trace_row

        for features in self._taken(rows):
            yield from (trace_row(self.slicer, row, self.setting) for row in features)

    def _taken(self, rows: Iterable[int] | np.ndarray) -> Iterator[np.ndarray]:
        """Yield the features of some rows, some thousand at a time: a file is then read through for all of them."""
        positions = np.array([self.check_row(row) for row in rows], np.int64)
        for first in range(0, len(positions), TAKEN_ROWS):
            yield self.source.take(positions[first : first + TAKEN_ROWS])

    def active_neurons(self, rows: Iterable[int] | np.ndarray) -> np.ndarray:
        """Return which hidden neurons are on the path of each row: bool (rows, sum of hidden_sizes), layer by layer.

        This is the whole path, down to the inputs, whatever `first_layer` counts in the key.
        """
        from fairneuron_core.paths.tracing import hidden_on_path

        parts = [
            hidden_on_path(self.slicer, features, np.arange(len(features)), coverage=self.coverage)
            for features in self._taken(rows)
        ]
        return np.concatenate(parts) if parts else np.empty((0, sum(self.hidden_sizes)), bool)

    def check_row(self, row: int) -> int:
        """Return `row` as a plain position, or raise SettingError when there is no such row."""
        if not 0 <= row < len(self):
            raise SettingError(f"Row {row} does not exist: choose a row between 0 and {len(self) - 1:,}.")
        return int(row)
