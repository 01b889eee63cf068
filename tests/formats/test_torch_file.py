"""Files of torch.save give the network that torch itself computes; nothing else is opened."""

import io

import numpy as np
import pytest
import torch
from torch import nn

from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.torch_file import parse_torch
from tests.formats.examples import torch_bytes

ROWS = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)
FORMS = {"zip": {}, "old form": {"_use_new_zipfile_serialization": False}, "protocol 4": {"pickle_protocol": 4}}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def settled(network: nn.Module) -> nn.Module:
    """Give batch norm something to remember, then switch to use."""
    network.train()
    for _ in range(3):
        network(torch.randn(64, 6) * 2 + 1)
    return network.eval()


def plain(found: NetworkFile, rows: np.ndarray) -> np.ndarray:
    """The stack computed by numpy alone."""
    does = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "identity": lambda z: z,
    }
    for layer in found.layers:
        rows = does[layer.activation](rows @ layer.weight.T + layer.bias)
    return rows


def outputs(network: nn.Module) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(ROWS)).numpy()


def stack(activation: str = "relu", *, norm: str = "") -> nn.Sequential:
    torch.manual_seed(1)
    behind = [ACTIVATIONS[activation]()]
    behind = {"": behind, "before": [nn.BatchNorm1d(8), *behind], "after": [*behind, nn.BatchNorm1d(8)]}[norm]
    return settled(nn.Sequential(nn.Linear(6, 8), *behind, nn.Linear(8, 8), ACTIVATIONS[activation](), nn.Linear(8, 1)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_state_dict_with_its_activation_named_computes_what_torch_computes(form, activation):
    network = stack(activation)
    content = torch_bytes(network.state_dict(), **FORMS[form])
    found = parse_torch(content, {"activation": activation})
    assert (found.form, found.sizes, found.questions) == ("torch", (6, 8, 8, 1), ())
    assert np.allclose(plain(found, ROWS), outputs(network), atol=1e-5)


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_place_of_batch_norm_in_a_state_dict_is_asked_for_and_obeyed(place):
    network = stack("relu", norm=place)
    content = torch_bytes(network.state_dict())
    assert [question.name for question in parse_torch(content, {}).questions] == ["activation", "batch_norm"]
    found = parse_torch(content, {"activation": "relu", "batch_norm": place})
    assert found.sizes == (6, 8, 8, 1)
    assert np.allclose(plain(found, ROWS), outputs(network), atol=1e-5)


def test_batch_norm_of_the_inputs_needs_no_question_about_its_place():
    network = settled(nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 2)))
    found = parse_torch(torch_bytes(network.state_dict()), {"activation": "relu"})
    assert found.questions == ()
    assert np.allclose(plain(found, ROWS), outputs(network), atol=1e-5)


def test_a_wrong_answer_is_refused():
    with pytest.raises(RefusedFile, match="The answer 'gelu' to 'activation' is not one of relu, tanh, sigmoid"):
        parse_torch(torch_bytes(stack().state_dict()), {"activation": "gelu"})


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", FORMS)
def test_other_types_of_numbers_are_read_as_the_numbers_they_are(kind, form):
    network = stack().to(kind)
    found = parse_torch(torch_bytes(network.state_dict(), **FORMS[form]), {"activation": "relu"})
    expected = [value.float().numpy() for value in network.state_dict().values()]
    read = [part for layer in found.layers for part in (layer.weight, layer.bias)]
    assert all(np.array_equal(a, b) for a, b in zip(read, expected, strict=True))
    assert {part.dtype for part in read} == {np.dtype(np.float32)}


@pytest.mark.parametrize("form", FORMS)
def test_views_transposed_and_shared_storages_are_followed(form):
    storage = torch.arange(60, dtype=torch.float32)
    state = {
        "a.weight": storage[6:30].reshape(4, 6),
        "a.bias": storage[::15],
        "b.weight": storage[30:46].reshape(4, 4).t(),
        "b.bias": torch.tensor(2.0).expand(4),
        "c.weight": storage[:4].reshape(1, 4),
        "c.bias": torch.zeros(1),
    }
    found = parse_torch(torch_bytes(state, **FORMS[form]), {"activation": "relu"})
    read = [part for layer in found.layers for part in (layer.weight, layer.bias)]
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(read, state.values(), strict=True))


def test_prefixes_and_a_checkpoint_around_the_weights_change_nothing():
    network = stack()

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network

        def forward(self, rows):
            return self.net(rows)

    moments = {name: torch.ones(8, 6) for name in ("exp_avg", "exp_avg_sq")}
    adam = {"state": {0: {"step": torch.tensor(3.0), **moments}}, "param_groups": [{"lr": 0.001, "params": [0]}]}
    expected = outputs(network)
    states = {
        "prefix": Wrapped().state_dict(),
        "data parallel": {f"module.{name}": value for name, value in network.state_dict().items()},
        "checkpoint": {
            "model_state_dict": network.state_dict(),
            "optimizer": adam,
            "epoch": 3,
            "best": np.float64(0.5),
            "seen": {1, 2},
        },
        "whole network in a checkpoint": {"model": network, "epoch": 3},
        "parameters": {name: nn.Parameter(value) for name, value in network.state_dict().items()},
    }
    for name, state in states.items():
        found = parse_torch(torch_bytes(state), {"activation": "relu"})
        assert np.allclose(plain(found, ROWS), expected, atol=1e-5), name


