"""From named tensors (a state_dict, a foreign safetensors file) to layers: names pair up, shapes tell what they are.

    NAME.weight (out, in), NAME.bias (out,)                       a dense layer
    NAME.running_mean, NAME.running_var, [NAME.weight, NAME.bias] batch norm, folded into its neighbours
    anything else                                                 refused by name and shape

Neither activations nor the place of batch norm stand in such a file: these are questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.limits import limits_in_force
from fairneuron_core.formats.network_file import NetworkFile, Question, RefusedFile
from fairneuron_core.formats.stacking import Activation, Affine, Dense, Step, batch_norm, stacked

ACTIVATION = Question(
    "activation",
    "The file holds weights only: which activation stands between the layers?",
    ("relu", "tanh", "sigmoid"),
)
BATCH_NORM = Question(
    "batch_norm",
    "The file does not say where batch normalisation stands: before the activation, or after it?",
    ("before", "after"),
)
_PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_EPSILON = 1e-5


@dataclass(frozen=True)
class _Group:
    """All tensors of one layer."""

    name: str
    parts: Mapping[str, np.ndarray]

    @property
    def normalises(self) -> bool:
        return "running_mean" in self.parts


def network_of_tensors(
    tensors: Mapping[str, np.ndarray], answers: Mapping[str, str], *, form: str, ordered: bool
) -> NetworkFile:
    """Return the network whose layers are these tensors.

    ordered   whether the order of `tensors` is the order of the layers; else they are sorted by name

    Raises RefusedFile for tensors that belong to no dense layer or batch norm, and for shapes that do not chain.
    """
    groups = [_checked(group) for group in _groups(tensors)]
    warnings = []
    if not ordered:
        groups = _by_name(groups)
        if len(groups) > 2:
            listed = ", ".join(shown(group.name) for group in groups)
            warnings.append(f"The file keeps no order of its layers; they were taken in the order {listed}.")
    _check_chain(groups)
    if any(group.normalises for group in groups):
        warnings.append(
            f"The file does not say which epsilon batch normalisation uses; {_EPSILON:g}, the usual one, is taken."
        )
    asked = _questions(groups)
    chosen = {question.name: _answer(question, answers) for question in asked}
    result = stacked(_steps(groups, chosen))
    still_open = tuple(question for question in asked if question.name not in answers)
    return NetworkFile(form, result.layers, result.head, warnings=(*warnings, *result.warnings), questions=still_open)


def numbers_of(name: str, tensor: np.ndarray) -> np.ndarray:
    """Return the tensor as float32; RefusedFile unless it holds finite floating-point numbers."""
    if tensor.dtype.kind != "f":
        raise RefusedFile(
            f"The tensor '{shown(name)}' holds {tensor.dtype.name} and not floating-point numbers: "
            "a quantised network cannot be read; save it as float32."
        )
    with np.errstate(over="ignore"):
        tensor = tensor.astype(np.float32)
    if not np.isfinite(tensor).all():
        raise RefusedFile(
            f"The tensor '{shown(name)}' holds numbers that are not finite: the training that made it failed."
        )
    return tensor


def _groups(tensors: Mapping[str, np.ndarray]) -> list[_Group]:
    most = limits_in_force().tensors
    if len(tensors) > most:
        raise RefusedFile(f"The file holds {len(tensors)} tensors, more than the limit of {most}.")
    grouped: dict[str, dict[str, np.ndarray]] = {}
    for name, tensor in tensors.items():
        layer, _, part = name.rpartition(".")
        if part not in _PARTS:
            _refuse(name, tensor)
        grouped.setdefault(layer, {})[part] = tensor
    return [_Group(layer, parts) for layer, parts in grouped.items()]


def _checked(group: _Group) -> _Group:
    """The group as numbers, when it is a dense layer or batch norm and nothing else."""
    parts = {
        part: numbers_of(f"{group.name}.{part}", tensor)
        for part, tensor in group.parts.items()
        if part != "num_batches_tracked"
    }
    if not parts:
        raise RefusedFile(f"The layer '{shown(group.name)}' counts batches and has no numbers: the file is incomplete.")
    first, tensor = next(iter(parts.items()))
    if "running_mean" in parts:
        width = parts["running_mean"].shape
        if "running_var" not in parts or any(part.shape != width for part in parts.values()) or len(width) != 1:
            raise RefusedFile(f"The parts of the batch norm layer '{shown(group.name)}' do not fit together.")
    elif "weight" not in parts or parts["weight"].ndim != 2 or not set(parts) <= {"weight", "bias"}:
        _refuse(f"{group.name}.{first}", tensor)
    elif "bias" in parts and parts["bias"].shape != parts["weight"].shape[:1]:
        raise RefusedFile(
            f"The layer '{shown(group.name)}' has weights of shape {parts['weight'].shape} and a bias of shape "
            f"{parts['bias'].shape}: the file does not fit together."
        )
    return _Group(group.name, parts)


def _refuse(name: str, tensor: np.ndarray) -> None:
    raise RefusedFile(
        f"The tensor '{shown(name)}' of shape {tensor.shape} belongs to no dense layer and no batch norm: "
        "only stacks of these are read from weights; export other networks as ONNX."
    )


def _by_name(groups: list[_Group]) -> list[_Group]:
    """In the order of names, numbers in them counted ('10' behind '9'); by shapes where only these chain."""
    # "net.0" and "net.2.1" are places in one list of modules; "fc1" and "norm1" are names of two kinds.
    kinds = {re.sub(r"[.\d]+", "#", group.name) for group in groups}
    if any(group.normalises for group in groups) and len(kinds) > 1:
        raise RefusedFile(
            "A safetensors file keeps no order of its layers, and the names "
            f"{', '.join(shown(group.name, 30) for group in groups[:6])} do not tell where batch normalisation stands: "
            "save the network with torch.save(model.state_dict(), ...) instead."
        )
    in_order = sorted(groups, key=lambda group: [(len(p), p) if p.isdigit() else (0, p) for p in _pieces(group.name)])
    if len(kinds) == 1 or _chains(in_order):
        return in_order
    return _only_chain(in_order) or in_order


def _pieces(name: str) -> list[str]:
    return re.split(r"(\d+)", name)


def _only_chain(groups: list[_Group]) -> list[_Group] | None:
    """The one order in which every layer reads what the one before puts out, or None when it is not the only one."""
    by_inputs: dict[int, list[_Group]] = {}
    for group in groups:
        by_inputs.setdefault(group.parts["weight"].shape[1], []).append(group)
    outputs = {len(group.parts["weight"]) for group in groups}
    starts = [width for width in by_inputs if width not in outputs]
    if len(starts) != 1 or any(len(found) > 1 for found in by_inputs.values()):
        return None
    chain: list[_Group] = []
    width = starts[0]
    while width in by_inputs and len(chain) <= len(groups):
        chain += by_inputs[width]
        width = len(chain[-1].parts["weight"])
    return chain if len(chain) == len(groups) else None


def _chains(groups: list[_Group]) -> bool:
    shapes = [group.parts["weight"].shape for group in groups if not group.normalises]
    return all(after[1] == before[0] for before, after in pairwise(shapes))


def _check_chain(groups: list[_Group]) -> None:
    if not any(not group.normalises for group in groups):
        raise RefusedFile("The file holds no dense layer: there is no network to look into.")
    if not _chains(groups):
        listed = ", ".join(
            f"{shown(group.name, 30)} {group.parts['weight'].shape}" for group in groups[:12] if not group.normalises
        )
        raise RefusedFile(
            f"The layers do not follow one another, each reading what the one before puts out: {listed}; "
            "export a network that is no plain stack as ONNX."
        )


def _questions(groups: list[_Group]) -> list[Question]:
    dense = [at for at, group in enumerate(groups) if not group.normalises]
    between = groups[dense[0] + 1 : dense[-1]]
    asked = [ACTIVATION] if len(dense) > 1 else []
    return asked + ([BATCH_NORM] if any(group.normalises for group in between) else [])


def _answer(question: Question, answers: Mapping[str, str]) -> str:
    answer = answers.get(question.name, question.choices[0])
    if answer not in question.choices:
        raise RefusedFile(
            f"The answer '{shown(str(answer))}' to '{question.name}' is not one of {', '.join(question.choices)}."
        )
    return answer


def _steps(groups: list[_Group], chosen: Mapping[str, str]) -> list[Step]:
    """Layers with the chosen activation between them; batch norm between two layers before or after it."""
    steps: list[Step] = []
    waiting = ""
    for group in groups:
        if not group.normalises:
            steps += [Activation(waiting)] if waiting else []
            steps.append(_dense(group))
            waiting = chosen.get("activation", "")
            continue
        if waiting and chosen.get("batch_norm") == "after" and any(not g.normalises for g in _behind(groups, group)):
            steps.append(Activation(waiting))
            waiting = ""
        steps.append(_norm(group))
    return steps


def _behind(groups: list[_Group], group: _Group) -> list[_Group]:
    return groups[groups.index(group) + 1 :]


def _dense(group: _Group) -> Dense:
    weight = group.parts["weight"]
    return Dense(weight, group.parts.get("bias", np.zeros(len(weight))))


def _norm(group: _Group) -> Affine:
    parts = group.parts
    ones = np.ones_like(parts["running_mean"])
    scale, shift = parts.get("weight", ones), parts.get("bias", 0 * ones)
    return batch_norm(scale, shift, parts["running_mean"], parts["running_var"], epsilon=_EPSILON)
