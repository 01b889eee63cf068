"""What the parser's process says, and how the parent reads it: plain numbers, texts, and everything checked again.

The process read a stranger's file. Should the file have taken it over, its answer is a stranger's file too: so it is
never unpickled, and every shape, number, length and word in it is checked as if nothing had been checked before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from fairneuron_core.formats.limits import Limits
from fairneuron_core.formats.network_file import HIDDEN_ACTIVATIONS, NetworkFile, Question, RefusedFile
from fairneuron_core.formats.plain_tensors import read_tensors, write_tensors
from fairneuron_core.types import LinearLayer

_HEADS = ("sigmoid", "softmax", "logits")
_LONGEST_SENTENCE, _LONGEST_NAME, _LONGEST_DESCRIPTION = 2000, 300, 3_900_000
_LONGEST_HEADER = 60_000_000
_MOST_INPUTS, _MOST_WARNINGS, _MOST_QUESTIONS, _MOST_CHOICES = 100_000, 50, 20, 50
UNREADABLE = (
    "The process that read the file gave no sensible answer: the file is damaged, or made to mislead its reader."
)


def answer_of(found: NetworkFile) -> bytes:
    """Return what was found as bytes."""
    described = {
        "form": found.form,
        "activations": [layer.activation for layer in found.layers],
        "head": found.head,
        "input_names": found.input_names,
        "classes": found.classes,
        "warnings": found.warnings,
        "questions": [[question.name, question.words, question.choices] for question in found.questions],
        "described": found.described,
    }
    tensors = {}
    for i, layer in enumerate(found.layers):
        tensors[f"weight{i}"], tensors[f"bias{i}"] = layer.weight, layer.bias
    return write_tensors({"found": json.dumps(described)}, tensors)


def refusal_answer(sentence: str) -> bytes:
    """Return a refusal as bytes."""
    return write_tensors({"refused": sentence[:_LONGEST_SENTENCE]}, {})


def read_answer(content: bytes, limits: Limits) -> NetworkFile:
    """Return what the process found; raises RefusedFile with its sentence, or when the answer makes no sense."""
    try:
        metadata, tensors = read_tensors(content, longest_header=_LONGEST_HEADER)
    except RefusedFile as error:
        raise RefusedFile(UNREADABLE) from error
    if "refused" in metadata:
        raise RefusedFile(one_line(metadata["refused"]))
    try:
        return _checked(json.loads(metadata["found"]), tensors, limits)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise RefusedFile(UNREADABLE) from error


def one_line(text: str) -> str:
    """Return a sentence from a stranger's process: one line, printable, not too long."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_SENTENCE]).strip()
    return clean or UNREADABLE


def _checked(described: dict[str, Any], tensors: dict[str, np.ndarray], limits: Limits) -> NetworkFile:
    activations = _texts(described["activations"], limits.tensors)
    layers = tuple(
        LinearLayer(tensors[f"weight{i}"].copy(), tensors[f"bias{i}"].copy(), name)
        for i, name in enumerate(activations)
    )
    _check_layers(layers)
    questions = described["questions"]
    if described["head"] not in _HEADS or len(questions) > _MOST_QUESTIONS:
        raise ValueError("head or questions")
    found = NetworkFile(
        form=_text(described["form"]),
        layers=layers,
        head=described["head"],
        input_names=_texts(described["input_names"], _MOST_INPUTS),
        classes=_texts(described["classes"], 2),
        warnings=_texts(described["warnings"], _MOST_WARNINGS, _LONGEST_SENTENCE),
        questions=tuple(
            Question(_text(name), _text(words), _texts(choices, _MOST_CHOICES)) for name, words, choices in questions
        ),
        described=_described(described["described"]),
    )
    if len(found.input_names) not in (0, found.inputs) or len(found.classes) not in (0, 2):
        raise ValueError("names that fit no input")
    return found


def _described(text: Any) -> str:
    """Our own metadata, whole or not at all: half of a JSON text would be of no use."""
    if not isinstance(text, str) or len(text) > _LONGEST_DESCRIPTION:
        raise ValueError("description")
    return text


def _text(value: Any) -> str:
    return _texts([value], 1)[0]


def _texts(values: Iterable[Any], most: int, longest: int = _LONGEST_NAME) -> tuple[str, ...]:
    values = tuple(values)
    if len(values) > most or not all(isinstance(value, str) for value in values):
        raise ValueError("texts")
    return tuple(value[:longest] for value in values)


def _check_layers(layers: tuple[LinearLayer, ...]) -> None:
    width = layers[0].weight.shape[1]
    for layer in layers:
        if layer.weight.dtype != np.float32 or layer.bias.dtype != np.float32 or layer.weight.ndim != 2:
            raise ValueError("type or dimensions")
        if layer.weight.shape[1] != width or layer.bias.shape != layer.weight.shape[:1] or 0 in layer.weight.shape:
            raise ValueError("chain of shapes")
        if not (np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all()):
            raise ValueError("numbers that are not finite")
        if layer.activation not in HIDDEN_ACTIVATIONS:
            raise ValueError("activation")
        width = len(layer.bias)
    if layers[-1].activation != "identity" or width > 2:
        raise ValueError("outputs")
