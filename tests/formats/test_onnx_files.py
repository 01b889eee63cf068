"""ONNX files as scikit-learn's and torch's exporters write them, against the libraries' own predictions."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from torch import nn

from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.onnx_file import parse_onnx
from fairneuron_core.formats.stacking import SCALES_ITSELF, TAKEN_AS_LOG_ODDS
from tests.formats.plain_network import outputs, probabilities

ROWS = (np.random.default_rng(0).normal(size=(1000, 4)) * 10 + 5).astype(np.float32)
FIRST = ROWS[:, 0] > ROWS[:, 1]


def fitted(model, labels=FIRST):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(ROWS, labels)


def of_scikit_learn(model, **options) -> bytes:
    return to_onnx(model, ROWS[:1], options=options or None).SerializeToString()


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_scikit_learn_network_gives_its_own_probabilities(activation):
    model = fitted(MLPClassifier((5, 3), activation=activation, max_iter=5, random_state=0), FIRST.astype(int))
    file = parse_onnx(of_scikit_learn(model), {})
    assert np.abs(probabilities(file, ROWS) - model.predict_proba(ROWS)[:, 1]).max() < 1e-5
    assert (file.sizes, file.head, file.classes, file.warnings) == ((4, 5, 3, 1), "sigmoid", ("0", "1"), ())


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()], ids=str)
@pytest.mark.parametrize("zipmap", [True, False, "columns"])
def test_a_pipeline_has_its_scaler_folded_in_and_a_warning_says_so(scaler, zipmap):
    model = fitted(make_pipeline(scaler, MLPClassifier((5,), max_iter=5, random_state=0)), np.where(FIRST, "yes", "no"))
    file = parse_onnx(of_scikit_learn(model, zipmap=zipmap), {})
    assert np.abs(probabilities(file, ROWS) - model.predict_proba(ROWS)[:, 1]).max() < 1e-5
    assert (file.sizes, file.classes, file.warnings) == ((4, 5, 1), ("no", "yes"), (SCALES_ITSELF,))


def test_double_precision_becomes_single_precision():
    rows = ROWS.astype(np.float64)
    model = fitted(MLPClassifier((5,), max_iter=5, random_state=0))
    file = parse_onnx(to_onnx(model, rows[:1]).SerializeToString(), {})
    assert file.layers[0].weight.dtype == np.float32
    assert np.abs(probabilities(file, rows) - model.predict_proba(rows)[:, 1]).max() < 1e-5


def test_three_classes_are_refused_with_the_way_out():
    model = fitted(MLPClassifier((3,), max_iter=2), np.arange(1000) % 3)
    with pytest.raises(RefusedFile, match="tells 3 classes apart; an audit needs one favourable outcome"):
        parse_onnx(of_scikit_learn(model), {})


class Series(nn.Module):
    """1-D convolution, max-pooling, another convolution, a mean, two classes."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(1, 3, 3, padding=1), nn.Conv1d(3, 2, 2, stride=2)
        self.pool, self.mean, self.last = nn.MaxPool1d(2), nn.AdaptiveAvgPool1d(1), nn.Linear(2, 2)

    def forward(self, rows):
        values = self.pool(torch.relu(self.first(rows.unsqueeze(1))))
        values = self.mean(torch.relu(self.second(values)))
        return torch.softmax(self.last(values.view(values.size(0), -1)), -1)


class Picture(nn.Module):
    """2-D convolution without bias, batch norm, average pooling, one logit without an axis of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.pool, self.last = nn.AvgPool2d(2), nn.Linear(12, 1, bias=False)

    def forward(self, rows):
        values = torch.relu(self.norm(self.first(rows.view(-1, 1, 4, 4))))
        return self.last(torch.flatten(self.pool(values), 1)).squeeze(1)


def dense() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3), nn.Tanh()),
        *(nn.BatchNorm1d(3), nn.Linear(3, 1), nn.Sigmoid()),
    )


def shaken(network: nn.Module) -> nn.Module:
    """The network in use, its batch norm with statistics of its own."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for part in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                part.uniform_(0.5, 2)
    return network.eval()


def exported(network: nn.Module, inputs: int, path, *, dynamo: bool) -> bytes:
    rows = torch.zeros(2, inputs)
    with warnings.catch_warnings():
        # torch says so of its own older exporter, and of pieces of Python that the newer one uses.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", message=".*You are using the legacy TorchScript-based ONNX export.*")
        if dynamo:
            how = {"dynamic_shapes": ({0: torch.export.Dim("rows")},), "external_data": False, "verbose": False}
        else:
            how = {"input_names": ["x"], "dynamic_axes": {"x": {0: "rows"}}}
        torch.onnx.export(network, (rows,), path, dynamo=dynamo, **how)
    return path.read_bytes()


