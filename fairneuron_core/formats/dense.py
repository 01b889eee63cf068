"""Convolution and pooling as dense layers: exact, but as wide as the picture they read.

    windows       which places of the input a kernel covers, per place of the output
    convolution   one dense layer; row (o, p) holds kernel o at the places of window p
    averages      a linear map, composed with the layer next to it
    max_pool      max(a, b) = relu(a) - relu(-a) + relu(b - a), and relu(a) = a where a >= 0: a tournament per window

Values are laid out like ONNX and torch do it: channel first, the last axis fastest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.stacking import Activation, Dense, Mix, Step, check_weights


@dataclass(frozen=True)
class Kernel:
    """How a kernel moves over the spatial axes; `pads` holds all beginnings, then all ends."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    rounded_up: bool = False


@dataclass(frozen=True)
class Windows:
    """What a kernel covers.

    places    (windows, kernel) flat spatial position, -1 where padding is read
    counted   (windows,) places of the window that lie in the input or its padding
    shape     spatial shape of the windows
    """

    places: np.ndarray
    counted: np.ndarray
    shape: tuple[int, ...]


def windows(spatial: Sequence[int], kernel: Kernel) -> Windows:
    """Return the windows of the kernel over an input of that spatial shape; RefusedFile where none fits."""
    axes = [_along(axis, size, kernel) for axis, size in enumerate(spatial)]
    shape = tuple(places.shape[0] for places, _ in axes)
    check_weights(math.prod(shape), math.prod(kernel.size))
    flat: np.ndarray = np.zeros(1, np.int64)
    inside = counted = np.ones(1, bool)
    for (places, padded), size in zip(axes, spatial, strict=True):
        real = (places >= 0) & (places < size)
        flat = _crossed(flat * size, places, np.add)
        inside, counted = _crossed(inside, real, np.logical_and), _crossed(counted, padded, np.logical_and)
    # Each axis brought its (windows, kernel) pair of axes: all window axes first.
    order = [*range(0, 2 * len(axes), 2), *range(1, 2 * len(axes), 2)]
    ordered = [
        part.reshape([n for places, _ in axes for n in places.shape]).transpose(order).reshape(math.prod(shape), -1)
        for part in (np.where(inside, flat, -1), counted)
    ]
    return Windows(ordered[0], ordered[1].sum(1), shape)


def convolution(
    weight: np.ndarray, bias: np.ndarray, shape: Sequence[int], kernel: Kernel, *, groups: int
) -> tuple[Dense, tuple[int, ...]]:
    """Return the dense layer of a convolution and the shape (outputs, *spatial) of what it puts out.

    weight (outputs, inputs / groups, *kernel), bias (outputs,); shape (inputs, *spatial).
    """
    channels, outputs = shape[0], weight.shape[0]
    fits = groups >= 1 and channels == weight.shape[1] * groups and outputs % groups == 0
    if not fits or bias.shape != (outputs,) or weight.shape[2:] != tuple(kernel.size):
        raise RefusedFile(
            f"A convolution with weights of shape {weight.shape} reads {channels} channels in {groups} groups: "
            "the file does not fit together."
        )
    seen, size = windows(shape[1:], kernel), math.prod(shape[1:])
    count = len(seen.places)
    check_weights(outputs * count, channels * size)
    flat = weight.reshape(outputs, weight.shape[1], -1)
    matrix = np.zeros((outputs, count, channels, size))
    out, into = outputs // groups, weight.shape[1]
    for group in range(groups):
        rows, columns = slice(group * out, (group + 1) * out), slice(group * into, (group + 1) * into)
        block = matrix[rows, :, columns]
        for at in range(flat.shape[2]):
            here = np.flatnonzero(seen.places[:, at] >= 0)
            block[:, here, :, seen.places[here, at]] += flat[rows, :, at]
    return Dense(matrix.reshape(outputs * count, -1), np.repeat(bias, count)), (outputs, *seen.shape)


def average_pool(shape: Sequence[int], kernel: Kernel, *, padding_counts: bool) -> tuple[Mix, tuple[int, ...]]:
    """Return the linear map of average pooling over the spatial axes of (channels, *spatial), and its shape."""
    channels, size, seen = shape[0], math.prod(shape[1:]), windows(shape[1:], kernel)
    count = len(seen.places)
    check_weights(channels * count, channels * size)
    inside = seen.places >= 0
    shares = 1 / np.maximum(seen.counted if padding_counts else inside.sum(1), 1)
    one = np.zeros((count, size))
    window, at = np.nonzero(inside)
    np.add.at(one, (window, seen.places[window, at]), shares[window])
    return Mix(np.kron(np.eye(channels), one), np.zeros(channels * count)), (channels, *seen.shape)


