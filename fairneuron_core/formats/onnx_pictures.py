"""Convolution and pooling of ONNX, as dense layers: what images and series are read with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fairneuron_core.formats.dense import Kernel, average_pool, convolution, max_pool, mean_over
from fairneuron_core.formats.onnx_values import Flow, Node, Value, places_of
from fairneuron_core.formats.stacking import Activation

_NEVER_NEGATIVE = (Activation("relu"), Activation("sigmoid"), Activation("softmax"))


def _conv(node: Node) -> Value:
    flow, weight, bias = node.flow(), node.needed(1), node.constant(2)
    if weight.ndim < 3 or len(flow.shape) != weight.ndim - 1:
        raise node.refused(f"has weights of shape {weight.shape} where values of shape {flow.shape} arrive")
    bias = np.zeros(len(weight)) if bias is None else bias
    kernel = _kernel(node, flow.shape[1:], weight.shape[2:])
    layer, shape = convolution(weight, bias, flow.shape, kernel, groups=int(node.attributes.get("group", 1)))
    return flow.then(layer, shape=shape)


def _average_pool(node: Node) -> Value:
    flow = _picture(node)
    kernel = _kernel(node, flow.shape[1:], node.attributes.get("kernel_shape", ()))
    counts = bool(node.attributes.get("count_include_pad", 0))
    mix, shape = average_pool(flow.shape, kernel, padding_counts=counts)
    return flow.then(mix, shape=shape)


def _max_pool(node: Node) -> Value:
    flow = _picture(node)
    return _pooled(flow, _kernel(node, flow.shape[1:], node.attributes.get("kernel_shape", ())))


def _global_max_pool(node: Node) -> Value:
    flow = _picture(node)
    ones = (1,) * (len(flow.shape) - 1)
    return _pooled(flow, Kernel(flow.shape[1:], ones, (0,) * (2 * len(ones)), ones))


def _pooled(flow: Flow, kernel: Kernel) -> Flow:
    never_negative = bool(flow.steps) and flow.steps[-1] in _NEVER_NEGATIVE
    steps, shape, added = max_pool(flow.shape, kernel, never_negative=never_negative)
    return replace(flow.then(*steps, shape=shape), pooled=flow.pooled + added)


def _global_average_pool(node: Node) -> Value:
    flow = _picture(node)
    mix, shape = mean_over(flow.shape, range(1, len(flow.shape)), keep=True)
    return flow.then(mix, shape=shape)


def _mean(node: Node) -> Value:
    flow, axes = node.flow(), node.numbers(1, "axes")
    if not axes:
        raise node.refused("takes a mean over the rows, which is no layer")
    mix, shape = mean_over(flow.shape, places_of(node, axes, flow.shape), keep=bool(node.attributes.get("keepdims", 1)))
    return flow.then(mix, shape=shape)


def _picture(node: Node) -> Flow:
    flow = node.flow()
    if len(flow.shape) < 2:
        raise node.refused(f"pools values of shape {flow.shape}, which have no places to pool over")
    return flow


def _kernel(node: Node, spatial: Sequence[int], size: Sequence[int]) -> Kernel:
    axes = len(spatial)

    def read(name: str, usual: int, count: int) -> tuple[int, ...]:
        found = tuple(int(value) for value in node.attributes.get(name) or (usual,) * count)
        if len(found) != count:
            raise node.refused(f"has {len(found)} {name} where {count} are expected: the file is damaged")
        return found

    if len(size) != axes or tuple(node.attributes.get("kernel_shape") or size) != tuple(size):
        raise node.refused(f"has a kernel of {len(size)} axes where {axes} arrive: the file is damaged")
    strides, dilations = read("strides", 1, axes), read("dilations", 1, axes)
    pads, automatic = read("pads", 0, 2 * axes), node.attributes.get("auto_pad", "NOTSET")
    if automatic == "VALID":
        pads = (0,) * (2 * axes)
    elif automatic in ("SAME_UPPER", "SAME_LOWER"):
        lacking = [
            max(0, (math.ceil(n / max(stride, 1)) - 1) * stride + (k - 1) * dilation + 1 - n)
            for n, k, stride, dilation in zip(spatial, size, strides, dilations, strict=True)
        ]
        less, more = [lack // 2 for lack in lacking], [lack - lack // 2 for lack in lacking]
        pads = (*less, *more) if automatic == "SAME_UPPER" else (*more, *less)
    return Kernel(tuple(int(k) for k in size), strides, pads, dilations, bool(node.attributes.get("ceil_mode", 0)))


PICTURES: dict[str, Callable[[Node], Value]] = {
    "Conv": _conv,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_average_pool,
    "MaxPool": _max_pool,
    "GlobalMaxPool": _global_max_pool,
    "ReduceMean": _mean,
}
