"""One path as a networkx graph, as a table of synapses, and as a file."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import networkx as nx

    from fairneuron_core.paths.activation_paths import ActivationPaths


@dataclass(frozen=True)
class SynapseRow:
    """One synapse of a path. `share` = its contribution / the sum of all contributions to its target (signed).

    cumulative: the shares of the target's synapses in the table down to this one, added up. At the largest first, the
    last one of a target exceeds the coverage.
    """

    layer: int
    source: int
    target: int
    source_name: str
    target_name: str
    weight: float
    contribution: float
    share: float
    cumulative: float


@dataclass(frozen=True)
class PathTable:
    """The synapses of one path, largest |contribution| first, and how many there are in all."""

    rows: tuple[SynapseRow, ...]
    synapses: int
    shown_share: float

    @property
    def words(self) -> str:
        """Say how much of the path the rows show."""
        if not self.synapses:
            return "The path has no synapse: the contributions to the output cancel out."
        return (
            f"Showing {len(self.rows):,} of {self.synapses:,} synapses, "
            f"{100 * self.shown_share:.0f} % of the contribution."
        )


def path_graph(paths: ActivationPaths, row: int) -> nx.DiGraph:
    """Return the path of one row: nodes (level, unit), an edge per synapse from `first_layer` up.

    Levels: 0 = inputs, L = outputs. Node attributes: layer (= level), unit, activation, delta (what the reading takes
    from the neuron); edge attributes: layer, contribution, weight. The output neuron is a node even when its
    contributions cancel out.
    """
    import networkx as nx

    trace = paths.trace(row)
    graph = nx.DiGraph(row=int(row), coverage=paths.coverage, reading=paths.reading, first_layer=paths.first_layer)

    def add(level: int, unit: int) -> tuple[int, int]:
        node = (int(level), int(unit))
        values = float(trace.activations[level][unit]), float(trace.deltas[level][unit])
        graph.add_node(node, layer=node[0], unit=node[1], activation=values[0], delta=values[1])
        return node

    add(len(paths.sizes) - 1, trace.start)
    for layer, source, target, contribution in zip(
        trace.layer, trace.source, trace.target, trace.contribution, strict=True
    ):
        weight = float(paths.slicer.network.layers[layer - 1].weight[target, source])
        graph.add_edge(
            add(layer - 1, source),
            add(layer, target),
            layer=int(layer),
            contribution=float(contribution),
            weight=weight,
        )
    return graph


def to_graphml(graph: nx.DiGraph) -> bytes:
    """Return a path graph as GraphML (read by Gephi, yEd, Cytoscape, networkx); nodes are named `level:unit`."""
    import networkx as nx

    buffer = io.BytesIO()
    nx.write_graphml_xml(_with_text_nodes(graph), buffer)
    return buffer.getvalue()


def to_json(graph: nx.DiGraph) -> str:
    """Return a path graph as node-link JSON (networkx `node_link_graph` reads it with edges="edges")."""
    import networkx as nx

    return json.dumps(nx.node_link_data(_with_text_nodes(graph), edges="edges"), indent=1, allow_nan=False)


def _with_text_nodes(graph: nx.DiGraph) -> nx.DiGraph:
    import networkx as nx

    return nx.relabel_nodes(graph, {node: f"{node[0]}:{node[1]}" for node in graph})


def path_table(
    paths: ActivationPaths, row: int, *, feature_names: Sequence[str] | None = None, limit: int | None = None
) -> PathTable:
    """Return the synapses of one path by |contribution|, largest first, at most `limit` of them.

    `shown_share` = sum of |contribution| of the rows shown / that of the whole path.
    """
    trace = paths.trace(row)
    size = np.abs(trace.contribution)
    order = np.lexsort((trace.source, trace.target, -trace.layer, -size))[:limit]
    running: dict[tuple[int, int], float] = {}
    rows = []
    for index in order:
        layer, source, target = (int(part[index]) for part in (trace.layer, trace.source, trace.target))
        weights = paths.slicer.network.layers[layer - 1].weight[target]
        total = float((weights * trace.deltas[layer - 1]).sum())
        contribution = float(trace.contribution[index])
        share = contribution / total if total else float("nan")
        running[layer, target] = running.get((layer, target), 0.0) + share
        names = (_name(layer - 1, source, paths.sizes, feature_names), _name(layer, target, paths.sizes, None))
        weight = float(weights[source])
        rows.append(SynapseRow(layer, source, target, *names, weight, contribution, share, running[layer, target]))
    shown = float(size[order].sum() / size.sum()) if len(order) else 0.0
    return PathTable(tuple(rows), len(size), shown)


def _name(level: int, unit: int, sizes: Sequence[int], feature_names: Sequence[str] | None) -> str:
    """Return `age` for an input, `neuron 7 of hidden layer 2`, or `output 0`."""
    if level == 0:
        return feature_names[unit] if feature_names else f"input {unit}"
    return f"output {unit}" if level == len(sizes) - 1 else f"neuron {unit} of hidden layer {level}"