def check_against_torch_and_onnxruntime(network: nn.Module, content: bytes, inputs: int):
    rows = np.random.default_rng(1).normal(size=(1000, inputs)).astype(np.float32)
    with torch.inference_mode():
        said = network(torch.from_numpy(rows)).numpy()
    session = onnxruntime.InferenceSession(content)
    ran = session.run(None, {session.get_inputs()[0].name: rows})[0]
    file = parse_onnx(content, {})
    found = outputs(file, rows) if file.head == "logits" else probabilities(file, rows)
    for expected in (said, ran):
        one = expected[:, 1] if file.head == "softmax" else expected.reshape(len(rows))
        assert np.abs(found.reshape(len(rows)) - one).max() < 1e-5
    return file


def test_the_older_torch_exporter_is_read(tmp_path):
    network = shaken(dense())
    content = exported(network, 4, tmp_path / "dense.onnx", dynamo=False)
    file = check_against_torch_and_onnxruntime(network, content, 4)
    assert (file.sizes, file.head) == ((4, 5, 3, 1), "sigmoid")
    assert [layer.activation for layer in file.layers] == ["relu", "tanh", "identity"]


def test_pictures_are_read_as_dense_layers(tmp_path):
    network = shaken(Picture())
    content = exported(network, 16, tmp_path / "picture.onnx", dynamo=False)
    file = check_against_torch_and_onnxruntime(network, content, 16)
    assert (file.sizes, file.head, file.warnings) == ((16, 48, 1), "logits", (TAKEN_AS_LOG_ODDS,))


@pytest.mark.parametrize("dynamo", [False, True])
def test_max_pooling_becomes_relu_neurons_that_are_counted(tmp_path, dynamo):
    network = shaken(Series())
    content = exported(network, 8, tmp_path / "series.onnx", dynamo=dynamo)
    file = check_against_torch_and_onnxruntime(network, content, 8)
    assert (file.sizes, file.head) == ((8, 24, 24, 4, 2), "softmax")
    assert file.warnings == ("Max-pooling was rewritten exactly as 24 ReLU neurons.",)
    behind = open_network(content, name="series.onnx")
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(behind.layers, file.layers, strict=True))


# Graphs by hand: one operator after two inputs, or whatever the case is about.


def graph(*nodes, inputs=None, outputs=("y",), tensors=None, domains=(), **metadata) -> bytes:
    weights = {"w": np.array([[2.0], [3.0]], np.float32), "b": np.array([1.0], np.float32)} | (tensors or {})
    made = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (inputs or X).items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opsets = [helper.make_opsetid(name, 17 if not name else 1) for name in ("", "ai.onnx.ml", *domains)]
    model = helper.make_model(made, opset_imports=opsets)
    helper.set_model_props(model, metadata)
    return model.SerializeToString()


X = {"x": ["rows", 2]}
DENSE = helper.make_node("Gemm", ["x", "w", "b"], ["z"], "dense")
HEAD = helper.make_node("Sigmoid", ["z"], ["y"], "head")


def value(content: bytes, row=(1.0, 1.0)) -> list[float]:
    return outputs(parse_onnx(content, {}), np.array([row]))[0].tolist()


def test_a_graph_by_hand_computes_what_it_says():
    assert value(graph(DENSE, HEAD)) == [6]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Sub", ["b", "m"], ["z"]), HEAD]
    assert value(graph(*nodes)) == [-4]
    half = helper.make_node("Gemm", ["x", "w", "b"], ["z"], alpha=0.5, beta=2.0)
    assert value(graph(half, HEAD)) == [4.5]


def test_a_width_that_the_file_leaves_open_is_the_width_of_the_first_weights():
    assert parse_onnx(graph(DENSE, HEAD, inputs={"x": ["rows", "columns"]}), {}).inputs == 2


def test_a_logit_beside_its_probability_and_a_decision_are_no_further_outputs():
    decision = helper.make_node("Greater", ["y", "b"], ["label"])
    file = parse_onnx(graph(DENSE, HEAD, decision, outputs=("z", "label", "y")), {})
    assert (file.head, file.warnings) == ("sigmoid", ())


@pytest.mark.parametrize(
    ("order", "expected"), [(("rest", "p"), 6), (("p", "rest"), -6)], ids=["the usual order", "the other order"]
)
def test_two_probabilities_of_one_sigmoid_are_told_apart(order, expected):
    nodes = [
        DENSE,
        helper.make_node("Sigmoid", ["z"], ["p"]),
        helper.make_node("Sub", ["one", "p"], ["rest"]),
        helper.make_node("Concat", list(order), ["y"], axis=1),
    ]
    assert value(graph(*nodes, tensors={"one": np.ones(1, np.float32)})) == [expected]


