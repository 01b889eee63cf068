"""The network as one ONNX graph that ends in the probability: for onnxruntime and every tool that reads ONNX."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

import fairneuron_core
from fairneuron_core.errors import ModelError
from fairneuron_core.models.files.safetensors_file import description_of
from fairneuron_core.models.layers import linear_layers
from fairneuron_core.types import Classifier, LinearLayer

if TYPE_CHECKING:
    from onnx import NodeProto

INPUT, PROBABILITY = "features", "probability"
_OPSET, _IR = 17, 8
_OPERATORS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}
_SEEN = (
    "Input: the encoded columns named in feature_names. Output: the probability of the favourable outcome. "
    "The decision (threshold or rule) is not part of the graph; it stands in the metadata."
)


def to_onnx(classifier: Classifier) -> bytes:
    """Return one graph of operator set 17: features (rows, d) float32 -> probability (rows, 1), or (rows, 2) of the
    classes (0, 1) where the network has two outputs.

    The metadata carry the input names as a JSON list and, under our own key, encoder, threshold, record and rule.
    Other tools see the scores only: a decision rule is applied here alone. Equal classifiers give equal bytes.
    """
    try:
        from onnx import helper, numpy_helper
        from onnx.onnx_ml_pb2 import TensorProto
    except ImportError as error:
        raise ModelError("Writing ONNX needs the package onnx: install it with `pip install onnx`.") from error
    from fairneuron_core.formats.onnx_keys import NAMES, OURS

    layers = linear_layers(classifier.network)
    graph = helper.make_graph(
        _nodes(layers),
        "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", layers[0].weight.shape[1]])],
        [helper.make_tensor_value_info(PROBABILITY, TensorProto.FLOAT, ["rows", len(layers[-1].bias)])],
        initializer=[
            numpy_helper.from_array(np.ascontiguousarray(getattr(layer, part), np.float32), f"layer{i}.{part}")
            for i, layer in enumerate(layers)
            for part in ("weight", "bias")
        ],
        doc_string=_SEEN,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="fairneuron",
        producer_version=fairneuron_core.__version__,
    )
    names = json.dumps(list(classifier.encoder.feature_names))
    helper.set_model_props(model, {NAMES: names, OURS: description_of(classifier)})
    return model.SerializeToString(deterministic=True)


def _nodes(layers: list[LinearLayer]) -> list[NodeProto]:
    """Gemm and activation per layer; behind the last one sigmoid, or softmax over two outputs."""
    from onnx import helper

    nodes, value = [], INPUT
    for i, layer in enumerate(layers):
        nodes.append(
            helper.make_node("Gemm", [value, f"layer{i}.weight", f"layer{i}.bias"], [f"z{i}"], f"dense{i}", transB=1)
        )
        value = f"z{i}"
        if layer.activation in _OPERATORS:
            nodes.append(helper.make_node(_OPERATORS[layer.activation], [value], [f"a{i}"], f"activation{i}"))
            value = f"a{i}"
    if len(layers[-1].bias) == 1:
        return [*nodes, helper.make_node("Sigmoid", [value], [PROBABILITY], "head")]
    return [*nodes, helper.make_node("Softmax", [value], [PROBABILITY], "head", axis=1)]
