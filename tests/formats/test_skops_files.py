"""scikit-learn networks saved with skops, against scikit-learn's own probabilities."""

import io
import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler, StandardScaler

from fairneuron_core.formats.door import open_network
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.npy_data import array_of
from fairneuron_core.formats.skops_file import parse_skops
from fairneuron_core.formats.stacking import SCALES_ITSELF
from tests.formats.plain_network import probabilities

ROWS = pd.DataFrame((np.random.default_rng(0).normal(size=(1000, 4)) * 10 + 5).astype(np.float32), columns=list("abcd"))
FIRST = np.where(ROWS["a"] > ROWS["b"], "yes", "no")


def fitted(model, labels=FIRST):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(ROWS, labels)


def small(**settings) -> MLPClassifier:
    return MLPClassifier((5,), max_iter=3, random_state=0, **settings)


def check(model):
    file = parse_skops(skops.io.dumps(model), {})
    expected = model.predict_proba(ROWS)[:, 1]
    assert np.abs(probabilities(file, ROWS.to_numpy()) - expected).max() < 1e-5
    assert (file.sizes, file.head, file.classes) == ((4, 5, 1), "sigmoid", ("no", "yes"))
    assert file.input_names == ("a", "b", "c", "d")
    return file


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_network_gives_its_own_probabilities(activation):
    assert check(fitted(small(activation=activation))).warnings == ()


@pytest.mark.parametrize("settings", [{"solver": "sgd", "early_stopping": True}, {"solver": "lbfgs"}], ids=str)
def test_what_the_training_left_behind_does_not_matter(settings):
    check(fitted(small(**settings)))
    check(fitted(MLPClassifier((5,), max_iter=3, random_state=np.random.RandomState(0), **settings)))


@pytest.mark.parametrize(
    "scaler",
    [StandardScaler(), MinMaxScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False)],
    ids=str,
)
def test_a_scaler_before_the_network_is_folded_in_and_a_warning_says_so(scaler):
    assert check(fitted(make_pipeline(scaler, small()))).warnings == (SCALES_ITSELF,)


def test_a_step_that_does_nothing_is_passed_over():
    file = parse_skops(skops.io.dumps(fitted(make_pipeline("passthrough", small()))), {})
    assert (file.sizes, file.warnings) == ((4, 5, 1), ())


def test_the_door_reads_the_same_network():
    content = skops.io.dumps(fitted(small()))
    inside, outside = parse_skops(content, {}), open_network(content, name="network.skops")
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(inside.layers, outside.layers, strict=True))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (fitted(LogisticRegression()), r"wants to build 'sklearn\.linear_model\._logistic\.LogisticRegression'"),
        (MLPRegressor(), r"MLPRegressor', which is not allowed: bring an MLPClassifier"),
        (make_pipeline(FunctionTransformer(np.log1p), small()), r"'numpy\.log1p', 'sklearn.*FunctionTransformer'"),
        (make_pipeline(RobustScaler(), small()), "RobustScaler"),
        (fitted(make_pipeline(MinMaxScaler(clip=True), small())), "clip=True"),
        (fitted(StandardScaler()), "holds 'sklearn.preprocessing._data.StandardScaler'"),
        (small(), "never trained"),
        (fitted(small(), np.arange(1000) % 3), "tells 3 classes apart"),
        (fitted(small(), np.stack([np.arange(1000) % 2] * 2, 1)), "two separate sigmoid"),
    ],
)
def test_other_models_are_refused_by_name(model, words):
    with pytest.raises(RefusedFile, match=words):
        parse_skops(skops.io.dumps(model), {})


def changed(change) -> bytes:
    """A good file with its tree or its members changed by `change(tree, members)`."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(fitted(small())))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    tree = json.loads(members["schema.json"])
    members["schema.json"] = json.dumps(change(tree, members) or tree).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def first_weights(tree) -> dict:
    return tree["content"]["content"]["coefs_"]["content"][0]


def system(tree, members):
    tree["content"]["content"]["alpha"] = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}


def reduced(tree, members):
    tree["content"]["content"]["alpha"] = {"__class__": "int", "__module__": "builtins", "__loader__": "ReduceNode"}


def nested(tree, members):
    for _ in range(400):
        tree = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [tree]}
    return tree


def saved_array(value, **how) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value, **how)
    return stream.getvalue()


def pickled(tree, members):
    members[first_weights(tree)["file"]] = saved_array(np.array([print]), allow_pickle=True)


def cut(tree, members):
    name = first_weights(tree)["file"]
    members[name] = members[name][:-8]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (system, r"wants to build 'os\.system', which is not allowed"),
        (reduced, r"'builtins\.int', which is not allowed"),
        (nested, "nests or repeats more"),
        (pickled, "Python objects, which could run code"),
        (cut, "array in the file cannot be read"),
        (lambda tree, members: members.pop(first_weights(tree)["file"]) and None, "has no member"),
        (lambda tree, members: first_weights(tree).update(file="../x.npy"), "has no member"),
        (lambda tree, members: tree["content"]["content"].pop("intercepts_") and None, "damaged"),
        (lambda tree, members: tree["content"].update(content=[1]), "damaged"),
        (lambda tree, members: [1], "damaged"),
    ],
)
def test_changed_files_are_refused_in_one_sentence(change, words):
    with pytest.raises(RefusedFile, match=words):
        parse_skops(changed(change), {})


def test_an_array_is_measured_before_memory_is_set_aside():
    content = saved_array(np.arange(6.0).reshape(2, 3).T)
    assert np.array_equal(array_of(content), np.arange(6.0).reshape(2, 3).T)
    for spoiled in (content.replace(b"(3, 2)", b"(3,10)"), content[:40], b"", saved_array(np.array(["a", None]))):
        with pytest.raises(RefusedFile):
            array_of(spoiled)
