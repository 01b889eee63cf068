"""The weights alone, as torch.save writes a state_dict: for people who have the architecture in code."""

from __future__ import annotations

import io
from collections import OrderedDict

import torch

from fairneuron_core.models.layers import linear_layers, network_of
from fairneuron_core.types import Classifier


def to_state_dict(classifier: Classifier) -> bytes:
    """Return {"0.weight": (out, in), "0.bias": (out,), "2.weight": ...} for nn.Sequential(Linear, activation, ...).

    Batch norm is folded in. torch.load(..., weights_only=True) reads it. Neither the activations nor the encoder, the
    threshold and a decision rule are in the file: other tools see logits, not decisions.
    """
    network = network_of(linear_layers(classifier.network))
    tensors = OrderedDict((name, tensor.detach().clone()) for name, tensor in network.state_dict().items())
    stream = io.BytesIO()
    torch.save(tensors, stream)
    return stream.getvalue()
