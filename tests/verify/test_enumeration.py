"""Enumeration decides every similar individual exactly as the plain forward pass does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.data import encode_frame
from fairneuron_core.errors import SettingError
from fairneuron_core.models import build_network, decide, logits
from fairneuron_core.types import DecisionRule, VoteRule
from fairneuron_core.verify import PROVED, REFUTED, Freedom, similar_space
from fairneuron_core.verify.cuts import logit_cuts, row_cuts
from fairneuron_core.verify.enumeration import constant_rows, variant_decisions
from tests.verify.plain_people import network_on, people, plain_decisions, similar_frame

DATA = people()
ENCODER = network_on(DATA).encoder
FEATURES = encode_frame(DATA.frame, ENCODER)
FREEDOMS = [(("sex",), {}), (("sex", "age_group"), {}), (("sex",), {"age": 2}), ((), {"age": 1, "score": 1})]
NETWORKS = 50


def points_of(protected, within):
    """Return S(x) of the first rows from raw values, one array (m, d) a row."""
    return [encode_frame(similar_frame(DATA, row, protected, within), ENCODER) for row in range(4)]


POINTS = [points_of(*freedom) for freedom in FREEDOMS]
ENDS = [np.cumsum([len(points) for points in of])[:-1] for of in POINTS]


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**20),
    st.sampled_from([(), (4,), (8, 4), (3, 3, 3)]),
    st.sampled_from(range(len(FREEDOMS))),
    st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0, 2.0]),
    st.sampled_from([("relu", 1), ("relu", 2), ("tanh", 1), ("sigmoid", 1)]),
)
def test_enumeration_agrees_with_brute_force_on_many_networks(seed, hidden, which, threshold, kind):
    first = network_on(DATA, hidden=hidden, seed=seed, threshold=threshold, activation=kind[0], outputs=kind[1])
    space = similar_space(DATA.schema, first, Freedom(*FREEDOMS[which]))
    sizes = (ENCODER.width, *hidden, kind[1])
    for network in range(NETWORKS):
        classifier = replace(first, network=build_network(sizes, seed=seed + network, activation=kind[0]))
        with torch.no_grad():
            classifier.network[-1].weight.mul_(5)
        plain = np.split(decide(classifier, np.concatenate(POINTS[which])), ENDS[which])
        found = constant_rows(classifier, space, FEATURES[:4])
        assert found.tolist() == [PROVED if len(set(seen.tolist())) == 1 else REFUTED for seen in plain]


def test_every_variant_is_decided_as_deployed_in_the_order_of_the_points():
    classifier = network_on(DATA, hidden=(8, 4), seed=5)
    space = similar_space(DATA.schema, classifier, Freedom(("sex", "age_group"), {"score": 1}))
    points = space.points(FEATURES)
    plain = decide(classifier, points.reshape(-1, points.shape[2])).reshape(points.shape[:2])
    for threads in (1, 3):
        assert np.array_equal(variant_decisions(classifier, space, FEATURES, threads=threads), plain)


def test_logits_near_the_cut_are_decided_by_the_deployed_network():
    classifier = network_on(DATA, hidden=(8, 4), seed=5)
    space = similar_space(DATA.schema, classifier, Freedom(("sex", "age_group")))
    points = space.points(FEATURES)
    z = logits(classifier, points.reshape(-1, points.shape[2]))
    for logit in z[::17].astype(np.float64):
        # Nearer than the tolerance, further than the last bits, in which batches of other sizes may differ.
        beside = replace(classifier, threshold=float(1 / (1 + np.exp(-(logit + 1e-5)))))
        plain = decide(beside, points.reshape(-1, points.shape[2])).reshape(points.shape[:2])
        assert np.array_equal(variant_decisions(beside, space, FEATURES), plain)


@given(st.floats(0, 1), st.integers(0, 1000))
def test_the_cut_of_a_threshold_is_the_smallest_logit_that_reaches_it(threshold, seed):
    cut = logit_cuts(np.array([threshold]))[0]
    z = np.random.default_rng(seed).normal(0, 20, 50).astype(np.float32)
    near = [cut, np.nextafter(cut, np.float32(-1e4)), np.nextafter(cut, np.float32(1e4))] if np.isfinite(cut) else []
    z = np.append(z, np.array(near, np.float32))
    reached = 1 / (1 + np.exp(-z.astype(np.float64).clip(-700, 700))) >= threshold
    assert np.array_equal(z >= cut, reached)


def test_a_planted_violation_is_found_and_nothing_else():
    classifier = network_on(DATA, hidden=())
    with torch.no_grad():
        linear = classifier.network[0]
        linear.weight.zero_()
        # score / 3 - 0.5, and half a step more for f: only the two people between steps 1 and 2 change sides.
        linear.weight[0, ENCODER.feature_names.index("score")] = 1.0
        linear.weight[0, ENCODER.feature_names.index("sex=f")] = 1 / 6 + 0.01
        linear.bias.fill_(-0.5)
    space = similar_space(DATA.schema, classifier, Freedom(("sex",)))
    assert np.array_equal(constant_rows(classifier, space, FEATURES) == REFUTED, DATA.frame["score"] == 1)


RULES = [
    DecisionRule("sex", {"f": ((1.0, 0.3),), "m": ((1.0, 0.7),)}),
    DecisionRule("sex", {"f": ((0.5, 0.2), (0.5, 0.8))}, seed=2),
    DecisionRule("age_group", {"under 23": ((1.0, 0.4),), "23 and over": ((0.5, 0.5), (0.5, 0.6))}, seed=1),
    DecisionRule("sex", {"f": ((1.0, 0.0),), "m": ((1.0, 2.0),)}),
]


@pytest.mark.parametrize("inputs", [("sex", "age", "job", "score"), ("job", "score")])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("protected", "within"), [(("sex",), {}), (("age_group",), {}), ((), {"age": 1})])
def test_a_rule_of_decision_is_part_of_what_is_certified(inputs, rule, protected, within):
    classifier = replace(network_on(DATA, inputs=inputs, seed=3), rule=rule)
    space = similar_space(DATA.schema, classifier, Freedom(protected, within))
    features, rows = encode_frame(DATA.frame, classifier.encoder), np.arange(len(DATA.frame))
    cuts = row_cuts(DATA, classifier, space, features=features, frame=DATA.frame, rows=rows)
    found = constant_rows(classifier, space, features, cuts=cuts)
    for row in rows:
        plain = plain_decisions(DATA, classifier, similar_frame(DATA, row, protected, within), row)
        assert (found[row] == PROVED) == (plain.min() == plain.max())


def test_a_vote_is_tried_point_by_point():
    rule = VoteRule(("sex",), (0, 1), ((1.0, 0.0), (0.0, 1.0)))
    classifier = replace(network_on(DATA, seed=3), rule=rule)
    space = similar_space(DATA.schema, classifier, Freedom(("sex", "age_group")))
    points = space.points(FEATURES)
    plain = decide(classifier, points.reshape(-1, points.shape[2])).reshape(points.shape[:2])
    found = constant_rows(classifier, space, FEATURES)
    assert np.array_equal(found == PROVED, plain.min(1) == plain.max(1))
    assert set(found) == {PROVED, REFUTED}


def test_an_endless_space_is_not_enumerated():
    data = people(pay=True)
    classifier = network_on(data, inputs=("sex", "pay"))
    space = similar_space(data.schema, classifier, Freedom(("sex",), {"pay": 0.1}))
    with pytest.raises(SettingError, match="endlessly many"):
        constant_rows(classifier, space, encode_frame(data.frame, classifier.encoder))
