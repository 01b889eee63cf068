"""The whole space: every cell as brute force decides it, statistics apart, and nothing claimed that was not tried."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from fairneuron_core.errors import Cancelled
from fairneuron_core.models import build_network
from fairneuron_core.types import Column, DecisionRule, EncodedColumn
from fairneuron_core.verify import Freedom, similar_space, slices
from fairneuron_core.verify.certify import certify_space
from fairneuron_core.verify.exhaustive import count_cells
from fairneuron_core.verify.individuals import decide_raw
from fairneuron_core.verify.sampling import rate
from fairneuron_core.verify.slices import cell_space
from tests.verify.plain_people import AGES, JOBS, SCORES, as_frame, network_on, people, plain_decisions, similar_people

DATA = people()
FREEDOMS = [(("sex",), {}), (("sex", "age_group"), {}), (("sex",), {"age": 1}), ((), {"age": 2, "score": 1})]


def brute(classifier, protected, within):
    """Return how many cells are fair and unfair: every person of the domain, and all similar ones, by raw values."""
    free = {"age" if name == "age_group" else name for name in protected}
    domains = {"sex": "fm", "age": AGES, "job": JOBS, "score": SCORES}
    cells = {}
    for values in itertools.product(*domains.values()):
        person = dict(zip(domains, values, strict=True)) | {"hired": "yes"}
        key = tuple(v for k, v in person.items() if k not in free)
        cells.setdefault(key, similar_people(DATA, person, protected, within))
    everybody = as_frame(DATA, list(itertools.chain(*cells.values())))
    decided = plain_decisions(DATA, classifier, everybody, 0)
    ends = np.cumsum([len(people) for people in cells.values()])[:-1]
    unfair = sum(len(set(part.tolist())) == 2 for part in np.split(decided, ends))
    return len(cells) - unfair, unfair


@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
@pytest.mark.parametrize(("hidden", "activation"), [((), "relu"), ((6, 3), "relu"), ((4,), "tanh")])
def test_every_cell_is_counted_as_brute_force_counts_it(protected, within, hidden, activation, monkeypatch):
    classifier = network_on(DATA, hidden=hidden, seed=7, activation=activation)
    space = similar_space(DATA.schema, classifier, Freedom(protected, within))
    expected = brute(classifier, protected, within)
    # Once in one block, once with blocks of a few cells and two workers.
    for size, threads in ((slices.BLOCK_VALUES, 1), (40 * max(1, space.size), 2)):
        monkeypatch.setattr(slices, "BLOCK_VALUES", size)
        found = count_cells(cell_space(DATA.schema, classifier, space), threads=threads)
        assert (found.proved, found.refuted) == expected


@pytest.mark.parametrize("hidden", [(6, 3), (5,)])
def test_blocks_of_any_size_count_the_same(hidden, monkeypatch):
    classifier = network_on(DATA, hidden=hidden, seed=1)
    space = similar_space(DATA.schema, classifier, Freedom(("sex",)))
    counts = set()
    for size in (1, 30, 100, 10_000):
        monkeypatch.setattr(slices, "BLOCK_VALUES", size)
        found = count_cells(cell_space(DATA.schema, classifier, space))
        counts.add((found.proved, found.refuted))
    assert len(counts) == 1
    assert sum(counts.pop()) == len(AGES) * len(JOBS) * len(SCORES)


def test_a_planted_violation_is_found_with_two_people():
    classifier = network_on(DATA, hidden=(3,), seed=0)
    with torch.no_grad():
        first, _, last = classifier.network
        first.weight.zero_()
        first.bias.zero_()
        names = classifier.encoder.feature_names
        # relu(sex=f + job=cook + score - 2.99): only a cook with the best score whose sex is f is above zero.
        first.weight[0, [names.index("sex=f"), names.index("job=cook"), names.index("score")]] = 1.0
        first.bias[0] = -2.99
        last.weight[:] = torch.tensor([[1000.0, 0, 0]])
        last.bias[:] = -1.0
    found = certify_space(DATA, classifier, Freedom(("sex",)))
    # Nobody's age is read: 3 jobs x 4 scores.
    assert (found.cells, found.proved_cells, found.refuted_cells, found.unknown) == (12, 11, 1, 0)
    (pair,) = found.counterexamples
    assert (pair.row, pair.differs, pair.this["job"], pair.this["score"]) == (None, ("sex",), "cook", 3)
    assert pair.decisions == tuple(decide_raw(DATA, classifier, [pair.this, pair.other], [0, 0])[1])
    assert "11 of 12 possible applicants (every cell enumerated): no change of sex" in found.sentence


def test_a_network_that_cannot_see_sex_is_fair_to_every_applicant():
    classifier = network_on(DATA, inputs=("age", "job", "score"))
    found = certify_space(DATA, classifier, Freedom(("sex",)), held_out_rows=np.arange(10))
    assert (found.method, found.proved, found.unread) == ("syntactic", 1.0, ("sex",))
    assert "For every applicant" in found.sentence
    assert "because the network does not read sex" in found.sentence


RULES = [
    DecisionRule("sex", {"f": ((1.0, 0.3),), "m": ((1.0, 0.6),)}),
    DecisionRule("age_group", {"under 23": ((1.0, 0.4),), "23 and over": ((1.0, 0.6),)}),
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
def test_the_rule_of_decision_counts_in_every_cell(rule, protected, within):
    classifier = replace(network_on(DATA, seed=2), rule=rule)
    space = similar_space(DATA.schema, classifier, Freedom(protected, within))
    found = count_cells(cell_space(DATA.schema, classifier, space))
    assert (found.proved, found.refuted) == brute(classifier, protected, within)


def test_a_draw_that_treats_two_sexes_apart_is_a_refutation_of_every_cell():
    rule = DecisionRule("sex", {"f": ((0.5, 0.0), (0.5, 2.0)), "m": ((1.0, 0.0),)})
    classifier = replace(network_on(DATA, inputs=("job", "score")), rule=rule)
    found = certify_space(DATA, classifier, Freedom(("sex",)))
    assert (found.refuted, found.cells) == (1.0, 12)


def test_a_space_that_is_too_large_is_bracketed_and_sampled():
    classifier = network_on(DATA, hidden=(5,), seed=1)
    exact = certify_space(DATA, classifier, Freedom(("sex",)))
    found = certify_space(DATA, classifier, Freedom(("sex",)), most_cells=1, budget=20)
    assert found.method == "branch and bound"
    assert found.proved <= exact.proved + 1e-9
    assert found.refuted <= exact.refuted + 1e-9
    assert found.proved + found.refuted + found.unknown == pytest.approx(1)


def test_statistics_stand_beside_what_is_proved():
    classifier = network_on(DATA, hidden=(5,), seed=1)
    exact = certify_space(DATA, classifier, Freedom(("sex",)), held_out_rows=np.arange(36))
    found = certify_space(DATA, classifier, Freedom(("sex",)), most_cells=1, budget=0.0, held_out_rows=np.arange(36))
    assert found.unknown == 1.0
    assert found.uniform.low <= exact.refuted <= found.uniform.high
    assert (found.held_out.n, found.held_out.value) == (36, exact.held_out.value)
    assert found.counterexamples
    assert exact.uniform is None


def test_a_real_valued_column_makes_no_cells():
    data = people(pay=True)
    classifier = network_on(data, inputs=("sex", "pay"), hidden=(3,), seed=4)
    found = certify_space(data, classifier, Freedom(("sex",)), budget=5)
    assert found.cells is None
    assert found.proved + found.refuted + found.unknown == pytest.approx(1)


def test_enumeration_that_runs_out_of_time_says_how_far_it_came():
    classifier = network_on(DATA, hidden=(5,), seed=1)
    columns = tuple(Column(f"c{i}", "feature", "numeric", low=0, high=99, integer=True) for i in range(3))
    schema = replace(DATA.schema, columns=(*DATA.schema.columns[:2], *columns, DATA.schema.target))
    encoder = replace(
        classifier.encoder,
        columns=(classifier.encoder.columns[0], *(EncodedColumn(c.name, "numeric", high=99.0) for c in columns)),
    )
    wide = replace(classifier, encoder=encoder, network=build_network((5, 8, 1), seed=1))
    found = certify_space(replace(DATA, schema=schema), wide, Freedom(("sex",)), budget=0.0)
    assert found.cells == 1_000_000
    assert 0 < found.unknown < 1
    assert found.proved_cells + found.refuted_cells < found.cells
    assert "the time ended" in found.sentence


def test_the_work_can_be_cancelled(monkeypatch):
    monkeypatch.setattr("fairneuron_core.verify.exhaustive.REPORT_SECONDS", 0.0)
    shares = []

    def stop(progress):
        shares.append(progress.share)
        raise Cancelled

    before = torch.get_num_threads()
    with pytest.raises(Cancelled):
        certify_space(DATA, network_on(DATA), Freedom(("sex",)), threads=2, progress=stop)
    assert len(shares) == 1
    assert torch.get_num_threads() == before


def test_no_event_in_a_hundred_leaves_room_for_three_and_a_half_per_cent():
    found = rate(0, 100)
    assert (found.value, found.low, round(found.high, 4)) == (0.0, 0.0, 0.0362)
