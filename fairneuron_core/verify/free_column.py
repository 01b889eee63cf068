"""One column that may differ between similar individuals: the inputs it can take, and what they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fairneuron_core.types import MISSING, EncodedColumn
from fairneuron_core.verify.domains import decode_number, encode_values

NEAR_A_WHOLE_NUMBER = 1e-2
"""A decoded integer is off by float32 rounding; further off, it is the training median in place of a missing value."""


@dataclass(frozen=True, eq=False)
class FreeColumn:
    """One column that may vary; its inputs are start .. start + width.

    values      levels, integers: (m, width) float32 encoded domain in domain order; reals: (2, 1) its two ends;
                window: (2e + 1,) offsets in raw units; real_window: (2,) the two offsets
    raw         the same points as a person reads them
    low, high   limits of a number in raw units
    """

    name: str
    start: int
    width: int
    kind: Literal["levels", "integers", "reals", "window", "real_window"]
    values: np.ndarray
    raw: tuple[Any, ...]
    encoded: EncodedColumn
    low: float = math.nan
    high: float = math.nan

    @property
    def windowed(self) -> bool:
        return self.kind in ("window", "real_window")

    @property
    def finite(self) -> bool:
        return self.kind not in ("reals", "real_window")

    def inputs(self, features: np.ndarray) -> np.ndarray:
        """Return the inputs (n or 1, m, width) float32 that this column takes around each row of features (n, d).

        Of a range of numbers: its two ends. The row's own value stays among those of a window, whatever it is.
        """
        if not self.windowed:
            return self.values[None]
        own = features[:, self.start]
        shifted = self.raw_values(features)  # (n, m)
        found = encode_values(self.encoded, shifted.reshape(-1)).reshape(shifted.shape)
        if self.kind == "window":
            found[:, len(self.values) // 2] = own
        else:
            found = np.stack([np.minimum(found[:, 0], own), np.maximum(found[:, 1], own)], axis=1)
        return found[:, :, None]

    def raw_values(self, features: np.ndarray) -> np.ndarray:
        """Return the numbers (n, m) of a window around each row's own value, clipped to the domain."""
        raw = decode_number(self.encoded, features[:, self.start])
        raw = np.rint(raw) if self.kind == "window" else raw
        return np.asarray((raw[:, None] + self.values).clip(self.low, self.high))

    def read(self, inputs: np.ndarray, own: Any) -> Any:
        """Return the raw value that these inputs (width,) stand for; `own` where it is encoded just so."""
        if self.kind in ("levels", "integers"):
            raws = [own, *self.raw] if own is not None and self.kind == "levels" else list(self.raw)
            for raw in raws:
                if raw in self.raw and np.array_equal(self.values[self.raw.index(raw)], inputs):
                    return raw
        if own is not None and own != MISSING and not isinstance(own, str):
            same = encode_values(self.encoded, [own])[0]
            if np.array_equal(same, inputs):
                return own
        number = self._inside(float(decode_number(self.encoded, inputs)[0]), own)
        if self.kind in ("integers", "window") and abs(number - round(number)) < NEAR_A_WHOLE_NUMBER:
            return round(number)
        # Few digits where they mean the same input: 34.5 instead of 34.49999862.
        short = self._inside(float(f"{number:.6g}"), own)
        return short if np.array_equal(encode_values(self.encoded, [short])[0], inputs) else number

    def _inside(self, number: float, own: Any) -> float:
        """Return the number within the domain, and within the window around `own`: decoding is off by rounding."""
        low, high = self.low, self.high
        if self.kind == "real_window" and own is not None and not isinstance(own, str):
            low, high = max(low, float(own) + self.values[0]), min(high, float(own) + self.values[1])
        return float(min(max(number, low), high)) if low <= high else number
