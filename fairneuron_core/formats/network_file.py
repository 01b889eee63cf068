"""What a parser finds in a network file: layers and what the file says of its inputs, before anybody maps columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fairneuron_core.errors import ModelError
from fairneuron_core.types import LinearLayer

HIDDEN_ACTIVATIONS = ("relu", "tanh", "sigmoid", "identity")


class RefusedFile(ModelError):
    """The file is not opened: the message says why, and how the network can be brought all the same."""


@dataclass(frozen=True)
class Question:
    """What the file leaves open (say, the activation of a state_dict) and a person must answer.

    name      key of the answer, for example "activation"
    words     the question as it is asked
    choices   possible answers; the first one is the usual one
    """

    name: str
    words: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class NetworkFile:
    """A network as it stands in a file of any known format.

    form         key of the format in NETWORK_FORMATS
    layers       the stack; the last one has activation "identity" and 1 output (a logit: positive means class 1) or
                 2 outputs (logits of class 0 and class 1): a closing sigmoid or softmax is taken off by the parser
    head         how the file itself ends: "sigmoid", "softmax" or "logits"
    input_names  names of the inputs where the file carries them, in order; else empty
    classes      labels of class 0 and class 1 where the file carries them; else empty
    warnings     sentences a person must know ("max-pooling was rewritten as 24 ReLU neurons")
    questions    open questions that `answers` given to the parser did not settle; layers are then a best guess
    described    the JSON text of our own metadata (encoder, threshold, record), where a file of ours carries it
    """

    form: str
    layers: tuple[LinearLayer, ...]
    head: str
    input_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    described: str = ""

    @property
    def inputs(self) -> int:
        return int(self.layers[0].weight.shape[1])

    @property
    def sizes(self) -> tuple[int, ...]:
        """(inputs, hidden ..., outputs)."""
        return (self.inputs, *(len(layer.bias) for layer in self.layers))

    @property
    def parameters(self) -> int:
        return sum(layer.weight.size + layer.bias.size for layer in self.layers)


@dataclass(frozen=True)
class NetworkFormat:
    """One format that is read: a row of NETWORK_FORMATS.

    recognise   tells from the content alone; must neither raise nor take long for any bytes
    parse       (content, answers) -> NetworkFile; RefusedFile with one sentence otherwise. Runs in the parser's
                process only, so a crash, a hang or a full memory there ends in a sentence too
    """

    title: str
    recognise: Callable[[bytes], bool]
    parse: Callable[[bytes, Mapping[str, str]], NetworkFile]
    converts: str = field(default="")
