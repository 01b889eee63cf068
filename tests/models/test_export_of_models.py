"""Files we write, read by the tools they are for and by our own parsers."""

import io
import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.onnx_file import parse_onnx
from fairneuron_core.models import build_network, decide, linear_layers, network_of, profile, read_model, scores
from fairneuron_core.models.files import MODEL_FORMATS, export_model
from fairneuron_core.models.foreign import classifier_of_described
from fairneuron_core.types import (
    Classifier,
    DecisionRule,
    EncodedColumn,
    Encoder,
    LinearLayer,
    ModelRecord,
    VoteRule,
)

ENCODER = Encoder(
    (
        EncodedColumn("age", "numeric", low=17, high=90),
        EncodedColumn("sex", "category", levels=("F", "M")),
        EncodedColumn("class", "codes", levels=("a", "b"), fill=-1.0),
    )
)
ROWS = np.random.default_rng(1).random((1000, 4)).astype(np.float32)
MIXED = network_of(
    [
        LinearLayer(np.random.default_rng(i).normal(size=shape).astype(np.float32), np.ones(shape[0], np.float32), name)
        for i, (shape, name) in enumerate(
            [((5, 4), "relu"), ((4, 5), "tanh"), ((3, 4), "sigmoid"), ((3, 3), "identity"), ((2, 3), "identity")]
        )
    ]
)
WITH_NORM = nn.Sequential(
    nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 1, bias=False)
).eval()
NETWORKS = {"one output": build_network((4, 5, 3, 1), seed=0), "mixed": MIXED, "batch norm": WITH_NORM}


def classifier_of(network: nn.Sequential, rule=None) -> Classifier:
    record = ModelRecord("german", "ab" * 32, "train", {"epochs": 3}, None, ("sex",), 5, "0.1.0")
    return Classifier(network, ENCODER, 0.4, record, profile(network, ROWS), rule)


@pytest.fixture(params=NETWORKS)
def classifier(request) -> Classifier:
    return classifier_of(NETWORKS[request.param])


def ran(content: bytes, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(content)
    return session.run(None, {"features": rows})[0]


def test_onnxruntime_gives_the_scores_of_the_exported_network(classifier):
    found = ran(export_model(classifier, "onnx"), ROWS)
    assert found.shape == (1000, len(linear_layers(classifier.network)[-1].bias))
    assert np.abs(found[:, -1] - scores(classifier, ROWS)).max() < 1e-5


def test_a_plain_torch_network_takes_the_exported_state_dict(classifier):
    weights = torch.load(io.BytesIO(export_model(classifier, "state_dict")), weights_only=True)
    plain = network_of([replace(layer, weight=0 * layer.weight) for layer in linear_layers(classifier.network)])
    plain.load_state_dict(weights)
    with torch.inference_mode():
        found = plain(torch.from_numpy(ROWS)).double().numpy()
    logit = found[:, 0] if found.shape[1] == 1 else found[:, 1] - found[:, 0]
    assert np.abs(1 / (1 + np.exp(-logit)) - scores(classifier, ROWS)).max() < 1e-5
    assert list(weights)[:2] == ["0.weight", "0.bias"]


@pytest.mark.parametrize("form", ["onnx", "safetensors"])
def test_a_file_of_ours_comes_back_through_the_door_as_the_whole_classifier(classifier, form):
    content = export_model(classifier, form)
    file = open_network(content, name="network")
    again = classifier_of_described(file)
    assert file.input_names == ENCODER.feature_names == ("age", "sex=F", "sex=M", "class")
    assert (again.encoder, again.threshold, again.record) == (ENCODER, 0.4, classifier.record)
    assert np.array_equal(scores(again, ROWS), scores(classifier_of(network_of(file.layers)), ROWS))
    assert np.abs(scores(again, ROWS) - scores(classifier, ROWS)).max() < 1e-6


@pytest.mark.parametrize(
    "rule",
    [
        DecisionRule("sex", {"F": ((0.5, 0.3), (0.5, 0.6))}, seed=7),
        VoteRule(("sex",), (1, 2), ((0.0, 1.0), (1.0, 0.0))),
    ],
    ids=["thresholds", "vote"],
)
def test_a_decision_rule_travels_in_our_part_of_the_onnx_file_only(rule):
    network = NETWORKS["one output"]
    content = export_model(classifier_of(network, rule), "onnx")
    assert classifier_of_described(parse_onnx(content, {})).rule == rule
    assert np.array_equal(ran(content, ROWS), ran(export_model(classifier_of(network), "onnx"), ROWS))


def test_a_vote_decides_the_same_after_the_way_through_onnx():
    given = classifier_of(NETWORKS["one output"], VoteRule(("sex",), (1, 2), ((0.0, 1.0), (1.0, 0.0))))
    again = classifier_of_described(parse_onnx(export_model(given, "onnx"), {}))
    assert np.array_equal(decide(again, ROWS), decide(given, ROWS))


@pytest.mark.parametrize("form", MODEL_FORMATS)
def test_equal_classifiers_give_equal_files(classifier, form):
    assert export_model(classifier, form) == export_model(classifier, form)


def test_the_onnx_file_names_its_inputs_and_its_output():
    session = onnxruntime.InferenceSession(export_model(classifier_of(NETWORKS["one output"]), "onnx"))
    assert [(entry.name, entry.shape) for entry in session.get_inputs()] == [("features", ["rows", 4])]
    assert [(entry.name, entry.shape) for entry in session.get_outputs()] == [("probability", ["rows", 1])]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["feature_names"]) == list(ENCODER.feature_names)


def test_a_file_that_says_something_else_never_reaches_the_user(monkeypatch):
    given = classifier_of(NETWORKS["one output"])
    weights = linear_layers(given.network)
    other = classifier_of(network_of([*weights[:-1], replace(weights[-1], bias=weights[-1].bias + 0.001)]))
    wrong = {
        "differ by up to": lambda _: MODEL_FORMATS["onnx"].write(other),
        "description did not come back": lambda classifier: MODEL_FORMATS["onnx"].write(
            replace(classifier, threshold=0.5)
        ),
        "reading it back failed": lambda _: b"nothing",
    }
    for words, write in wrong.items():
        monkeypatch.setitem(MODEL_FORMATS, "spoiled", replace(MODEL_FORMATS["onnx"], write=write))
        with pytest.raises(ModelError, match=words):
            export_model(given, "spoiled")


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="safetensors, onnx, state_dict"):
        export_model(classifier_of(NETWORKS["one output"]), "pickle")


def test_only_our_own_safetensors_are_read_in_this_process():
    given = classifier_of(NETWORKS["one output"])
    assert read_model(export_model(given, "safetensors")).record == given.record
    for form in ("onnx", "state_dict"):
        with pytest.raises(ModelError):
            read_model(export_model(given, form))
