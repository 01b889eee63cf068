"""Path keys: 128 bits that stand for a set of synapses, so that no set has to be stored.

Every synapse (layer l, source k, target j) owns two 64-bit words, A_lj * B_lk and A'_lj * B'_lk (mod 2^64), where
A, A', B, B' are SplitMix64 outputs of (layer, unit). The key of a path is the sum of the words of its synapses.
Nothing random is stored or drawn: every machine has the same keys.

Why products are enough: two different sets differ by sum of d_jk A_j B_k with d in {-1, 0, 1}. For one j with some
d_jk != 0, X = sum over k of d_jk B_k is uniform mod 2^64; it ends in v zero bits with probability 2^-(v+1), and then
A_j X hits the one value that makes the sum zero with probability at most 2^-(64-v). Together below 2^-58 for one
word and 2^-116 for both: ten million different paths share a key with probability below 2^-70.

The key of a set of NEURONS is the sum of the words B of its source units and of A of the output unit.

Source of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def split_mix(counters: np.ndarray) -> np.ndarray:
    """Return the SplitMix64 output of each counter (uint64 in, uint64 out)."""
    z = counters * _GAMMA
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def unit_words(layer: int, units: int, *, word: int) -> np.ndarray:
    """Return one random word per unit, int64 (units,). `word`: 0, 1 = B, B' (sources); 2, 3 = A, A' (targets)."""
    counters = (np.uint64(layer + 1) << np.uint64(40)) + np.arange(1, units + 1, dtype=np.uint64)
    return split_mix(counters + (np.uint64(word) << np.uint64(60))).view(np.int64)
