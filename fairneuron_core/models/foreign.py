"""Networks that were not trained here: from what a parser found, or from a torch module, to the plain stack.

A module is taken apart layer by layer, and the stack must give the module's own outputs on random inputs: that proves
what reading the layers alone cannot, namely what its `forward` does between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from safetensors.numpy import save
from torch import nn

from fairneuron_core.errors import ModelError
from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.formats.safetensors_file import OWN
from fairneuron_core.models.files.safetensors_file import from_safetensors
from fairneuron_core.models.layers import ACTIVATIONS, linear_layers, network_of
from fairneuron_core.types import Classifier, LinearLayer

_ROWS = 200
_NEAR = 1e-4
_BETWEEN = ("relu", "tanh", "sigmoid")
_USE = "use Linear layers with ReLU, Tanh or Sigmoid between them, or export the network to ONNX"


def network_of_file(file: NetworkFile, *, favourable_class: int = 1) -> nn.Sequential:
    """Return the stack of a parsed file; with `favourable_class` 0 its last layer is negated.

    The logit of class 0 is minus the logit of class 1, for one output as for the difference of two.

    Raises
    ------
    ModelError : more than two outputs, or an activation behind the last layer.
    """
    layers = list(file.layers)
    outputs = len(layers[-1].bias)
    if outputs > 2:
        raise ModelError(
            f"This network tells {outputs} classes apart; an audit needs one favourable outcome: export a network with "
            "one sigmoid output or two classes."
        )
    if layers[-1].activation != "identity":
        raise ModelError(
            f"The network ends with {layers[-1].activation}, not with a logit: export it with a sigmoid or softmax "
            "output, or with none."
        )
    if favourable_class == 0:
        layers[-1] = replace(layers[-1], weight=-layers[-1].weight, bias=-layers[-1].bias)
    return network_of(layers)


def classifier_of_described(file: NetworkFile) -> Classifier:
    """Return the classifier of a file that carries our own metadata; its training profile is left empty.

    Raises ModelError where metadata and layers do not fit one another.
    """
    tensors = {
        f"layer{i}.{part}": np.ascontiguousarray(getattr(layer, part), np.float32)
        for i, layer in enumerate(file.layers)
        for part in ("weight", "bias")
    }
    return from_safetensors(save(tensors, {OWN: file.described}))


def network_file_of(module: nn.Module) -> NetworkFile:
    """Return what a torch module consists of, as if it had been read from a file.

    Modules with their own `forward` are taken where a stack of their layers gives the same outputs: with the
    activations that are modules, or with one of relu, tanh and sigmoid between all layers.

    Raises
    ------
    ModelError : layers that this product cannot look into, another order of work than the order of the layers, or more
        than two outputs.
    """
    leaves = [leaf for leaf in module.modules() if not any(True for _ in leaf.children())]
    stack, head = _without_head(leaves)
    heads = ("logits", "sigmoid", "softmax") if head == "logits" else (head,)
    for layers in _readings(stack):
        for closing in heads:
            if _agrees(module, layers, closing):
                return NetworkFile("torch_module", tuple(layers), closing.removeprefix("log_"))
    raise ModelError(f"The module {type(module).__name__} does not compute what a stack of its layers does: {_USE}.")


def _without_head(leaves: Sequence[nn.Module]) -> tuple[list[nn.Module], str]:
    """Take what does nothing in eval mode off, and a closing sigmoid or softmax."""
    stack = [leaf for leaf in leaves if not isinstance(leaf, nn.Dropout | nn.Flatten | nn.Identity)]
    closing = {nn.Sigmoid: "sigmoid", nn.Softmax: "softmax", nn.LogSoftmax: "log_softmax"}
    if not any(isinstance(leaf, nn.Linear) for leaf in stack):
        raise ModelError(f"The module has no Linear layer: {_USE}.")
    return (stack[:-1], closing[type(stack[-1])]) if type(stack[-1]) in closing else (stack, "logits")


def _readings(stack: list[nn.Module]) -> Iterator[list[LinearLayer]]:
    """Yield the layers as their modules say, then with one activation between all: `forward` may apply it itself."""
    yield linear_layers(nn.Sequential(*stack))
    bare = linear_layers(nn.Sequential(*(m for m in stack if type(m) not in ACTIVATIONS)))
    for name in _BETWEEN:
        yield [*(replace(layer, activation=name) for layer in bare[:-1]), bare[-1]]


_HEADS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "logits": lambda z: z,
    "sigmoid": torch.sigmoid,
    "softmax": lambda z: torch.softmax(z, 1),
    "log_softmax": lambda z: torch.log_softmax(z, 1),
}


def _agrees(module: nn.Module, layers: list[LinearLayer], head: str) -> bool:
    """Say whether module and stack give the same outputs for random inputs, the module in eval mode."""
    outputs, inputs = len(layers[-1].bias), layers[0].weight.shape[1]
    if outputs > 2:
        network_of_file(NetworkFile("torch_module", tuple(layers), head))
    if (outputs == 1 and head.endswith("softmax")) or (outputs == 2 and head == "sigmoid"):
        return False
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(_ROWS, inputs)).astype(np.float32))
    modes = {part: part.training for part in module.modules()}
    try:
        with torch.inference_mode():
            found = module.eval()(rows.to(next(module.parameters()))).float().cpu()
            expected = _HEADS[head](network_of(layers)(rows))
    except (RuntimeError, TypeError, ValueError, AttributeError, IndexError) as error:
        said = " ".join(str(error).split())[:100]
        raise ModelError(
            f"The module {type(module).__name__} does not take rows of {inputs} numbers ({said}): {_USE}."
        ) from error
    finally:
        for part, training in modes.items():
            part.training = training
    same_size = found.numel() == expected.numel()
    return same_size and torch.allclose(found.reshape(expected.shape), expected, atol=_NEAR, rtol=_NEAR)
