"""safetensors files: our own ones with everything in them, and foreign ones whose names are all there is."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from safetensors.torch import save
from torch import nn

from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.plain_tensors import is_tensor_file, read_tensors, write_tensors
from fairneuron_core.formats.safetensors_file import parse_safetensors
from fairneuron_core.models import build_network, profile, to_safetensors
from fairneuron_core.types import Classifier, EncodedColumn, Encoder, ModelRecord

ENCODER = Encoder(
    (EncodedColumn("age", "numeric", low=17, high=90), EncodedColumn("sex", "category", levels=("F", "M")))
)


def own_file() -> bytes:
    network = build_network((3, 4, 1), seed=0)
    record = ModelRecord("german", "ab" * 32, "train", {"epochs": 3}, None, ("sex",), 5, "0.1.0")
    return to_safetensors(Classifier(network, ENCODER, 0.4, record, profile(network, np.eye(3, dtype=np.float32))))


def test_our_own_file_gives_its_layers_names_and_metadata():
    content = own_file()
    found = parse_safetensors(content, {})
    tensors = load(content)
    assert found.sizes == (3, 4, 1)
    assert [layer.activation for layer in found.layers] == ["relu", "identity"]
    assert all(np.array_equal(layer.weight, tensors[f"layer{i}.weight"]) for i, layer in enumerate(found.layers))
    assert found.input_names == ENCODER.feature_names
    described = json.loads(found.described)
    assert (described["threshold"], described["record"]["protected"]) == (0.4, ["sex"])
    assert found.questions == found.warnings == ()


def test_reading_agrees_with_the_library_for_every_type_of_number():
    kinds = (torch.float32, torch.float64, torch.float16, torch.int64, torch.uint8, torch.bool)
    tensors = {str(kind): (torch.arange(6).reshape(2, 3) - 1).to(kind) for kind in kinds}
    content = save(tensors, {"note": "a text"})
    metadata, read = read_tensors(content)
    assert metadata == {"note": "a text"}
    assert all(np.array_equal(read[name], value) for name, value in load(content).items())
    halves = torch.tensor([1.5, -2.0, 3e38, 1e-40], dtype=torch.bfloat16)
    assert np.array_equal(read_tensors(save({"a": halves}))[1]["a"], halves.float().numpy())


def test_what_is_written_here_is_read_by_the_library():
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros((0, 2), np.float32)}
    content = write_tensors({"note": "a text"}, tensors)
    assert is_tensor_file(content)
    assert all(np.array_equal(load(content)[name], value) for name, value in tensors.items())


@pytest.mark.parametrize(("activation", "kind"), [("relu", nn.ReLU), ("tanh", nn.Tanh)])
def test_a_foreign_file_is_a_stack_in_the_order_of_its_numbered_names(activation, kind):
    torch.manual_seed(0)
    widths = [4] * 12 + [2]
    parts = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), kind())]
    network = nn.Sequential(*parts[:-1])
    found = parse_safetensors(save(network.state_dict()), {"activation": activation})
    assert [layer.weight.shape for layer in found.layers] == [(4, 4)] * 11 + [(2, 4)]
    dense = [part for part in network if isinstance(part, nn.Linear)]
    assert all(
        np.array_equal(layer.weight, part.weight.detach()) for layer, part in zip(found.layers, dense, strict=True)
    )
    assert any("the order 0, 2, 4, 6" in warning for warning in found.warnings)
    assert [question.name for question in parse_safetensors(save(network.state_dict()), {}).questions] == ["activation"]


def test_words_as_names_are_put_in_the_only_order_in_which_shapes_chain():
    shapes = {"input.weight": (8, 6), "hidden.weight": (7, 8), "output.weight": (1, 7)}
    found = parse_safetensors(save({name: torch.zeros(shape) for name, shape in shapes.items()}), {})
    assert found.sizes == (6, 8, 7, 1)
    shapes = {"a.weight": (8, 6), "b.weight": (1, 7)}
    with pytest.raises(RefusedFile, match="do not follow one another"):
        parse_safetensors(save({name: torch.zeros(shape) for name, shape in shapes.items()}), {})


def test_batch_norm_is_read_where_numbers_tell_its_place_and_refused_where_words_do_not():
    network = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1)).eval()
    rows = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)
    first, second = parse_safetensors(save(network.state_dict()), {"activation": "relu", "batch_norm": "before"}).layers
    computed = np.maximum(rows @ first.weight.T + first.bias, 0) @ second.weight.T + second.bias
    with torch.no_grad():
        assert np.allclose(computed, network(torch.from_numpy(rows)).numpy(), atol=1e-5)
    renamed = {name.replace("0.", "fc.").replace("1.", "norm."): value for name, value in network.state_dict().items()}
    with pytest.raises(RefusedFile, match="do not tell where batch normalisation stands"):
        parse_safetensors(save(renamed), {})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(activations=["relu"]), "ends in relu"),
        (lambda d: d.update(activations=["gelu", "identity"]), "'gelu', which is not known"),
        (lambda d: d.update(activations=["relu", "relu", "identity"]), "'layer2.weight' is missing"),
        (lambda d: d["encoder"]["columns"].pop(), "makes 1 inputs and its network reads 3"),
        (lambda d: d.pop("encoder"), "cannot be read"),
    ],
)
def test_a_description_that_contradicts_the_tensors_is_refused(change, words):
    metadata, tensors = read_tensors(own_file())
    described = json.loads(metadata["fairneuron-classifier-1"])
    change(described)
    with pytest.raises(RefusedFile, match=words):
        parse_safetensors(write_tensors({"fairneuron-classifier-1": json.dumps(described)}, tensors), {})
