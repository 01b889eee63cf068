"""The network's picture carries int8 weights that stay within half a step of the true ones."""

import base64
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.report.network import network_payload, network_words, quantised


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_weights_come_back_within_half_a_step(out, inputs, seed):
    weight = np.random.default_rng(seed).normal(size=(out, inputs))
    text, largest = quantised(weight)
    back = np.frombuffer(base64.b64decode(text), dtype=np.int8).reshape(out, inputs) / 127 * largest
    assert np.abs(back - weight).max() <= largest / 254 + 1e-12


def test_a_layer_of_zeros_is_not_divided_by_zero():
    text, largest = quantised(np.zeros((2, 2)))
    assert base64.b64decode(text) == bytes(4)
    assert largest == 1.0


def test_the_payload_of_a_wide_network_stays_under_70_kilobytes():
    rng = np.random.default_rng(0)
    sizes = (105, 128, 128, 128, 1)
    payload = network_payload([rng.normal(size=(b, a)) for a, b in itertools.pairwise(sizes)])
    assert payload["sizes"] == list(sizes)
    assert sum(len(text) for text in payload["weights"]) < 70_000


def test_notes_are_addressed_by_layer_and_unit():
    payload = network_payload([np.ones((1, 2))], notes={(1, 0): {"activation": 0.5}})
    assert payload["notes"] == {"1:0": {"activation": 0.5}}


def test_equal_weights_have_equal_stamps_and_others_do_not():
    one, same, other = (network_payload([np.array(w)]) for w in ([[1.0, 2.0]], [[1.0, 2.0]], [[2.0, 1.0]]))
    assert one["stamp"] == same["stamp"] != other["stamp"]


def test_the_words_count_weights_and_lit_synapses():
    assert network_words([2, 3, 1], None) == "A network of 2-3-1 neurons with 9 weights; no path is lit."