def test_a_checkpoint_with_two_networks_names_both():
    state = stack().state_dict()
    with pytest.raises(RefusedFile, match="holds 2 networks, 'generator', 'critic': save the one to audit alone"):
        parse_torch(torch_bytes({"generator": state, "critic": state}), {})


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_sequential_network_says_everything_itself(form):
    torch.manual_seed(2)
    network = settled(
        nn.Sequential(
            nn.Flatten(),
            nn.Linear(6, 8, bias=False),
            nn.BatchNorm1d(8, eps=0.1),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Identity(), nn.BatchNorm1d(5, affine=False)),
            nn.Linear(5, 4),
            nn.Sigmoid(),
            nn.Linear(4, 1),
            nn.Sigmoid(),
        )
    )
    found = parse_torch(torch_bytes(network, **FORMS[form]), {})
    assert (found.sizes, found.head, found.questions) == ((6, 8, 5, 4, 1), "sigmoid", ())
    assert [layer.activation for layer in found.layers] == ["relu", "tanh", "sigmoid", "identity"]
    assert np.allclose(1 / (1 + np.exp(-plain(found, ROWS))), outputs(network), atol=1e-5)


def test_a_softmax_over_two_classes_is_taken_off():
    network = nn.Sequential(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 2), nn.Softmax(dim=1))
    found = parse_torch(torch_bytes(network), {})
    scores = np.exp(plain(found, ROWS))
    assert found.head == "softmax"
    assert np.allclose(scores / scores.sum(1, keepdims=True), outputs(network), atol=1e-5)
    with pytest.raises(RefusedFile, match="over the rows"):
        parse_torch(torch_bytes(nn.Sequential(nn.Linear(6, 2), nn.Softmax(dim=0))), {})


class MyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 1), nn.GELU())


@pytest.mark.parametrize("form", FORMS)
def test_a_class_of_ones_own_is_refused_with_what_it_imports_and_the_way_round(form):
    with pytest.raises(RefusedFile) as refused:
        parse_torch(torch_bytes(MyNet(), **FORMS[form]), {})
    for words in ("MyNet", "torch.nn.modules.activation.GELU", "torch.save(model.state_dict()", "ONNX"):
        assert words in str(refused.value)


def test_a_chain_of_shapes_that_does_not_fit_is_refused_with_the_shapes():
    state = {"a.weight": torch.zeros(4, 6), "b.weight": torch.zeros(1, 5)}
    with pytest.raises(RefusedFile, match=r"a \(4, 6\), b \(1, 5\)"):
        parse_torch(torch_bytes(state), {})


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"conv.weight": torch.zeros(4, 1, 3, 3)}, r"'conv.weight' of shape \(4, 1, 3, 3\)"),
        ({"norm.weight": torch.ones(4), "norm.bias": torch.ones(4)}, "belongs to no dense layer"),
        ({"a.weight": torch.zeros(3, 6)}, "tells 3 classes apart"),
        ({"a.weight": torch.full((1, 6), float("nan"))}, "not finite"),
        ({"a.weight": torch.full((1, 6), 1e300, dtype=torch.float64)}, "not finite"),
        ({"a.weight": torch.zeros(1, 6, dtype=torch.int8)}, "quantised"),
        ({"a.weight": torch.zeros(1, 6), "a.bias": torch.zeros(2)}, "does not fit together"),
        ({"a.weight": torch.zeros(1, 6), "extra": torch.zeros(2)}, "'extra'"),
        ({"a.weight": torch.zeros(0, 6)}, "does not fit together"),
        ({"epoch": 3}, "'epoch'"),
        ({}, "empty"),
        ([1, 2], "no network"),
    ],
)
def test_what_is_no_plain_stack_is_refused_by_name(state, words):
    with pytest.raises(RefusedFile, match=words):
        parse_torch(torch_bytes(state), {})


def test_modules_with_hooks_or_without_statistics_are_refused():
    with pytest.raises(RefusedFile, match="keeps no running mean"):
        parse_torch(torch_bytes(nn.Sequential(nn.Linear(6, 1), nn.BatchNorm1d(1, track_running_stats=False))), {})
    hooked = nn.Sequential(nn.Linear(6, 1))
    hooked[0].register_forward_hook(torch.nn.init.zeros_)
    with pytest.raises(RefusedFile, match=r"torch\.nn\.init\.zeros_"):
        parse_torch(torch_bytes(hooked), {})
    hooked[0]._forward_hooks.clear()
    hooked[0]._forward_hooks[0] = "a text"
    with pytest.raises(RefusedFile, match="hooks"):
        parse_torch(torch_bytes(hooked), {})


def test_a_view_beyond_its_storage_and_one_out_of_measure_are_refused():
    content = torch_bytes({"a.weight": torch.zeros(1, 6)})
    assert parse_torch(content, {}).sizes == (6, 1)
    # The shape (1, 6) stands as two one-byte numbers behind the offset: K\x01K\x06.
    with pytest.raises(RefusedFile, match="beyond its storage"):
        parse_torch(unchecked(content, b"K\x01K\x06", b"K\x01K\x07"), {})
    with pytest.raises(RefusedFile, match="more than a network here can have"):
        parse_torch(torch_bytes({"a.weight": torch.zeros(1).expand(2**20, 2**19)}), {})


def unchecked(content: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with its data.pkl changed."""
    import zipfile

    from tests.formats.hostile import changed_zip

    program = zipfile.ZipFile(io.BytesIO(content)).read("archive/data.pkl")
    assert old in program
    return changed_zip(content, {"archive/data.pkl": program.replace(old, new)})
