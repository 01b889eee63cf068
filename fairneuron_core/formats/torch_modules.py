"""A whole network that was pickled as nn.Sequential: its modules one after another, as they compute in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.named_tensors import numbers_of
from fairneuron_core.formats.network_file import NetworkFile, RefusedFile
from fairneuron_core.formats.plain_unpickler import Made, Name, Stored
from fairneuron_core.formats.stacking import Activation, Dense, Step, batch_norm, stacked

_SEQUENTIAL = "torch.nn.modules.container.Sequential"
_LINEAR = "torch.nn.modules.linear.Linear"
_NORM = "torch.nn.modules.batchnorm.BatchNorm1d"
_ACTIVATIONS = {
    "torch.nn.modules.activation.ReLU": "relu",
    "torch.nn.modules.activation.Tanh": "tanh",
    "torch.nn.modules.activation.Sigmoid": "sigmoid",
    "torch.nn.modules.activation.Softmax": "softmax",
}
# In use, as opposed to in training, none of these changes a row of numbers.
_IDLE = frozenset(
    ("torch.nn.modules.linear.Identity", "torch.nn.modules.dropout.Dropout", "torch.nn.modules.flatten.Flatten")
)
MODULES = frozenset((_SEQUENTIAL, _LINEAR, _NORM, *_ACTIVATIONS, *_IDLE))
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")

TensorOf = Callable[[Any], np.ndarray]


def network_of_module(node: Made, tensor_of: TensorOf) -> NetworkFile:
    """Return the network that the described modules make up; RefusedFile for what is no plain stack."""
    steps = [step for module in _flat(node, 0) for step in _steps(module, tensor_of)]
    result = stacked(steps)
    return NetworkFile("torch", result.layers, result.head, warnings=result.warnings)


def _flat(node: Any, depth: int) -> Iterator[Made]:
    """The modules in the order in which they compute; Sequential in Sequential is opened."""
    if depth > limits_in_force().depth:
        raise RefusedFile(f"The network nests Sequential more than {limits_in_force().depth} times: it is not opened.")
    if not isinstance(node, Made) or not isinstance(node.state, dict):
        raise RefusedFile("A module of the network carries no state: the file is damaged.")
    if any(_entries(node.state.get(name)) for name in _HOOKS):
        raise RefusedFile("A module of the network carries hooks, which are code: remove them and save it again.")
    if _class_of(node) != _SEQUENTIAL:
        yield node
        return
    for child in _entries(node.state.get("_modules")).values():
        yield from _flat(child, depth + 1)


def _class_of(node: Made) -> str:
    """Name of the module's class; the older form wraps it, with its source text, into a persistent id."""
    maker = node.maker
    if isinstance(maker, Stored) and isinstance(maker.key, tuple) and len(maker.key) > 1:
        maker = maker.key[1]
    return maker.text if isinstance(maker, Name) else ""


def _entries(node: Any) -> dict[Any, Any]:
    if isinstance(node, Made):
        return node.items
    return node if isinstance(node, dict) else {}


def _steps(module: Made, tensor_of: TensorOf) -> list[Step]:
    kind = _class_of(module)
    if kind in _IDLE:
        return []
    if kind == _LINEAR:
        return [_dense(module, tensor_of)]
    if kind == _NORM:
        return [_norm(module, tensor_of)]
    if kind not in _ACTIVATIONS:
        raise RefusedFile("A part of the network is no module of a plain stack: export the network as ONNX.")
    # Rows are the first dimension and classes the second and last one.
    if _ACTIVATIONS[kind] == "softmax" and module.state.get("dim") not in (1, -1, None):
        raise RefusedFile("The network's softmax runs over the rows and not over the classes: use Softmax(dim=1).")
    return [Activation(_ACTIVATIONS[kind])]


def _numbers(module: Made, group: str, name: str, tensor_of: TensorOf) -> np.ndarray | None:
    node = _entries(module.state.get(group)).get(name)
    return None if node is None else numbers_of(name, tensor_of(node))


def _dense(module: Made, tensor_of: TensorOf) -> Dense:
    weight, bias = (_numbers(module, "_parameters", name, tensor_of) for name in ("weight", "bias"))
    if weight is None:
        raise RefusedFile("A dense layer of the network has no weights: the file is incomplete.")
    return Dense(weight, np.zeros(weight.shape[:1], np.float32) if bias is None else bias)


def _norm(module: Made, tensor_of: TensorOf) -> Step:
    mean, variance = (_numbers(module, "_buffers", name, tensor_of) for name in ("running_mean", "running_var"))
    scale, shift = (_numbers(module, "_parameters", name, tensor_of) for name in ("weight", "bias"))
    epsilon = module.state.get("eps")
    if mean is None or variance is None or not isinstance(epsilon, float):
        raise RefusedFile("A batch norm layer keeps no running mean and variance: a single row has no outcome then.")
    scale, shift = (np.ones_like(mean) if scale is None else scale), (np.zeros_like(mean) if shift is None else shift)
    if len({part.shape for part in (mean, variance, scale, shift)}) > 1 or mean.ndim != 1:
        raise RefusedFile("The parts of a batch norm layer of the network do not fit together.")
    return batch_norm(scale, shift, mean, variance, epsilon=epsilon)
