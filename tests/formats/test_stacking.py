import numpy as np
import pytest

from fairneuron_core.formats import stacking
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.stacking import (
    SCALES_ITSELF,
    TAKEN_AS_LOG_ODDS,
    Activation,
    Affine,
    Dense,
    Mix,
    batch_norm,
    stacked,
)
from tests.formats.plain_network import outputs

ROW = np.array([[1.0, 2.0]])
TWO = Dense(np.array([[1, 0], [1, 1]]), np.array([0, 1]))  # [1, 2] -> [1, 4]
ONE = Dense(np.array([[1, -1]]), np.array([0.5]))  # [1, 4] -> -2.5
RELU, TANH, SIGMOID = Activation("relu"), Activation("tanh"), Activation("sigmoid")


def value(*steps, row=ROW) -> list[float]:
    stack = stacked(steps)
    return outputs(NetworkFile("test", stack.layers, stack.head), row)[0].tolist()


def activations(*steps) -> list[str]:
    return [layer.activation for layer in stacked(steps).layers]


def test_dense_layers_and_their_activations_stay_what_they_are():
    stack = stacked([TWO, RELU, ONE, SIGMOID])
    assert [layer.activation for layer in stack.layers] == ["relu", "identity"]
    assert (stack.head, stack.warnings) == ("sigmoid", ())
    assert value(TWO, RELU, ONE, SIGMOID) == [-2.5]
    assert all(part.dtype == np.float32 for layer in stack.layers for part in (layer.weight, layer.bias))


def test_two_layers_with_nothing_between_them_stay_two_layers():
    assert activations(TWO, Activation("identity"), ONE) == ["identity", "identity"]


def test_scaling_before_the_first_layer_is_folded_into_it_and_said():
    scaled = Affine(np.array([2.0, 0.5]), np.array([0.0, 1.0]))  # [1, 2] -> [2, 2] -> [2, 5] -> -2.5
    assert value(scaled, TWO, ONE) == [-2.5]
    assert SCALES_ITSELF in stacked([scaled, TWO, ONE, SIGMOID]).warnings
    assert len(stacked([scaled, TWO, ONE]).layers) == 2


def test_batch_norm_is_folded_backward_before_an_activation_and_forward_behind_it():
    norm = batch_norm(np.array([2, 1]), np.array([0, 3]), np.array([1, 0]), np.array([1, 1]), epsilon=0)
    # [1, 4] -> [(1 - 1) * 2, 4 + 3] = [0, 7]
    assert value(TWO, norm, RELU, ONE) == value(TWO, RELU, norm, ONE) == [-6.5]
    assert activations(TWO, norm, RELU, ONE) == activations(TWO, RELU, norm, ONE) == ["relu", "identity"]


def test_a_linear_map_between_layers_is_composed_with_the_one_before_it():
    swap = Mix(np.array([[0, 1], [1, 0]]), np.array([0, 10]))  # [1, 4] -> [4, 11]
    assert value(TWO, swap, ONE) == value(TWO, swap, RELU, ONE) == [-6.5]
    assert value(swap, TWO, ONE) == [2 - 14 + 0.5]  # [1, 2] -> [2, 11] -> [2, 14]
    assert len(stacked([TWO, RELU, swap, ONE]).layers) == 2


def test_a_linear_map_between_two_activations_becomes_a_layer():
    swap = Mix(np.array([[0, -1], [1, 0]]), np.zeros(2))  # [1, 4] -> [-4, 1] -> [0, 1]
    assert value(TWO, RELU, swap, RELU, ONE) == [-0.5]
    assert activations(TWO, RELU, swap, RELU, ONE) == ["relu", "relu", "identity"]


def test_an_activation_right_behind_another_gets_a_layer_that_passes_values_on():
    stack = stacked([TWO, TANH, RELU, ONE])
    assert [layer.activation for layer in stack.layers] == ["tanh", "relu", "identity"]
    assert "2 neurons" in stack.warnings[0]
    assert activations(TWO, RELU, RELU, ONE) == ["relu", "identity"]


@pytest.mark.parametrize(
    ("steps", "head"),
    [([TWO, RELU, ONE, SIGMOID], "sigmoid"), ([TWO, Activation("softmax")], "softmax"), ([TWO, ONE], "logits")],
)
def test_the_end_of_the_network_names_its_head(steps, head):
    stack = stacked(steps)
    assert stack.head == head
    assert (TAKEN_AS_LOG_ODDS in stack.warnings) == (head == "logits")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "no layer with weights"),
        ([RELU, ONE], "before any layer"),
        ([TWO, TANH], "ends in tanh"),
        ([TWO, SIGMOID], "two separate sigmoid"),
        ([TWO, ONE, Activation("softmax")], "always 1"),
        ([TWO, Activation("softmax"), ONE], "softmax before its last layer"),
        ([TWO, Activation("gelu"), ONE], "'gelu' is not known"),
        ([ONE, ONE], "reads 2 values where 1 arrive"),
        ([TWO, Affine(np.ones(3), np.zeros(3)), ONE], "3 values where 2"),
        ([Dense(np.ones((3, 2)), np.zeros(3)), Activation("softmax")], "tells 3 classes apart"),
        ([Dense(np.ones((1, 2)), np.zeros(2))], "shape"),
        ([Dense(np.array([[np.nan, 1]]), np.zeros(1))], "not finite"),
        ([Dense(np.array([[1e300, 1]]), np.zeros(1))], "not finite"),
    ],
)
def test_what_is_no_network_for_an_audit_is_refused_in_one_sentence(steps, words):
    with pytest.raises(RefusedFile, match=words):
        stacked(steps)


def test_a_network_with_too_many_weights_is_refused(monkeypatch):
    monkeypatch.setattr(stacking, "MAX_WEIGHTS", 5)
    with pytest.raises(RefusedFile, match="limit for a whole network"):
        stacked([TWO, RELU, ONE])


def test_a_variance_below_zero_is_refused():
    with pytest.raises(RefusedFile, match="variance"):
        batch_norm(np.ones(1), np.zeros(1), np.zeros(1), -np.ones(1), epsilon=1e-5)
