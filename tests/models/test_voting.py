"""Decisions by vote: counted in plain Python, and the rule's way through a file that a stranger may have written."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.errors import ModelError
from fairneuron_core.models import build_network, decide, decisions, profile, read_model, scores, to_safetensors
from fairneuron_core.report.rule_words import rule_sentence, threshold_chip
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord, VoteRule

ENCODER = Encoder(
    (EncodedColumn("age", "numeric", low=17, high=90), EncodedColumn("sex", "category", levels=("F", "M")))
)
VOTE = VoteRule(("sex",), (1, 2), ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)))
ROWS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


def classifier(rule: VoteRule | None = VOTE) -> Classifier:
    network = build_network((3, 4, 1), seed=4)
    return Classifier(network, ENCODER, 0.46, ModelRecord("made up", "ab" * 32, "train"), profile(network, ROWS), rule)


def counted(rule: VoteRule) -> list[int]:
    """One row and one possibility at a time."""
    found = []
    for row in ROWS:
        yes = no = 0.0
        for position, combination in enumerate(rule.combinations):
            asked = row.copy()
            asked[list(rule.positions)] = combination
            weight = rule.weights[position] if rule.weights else 1.0
            favourable = scores(classifier(None), asked[None])[0] >= 0.46
            yes, no = yes + weight * favourable, no + weight * (not favourable)
        assert yes != no
        found.append(int(yes > no))
    return found


@pytest.mark.parametrize("weights", [(), (5.0, 1.0, 1.0), (1.0, 1.5, 0.25)])
def test_the_heavier_side_decides(weights):
    rule = replace(VOTE, weights=weights)
    assert decide(classifier(rule), ROWS).tolist() == counted(rule)


def test_a_batch_and_its_features_alone_are_decided_the_same_and_a_threshold_replaces_the_vote():
    batch = Batch(ROWS, np.zeros(40, np.uint8), np.zeros((40, 0), np.int16), (), (), np.arange(40))
    assert np.array_equal(decisions(classifier(), batch), decide(classifier(), ROWS))
    assert np.array_equal(decisions(classifier(), batch, threshold=0.5), scores(classifier(), ROWS) >= 0.5)
    assert decide(classifier(), ROWS[:0]).shape == (0,)


def test_inputs_that_are_voted_over_do_not_count():
    other = ROWS.copy()
    other[:, 1:] = np.random.default_rng(1).normal(size=(40, 2))
    assert np.array_equal(decide(classifier(), ROWS), decide(classifier(), other))


def test_the_vote_travels_in_the_file():
    for rule in (VOTE, replace(VOTE, weights=(1.0, 2.0, 3.0))):
        content = to_safetensors(classifier(rule))
        again = read_model(content)
        assert again.rule == rule
        assert to_safetensors(again) == content


def test_words_say_what_is_voted_over():
    assert threshold_chip(classifier()) == "a vote over sex"
    assert "all 3 possibilities of sex" in rule_sentence(classifier())


def with_vote(**changed: object) -> bytes:
    content = to_safetensors(classifier())
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    (name,) = header["__metadata__"]
    described = json.loads(header["__metadata__"][name])
    described["rule"] |= changed
    header["__metadata__"][name] = json.dumps(described)
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + content[8 + length :]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"attributes": []}, "names no attribute"),
        ({"attributes": [3]}, "names no attribute"),
        ({"attributes": None}, "cannot be read"),
        ({"positions": [1, 3]}, "outside 0 to 2"),
        ({"positions": [2, 1]}, "outside 0 to 2"),
        ({"positions": [-1, 1]}, "outside 0 to 2"),
        ({"positions": [True, 2]}, "outside 0 to 2"),
        ({"positions": []}, "outside 0 to 2"),
        ({"combinations": []}, "do not have 2 values"),
        ({"combinations": [[1.0]]}, "do not have 2 values"),
        ({"combinations": [[1.0, "high"]]}, "cannot be read"),
        ({"combinations": [[1.0, float("nan")]]}, "not finite"),
        ({"combinations": [[1.0, 1e300]]}, "not finite"),
        ({"weights": [1.0]}, "3 positive weights"),
        ({"weights": [1.0, 0.0, 1.0]}, "3 positive weights"),
        ({"weights": [1.0, float("inf"), 1.0]}, "3 positive weights"),
        ({"weights": 7}, "cannot be read"),
    ],
)
def test_a_vote_that_cannot_decide_is_refused(changed, words):
    with pytest.raises(ModelError, match=words):
        read_model(with_vote(**changed))
