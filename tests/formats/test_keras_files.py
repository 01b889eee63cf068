"""Keras networks, as .keras and .h5: written by Keras itself, or by hand in the layout of Keras 2."""

import io
import json
import os
import warnings
import zipfile

import h5py
import numpy as np
import pytest

from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.hdf5_data import texts
from fairneuron_core.formats.keras_h5_file import parse_keras_h5
from fairneuron_core.formats.keras_zip_file import parse_keras_zip
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.stacking import SCALES_ITSELF, TAKEN_AS_LOG_ODDS
from tests.formats.plain_network import outputs, probabilities

ROWS = (np.random.default_rng(0).normal(size=(1000, 4)) * 3 + 1).astype(np.float32)
# Keras asks numpy for a copy in an old way, in every version that has a torch backend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PARSERS = {".keras": parse_keras_zip, ".h5": parse_keras_h5}


@pytest.fixture(scope="module")
def keras():
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import keras as found
    yield found
    os.environ.pop("KERAS_BACKEND")
    if before is not None:
        os.environ["KERAS_BACKEND"] = before


@pytest.fixture
def layers(keras):
    keras.utils.set_random_seed(0)
    return keras.layers


def saved(network, folder, suffix: str) -> bytes:
    path = folder / f"network{suffix}"
    network.save(path)
    return path.read_bytes()


def predicted(network, rows: np.ndarray = ROWS) -> np.ndarray:
    return np.asarray(network.predict(rows, verbose=0, batch_size=1000))


def shaken(network):
    """Statistics and biases of its own for every layer, so that a mix-up shows."""
    rng = np.random.default_rng(1)
    for layer in network.layers:
        if layer.name != "normalization":
            layer.set_weights([rng.uniform(0.2, 1, part.shape) for part in layer.get_weights()])
    return network


@pytest.mark.parametrize("suffix", PARSERS)
def test_a_sequential_network_gives_its_own_probabilities(keras, layers, tmp_path, suffix):
    scaling = layers.Normalization(name="normalization")
    scaling.adapt(ROWS)
    network = shaken(
        keras.Sequential(
            [
                *(keras.Input((4,)), scaling, layers.Rescaling(0.5, offset=1.0)),
                *(layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.2)),
                *(layers.Dense(3, use_bias=False), layers.BatchNormalization(scale=False), layers.Activation("tanh")),
                *(layers.Dense(3), layers.ReLU(), layers.Dense(1, activation="sigmoid")),
            ]
        )
    )
    content = saved(network, tmp_path, suffix)
    file = PARSERS[suffix](content, {})
    assert np.abs(probabilities(file, ROWS) - predicted(network)[:, 0]).max() < 1e-5
    assert (file.sizes, file.head, file.warnings) == ((4, 5, 3, 3, 1), "sigmoid", (SCALES_ITSELF,))
    behind = open_network(content, name="network")
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(behind.layers, file.layers, strict=True))


@pytest.mark.parametrize("suffix", PARSERS)
def test_a_functional_chain_is_followed_whatever_its_layers_are_called(keras, layers, tmp_path, suffix):
    given = keras.Input((2, 2))
    values = layers.Flatten()(given)
    values = layers.Dense(3, activation=keras.activations.tanh, name="z")(values)
    values = layers.Dense(3, activation="relu", name="a")(values)
    network = shaken(keras.Model(given, layers.Dense(2, activation="softmax", name="dense")(values)))
    file = PARSERS[suffix](saved(network, tmp_path, suffix), {})
    expected = predicted(network, ROWS.reshape(-1, 2, 2))
    assert np.abs(probabilities(file, ROWS) - expected[:, 1]).max() < 1e-5
    assert (file.sizes, file.head, file.warnings) == ((4, 3, 3, 2), "softmax", ())


def test_half_precision_becomes_single_precision(keras, layers, tmp_path):
    network = keras.Sequential([keras.Input((4,)), layers.Dense(1, dtype="float16")])
    file = parse_keras_zip(saved(network, tmp_path, ".keras"), {})
    assert (file.layers[0].weight.dtype, file.warnings) == (np.float32, (TAKEN_AS_LOG_ODDS,))


