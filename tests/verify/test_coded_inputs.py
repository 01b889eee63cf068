"""Networks from elsewhere read levels as codes and numbers as levels: every proof and search does so too."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from fairneuron_core.data import encode_frame
from fairneuron_core.data.mapping import InputMapping, MappedColumn, encoder_of
from fairneuron_core.errors import ModelError
from fairneuron_core.models import build_network
from fairneuron_core.repair.teachers import as_columns
from fairneuron_core.types import Classifier, EncodedColumn, Encoder, ModelRecord
from fairneuron_core.verify import PROVED, REFUTED, Freedom, similar_space
from fairneuron_core.verify.bounds import layers64
from fairneuron_core.verify.certify import certify_rows
from fairneuron_core.verify.cuts import logit_cuts
from fairneuron_core.verify.domains import domain_of
from fairneuron_core.verify.examine import Examiner
from fairneuron_core.verify.exhaustive import count_cells
from fairneuron_core.verify.hunt import hunt
from fairneuron_core.verify.hunt_solver import decoded, input_columns
from fairneuron_core.verify.individuals import decide_raw, individuals
from fairneuron_core.verify.milp import find_pair
from fairneuron_core.verify.slices import cell_space
from tests.verify.plain_people import AGES, JOBS, SCORES, people, plain_decisions, similar_frame

DATA = people()
ROWS = np.arange(len(DATA.frame))
MAPPING = InputMapping(
    (
        MappedColumn("sex", "codes", levels=("m", "f"), scaling="standard"),
        # The nurses are unknown to this network, which reads them as -1.
        MappedColumn("job", "codes", levels=("cook", "clerk"), scaling="min_max"),
        MappedColumn("age", "one_hot", levels=("21", "22", "23", "24", "25")),
        MappedColumn("score", "number", scaling="standard"),
    )
)
FREEDOMS = [(("sex",), {}), (("age_group",), {}), (("sex", "age_group"), {}), (("sex",), {"score": 1})]


def network(seed=3, hidden=(6, 3), scale=3.0):
    encoder = encoder_of(MAPPING, DATA, ROWS)
    stack = build_network((encoder.width, *hidden, 1), seed=seed)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.mul_(scale)
        features = torch.from_numpy(encode_frame(DATA.frame, encoder))
        stack[-1].bias -= stack(features).median(0).values + 0.01
    return Classifier(stack, encoder, 0.5, ModelRecord("people", "ab" * 32, "uploaded onnx file"), ())


MODEL = network()


def as_set(points):
    return {tuple(point) for point in np.round(points, 5).tolist()}


def decided_by_cell(free):
    """Return {values of the other columns: decisions of everybody who shares them}, from raw values."""
    domains = {"sex": "fm", "age": AGES, "job": JOBS, "score": SCORES}
    everybody = [dict(zip(domains, values, strict=True)) for values in itertools.product(*domains.values())]
    _, decided = decide_raw(DATA, MODEL, everybody, [0] * len(everybody))
    found = {}
    for person, decision in zip(everybody, decided.tolist(), strict=True):
        found.setdefault(tuple(v for k, v in person.items() if k not in free), set()).add(decision)
    return found


def test_a_code_is_the_position_of_the_level_and_scaled_like_a_number():
    encoded = EncodedColumn("job", "codes", levels=("cook", "clerk", "nurse"), low=-1.0, high=1.0, fill=-1.0)
    frame = DATA.frame.head(3).assign(job=["cook", "clerk", "pilot"])
    assert encode_frame(frame, Encoder((encoded,))).tolist() == [[0.5], [1.0], [0.0]]
    assert (encoded.width, encoded.raw_kind, Encoder((encoded,)).feature_names) == (1, "category", ("job",))


def test_the_domain_of_codes_has_every_level_of_the_data_also_unknown_ones():
    encoded = MODEL.encoder.columns[1]
    domain = domain_of(DATA.schema.column("job"), encoded)
    assert (domain.kind, domain.raw) == ("levels", ("clerk", "cook", "nurse"))
    assert domain.values.tolist() == [[1.0], [0.0], [-1.0]]


@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
def test_the_points_of_s_x_are_the_encoded_raw_values_of_every_possibility(protected, within):
    space = similar_space(DATA.schema, MODEL, Freedom(protected, within))
    points = space.points(encode_frame(DATA.frame, MODEL.encoder))
    for row in ROWS:
        plain = encode_frame(similar_frame(DATA, row, protected, within), MODEL.encoder)
        assert as_set(points[row]) == as_set(plain)


@pytest.mark.parametrize(("protected", "within"), FREEDOMS)
def test_every_row_is_settled_as_brute_force_settles_it(protected, within):
    found = certify_rows(DATA, MODEL, ROWS, Freedom(protected, within))
    plain = [plain_decisions(DATA, MODEL, similar_frame(DATA, row, protected, within), row) for row in ROWS]
    assert found.status.tolist() == [PROVED if len(set(d.tolist())) == 1 else REFUTED for d in plain]
    assert 0 < found.refuted == len(found.counterexamples)
    for pair in found.counterexamples:
        _, decided = decide_raw(DATA, MODEL, [pair.this, pair.other], [pair.row] * 2)
        assert tuple(decided) == pair.decisions
        assert decided[0] != decided[1]


@pytest.mark.parametrize("free", [("sex",), ("age",), ("sex", "age")])
def test_every_cell_of_the_whole_space_is_counted_as_brute_force_counts_it(free):
    protected = tuple("age_group" if name == "age" else name for name in free)
    cells = decided_by_cell(free)
    unfair = sum(len(decisions) == 2 for decisions in cells.values())
    space = similar_space(DATA.schema, MODEL, Freedom(protected))
    found = count_cells(cell_space(DATA.schema, MODEL, space))
    assert (found.proved, found.refuted) == (len(cells) - unfair, unfair)
    assert unfair > 0


def test_individuals_are_encoded_as_their_raw_values_are():
    everybody = individuals(DATA, MODEL.encoder)
    values = everybody.of_rows(DATA.frame)
    assert np.array_equal(everybody.encode(values), encode_frame(DATA.frame, MODEL.encoder))
    assert np.array_equal(decoded(everybody, everybody.encode(values)[7]), values[7])


def test_the_search_finds_pairs_that_the_plain_forward_pass_decides_differently():
    found = hunt(DATA, MODEL, Freedom(("sex",)), budget=20, tries=2000)
    assert found.found > 0
    for pair in found.pairs:
        _, decided = decide_raw(DATA, MODEL, [pair.this, pair.other], [pair.draw] * 2)
        assert decided[0] != decided[1]
        assert pair.differs == ("sex",)


@pytest.mark.parametrize("seed", [3, 8])
def test_the_solver_answers_as_brute_force_does(seed, monkeypatch):
    classifier = network(seed=seed, hidden=(3,), scale=1.0)
    # Without sex nothing that is free is read; with it, brute force says whether any cell is unfair.
    classifier = classifier if seed == 3 else replace(classifier, network=blinded(classifier.network))
    monkeypatch.setattr(f"{__name__}.MODEL", classifier)
    unfair = any(len(decisions) == 2 for decisions in decided_by_cell(("sex",)).values())
    examiner = Examiner(DATA, classifier, Freedom(("sex",)))
    cut = float(logit_cuts(np.array([classifier.threshold]))[0])
    answer = find_pair(layers64(classifier.network), input_columns(examiner), cut=cut, budget=30)
    assert answer.status == ("found" if unfair else "none")


def blinded(stack):
    with torch.no_grad():
        stack[0].weight[:, 0] = 0
    return stack


def test_a_window_around_numbers_that_are_read_as_levels_is_refused():
    with pytest.raises(ModelError, match="'age' as levels"):
        similar_space(DATA.schema, MODEL, Freedom((), {"age": 1}))


def test_trees_get_codes_back_as_codes_and_unknown_ones_as_missing():
    features = encode_frame(DATA.frame.head(6), MODEL.encoder)
    columns, categorical = as_columns(MODEL.encoder, features)
    assert categorical.tolist() == [True, True, True, False]
    expected = [{"cook": 0.0, "clerk": 1.0, "nurse": np.nan}[job] for job in DATA.frame["job"].head(6)]
    assert np.array_equal(columns[:, 1], expected, equal_nan=True)
    assert columns[:, 0].tolist() == [1.0] * 6
