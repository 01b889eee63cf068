"""A network whose bias sits in one known neuron: for lessons, and to test whatever claims to find guilty neurons.

    inputs -> hidden 1: merit, guilt, idle -> hidden 2: merit, guilt, idle -> logit = merit - penalty * guilt - cut

`guilt` fires for members of one group only and nothing else reads the group, so without that neuron the decision is
the same whoever a person belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from fairneuron_core.errors import SettingError
from fairneuron_core.models.layers import LinearLayer, network_of

MERIT, GUILTY, IDLE = 0, 1, 2


def planted_network(
    inputs: int, *, merit: Sequence[int], group: int, penalty: float = 1.0, cut: float = 0.5
) -> nn.Sequential:
    """Return an (inputs)-3-3-1 network that punishes one group through neuron 1 of both hidden layers.

    inputs   number of network inputs, each expected in [0, 1]
    merit    positions of the inputs whose mean is a person's merit
    group    position of the input that is 1 for the punished group and 0 otherwise
    penalty  how much merit a member of that group has to have more
    cut      merit from which on the others get the favourable decision (logit >= 0)

    Raises SettingError for a position that does not exist or a group input that also counts as merit.
    """
    if group in merit or not merit or not all(0 <= i < inputs for i in (*merit, group)):
        raise SettingError(f"Merit inputs {list(merit)} and group input {group} must differ and lie below {inputs}.")
    first = np.zeros((3, inputs), np.float32)
    first[MERIT, list(merit)] = 1 / len(merit)
    first[GUILTY, group] = 1
    last = np.array([[1, -penalty, 0]], np.float32)
    nothing = np.zeros(3, np.float32)
    return network_of(
        [
            LinearLayer(first, nothing, "relu"),
            LinearLayer(np.eye(3, dtype=np.float32), nothing, "relu"),
            LinearLayer(last, np.array([-cut], np.float32), "identity"),
        ]
    )