@pytest.mark.parametrize("suffix", PARSERS)
def test_lambda_layers_unknown_activations_and_branches_are_refused_by_name(keras, layers, tmp_path, suffix):
    given = keras.Input((4,))
    one, two = layers.Dense(3)(given), layers.Dense(3)(given)
    cases = {
        "Lambda.*never run": keras.Sequential([given, layers.Lambda(lambda x: x, name="l"), layers.Dense(1)]),
        "'gelu', which is not known here: linear, relu": keras.Sequential([given, layers.Dense(1, activation="gelu")]),
        "LeakyReLU.*is not known": keras.Sequential([given, layers.Dense(2), layers.LeakyReLU(), layers.Dense(1)]),
        "not the plain ReLU": keras.Sequential([given, layers.Dense(2), layers.ReLU(6.0), layers.Dense(1)]),
        "joins 2 branches": keras.Model(given, layers.Dense(1)(layers.Add()([one, two]))),
        "has 2 outputs": keras.Model(given, [layers.Dense(1)(one), layers.Dense(1)(two)]),
        "network inside": keras.Sequential([given, keras.Sequential([layers.Dense(2)]), layers.Dense(1)]),
        "tells 3 classes apart": keras.Sequential([given, layers.Dense(3, activation="softmax")]),
    }
    for words, network in cases.items():
        with pytest.raises(RefusedFile, match=words):
            PARSERS[suffix](saved(network, tmp_path, suffix), {})


def test_a_registered_class_of_ones_own_is_refused(keras, tmp_path):
    @keras.saving.register_keras_serializable(package="Own")
    class Dense(keras.layers.Dense):
        pass

    network = keras.Sequential([keras.Input((4,)), Dense(1)])
    with pytest.raises(RefusedFile, match=r"no part of Keras: code from a file is never run"):
        parse_keras_zip(saved(network, tmp_path, ".keras"), {})


def test_a_file_of_weights_only_is_refused_with_the_way_out(keras, layers, tmp_path):
    network = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    network.save_weights(tmp_path / "network.weights.h5")
    with pytest.raises(RefusedFile, match=r"no description of a network.*model\.save"):
        parse_keras_h5((tmp_path / "network.weights.h5").read_bytes(), {})


# By hand: Keras 2 wrote names with ":0", bytes instead of text, and inbound_nodes as lists.

KERNEL, BIAS = np.array([[2.0], [3.0]], np.float32), np.array([1.0], np.float32)


def dense_config(**settings) -> dict:
    config = {"name": "dense", "units": 1, "activation": "sigmoid", "use_bias": True} | settings
    return {"class_name": "Dense", "config": config}


def keras_2(*entries: dict, kind: str = "Sequential", change=None, **extra) -> bytes:
    """A .h5 file in the layout of Keras 2; `change` may spoil it."""
    described = {"class_name": kind, "config": {"name": "network", "layers": list(entries)} | extra}
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["model_config"] = np.bytes_(json.dumps(described))
        group = file.create_group("model_weights/dense")
        group.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
        group["dense/kernel:0"], group["dense/bias:0"] = KERNEL, BIAS
        if change is not None:
            change(file)
    return stream.getvalue()


def test_the_layout_of_keras_2_is_read():
    file = parse_keras_h5(keras_2(dense_config(batch_input_shape=[None, 2])), {})
    assert (file.sizes, file.head, outputs(file, np.ones((1, 2))).tolist()) == ((2, 1), "sigmoid", [[6]])
    nodes = {"name": "dense", "inbound_nodes": [[["input_1", 0, 0, {}]]]}
    entries = [
        {"class_name": "InputLayer", "name": "input_1", "config": {"name": "input_1"}, "inbound_nodes": []},
        dense_config() | nodes,
    ]
    ends = {"input_layers": [["input_1", 0, 0]], "output_layers": [["dense", 0, 0]]}
    file = parse_keras_h5(keras_2(*entries, kind="Functional", **ends), {})
    assert outputs(file, np.ones((1, 2))).tolist() == [[6]]


