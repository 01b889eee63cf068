"""The operators of ONNX that are understood, each turned into steps of a stack of dense layers.

A further operator is one function and one row in OPERATORS. Convolution and pooling are in onnx_pictures.py,
what only moves values in onnx_shapes.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx

from fairneuron_core.formats.onnx_pictures import PICTURES
from fairneuron_core.formats.onnx_shapes import SHAPES
from fairneuron_core.formats.onnx_values import Constant, Decision, Flow, Node, Value, class_names, is_rest
from fairneuron_core.formats.stacking import Activation, Affine, Dense, batch_norm, check_weights

FLOAT_TYPES = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
)


def _gemm(node: Node) -> Value:
    flow, weight, bias = node.flow(), node.needed(1), node.constant(2)
    if node.attributes.get("transA") or weight.ndim != 2:
        raise node.refused("multiplies in an order that is not known here")
    weight = weight if node.attributes.get("transB") else weight.T
    weight = weight * np.float64(node.attributes.get("alpha", 1.0))
    bias = np.zeros(1) if bias is None else bias * np.float64(node.attributes.get("beta", 1.0))
    _expect(node, flow, (weight.shape[1],))
    return flow.then(Dense(weight, _spread(node, bias, (len(weight),))), shape=(len(weight),))


def _matmul(node: Node) -> Value:
    if isinstance(node.inputs[0], Constant):
        raise node.refused("multiplies weights with the network's values from the left, which is not known here")
    flow, weight = node.flow(), node.needed(1)
    while weight.ndim > 2 and weight.shape[0] == 1:
        weight = weight[0]
    if weight.ndim != 2 or not flow.shape:
        raise node.refused(f"multiplies with weights of shape {weight.shape}, which is not known here")
    _expect(node, flow, (*flow.shape[:-1], weight.shape[0]))
    lines = math.prod(flow.shape[:-1])
    check_weights(lines * weight.shape[1], lines * weight.shape[0])
    matrix = weight.T if lines == 1 else np.kron(np.eye(lines), weight.T)
    return flow.then(Dense(matrix, np.zeros(len(matrix))), shape=(*flow.shape[:-1], weight.shape[1]))


def _sum(node: Node, *, sign: int = 1) -> Value:
    """Add and Sub with a constant on either side; a - x turns the sign of x."""
    flow, constant, flow_first = _sides(node)
    shift = _spread(node, constant, flow.shape)
    if sign == 1:
        return flow.then(Affine(np.ones(1), shift))
    return flow.then(Affine(np.ones(1), -shift) if flow_first else Affine(-np.ones(1), shift))


def _product(node: Node) -> Value:
    flow, constant, _ = _sides(node)
    return flow.then(Affine(_spread(node, constant, flow.shape), np.zeros(1)))


def _quotient(node: Node) -> Value:
    flow, constant, flow_first = _sides(node)
    if not flow_first:
        raise node.refused("divides by the network's values, which is no layer")
    with np.errstate(divide="ignore"):
        return flow.then(Affine(1 / _spread(node, constant, flow.shape), np.zeros(1)))


def _scaler(node: Node) -> Value:
    flow = node.flow()
    offset, scale = (np.asarray(node.attributes.get(name, [value])) for name, value in (("offset", 0), ("scale", 1)))
    scale = _spread(node, scale, flow.shape)
    return flow.then(Affine(scale, -_spread(node, offset, flow.shape) * scale))


def _batch_norm(node: Node) -> Value:
    flow = node.flow()
    if node.attributes.get("training_mode"):
        raise node.refused("was exported in training mode: call model.eval() before the export")
    inner = math.prod(flow.shape[1:])
    parts = [np.asarray(node.needed(i), np.float64) for i in range(1, 5)]
    if not flow.shape or any(part.shape != flow.shape[:1] for part in parts):
        raise node.refused("does not fit the number of channels that arrive: the file is damaged")
    norm = batch_norm(*parts, epsilon=float(node.attributes.get("epsilon", 1e-5)))
    return flow.then(Affine(np.repeat(norm.scale, inner), np.repeat(norm.shift, inner)))


def _activation(name: str) -> Callable[[Node], Value]:
    return lambda node: node.flow().then(Activation(name))


def _softmax(node: Node) -> Value:
    flow = node.flow()
    axis = int(node.attributes.get("axis", -1 if node.opset >= 13 else 1))
    axis = axis + len(flow.shape) + 1 if axis < 0 else axis
    if not 1 <= axis <= len(flow.shape) or flow.shape[axis - 1] != flow.size:
        raise node.refused(f"is a softmax over axis {axis} of values of shape {flow.shape}: only one over the classes")
    return flow.then(Activation("softmax"))


def _same(node: Node) -> Value:
    return node.flow(pair=True)


def _cast(node: Node) -> Value:
    flow = node.flow(pair=True)
    if node.attributes.get("to") not in FLOAT_TYPES:
        raise node.refused("rounds the network's values to whole numbers or truth values, which is no layer")
    return flow


def _concat(node: Node) -> Value:
    """Only [1 - p, p] and [p, 1 - p]: scikit-learn's two probabilities of one sigmoid output."""
    if len(node.inputs) == 2 and all(isinstance(v, Flow) and v.size == 1 and not v.pair for v in node.inputs):
        first, second = node.flow(0), node.flow(1)
        if is_rest(first, second):
            return replace(second, shape=(2,), pair=True)
        if is_rest(second, first):
            turned = (*first.steps[:-1], Affine(-np.ones(1), np.zeros(1)), first.steps[-1])
            return Flow(turned, (2,), pair=True)
    raise node.refused(
        "joins branches of the network: only a chain of layers can be read (join the columns before the network)"
    )


