"""Torch modules and parsed files as plain stacks: they compute what the module computes, or are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.errors import ModelError
from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.models import linear_layers, to_safetensors
from fairneuron_core.models.files.safetensors_file import description_of
from fairneuron_core.models.foreign import classifier_of_described, network_file_of, network_of_file
from fairneuron_core.types import Classifier, EncodedColumn, Encoder, LinearLayer, ModelRecord

ROWS = torch.from_numpy(np.random.default_rng(7).normal(size=(1000, 4)).astype(np.float32))


class Functional(nn.Module):
    """Layers as attributes, activations in `forward`: what a stack of its children does not show."""

    def __init__(self, between=torch.relu, ending=lambda z: z, outputs=1):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(3, outputs)
        self.between, self.ending = between, ending

    def forward(self, x):
        return self.ending(self.last(self.between(self.second(self.between(self.first(x))))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(x + torch.relu(self.first(x)))


class Shared(Functional):
    """One activation module is used twice."""

    def __init__(self):
        super().__init__()
        self.act = nn.Tanh()

    def forward(self, x):
        return self.last(self.act(self.second(self.act(self.first(x)))))


def trained_norm():
    norm = nn.BatchNorm1d(6)
    with torch.no_grad():
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        norm.weight.uniform_(0.5, 2)
    return norm


MODULES = {
    "sequential with a sigmoid": (nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1), nn.Sigmoid()), "sigmoid"),
    "nested, with dropout and batch norm": (
        nn.Sequential(
            nn.Sequential(nn.Flatten(), nn.Linear(4, 6), trained_norm(), nn.ReLU()),
            nn.Dropout(0.5),
            nn.Sequential(nn.Linear(6, 3), nn.Tanh(), nn.Sequential(nn.Linear(3, 1), nn.Identity())),
        ),
        "logits",
    ),
    "two outputs and a softmax": (
        nn.Sequential(nn.Linear(4, 6), nn.Sigmoid(), nn.Linear(6, 2), nn.Softmax(1)),
        "softmax",
    ),
    "two outputs and a log-softmax": (nn.Sequential(nn.Linear(4, 2), nn.LogSoftmax(1)), "softmax"),
    "one layer": (nn.Sequential(nn.Linear(4, 1)), "logits"),
    "functional relu": (Functional(), "logits"),
    "functional tanh and sigmoid": (Functional(torch.tanh, torch.sigmoid), "sigmoid"),
    "functional softmax": (Functional(ending=lambda z: torch.softmax(z, 1), outputs=2), "softmax"),
    "a shared activation": (Shared(), "logits"),
}


def probability(module, head):
    with torch.inference_mode():
        out = module.eval()(ROWS)
    if head == "softmax":
        return torch.softmax(out, 1)[:, 1] if out.min() < 0 else out[:, 1]
    return torch.sigmoid(out[:, 0]) if head == "logits" else out[:, 0]


@pytest.mark.parametrize("name", MODULES)
def test_the_stack_of_a_module_gives_its_probabilities(name):
    module, head = MODULES[name]
    file = network_file_of(module)
    assert file.head == head
    with torch.inference_mode():
        out = network_of_file(file)(ROWS)
    logit = out[:, 0] if out.shape[1] == 1 else out[:, 1] - out[:, 0]
    assert torch.allclose(torch.sigmoid(logit), probability(module, head), atol=1e-5)


def test_a_module_keeps_its_training_mode():
    module = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.ReLU(), nn.Linear(6, 1)).train()
    module[1].eval()
    network_file_of(module)
    assert [part.training for part in module.modules()] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Residual(), "does not compute what a stack"),
        (nn.Sequential(nn.ReLU()), "no Linear layer"),
        (nn.Sequential(nn.Linear(4, 3)), "tells 3 classes apart"),
        (nn.Sequential(nn.Linear(4, 6), nn.Linear(5, 1)), "does not take rows of 4 numbers"),
        (nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(4, 1)), "Conv1d"),
        (nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 1)), "GELU"),
        (nn.LSTM(4, 1), "no Linear layer"),
        (Functional(between=lambda z: z.abs()), "does not compute what a stack"),
    ],
)
def test_a_module_that_is_no_stack_is_refused_in_one_sentence(module, sentence):
    with pytest.raises(ModelError, match=sentence):
        network_file_of(module)


def layer(weight, bias, activation="identity"):
    return LinearLayer(np.array(weight, np.float32), np.array(bias, np.float32), activation)


@pytest.mark.parametrize("last", [layer([[2.0, -1.0]], [0.5]), layer([[1.0, 0.0], [3.0, -1.0]], [0.0, 0.5])])
def test_class_0_as_the_favourable_one_turns_the_logit_round(last):
    file = NetworkFile("onnx", (layer([[1.0], [-1.0]], [0, 0], "relu"), last), "logits")
    rows = torch.tensor([[1.0], [-2.0]])
    ones, zeros = (network_of_file(file, favourable_class=which)(rows).detach().numpy() for which in (1, 0))
    assert (zeros == -ones).all()


@pytest.mark.parametrize(
    ("last", "sentence"),
    [(layer(np.ones((3, 1)), np.zeros(3)), "tells 3 classes apart"), (layer([[1.0]], [0.0], "relu"), "ends with relu")],
)
def test_a_file_without_one_favourable_outcome_is_refused(last, sentence):
    with pytest.raises(ModelError, match=sentence):
        network_of_file(NetworkFile("onnx", (last,), "logits"))


def own_classifier():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    encoder = Encoder((EncodedColumn("age", "numeric"), EncodedColumn("sex", "codes", levels=("f", "m"), fill=-1.0)))
    return Classifier(network, encoder, 0.4, ModelRecord("people", "ab" * 32, "train", {"seed": 3}), ())


def test_a_file_that_carries_our_metadata_is_the_same_classifier_whatever_its_format():
    own = own_classifier()
    file = NetworkFile("onnx", tuple(linear_layers(own.network)), "logits", described=description_of(own))
    again = classifier_of_described(file)
    assert (again.encoder, again.threshold, again.record) == (own.encoder, own.threshold, own.record)
    assert to_safetensors(again) == to_safetensors(own)


def test_metadata_that_does_not_fit_the_layers_is_refused():
    own = own_classifier()
    file = NetworkFile("onnx", (layer([[1.0, 2.0, 3.0]], [0.0]),), "logits", described=description_of(own))
    with pytest.raises(ModelError):
        classifier_of_described(file)
    with pytest.raises(ModelError):
        classifier_of_described(replace(file, described="{}"))
