"""scikit-learn networks saved with skops: MLPClassifier, also behind a StandardScaler or MinMaxScaler in a Pipeline.

A skops file is a zip archive: schema.json is a tree that says which class to build from which parts, and the arrays lie
beside it. Here nothing is built: the tree is read as data after every class in it was found in an allow-list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fairneuron_core.formats.archive import Archive, open_archive, shown
from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.npy_data import array_of
from fairneuron_core.formats.stacking import Activation, Affine, Dense, Step, stacked

_MLP = "sklearn.neural_network._multilayer_perceptron.MLPClassifier"
_PIPELINE = "sklearn.pipeline.Pipeline"
_STANDARD = "sklearn.preprocessing._data.StandardScaler"
_MIN_MAX = "sklearn.preprocessing._data.MinMaxScaler"
# What training leaves behind; it is walked over, never used.
_LEFT_BEHIND = (
    "sklearn.preprocessing._label.LabelBinarizer",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
)
_OBJECTS = (_MLP, _PIPELINE, _STANDARD, _MIN_MAX, *_LEFT_BEHIND)
_PLAIN = {
    "JsonNode": ("builtins",),
    "ListNode": ("builtins",),
    "TupleNode": ("builtins",),
    "DictNode": ("builtins",),
    "SetNode": ("builtins",),
    "TypeNode": ("builtins", "numpy"),
    "NdArrayNode": ("numpy",),
    "DTypeNode": ("numpy", "numpy.dtypes"),
    "RandomStateNode": ("numpy.random.mtrand",),
}
_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid", "identity": "identity", "softmax": "softmax"}
_CONVERT = "bring an MLPClassifier (alone, or in a Pipeline behind a scaler), or export the network as ONNX."
_FAILURES = (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError, RecursionError)
_MOST_NODES = 200_000


def parse_skops(content: bytes, answers: Mapping[str, str]) -> NetworkFile:
    """Return the network of a skops file; RefusedFile lists the classes of it that are not allowed."""
    archive = open_archive(content)
    try:
        tree = json.loads(archive.read("schema.json"))
        _check(tree)
        return _network(_Reader(archive), tree)
    except _FAILURES as error:
        raise RefusedFile("The description of the model in the skops file cannot be read: it is damaged.") from error


def _check(tree: Any) -> None:
    """Refuse the file unless every class in it is in the allow-list."""
    unknown = {_class_of(node) for node in _nodes(tree) if not _allowed(node)}
    if unknown:
        names = ", ".join(f"'{shown(name)}'" for name in sorted(unknown)[:10])
        raise RefusedFile(f"The skops file wants to build {names}, which is not allowed: {_CONVERT}")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of the tree, without recursion."""
    waiting, count, deepest = [(tree, 0)], 0, 4 * limits_in_force().depth
    while waiting:
        found, depth = waiting.pop()
        count += 1
        if count > _MOST_NODES or depth > deepest:
            raise RefusedFile("The skops file nests or repeats more than any network does: it is not opened.")
        if isinstance(found, dict):
            if "__loader__" in found or "__class__" in found:
                yield found
            waiting += [(value, depth + 1) for value in found.values() if isinstance(value, dict | list)]
        elif isinstance(found, list):
            waiting += [(value, depth + 1) for value in found if isinstance(value, dict | list)]


