"""What a network is made of, as plain numbers: no torch is needed to hold, check or carry it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LinearLayer:
    """z = weight @ a + bias, then `activation`. weight (out, in) float32, bias (out,) float32."""

    weight: np.ndarray
    bias: np.ndarray
    activation: str