def test_names_of_the_inputs_come_from_the_metadata_where_they_fit():
    assert parse_onnx(graph(DENSE, HEAD, feature_names='["age", "sex=F"]'), {}).input_names == ("age", "sex=F")
    for text in ('["age"]', "[1, 2]", "{", '{"age": 1}', "[" * 100_000):
        assert parse_onnx(graph(DENSE, HEAD, feature_names=text), {}).input_names == ()


def node(op: str, *inputs: str, name: str = "strange", **attributes) -> list:
    """The dense layer, then this operator in front of the head."""
    named = helper.make_node(op, ["z", *inputs], ["s"], name, **attributes)
    return [DENSE, named, helper.make_node("Sigmoid", ["s"], ["y"])]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (graph(*node("LeakyRelu")), r"node 'strange' \(LeakyRelu\) is not known here"),
        (graph(*node("Fast", domain="com.example"), domains=("com.example",)), "'com.example', which is no part"),
        (graph(*node("Add", "z")), "joins two branches"),
        (graph(helper.make_node("MatMul", ["x", "x"], ["y"], "own")), "'own'.*weights change from row to row"),
        (graph(helper.make_node("MatMul", ["w", "x"], ["y"], "left")), "from the left"),
        (graph(*node("BatchNormalization", "b", "b", "b", "b", training_mode=1)), "exported in training mode"),
        (graph(*node("Softmax", axis=0)), "softmax over axis 0"),
        (graph(*node("Cast", to=TensorProto.INT64)), "rounds"),
        (graph(*node("Reshape", "to"), tensors={"to": np.array([-1, 2])}), "moves values"),
        (graph(*node("Nothing", "gone")), "'gone', which nothing puts out"),
        (graph(DENSE, helper.make_node("ArgMax", ["z"], ["y"])), "decisions only"),
        (graph(DENSE, HEAD, inputs={"x": [2]}), "no axis for the rows"),
        (graph(helper.make_node("Relu", ["x"], ["y"]), inputs={"x": ["rows", "columns"]}), "leaves its shape open"),
        (graph(), "holds no node"),
        (graph(*node("Add", "x2"), inputs=X | {"x2": ["rows", 1]}), "2 inputs"),
        (
            graph(DENSE, HEAD, helper.make_node("Tanh", ["z"], ["t"]), outputs=("y", "t")),
            r"several outputs \('y', 't'\)",
        ),
        (b"\x08\x08" + b"\xff" * 50, "damaged"),
    ],
)
def test_what_is_no_chain_of_known_layers_is_refused_by_name(content, words):
    with pytest.raises(RefusedFile, match=words):
        parse_onnx(content, {})


def test_control_flow_is_refused():
    branch = helper.make_graph([], "branch", [], [])
    chosen = helper.make_node("If", ["x"], ["y"], "choice", then_branch=branch, else_branch=branch)
    with pytest.raises(RefusedFile, match=r"'choice'.*chooses or repeats"):
        parse_onnx(graph(chosen), {})


def test_functions_inside_the_file_are_refused():
    model = onnx.ModelProto.FromString(graph(*node("Mine", domain="own"), domains=("own",)))
    body = [helper.make_node("Relu", ["a"], ["c"])]
    model.functions.append(helper.make_function("own", "Mine", ["a"], ["c"], body, [helper.make_opsetid("", 17)]))
    with pytest.raises(RefusedFile, match="custom operators and functions"):
        parse_onnx(model.SerializeToString(), {})


def test_numbers_in_another_file_are_refused_and_never_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.data").write_bytes(np.ones(2, np.float32).tobytes())
    model = onnx.ModelProto.FromString(graph(DENSE, HEAD))
    stored = model.graph.initializer[0]
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value="w.data")
    with pytest.raises(RefusedFile, match=r"'w' keeps its numbers in another file.*external_data=False"):
        parse_onnx(model.SerializeToString(), {})


@pytest.mark.parametrize("dims", [[3, 1], [-1, 2], [2**40, 2**40]])
def test_a_tensor_that_does_not_fit_its_shape_is_refused(dims):
    model = onnx.ModelProto.FromString(graph(DENSE, HEAD))
    model.graph.initializer[0].dims[:] = dims
    with pytest.raises(RefusedFile, match="'w'"):
        parse_onnx(model.SerializeToString(), {})
