"""What stands on the wires of an ONNX graph while it is read, and what an operator sees of its node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairneuron_core.formats.archive import shown
from fairneuron_core.formats.network_file import RefusedFile
from fairneuron_core.formats.stacking import Activation, Affine, Step


@dataclass(frozen=True)
class Constant:
    """A number or tensor of the file, or worked out from such alone."""

    value: np.ndarray


@dataclass(frozen=True)
class Flow:
    """Values of a row: what `steps` make of the input, in `shape` (without the batch axis).

    classes  labels of the two classes, where a node names them
    pair     the values are [1 - p, p] for the probability p that the steps end in
    pooled   ReLU neurons that were added for max-pooling
    """

    steps: tuple[Step, ...]
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    pair: bool = False
    pooled: int = 0

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def then(self, *steps: Step, shape: tuple[int, ...] | None = None) -> Flow:
        return replace(self, steps=self.steps + steps, shape=self.shape if shape is None else shape)


@dataclass(frozen=True)
class Decision:
    """A class, or anything worked out from one: no score, so nothing is read behind it."""

    classes: tuple[str, ...] = ()


Value = Constant | Flow | Decision


@dataclass(frozen=True)
class Node:
    """One node: its operator, attributes and the values that enter (None where an optional one is left out)."""

    op: str
    name: str
    attributes: Mapping[str, Any]
    inputs: tuple[Value | None, ...]
    opset: int

    @property
    def words(self) -> str:
        return f"The node '{shown(self.name)}' ({shown(self.op)})"

    def refused(self, why: str) -> RefusedFile:
        return RefusedFile(f"{self.words} {why}.")

    def flow(self, position: int = 0, *, pair: bool = False) -> Flow:
        """Return the values that enter there; a pair of probabilities only where the operator knows what it is."""
        value = self.inputs[position] if position < len(self.inputs) else None
        if not isinstance(value, Flow):
            raise self.refused("reads constants where the network's values are expected: it cannot be read")
        if value.pair and not pair:
            raise self.refused("computes with the two probabilities of the output, which cannot be read")
        return value

    def constant(self, position: int) -> np.ndarray | None:
        """Return the tensor that enters there, None where none does; RefusedFile when the input decides about it."""
        value = self.inputs[position] if position < len(self.inputs) else None
        if value is None:
            return None
        if not isinstance(value, Constant):
            raise self.refused(
                "uses values of the input where weights are expected, so its weights change from row to row: only "
                "networks with fixed weights can be read"
            )
        return value.value

    def needed(self, position: int) -> np.ndarray:
        found = self.constant(position)
        if found is None:
            raise self.refused("lacks a tensor that it needs: the file is damaged")
        return found

    def numbers(self, position: int, attribute: str) -> list[int] | None:
        """Return whole numbers that are an attribute in old operator sets and a constant input in new ones."""
        if attribute in self.attributes:
            return [int(value) for value in np.atleast_1d(self.attributes[attribute])]
        found = self.constant(position)
        return None if found is None else [int(value) for value in np.atleast_1d(found).ravel()]


def is_rest(one: Flow, other: Flow) -> bool:
    """Say whether `one` is 1 - p for the probability p that `other` ends in."""
    last = one.steps[-1] if one.steps else None
    return (
        len(one.steps) == len(other.steps) + 1
        and isinstance(last, Affine)
        and bool(np.all(last.scale == -1) and np.all(last.shift == 1))
        and other.steps[-1:] == (Activation("sigmoid"),)
        and all(a is b for a, b in zip(one.steps, other.steps, strict=False))
    )


def class_names(labels: Any) -> tuple[str, ...]:
    """Return the labels of two classes as text, and none for any other number of them."""
    found = [label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label) for label in labels]
    return tuple(shown(label) for label in found) if len(found) == 2 else ()


def places_of(node: Node, axes: list[int], shape: tuple[int, ...]) -> list[int]:
    """Return axes of the whole tensor as places in the shape without the rows; RefusedFile for the rows' own axis."""
    places = [(axis + len(shape) + 1 if axis < 0 else axis) - 1 for axis in axes]
    if any(not 0 <= place < len(shape) for place in places) or len(set(places)) < len(places):
        raise node.refused(f"works along axes {axes[:8]} of values of shape {shape}, which are rows or do not exist")
    return places