def _class_of(node: Mapping[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _allowed(node: Mapping[str, Any]) -> bool:
    loader = node["__loader__"]
    if loader == "ObjectNode":
        return _class_of(node) in _OBJECTS
    return loader in _PLAIN and node["__module__"] in _PLAIN[loader]


class _Reader:
    """Plain values out of checked nodes; arrays out of the archive."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def fields(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The nodes of an object's fields, by name."""
        found = node["content"]["content"]
        if not isinstance(found, dict):
            raise TypeError("fields without names")
        return found

    def value(self, node: Mapping[str, Any]) -> Any:
        """Return a number, text, truth value, list or array."""
        loader = node["__loader__"]
        if loader == "JsonNode":
            return json.loads(node["content"])
        if loader in ("ListNode", "TupleNode"):
            return [self.value(part) for part in node["content"]]
        if loader == "NdArrayNode":
            if node["type"] == "json":
                return np.array([self.value(part) for part in node["content"]], object)
            return array_of(self.archive.read(node["file"]))
        raise RefusedFile(f"The skops file holds a {shown(loader)} where numbers are expected: it is damaged.")


def _network(reader: _Reader, tree: Mapping[str, Any]) -> NetworkFile:
    parts = [tree]
    if _class_of(tree) == _PIPELINE:
        parts = [step["content"][1] for step in reader.fields(tree)["steps"]["content"]]
    steps: list[Step] = []
    for part in parts[:-1]:
        if part.get("__loader__") == "JsonNode" and reader.value(part) in (None, "passthrough"):
            continue
        if _class_of(part) not in _SCALERS:
            raise RefusedFile(f"The Pipeline in the skops file starts with '{shown(_class_of(part))}': {_CONVERT}")
        steps.append(_SCALERS[_class_of(part)](reader, reader.fields(part)))
    if not parts or _class_of(parts[-1]) != _MLP:
        raise RefusedFile(f"The skops file holds '{shown(_class_of((parts or [tree])[-1]))}': {_CONVERT}")
    fields = reader.fields(parts[-1])
    stack = stacked([*steps, *_layers(reader, fields)])
    names = _texts(reader, next(reader.fields(part) for part in parts if part["__loader__"] == "ObjectNode"))
    classes = [str(label) for label in reader.value(fields["classes_"])]
    return NetworkFile(
        "skops",
        stack.layers,
        stack.head,
        input_names=names if len(names) == stack.layers[0].weight.shape[1] else (),
        classes=tuple(shown(label) for label in classes) if len(classes) == 2 else (),
        warnings=stack.warnings,
    )


def _layers(reader: _Reader, fields: Mapping[str, Any]) -> list[Step]:
    if "coefs_" not in fields:
        raise RefusedFile("The MLPClassifier in the skops file was never trained: fit it before you save it.")
    weights, biases = reader.value(fields["coefs_"]), reader.value(fields["intercepts_"])
    hidden, last = (_activation(reader.value(fields[name])) for name in ("activation", "out_activation_"))
    if len(weights) != len(biases) or not weights:
        raise RefusedFile("The MLPClassifier in the skops file lacks weights: the file is damaged.")
    steps: list[Step] = []
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        steps += [Dense(weight.T, bias), last if i == len(weights) - 1 else hidden]
    return steps


def _activation(name: Any) -> Activation:
    if name not in _ACTIVATIONS:
        raise RefusedFile(f"The activation '{shown(str(name))}' is not known: {', '.join(_ACTIVATIONS)} are.")
    return Activation(_ACTIVATIONS[name])


def _standard(reader: _Reader, fields: Mapping[str, Any]) -> Affine:
    """(x - mean) / scale, either of the two left out where the scaler was told so (its field is None)."""
    mean, scale = (reader.value(fields[name]) for name in ("mean_", "scale_"))
    mean = np.zeros(1) if mean is None or not reader.value(fields["with_mean"]) else mean
    scale = np.ones(1) if scale is None else scale
    with np.errstate(divide="ignore", invalid="ignore"):
        return Affine(1 / scale, -mean / scale)


def _min_max(reader: _Reader, fields: Mapping[str, Any]) -> Affine:
    """x * scale_ + min_, as long as nothing is cut off."""
    if "clip" in fields and reader.value(fields["clip"]):
        raise RefusedFile(
            "The MinMaxScaler in the skops file cuts values off (clip=True), which is no layer: fit it without clip."
        )
    return Affine(reader.value(fields["scale_"]), reader.value(fields["min_"]))


def _texts(reader: _Reader, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the columns the first step was fitted on."""
    names = reader.value(fields["feature_names_in_"]) if "feature_names_in_" in fields else []
    return tuple(shown(str(name)) for name in names)


_SCALERS: dict[str, Callable[[_Reader, Mapping[str, Any]], Affine]] = {_STANDARD: _standard, _MIN_MAX: _min_max}
