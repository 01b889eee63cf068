"""The layers a Keras description lists, and the order in which a row runs through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.limits import Limits
from fairneuron_core.formats.network_file import RefusedFile

_PACKAGES = ("keras", "tf_keras", "tensorflow")


@dataclass(frozen=True)
class KerasLayer:
    """One layer as described: its class, its name and its settings."""

    kind: str
    name: str
    config: dict[str, Any]


def chain_of(described: Any) -> tuple[list[KerasLayer], list[int]]:
    """Return all layers of a Sequential or Functional network, and the positions of its chain from input to output.

    Raises RefusedFile for custom classes, branches, and several inputs or outputs; KeyError, TypeError and their like
    for descriptions that are none.
    """
    kind = _builtin(described)
    config = described["config"]
    if kind not in ("Sequential", "Functional", "Model"):
        raise RefusedFile(
            f"The network is of the class '{shown(kind)}', which is code of its own: only Sequential and functional "
            "networks can be read; export it as ONNX."
        )
    entries = config["layers"] if isinstance(config, dict) else config
    if len(entries) > Limits().tensors:
        raise RefusedFile(f"The network has {len(entries)} layers, more than the limit of {Limits().tensors}.")
    layers = [KerasLayer(_builtin(entry), _name(entry), entry["config"]) for entry in entries]
    if kind == "Sequential":
        return layers, list(range(len(layers)))
    return layers, _walked_back(config, entries, [layer.name for layer in layers])


def _builtin(entry: dict[str, Any]) -> str:
    """The class of an entry, refused unless it is one of Keras itself."""
    kind, module, registered = str(entry["class_name"]), entry.get("module"), entry.get("registered_name")
    foreign = module is not None and str(module).split(".")[0] not in _PACKAGES
    if foreign or (registered is not None and str(registered) not in (kind, f"keras>{kind}")):
        raise RefusedFile(
            f"The file wants '{shown(str(module or registered))}.{shown(kind)}', which is no part of Keras: code from "
            "a file is never run; export the network as ONNX."
        )
    return kind


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name") or entry["config"].get("name", ""))


def _walked_back(config: dict[str, Any], entries: Sequence[dict[str, Any]], names: Sequence[str]) -> list[int]:
    """Follow the one output back to the one input."""
    first, last = _only(config["input_layers"], "inputs"), _only(config["output_layers"], "outputs")
    chain: list[int] = []
    at = last
    while True:
        if at not in names or len(chain) > len(names):
            raise RefusedFile(f"The layer '{shown(at)}' of the network is missing: the file is damaged.")
        chain.append(names.index(at))
        if at == first:
            return chain[::-1]
        before = _histories(entries[chain[-1]].get("inbound_nodes", []))
        if len(before) != 1:
            raise RefusedFile(
                f"The layer '{shown(at)}' joins {len(before)} branches of the network: only a chain of layers can be "
                "read; export it as ONNX after joining the inputs."
            )
        at = before[0]


def _only(described: Any, what: str) -> str:
    """The name in ["dense", 0, 0] or [["dense", 0, 0]]."""
    entries = described if isinstance(described[0], list) else [described]
    if len(entries) != 1:
        raise RefusedFile(f"The network has {len(entries)} {what}: only one of them can be read.")
    return str(entries[0][0])


def _histories(nodes: Any) -> list[str]:
    """Names of the layers an entry reads: Keras 3 writes keras_history, Keras 2 lists of [name, 0, 0, {}]."""
    if isinstance(nodes, dict):
        if "keras_history" in nodes:
            return [str(nodes["keras_history"][0])]
        return [name for value in nodes.values() for name in _histories(value)]
    if isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            return [nodes[0]]
        return [name for value in nodes for name in _histories(value)]
    return []