def mean_over(shape: Sequence[int], axes: Sequence[int], *, keep: bool) -> tuple[Mix, tuple[int, ...]]:
    """Return the linear map of the mean over some axes of `shape`, and the shape that is left."""
    kept = [1 if axis in axes else size for axis, size in enumerate(shape)]
    outputs, inputs = math.prod(kept), math.prod(shape)
    check_weights(outputs, inputs)
    matrix = np.zeros((outputs, inputs))
    into = np.broadcast_to(np.arange(outputs).reshape(kept), tuple(shape)).ravel()
    matrix[into, np.arange(inputs)] = outputs / inputs
    left = tuple(size for axis, size in enumerate(kept) if keep or axis not in axes)
    return Mix(matrix, np.zeros(outputs)), left


def reordered(order: np.ndarray) -> Mix:
    """Return the linear map whose value i is value order[i] of what it reads."""
    check_weights(order.size, order.size)
    return Mix(np.eye(order.size)[order], np.zeros(order.size))


def max_pool(
    shape: Sequence[int], kernel: Kernel, *, never_negative: bool
) -> tuple[tuple[Step, ...], tuple[int, ...], int]:
    """Return the steps of max-pooling over (channels, *spatial), its shape, and the number of ReLU neurons added.

    `never_negative` says that no value can be below 0 (a ReLU or sigmoid put them out): two neurons a pair, else three.
    """
    channels, size, seen = shape[0], math.prod(shape[1:]), windows(shape[1:], kernel)
    places = seen.places
    first = np.take_along_axis(places, np.argmax(places >= 0, axis=1)[:, None], axis=1)
    if (first < 0).any():
        raise RefusedFile("A max-pooling window of the network lies in padding only: the file does not fit together.")
    # max(a, a) = a: what lies in the padding is filled with a place of the same window.
    places = np.where(places >= 0, places, first)
    rivals = (np.arange(channels)[:, None, None] * size + places).reshape(channels * len(places), -1)
    check_weights(rivals.size * (2 if never_negative else 3), channels * size)
    value = np.zeros((*rivals.shape, channels * size))  # (outputs, rivals, values that enter)
    np.put_along_axis(value, rivals[:, :, None], 1, axis=2)
    steps: list[Step] = []
    added = 0
    while value.shape[1] > 1:
        neurons, value = _round(value, never_negative)
        steps += [Mix(neurons, np.zeros(len(neurons))), Activation("relu")]
        added += len(neurons)
    steps.append(Mix(value[:, 0], np.zeros(len(value))))
    return tuple(steps), (channels, *seen.shape), added


def _round(value: np.ndarray, never_negative: bool) -> tuple[np.ndarray, np.ndarray]:
    """One round of the tournament: neurons (m, entering) over the rivals' values, and the winners' values over them.

    value (outputs, rivals, entering) -> winners (outputs, ceil(rivals / 2), m).
    """
    outputs, rivals, entering = value.shape
    pairs = rivals // 2
    left, right = value[:, : 2 * pairs : 2], value[:, 1 : 2 * pairs : 2]
    alone = value[:, 2 * pairs :]
    stays = np.concatenate([left, alone], axis=1)  # (outputs, winners, entering)
    parts = [stays, right - left] if never_negative else [stays, right - left, -stays]
    neurons = np.concatenate(parts, axis=1)  # (outputs, per output, entering)
    winners, per_output = stays.shape[1], neurons.shape[1]
    check_weights(outputs * winners, outputs * per_output)
    one = np.zeros((winners, per_output))
    at = np.arange(winners)
    one[at, at] = 1
    one[at[:pairs], winners + at[:pairs]] = 1
    if not never_negative:
        one[at, winners + pairs + at] = -1
    found = np.kron(np.eye(outputs), one).reshape(outputs, winners, outputs * per_output)
    return neurons.reshape(outputs * per_output, entering), found


def _along(axis: int, size: int, kernel: Kernel) -> tuple[np.ndarray, np.ndarray]:
    """Positions (windows, kernel) along one axis, and whether they lie in the input or its padding."""
    length, stride, dilation = kernel.size[axis], kernel.strides[axis], kernel.dilations[axis]
    begin, end = kernel.pads[axis], kernel.pads[axis + len(kernel.size)]
    if min(length, stride, dilation, size) < 1 or min(begin, end) < 0:
        raise RefusedFile("A convolution or pooling layer has a size, stride or padding below its minimum.")
    room = size + begin + end - (dilation * (length - 1) + 1)
    if room < 0:
        raise RefusedFile(f"A kernel of {length} places does not fit on an axis of {size}: the file does not fit.")
    count = (-(-room // stride) if kernel.rounded_up else room // stride) + 1
    if kernel.rounded_up and (count - 1) * stride >= size + begin:
        count -= 1
    check_weights(count, length)
    places = np.arange(count)[:, None] * stride - begin + np.arange(length) * dilation
    return places, (places >= -begin) & (places < size + end)


def _crossed(before: np.ndarray, along: np.ndarray, combine: np.ufunc) -> np.ndarray:
    return combine.outer(before, along).reshape(-1)
