"""The operators of ONNX that move values and compute nothing: allowed as long as every row stays a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fairneuron_core.formats.dense import reordered
from fairneuron_core.formats.onnx_values import Constant, Node, Value, places_of


def _reshape(node: Node) -> Value:
    flow, wanted = node.flow(), [int(size) for size in node.needed(1).ravel()]
    if not node.attributes.get("allowzero"):
        wanted = [
            flow.shape[i - 1] if size == 0 and 0 < i <= len(flow.shape) else size for i, size in enumerate(wanted)
        ]
    if len(wanted) == 1 and wanted[0] == -1 and flow.size == 1:
        return replace(flow, shape=())
    # The first axis holds the rows: 0 and -1 keep it, a number is the number of rows of the export.
    shape = wanted[1:]
    if shape.count(-1) == 1 and (known := -math.prod(shape)) > 0 and flow.size % known == 0:
        shape[shape.index(-1)] = flow.size // known
    if not wanted or min(shape, default=1) < 1 or math.prod(shape) != flow.size:
        raise node.refused(f"moves values of shape {flow.shape} between rows (to {tuple(wanted)}), which is no layer")
    return replace(flow, shape=tuple(shape))


def _flatten(node: Node) -> Value:
    flow, axis = node.flow(), int(node.attributes.get("axis", 1))
    if axis not in (1, -len(flow.shape)):
        raise node.refused(f"flattens from axis {axis}: only flattening from axis 1, which keeps the rows, can be read")
    return replace(flow, shape=(flow.size,))


def _squeeze(node: Node) -> Value:
    flow, axes = node.flow(), node.numbers(1, "axes")
    places = (
        [a for a, size in enumerate(flow.shape) if size == 1] if axes is None else places_of(node, axes, flow.shape)
    )
    if any(flow.shape[place] != 1 for place in places):
        raise node.refused(f"drops an axis of more than one value from shape {flow.shape}: the file is damaged")
    return replace(flow, shape=tuple(size for place, size in enumerate(flow.shape) if place not in places))


def _unsqueeze(node: Node) -> Value:
    flow, axes = node.flow(), node.numbers(1, "axes") or []
    places = places_of(node, axes, (*flow.shape, *axes))
    shape = list(flow.shape)
    for place in sorted(places):
        shape.insert(place, 1)
    return replace(flow, shape=tuple(shape))


def _transpose(node: Node) -> Value:
    flow = node.flow()
    order = [int(axis) for axis in node.attributes.get("perm", range(len(flow.shape), -1, -1))]
    if sorted(order) != list(range(len(flow.shape) + 1)) or order[0] != 0:
        raise node.refused("exchanges rows and values, which is no layer")
    places = np.arange(flow.size).reshape(flow.shape).transpose([axis - 1 for axis in order[1:]])
    moved = replace(flow, shape=places.shape)
    still = np.array_equal(places.ravel(), np.arange(flow.size))
    return moved if still else moved.then(reordered(places.ravel()))


def _shape(node: Node) -> Value:
    """The shape with 0 in place of the number of rows: in Reshape it means what was there before."""
    flow = node.flow()
    if node.attributes.get("start") or node.attributes.get("end"):
        return Constant(np.array([0, *flow.shape])[node.attributes.get("start", 0) : node.attributes.get("end")])
    return Constant(np.array([0, *flow.shape]))


SHAPES: dict[str, Callable[[Node], Value]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Shape": _shape,
}