def replaced(name: str, make) -> object:
    def change(file):
        del file[name]
        make(file)

    return change


KERNEL_AT = "model_weights/dense/dense/kernel:0"


def external(file):
    file.create_dataset(KERNEL_AT, (2, 1), "f4", external=[("/etc/passwd", 0, 8)])


def virtual(file):
    layout = h5py.VirtualLayout((2, 1), "f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "d", (2, 1))
    file.create_virtual_dataset(KERNEL_AT, layout)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.__setitem__(KERNEL_AT, h5py.ExternalLink("/etc/other.h5", "x")), "link to another file"),
        (lambda file: file.__setitem__(KERNEL_AT, h5py.SoftLink("/model_weights")), "link to another place"),
        (external, "keeps its numbers in another file"),
        (virtual, "keeps its numbers in another file"),
        (lambda file: file.create_dataset(KERNEL_AT, (2, 1), "f4", compression="lzf"), "packed in an unusual way"),
        (lambda file: file.create_dataset(KERNEL_AT, (10**5, 10**5), "f4", chunks=(10, 10)), "50 million numbers"),
        (lambda file: file.create_dataset(KERNEL_AT, data=[b"text"]), "does not hold numbers"),
        (lambda file: file.create_dataset(KERNEL_AT, data=np.ones((2, 3, 1))), "shape"),
        (lambda file: file.create_group(KERNEL_AT), "are missing"),
        (lambda file: file.__delitem__("model_weights"), "holds no weights"),
        (lambda file: file.__setitem__("round", file["/"]), "nests its groups deeper"),
    ],
)
def test_links_storage_elsewhere_and_damage_are_refused(make, words):
    with pytest.raises(RefusedFile, match=words):
        parse_keras_h5(keras_2(dense_config(), change=replaced(KERNEL_AT, make)), {})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (dense_config() | {"module": "evil.package"}, r"'evil\.package\.Dense', which is no part of Keras"),
        (dense_config() | {"registered_name": "Mine>Dense"}, "no part of Keras"),
        (dense_config(activation={"class_name": "Custom", "config": {}}), "custom activation 'Custom'"),
        (dense_config(use_bias=False), "has 2 weight tensors where 1"),
        (dense_config(lora_rank=4), "low-rank"),
        (dense_config(batch_input_shape=[None, 3, 2]), "put a Flatten layer before it"),
        (dense_config(activation=["relu"]), "damaged"),
        ({"class_name": "Dense", "config": None}, "damaged"),
        ({"class_name": "Dense"}, "damaged"),
        ({"class_name": "Conv2D", "config": {"name": "c"}}, r"'c' \(Conv2D\) is not known here"),
    ],
)
def test_descriptions_that_make_no_network_are_refused(entry, words):
    with pytest.raises(RefusedFile, match=words):
        parse_keras_h5(keras_2(entry), {})


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "[" * 200_000, '{"class_name": "Own", "config": {"layers": []}}'])
def test_nonsense_in_place_of_the_description_is_refused(text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", keras_2(dense_config()))
    with pytest.raises(RefusedFile):
        parse_keras_zip(stream.getvalue(), {})


def test_a_circle_of_layers_is_refused():
    entries = [dense_config() | {"name": name, "inbound_nodes": [[[other, 0, 0, {}]]]} for name, other in ("ab", "ba")]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["a", 0, 0]]}
    with pytest.raises(RefusedFile, match="missing"):
        parse_keras_h5(keras_2(*entries, kind="Functional", **ends), {})


def test_a_list_of_texts_may_be_cut_into_parts():
    with h5py.File(io.BytesIO(), "w") as file:
        file.attrs["weight_names0"], file.attrs["weight_names1"] = np.array([b"a", b"b"]), np.array([b"c"])
        assert texts(file, "weight_names") == ["a", "b", "c"]
        assert texts(file, "layer_names") == []
