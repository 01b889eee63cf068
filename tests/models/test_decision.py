"""Decisions by one threshold, by a rule per group, and by a seeded draw; and how the rule travels in a file."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairneuron_core.errors import ModelError
from fairneuron_core.models import decide, decisions, draws, network_of, read_model, row_thresholds, to_safetensors
from fairneuron_core.models.layers import LinearLayer
from fairneuron_core.types import Batch, Classifier, DecisionRule, EncodedColumn, Encoder, ModelRecord

# Scores 0.1, 0.2, ..., 0.9 for both groups in turn: F decides from 0.3 on, M from 0.8 on.
SCORES = np.repeat(np.arange(1, 10) / 10, 2)
PER_GROUP = DecisionRule("sex", {"F": ((1.0, 0.3),), "M": ((1.0, 0.8),)})


def classifier(rule: DecisionRule | None = None) -> Classifier:
    """A network that gives the row's only input back as its score's logit."""
    network = network_of([LinearLayer(np.ones((1, 1), np.float32), np.zeros(1, np.float32), "identity")])
    encoder = Encoder((EncodedColumn("merit", "numeric"),))
    record = ModelRecord("planted", "ab" * 32, "train")
    return Classifier(network, encoder, 0.5, record, (), rule)


def batch(scores: np.ndarray = SCORES, *, rows: np.ndarray | None = None) -> Batch:
    features = np.log(scores / (1 - scores)).astype(np.float32)[:, None]
    groups = (np.arange(len(scores)) % 2).astype(np.int16)[:, None]
    rows = np.arange(len(scores)) if rows is None else rows
    return Batch(features, np.zeros(len(scores), np.uint8), groups, ("sex",), (("F", "M"),), rows)


def test_without_a_rule_one_threshold_decides_for_all():
    found = decisions(classifier(), batch())
    assert found.dtype == np.uint8
    assert np.array_equal(found, SCORES >= 0.5)
    assert np.array_equal(found, decide(classifier(), batch().features))


def test_a_rule_decides_each_group_by_its_own_threshold():
    found = decisions(classifier(PER_GROUP), batch(SCORES + 0.01))
    assert found[::2].tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert found[1::2].tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_an_explicit_threshold_replaces_the_rule_for_everybody():
    found = decisions(classifier(PER_GROUP), batch(SCORES + 0.01), threshold=0.7)
    assert np.array_equal(found, SCORES >= 0.7)


def test_a_group_that_the_rule_does_not_name_keeps_the_classifier_s_threshold():
    rule = DecisionRule("sex", {"F": ((1.0, 0.3),)})
    assert sorted(set(row_thresholds(classifier(rule), batch()))) == [0.3, 0.5]


def test_known_scores_are_not_worked_out_again():
    scored = np.full(len(SCORES), 0.6)
    assert decisions(classifier(PER_GROUP), batch(), scored=scored).tolist() == [1, 0] * 9


def test_a_mix_gives_each_threshold_its_share_of_the_rows():
    rule = DecisionRule("sex", {"F": ((0.25, 0.0), (0.75, 2.0)), "M": ((1.0, 0.0),)}, seed=3)
    many = batch(np.full(40_000, 0.5))
    found = decisions(classifier(rule), many)
    assert found[1::2].all()
    # 20,000 draws: the standard error of the share is 0.003.
    assert found[::2].mean() == pytest.approx(0.25, abs=0.012)


def test_the_same_row_gets_the_same_draw_in_any_order_and_part():
    rule = DecisionRule("sex", {"F": ((0.5, 0.0), (0.5, 2.0)), "M": ((0.5, 0.0), (0.5, 2.0))}, seed=1)
    whole = decisions(classifier(rule), batch())
    order = np.array([4, 16, 0, 10])
    part = batch(SCORES[order], rows=order)
    assert np.array_equal(decisions(classifier(rule), part), whole[order])


@given(st.integers(0, 2**63 - 1))
def test_draws_are_spread_evenly_for_every_seed(seed):
    drawn = draws(np.arange(4000), seed)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert np.histogram(drawn, bins=4, range=(0, 1))[0].min() > 850
    assert not np.array_equal(drawn, draws(np.arange(4000), seed ^ 1))


def test_draws_are_those_of_splitmix64():
    # The generator's published first outputs for state 0, which our hash of seed 0 gives to the rows 0, 1, 2.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert draws(np.arange(3), 0).tolist() == [(value >> 11) / 2**53 for value in expected]


def test_features_alone_cannot_be_judged_by_group():
    with pytest.raises(ModelError, match="reads 'sex' when it decides"):
        decide(classifier(PER_GROUP), batch().features)


def test_rows_without_the_attribute_are_refused():
    with pytest.raises(ModelError, match="'race' when it decides"):
        decisions(classifier(DecisionRule("race", {})), batch())


def test_the_rule_travels_in_the_file():
    rule = DecisionRule("sex", {"F": ((0.25, 0.3), (0.75, 0.31)), "M": ((1.0, 2.0),)}, seed=9)
    content = to_safetensors(classifier(rule))
    again = read_model(content)
    assert again.rule == rule
    assert to_safetensors(again) == content
    assert np.array_equal(decisions(again, batch()), decisions(classifier(rule), batch()))


def test_a_file_without_a_rule_says_nothing_of_one():
    content = to_safetensors(classifier())
    assert b"rule" not in content
    assert read_model(content).rule is None


def with_rule(rule: object) -> bytes:
    """Return a model file whose header holds `rule`, as a stranger might have written it."""
    content = to_safetensors(classifier(PER_GROUP))
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    (name,) = header["__metadata__"]
    described = json.loads(header["__metadata__"][name]) | {"rule": rule}
    header["__metadata__"][name] = json.dumps(described)
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + content[8 + length :]


GOOD = {"attribute": "sex", "groups": {"F": [[1.0, 0.3]]}, "seed": 0}


def test_the_hand_written_rule_is_read():
    assert read_model(with_rule(GOOD)).rule == DecisionRule("sex", {"F": ((1.0, 0.3),)})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"attribute": 3}, "no attribute"),
        ({"attribute": ""}, "no attribute"),
        ({"seed": -1}, "no attribute and seed"),
        ({"seed": 0.5}, "no attribute and seed"),
        ({"seed": True}, "no attribute and seed"),
        ({"groups": {"F": [[1.0, 2.5]]}}, "outside 0 to 2"),
        ({"groups": {"F": [[1.0, float("nan")]]}}, "outside 0 to 2"),
        ({"groups": {"F": [[0.5, 0.3]]}}, "do not add up"),
        ({"groups": {"F": [[-0.5, 0.3], [1.5, 0.3]]}}, "do not add up"),
        ({"groups": {"F": [[float("nan"), 0.3]]}}, "do not add up"),
        ({"groups": {"F": []}}, "do not add up"),
        ({"groups": {"F": "high"}}, "cannot be read"),
        ({"groups": [0.3]}, "cannot be read"),
    ],
)
def test_a_rule_that_cannot_decide_is_refused(changed, words):
    with pytest.raises(ModelError, match=words):
        read_model(with_rule(GOOD | changed))


@pytest.mark.parametrize("rule", [None, 7, "sex", [], {"attribute": "sex"}])
def test_a_rule_of_another_shape_is_refused(rule):
    with pytest.raises(ModelError, match="cannot be read"):
        read_model(with_rule(rule))


def test_a_rule_is_dropped_when_it_is_taken_off():
    assert to_safetensors(replace(classifier(PER_GROUP), rule=None)) == to_safetensors(classifier())