def _slice(node: Node) -> Value:
    """Only one of the two probabilities [1 - p, p]."""
    flow = node.flow(pair=True)
    starts, ends, axes = (node.numbers(i + 1, name) for i, name in enumerate(("starts", "ends", "axes")))
    if flow.pair and axes == [1] and (starts, ends) in (([0], [1]), ([1], [2])) and node.constant(4) is None:
        one = replace(flow, shape=(1,), pair=False)
        return one if starts == [1] else one.then(Affine(-np.ones(1), np.ones(1)))
    raise node.refused("picks some of the network's values: only a chain of layers can be read")


def _normalizer(node: Node) -> Value:
    flow = node.flow(pair=True)
    if not flow.pair and flow.steps[-1:] != (Activation("softmax"),):
        raise node.refused("scales every row by its own length, which is no layer")
    if node.attributes.get("norm", "L1") != "L1":
        raise node.refused("scales the probabilities so that they no longer add up to 1")
    return flow


def _zip_map(node: Node) -> Value:
    labels = node.attributes.get("classlabels_int64s") or node.attributes.get("classlabels_strings") or ()
    return replace(node.flow(pair=True), classes=class_names(labels))


def _compared(node: Node) -> Value:
    return Decision()


def _sides(node: Node) -> tuple[Flow, np.ndarray, bool]:
    """The network's values and the constant of an operator with two sides, and whether the values come first."""
    flows = [isinstance(value, Flow) for value in node.inputs]
    if flows == [True, True]:
        raise node.refused(
            "joins two branches of the network (a residual connection or a gate, say): only a chain of layers can be "
            "read"
        )
    first = bool(flows and flows[0])
    return node.flow(0 if first else 1), node.needed(1 if first else 0), first


def _spread(node: Node, constant: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.broadcast_to(np.asarray(constant, np.float64), (1, *shape)).ravel()
    except (ValueError, TypeError) as error:
        raise node.refused(
            f"has a constant of shape {constant.shape} where values of shape {shape} arrive: the file is damaged"
        ) from error


def _expect(node: Node, flow: Flow, shape: tuple[int, ...]) -> None:
    if flow.shape != shape:
        raise node.refused(f"reads values of shape {shape} where {flow.shape} arrive: the file does not fit together")


OPERATORS: dict[str, Callable[[Node], Value]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _sum,
    "Sub": lambda node: _sum(node, sign=-1),
    "Mul": _product,
    "Div": _quotient,
    "Neg": lambda node: node.flow().then(Affine(-np.ones(1), np.zeros(1))),
    "Scaler": _scaler,
    "BatchNormalization": _batch_norm,
    "Relu": _activation("relu"),
    "Sigmoid": _activation("sigmoid"),
    "Tanh": _activation("tanh"),
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Dropout": _same,
    "Identity": _same,
    "Cast": _cast,
    "Concat": _concat,
    "Slice": _slice,
    "Normalizer": _normalizer,
    "ZipMap": _zip_map,
    "ArgMax": lambda node: Decision(),
    **dict.fromkeys(("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"), _compared),
    **SHAPES,
    **PICTURES,
}
