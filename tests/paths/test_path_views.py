"""The graph, the table and the drawing of one path."""

import base64
import io
import json

import networkx as nx
import numpy as np
import pytest

from fairneuron_core.models.layers import LinearLayer, linear_layers, network_of
from fairneuron_core.paths import (
    network_payload,
    path_graph,
    path_payload,
    path_table,
    slice_paths,
    to_graphml,
    to_json,
)

FIGURE_2 = ([[2, -1], [1, -2], [1, 3]], [[1, 2, -1], [-1, -1, 2], [-1, 1, 1]], [[2, 1, -4], [3, 2, -3]])


@pytest.fixture(scope="module")
def network():
    layers = [LinearLayer(np.array(w, np.float32), np.zeros(len(w), np.float32), "relu") for w in FIGURE_2]
    return network_of(layers)


@pytest.fixture(scope="module")
def paths(network):
    return slice_paths(network, np.array([[3, 1]], np.float32), coverage=0.8, means=0)


def test_the_graph_of_figure_2_holds_its_numbers(paths):
    graph = paths.graph(0)
    assert set(graph.edges) == {((2, 1), (3, 1)), ((1, 2), (2, 1)), ((0, 0), (1, 2)), ((0, 1), (1, 2))}
    assert graph.edges[(2, 1), (3, 1)] == {"layer": 3, "contribution": 12.0, "weight": 2.0}
    assert graph.nodes[2, 1] == {"layer": 2, "unit": 1, "activation": 6.0, "delta": 6.0}
    assert graph.nodes[3, 1] == {"layer": 3, "unit": 1, "activation": 9.0, "delta": 9.0}
    assert graph.graph == {"row": 0, "coverage": 0.8, "reading": "delta", "first_layer": 1}


def test_graphml_and_json_read_back_as_the_same_graph(paths):
    graph = path_graph(paths, 0)
    from_xml = nx.read_graphml(io.BytesIO(to_graphml(graph)))
    from_json = nx.node_link_graph(json.loads(to_json(graph)), edges="edges")
    expected = {(f"{a[0]}:{a[1]}", f"{b[0]}:{b[1]}"): data["contribution"] for a, b, data in graph.edges(data=True)}
    for read in (from_xml, from_json):
        assert {(a, b): data["contribution"] for a, b, data in read.edges(data=True)} == expected
        assert read.nodes["2:1"]["activation"] == 6


def test_an_empty_path_still_has_its_output_neuron():
    network = network_of([LinearLayer(np.array([[1, -1]], np.float32), np.zeros(1, np.float32), "identity")])
    paths = slice_paths(network, np.ones((1, 2), np.float32), coverage=0.5, means=0)
    assert list(paths.graph(0).nodes) == [(1, 0)]
    assert path_table(paths, 0).words == "The path has no synapse: the contributions to the output cancel out."


def test_the_table_lists_contributions_largest_first_with_their_share_of_the_target(paths):
    table = path_table(paths, 0, feature_names=["age", "sex=Male"], limit=3)
    assert [(row.layer, row.source, row.target) for row in table.rows] == [(3, 1, 1), (2, 2, 1), (1, 0, 2)]
    assert [row.contribution for row in table.rows] == [12, 12, 3]
    assert [row.share for row in table.rows] == [12 / 9, 12 / 6, 3 / 6]
    assert [row.source_name for row in table.rows] == [
        "neuron 1 of hidden layer 2",
        "neuron 2 of hidden layer 1",
        "age",
    ]
    assert table.rows[0].target_name == "output 1"
    assert table.words == "Showing 3 of 4 synapses, 90 % of the contribution."


def test_the_last_synapse_of_every_neuron_exceeds_the_coverage(paths):
    last = {(row.layer, row.target): row.cumulative for row in path_table(paths, 0).rows}
    assert min(last.values()) > 0.8


def test_layers_below_the_first_are_in_no_view(network):
    paths = slice_paths(network, np.array([[3, 1]], np.float32), coverage=0.8, means=0, first_layer=3)
    assert path_payload(paths, 0) == [(3, 1, 1, 12.0)]
    assert set(paths.graph(0).nodes) == {(2, 1), (3, 1)}
    assert paths.active_neurons([0]).tolist() == [[False, False, True, False, True, False]]


def test_the_payload_gives_back_the_weights_to_half_a_step(network):
    payload = json.loads(json.dumps(network_payload(network, feature_names=["age", "sex=Male"])))
    assert payload["sizes"] == [2, 3, 3, 2]
    assert payload["features"] == ["age", "sex=Male"]
    for layer, sent in zip(linear_layers(network), payload["layers"], strict=True):
        values = np.frombuffer(base64.b64decode(sent["weights"]), np.int8).reshape(layer.weight.shape)
        assert np.abs(values * sent["scale"] - layer.weight).max() <= sent["scale"] / 2 + 1e-6


def test_a_layer_of_zeros_can_be_drawn():
    network = network_of([LinearLayer(np.zeros((1, 2), np.float32), np.zeros(1, np.float32), "identity")])
    assert network_payload(network)["layers"][0]["scale"] > 0
