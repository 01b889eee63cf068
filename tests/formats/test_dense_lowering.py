"""Convolution and pooling as dense layers, against torch's own."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from fairneuron_core.formats import stacking
from fairneuron_core.formats.dense import Kernel, average_pool, convolution, max_pool, mean_over, reordered
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.stacking import Activation

RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(4, 2, 7, 6))


def computed(steps, rows: np.ndarray) -> np.ndarray:
    values = rows.reshape(len(rows), -1)
    for step in steps:
        values = np.maximum(values, 0) if isinstance(step, Activation) else values @ step.weight.T + step.bias
    return values


def kernel(stride: int, padding: int, dilation: int = 1, *, rounded_up: bool = False) -> Kernel:
    return Kernel((3, 2), (stride,) * 2, (padding,) * 4, (dilation,) * 2, rounded_up)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), list(product((1, 2), (0, 1), (1, 2), (1, 2))))
def test_convolution_equals_torch(stride, padding, dilation, groups):
    weight, bias = RNG.normal(size=(4, 2 // groups, 3, 2)), RNG.normal(size=4)
    parts = [torch.tensor(part) for part in (PICTURES, weight, bias)]
    expected = functional.conv2d(*parts, stride=stride, padding=padding, dilation=dilation, groups=groups).numpy()
    layer, shape = convolution(weight, bias, (2, 7, 6), kernel(stride, padding, dilation), groups=groups)
    assert shape == expected.shape[1:]
    assert np.allclose(computed([layer], PICTURES), expected.reshape(4, -1))


@pytest.mark.parametrize(
    ("stride", "padding", "rounded_up", "counts"), list(product((1, 2, 3), (0, 1), (False, True), (False, True)))
)
def test_average_pooling_equals_torch(stride, padding, rounded_up, counts):
    expected = functional.avg_pool2d(torch.tensor(PICTURES), (3, 2), stride, padding, rounded_up, counts).numpy()
    mix, shape = average_pool((2, 7, 6), kernel(stride, padding, rounded_up=rounded_up), padding_counts=counts)
    assert shape == expected.shape[1:]
    assert np.allclose(computed([mix], PICTURES), expected.reshape(4, -1))


@pytest.mark.parametrize(
    ("stride", "padding", "rounded_up", "positive"), list(product((1, 2, 3), (0, 1), (False, True), (False, True)))
)
def test_max_pooling_by_relu_neurons_equals_torch(stride, padding, rounded_up, positive):
    rows = abs(PICTURES) if positive else PICTURES
    expected = functional.max_pool2d(torch.tensor(rows), (3, 2), stride, padding, 1, rounded_up).numpy()
    how = kernel(stride, padding, rounded_up=rounded_up)
    steps, shape, added = max_pool((2, 7, 6), how, never_negative=positive)
    assert shape == expected.shape[1:]
    assert np.allclose(computed(steps, rows), expected.reshape(4, -1))
    # 6 rivals meet in 3 rounds: pairs 3, 1 (and one alone), 1; a pair takes 2 neurons or 3, one alone 1 or 2.
    assert added == expected[0].size * ((6 + 3 + 2) if positive else (9 + 5 + 3))


def test_means_and_reorderings_are_linear_maps():
    mix, shape = mean_over((2, 7, 6), (1, 2), keep=False)
    assert shape == (2,)
    assert np.allclose(computed([mix], PICTURES), PICTURES.mean((2, 3)))
    assert computed([reordered(np.array([2, 0, 1]))], np.array([[5.0, 6.0, 7.0]])).tolist() == [[7, 5, 6]]


def test_layers_that_would_be_too_wide_are_refused_before_anything_is_set_aside(monkeypatch):
    with pytest.raises(RefusedFile, match="million"):
        convolution(np.ones((64, 3, 3, 3)), np.zeros(64), (3, 500, 500), kernel_of_three(), groups=1)
    monkeypatch.setattr(stacking, "MAX_WEIGHTS", 100)
    for build in (
        lambda: average_pool((2, 7, 6), kernel(1, 0), padding_counts=False),
        lambda: max_pool((2, 7, 6), kernel(1, 0), never_negative=True),
        lambda: mean_over((20, 7), (1,), keep=True),
        lambda: reordered(np.arange(11)),
    ):
        with pytest.raises(RefusedFile, match="bring a smaller network"):
            build()


def kernel_of_three() -> Kernel:
    return Kernel((3, 3), (1, 1), (1, 1, 1, 1), (1, 1))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (Kernel((9, 2), (1, 1), (0,) * 4, (1, 1)), "does not fit"),
        (Kernel((3, 2), (0, 1), (0,) * 4, (1, 1)), "below its minimum"),
        (Kernel((3, 2), (1, 1), (-1, 0, 0, 0), (1, 1)), "below its minimum"),
        (Kernel((3, 2), (1, 1), (9, 0, 0, 0), (1, 1)), "padding only"),
    ],
)
def test_impossible_kernels_are_refused(how, words):
    with pytest.raises(RefusedFile, match=words):
        max_pool((2, 7, 6), how, never_negative=False)
