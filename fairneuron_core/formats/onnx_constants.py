"""Tensors of an ONNX file: read out of the file, and worked out where operators meet constants only."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import onnx
from onnx import numpy_helper

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.onnx_values import Constant, Node
from fairneuron_core.formats.stacking import MAX_WEIGHTS

_WHOLE = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
_FLOATS = {
    onnx.TensorProto.FLOAT: np.float32,
    onnx.TensorProto.DOUBLE: np.float64,
    onnx.TensorProto.FLOAT16: np.float16,
}
_FAILURES = (ValueError, TypeError, IndexError, KeyError, OverflowError, RuntimeError, AttributeError, MemoryError)


def tensor(stored: onnx.TensorProto) -> np.ndarray:
    """Return a tensor of the file; RefusedFile when its numbers lie in another file or do not fit its shape."""
    if stored.data_location == onnx.TensorProto.EXTERNAL or stored.external_data:
        raise RefusedFile(
            f"The tensor '{shown(stored.name)}' keeps its numbers in another file, which is not opened: export the "
            "network as one file (torch.onnx.export(..., external_data=False))."
        )
    if any(size < 0 for size in stored.dims) or math.prod(stored.dims) > MAX_WEIGHTS:
        raise RefusedFile(
            f"The tensor '{shown(stored.name)}' has shape {tuple(stored.dims)}, more than the limit of "
            f"{MAX_WEIGHTS // 1_000_000} million numbers: bring a smaller network."
        )
    try:
        found = numpy_helper.to_array(stored)
    except _FAILURES as error:
        raise RefusedFile(f"The tensor '{shown(stored.name)}' cannot be read: the file is damaged.") from error
    if found.dtype.kind == "c":
        raise RefusedFile(f"The tensor '{shown(stored.name)}' holds complex numbers, which a network here cannot use.")
    return found


def evaluated(node: Node) -> Constant:
    """Return what an operator makes of constants; RefusedFile for one that is not known here."""
    if node.op not in _CONSTANTS:
        raise node.refused("works on constants in a way that is not known here: export the network again with folding")
    try:
        found = np.asarray(_CONSTANTS[node.op](node))
    except _FAILURES as error:
        raise node.refused("does not fit the constants it reads: the file is damaged") from error
    return Constant(found)


def _of_node(node: Node) -> np.ndarray:
    """The operator Constant: a tensor, a number or a list of numbers."""
    for name, value in node.attributes.items():
        if name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
            return value if isinstance(value, np.ndarray) else np.asarray(value)
    raise node.refused("holds a constant of a kind that is not known here")


def _axes(node: Node) -> tuple[int, ...] | None:
    found = node.numbers(1, "axes")
    return None if found is None else tuple(found)


def _unsqueeze(node: Node) -> np.ndarray:
    return np.expand_dims(node.needed(0), _axes(node) or ())


def _squeeze(node: Node) -> np.ndarray:
    return np.squeeze(node.needed(0), _axes(node))


def _reshape(node: Node) -> np.ndarray:
    value, shape = node.needed(0), [int(size) for size in node.needed(1).ravel()]
    if not node.attributes.get("allowzero"):
        shape = [value.shape[i] if size == 0 else size for i, size in enumerate(shape)]
    return value.reshape(shape)


def _transpose(node: Node) -> np.ndarray:
    return np.transpose(node.needed(0), node.attributes.get("perm"))


def _cast(node: Node) -> np.ndarray:
    kind = node.attributes.get("to")
    if kind in _WHOLE:
        return node.needed(0).astype(np.int64)
    if kind in _FLOATS:
        with np.errstate(over="ignore"):
            return node.needed(0).astype(_FLOATS[kind])
    raise node.refused("casts constants to a type that is not known here")


def _concat(node: Node) -> np.ndarray:
    parts = [node.needed(i) for i in range(len(node.inputs))]
    if sum(part.size for part in parts) > MAX_WEIGHTS:
        raise node.refused("joins more numbers than a network here may have")
    return np.concatenate(parts, axis=int(node.attributes["axis"]))


def _gather(node: Node) -> np.ndarray:
    value, index = node.needed(0), node.needed(1).astype(np.int64)
    if value.size * max(index.size, 1) > MAX_WEIGHTS:
        raise node.refused("picks more numbers than a network here may have")
    return np.take(value, index, axis=int(node.attributes.get("axis", 0)))


def _of_two(combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Node], np.ndarray]:
    def evaluate(node: Node) -> np.ndarray:
        left, right = node.needed(0), node.needed(1)
        if math.prod(np.broadcast_shapes(left.shape, right.shape)) > MAX_WEIGHTS:
            raise node.refused("computes more numbers than a network here may have")
        with np.errstate(all="ignore"):
            return combine(left, right)

    return evaluate


def _divided(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return left // right if left.dtype.kind in "iu" else left / right


_CONSTANTS: dict[str, Callable[[Node], np.ndarray]] = {
    "Constant": _of_node,
    "Identity": lambda node: node.needed(0),
    "Cast": _cast,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Gather": _gather,
    "Add": _of_two(np.add),
    "Sub": _of_two(np.subtract),
    "Mul": _of_two(np.multiply),
    "Div": _of_two(_divided),
}
