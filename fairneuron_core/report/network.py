"""The network as the few kilobytes that a picture needs: int8 weights instead of edge lists."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairneuron_core.report.words import count


def quantised(weight: np.ndarray) -> tuple[str, float]:
    """Return (base64 of int8 weights, row-major; the weight that 127 stands for) of one (out, in) matrix."""
    weight = np.asarray(weight, dtype=np.float64)
    largest = float(np.abs(weight).max(initial=0.0)) or 1.0
    whole = np.round(weight / largest * 127).astype(np.int8)  # (out, in)
    return base64.b64encode(np.ascontiguousarray(whole).tobytes()).decode("ascii"), largest


def network_payload(
    weights: Sequence[np.ndarray],
    *,
    input_labels: Sequence[str] | None = None,
    output_labels: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    notes: Mapping[tuple[int, int], Mapping[str, float | str]] | None = None,
) -> dict[str, Any]:
    """Return what the network view draws from.

    weights   one (out, in) matrix per layer, in order
    notes     (layer, unit) -> any of activation, mean, delta (numbers) and text; layer 0 is the inputs
    """
    packed = [quantised(w) for w in weights]
    sizes = [int(np.shape(weights[0])[1]), *(int(np.shape(w)[0]) for w in weights)]
    return {
        "sizes": sizes,
        "weights": [text for text, _ in packed],
        "scales": [scale for _, scale in packed],
        "input_labels": list(input_labels) if input_labels is not None else None,
        "output_labels": list(output_labels) if output_labels is not None else None,
        "captions": list(captions) if captions is not None else None,
        "notes": {f"{layer}:{unit}": dict(note) for (layer, unit), note in (notes or {}).items()},
        "stamp": hashlib.sha256("".join(text for text, _ in packed).encode()).hexdigest()[:16],
    }


def network_words(sizes: Sequence[int], path: Sequence[Sequence[float]] | None) -> str:
    """Return what the picture shows, for those who do not see it.

    >>> network_words([2, 3, 1], [[0, 0, 1, 0.5], [1, 1, 0, 0.7]])
    'A network of 2-3-1 neurons with 9 weights; 2 synapses are lit.'
    """
    edges = sum(a * b for a, b in itertools.pairwise(sizes))
    lit = f"{count(len(path))} synapses are lit" if path else "no path is lit"
    return f"A network of {'-'.join(str(n) for n in sizes)} neurons with {count(edges)} weights; {lit}."
