"""Certificates of rows: what is proved holds, what is refuted comes with two people, what is open says why."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fairneuron_core.data import encode_frame
from fairneuron_core.types import DecisionRule
from fairneuron_core.verify import PROVED, REFUTED, UNKNOWN, Freedom, row_chain
from fairneuron_core.verify.certify import certify_rows
from fairneuron_core.verify.individuals import decide_raw
from fairneuron_core.verify.row_chain import draw_points
from fairneuron_core.verify.similar import similar_space
from tests.verify.plain_people import network_on, people, plain_decisions, similar_frame

DATA = people()
ROWS = np.arange(len(DATA.frame))
FREEDOMS = [(("sex",), {}), (("age_group",), {}), (("sex",), {"age": 2}), ((), {"score": 1, "age": 1})]


def check_pair(dataset, classifier, pair, freedom, frame_row):
    """Both people are real, differ only where they may, and are decided differently by the plain forward pass."""
    scores, decided = decide_raw(dataset, classifier, [pair.this, pair.other], [pair.row] * 2)
    assert tuple(decided) == pair.decisions
    assert decided[0] != decided[1]
    assert tuple(scores) == pytest.approx(pair.scores)
    may = {*freedom.protected, *freedom.within} | ({"age"} if "age_group" in freedom.protected else {"age_group"})
    assert set(pair.differs) <= may
    for name, value in pair.this.items():
        assert value == frame_row[name]
        if name in freedom.within:
            assert abs(pair.other[name] - value) <= freedom.within[name]
        elif name not in pair.differs:
            assert pair.other[name] == value


@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
def test_every_row_is_settled_as_brute_force_settles_it(protected, within):
    classifier, freedom = network_on(DATA, hidden=(6, 3), seed=12), Freedom(protected, within)
    found = certify_rows(DATA, classifier, ROWS, freedom)
    plain = [plain_decisions(DATA, classifier, similar_frame(DATA, row, protected, within), row) for row in ROWS]
    assert found.status.tolist() == [PROVED if len(set(d.tolist())) == 1 else REFUTED for d in plain]
    assert found.methods == {"enumeration": len(ROWS)}
    assert found.refuted == len(found.counterexamples) > 0
    for pair in found.counterexamples:
        check_pair(DATA, classifier, pair, freedom, DATA.frame.iloc[pair.row])


def test_the_sentence_carries_scope_and_answer():
    found = certify_rows(DATA, network_on(DATA, hidden=(6, 3), seed=12), ROWS, Freedom(("sex",)))
    assert found.sentence == (
        f"{found.proved} of 36 rows: no change of sex alters the decision (every possibility tried); "
        f"{found.refuted} rows: one does."
    )


def test_of_several_counterexamples_the_one_with_the_fewest_changes_is_shown():
    found = certify_rows(DATA, network_on(DATA, hidden=(6, 3), seed=12), ROWS, Freedom(("sex", "age_group")))
    alone = certify_rows(DATA, network_on(DATA, hidden=(6, 3), seed=12), ROWS, Freedom(("sex",)))
    by_sex = {pair.row for pair in alone.counterexamples}
    assert {
        pair.row for pair in found.counterexamples if "sex" not in pair.differs or "age" not in pair.differs
    } >= by_sex


def test_zeroed_columns_prove_every_applicant_by_inspection():
    classifier = network_on(DATA)
    with torch.no_grad():
        classifier.network[0].weight[:, :2] = 0
    found = certify_rows(DATA, classifier, ROWS, Freedom(("sex",)))
    assert (found.proved, found.methods, found.unread) == (36, {"syntactic": 36}, ("sex",))
    assert found.sentence.endswith("because the network does not read sex.")
    assert "every applicant there could be" in found.sentence


def test_a_threshold_per_sex_refutes_a_network_that_does_not_read_sex():
    rule = DecisionRule("sex", {"f": ((1.0, 0.0),), "m": ((1.0, 2.0),)})
    classifier = replace(network_on(DATA, inputs=("job", "score")), rule=rule)
    found = certify_rows(DATA, classifier, ROWS, Freedom(("sex",)))
    assert (found.refuted, len(found.counterexamples)) == (36, 36)
    for pair in found.counterexamples:
        assert pair.differs == ("sex",)
        assert pair.decisions == ((1, 0) if pair.this["sex"] == "f" else (0, 1))


def test_a_threshold_per_age_group_moves_the_age_of_a_network_that_does_not_read_it():
    rule = DecisionRule("age_group", {"under 23": ((1.0, 0.0),), "23 and over": ((1.0, 2.0),)})
    classifier = replace(network_on(DATA, inputs=("job", "score")), rule=rule)
    found = certify_rows(DATA, classifier, ROWS, Freedom((), {"age": 2}))
    near = DATA.frame["age"].between(21, 24)
    assert np.array_equal(found.status == REFUTED, near)
    assert all(abs(pair.this["age"] - pair.other["age"]) <= 2 for pair in found.counterexamples)


def test_at_most_so_many_counterexamples_are_kept():
    found = certify_rows(DATA, network_on(DATA, hidden=(6, 3), seed=12), ROWS, Freedom(("sex",)), most=2)
    assert len(found.counterexamples) == 2 < found.refuted


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bounds_and_solver_agree_with_enumeration(seed, monkeypatch):
    classifier, freedom = network_on(DATA, hidden=(5, 3), seed=seed), Freedom(("sex",), {"age": 2})
    exact = certify_rows(DATA, classifier, ROWS, freedom)
    monkeypatch.setattr(row_chain, "ENUMERATED", 0)
    monkeypatch.setattr(row_chain, "TRIED", 1)
    found = certify_rows(DATA, classifier, ROWS, freedom)
    known = found.status != UNKNOWN
    assert np.array_equal(found.status[known], exact.status[known])
    assert known.mean() > 0.9
    assert not set(found.methods) & {"enumeration", "syntactic"}


def test_real_valued_windows_are_proved_or_refuted_with_real_people():
    data = people(pay=True)
    classifier = network_on(data, inputs=("sex", "pay", "score"), hidden=(4,), seed=6)
    freedom = Freedom(("sex",), {"pay": 0.05})
    found = certify_rows(data, classifier, ROWS, freedom)
    assert found.proved
    assert found.refuted
    space = similar_space(data.schema, classifier, freedom)
    features = encode_frame(data.frame, classifier.encoder)
    points = draw_points(space, features, 500, seed=9)
    decided = classifier.network(torch.from_numpy(points)).detach().numpy()[..., 0] >= 0
    proved = found.status == PROVED
    assert (decided[proved].min(1) == decided[proved].max(1)).all()
    for pair in found.counterexamples:
        assert abs(pair.this["pay"] - pair.other["pay"]) <= 0.05 + 1e-12
        assert 1.0 <= pair.other["pay"] <= 2.0
        _, decided_again = decide_raw(data, classifier, [pair.this, pair.other], [pair.row] * 2)
        assert tuple(decided_again) == pair.decisions


def test_halving_the_range_proves_what_one_bound_leaves_open(monkeypatch):
    data = people(pay=True)
    monkeypatch.setattr(row_chain, "TRIED", 64)
    halved = 0
    for seed in range(6):
        classifier = network_on(data, inputs=("sex", "pay", "score"), hidden=(6, 5), seed=seed)
        freedom = Freedom((), {"pay": 0.4})
        found = certify_rows(data, classifier, ROWS, freedom)
        halved += found.methods.get("split", 0)
        features = encode_frame(data.frame, classifier.encoder)
        points = draw_points(similar_space(data.schema, classifier, freedom), features, 400, seed=seed)
        decided = classifier.network(torch.from_numpy(points)).detach().numpy()[..., 0] >= 0
        proved = found.status == PROVED
        assert (decided[proved].min(1) == decided[proved].max(1)).all()
        assert found.unknown == 0
    assert halved


def test_what_no_time_was_given_for_is_unknown_with_the_reason():
    data = people(pay=True)
    classifier = network_on(data, inputs=("sex", "pay", "score"), hidden=(4,), seed=1)
    found = certify_rows(data, classifier, ROWS, Freedom(("sex",), {"pay": 1.0}), budget=-1.0)
    assert found.unknown
    assert found.proved + found.refuted + found.unknown == 36
    assert found.reason == "the time ended before they were settled"
    assert f"{found.unknown} rows: unknown, the time ended" in found.sentence


def test_bounds_say_that_they_need_relu():
    data = people(pay=True)
    classifier = network_on(data, inputs=("sex", "pay", "score"), hidden=(4,), seed=4, activation="tanh")
    found = certify_rows(data, classifier, ROWS, Freedom(("sex",), {"pay": 0.01}))
    assert found.proved == 0
    assert "tanh" in found.reason


def test_an_empty_list_of_rows_is_a_certificate_of_nothing():
    found = certify_rows(DATA, network_on(DATA), np.empty(0, np.int64), Freedom(("sex",)))
    assert (len(found.status), found.counterexamples, found.unknown) == (0, (), 0)
    assert found.sentence == "No rows were given: nothing was certified."
