"""The search for discrimination: what it finds is real, what it counts agrees with counting everybody."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.data import encode_frame, fit_encoder, input_columns, load_dataset
from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.metrics.intervals import clopper_pearson
from fairneuron_core.models import build_network, linear_layers, network_of, profile
from fairneuron_core.models.layers import activate
from fairneuron_core.types import Classifier, DecisionRule, ModelRecord, VoteRule
from fairneuron_core.verify.examine import Examiner
from fairneuron_core.verify.hunt import STRATEGIES, hunt
from fairneuron_core.verify.individuals import decide_raw
from fairneuron_core.verify.pairs import check_pairs
from fairneuron_core.verify.similar import Freedom
from tests.verify.hunting_ground import JOBS, RACES, SCORES, SEXES, network_reading, small_dataset, with_rule

SEX = Freedom(("sex",))


@pytest.fixture(scope="module")
def dataset():
    return small_dataset()


@pytest.fixture(scope="module")
def unfair(dataset):
    """A man needs a score of 5, a woman of 7 where 6 is the rule: those with 5 and 6 are decided by their sex."""
    return network_reading(dataset, sex__male=1.0, sex__female=-1.0)


def discriminated(dataset, classifier, free):
    """Count in plain Python the combinations of the other columns for which the decision is not constant."""
    frame = dataset.frame
    _, decided = decide_raw(dataset, classifier, frame.to_dict("records"), range(len(frame)))
    rest = [name for name in ("sex", "race", "job", "score") if name not in free]
    by_rest = {}
    for key, decision in zip(frame[rest].itertuples(index=False), decided, strict=True):
        by_rest.setdefault(tuple(key), set()).add(int(decision))
    return sum(len(found) > 1 for found in by_rest.values()), len(by_rest)


def test_the_planted_network_treats_24_of_132_combinations_differently(dataset, unfair):
    assert discriminated(dataset, unfair, ("sex",)) == (
        2 * len(RACES) * len(JOBS),
        len(RACES) * len(JOBS) * len(SCORES),
    )


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_every_strategy_finds_a_planted_dependence_and_names_real_people(dataset, unfair, strategy):
    found = hunt(dataset, unfair, SEX, budget=20, strategies=(strategy,), tries=600)
    assert found.by_strategy[strategy].found > 0
    for pair in found.pairs:
        assert pair.strategy == strategy
        assert (pair.this["sex"], pair.other["sex"]) in (SEXES, SEXES[::-1])
        assert pair.differs == ("sex",)
        assert pair.this["job"] in JOBS
        assert pair.this["score"] in (5, 6)
        scores, decisions = decide_raw(dataset, unfair, [pair.this, pair.other], [pair.draw] * 2)
        assert tuple(decisions) == pair.decisions
        assert decisions[0] != decisions[1]
        assert scores.tolist() == list(pair.scores)


def test_the_rate_at_uniform_points_agrees_with_counting_everybody(dataset, unfair):
    differing, cells = discriminated(dataset, unfair, ("sex",))
    found = hunt(dataset, unfair, SEX, budget=60, strategies=("uniform",), tries=3000, seed=7)
    assert found.complete
    assert found.rate.n == 3000
    assert found.rate.low <= differing / cells <= found.rate.high
    low, high = clopper_pearson(round(found.rate.value * 3000), 3000)
    assert (found.rate.low, found.rate.high) == (float(low), float(high))


def test_guided_strategies_leave_the_rate_alone(dataset, unfair):
    alone = hunt(dataset, unfair, SEX, budget=60, strategies=("uniform",), tries=500)
    together = hunt(dataset, unfair, SEX, budget=60, strategies=("uniform", "perturbation", "gradient"), tries=500)
    assert together.rate == alone.rate
    assert together.tried > alone.tried


def test_an_individual_counts_once_whoever_finds_it(dataset, unfair):
    found = hunt(dataset, unfair, SEX, budget=60, tries=3000)
    assert found.found == 48  # 24 women and 24 men
    assert {name: count.found for name, count in found.by_strategy.items() if count.tried == 3000} == {
        "uniform": 48,
        "perturbation": 48,
        "gradient": 48,
    }


def test_equal_seeds_find_the_same_pairs(dataset, unfair):
    first, again, other = (
        hunt(dataset, unfair, SEX, budget=60, tries=400, strategies=("gradient", "uniform"), seed=seed)
        for seed in (1, 1, 2)
    )
    assert first.rate == again.rate
    assert {str(p) for p in first.pairs} == {str(p) for p in again.pairs} != {str(p) for p in other.pairs}


def test_a_network_that_reads_no_sex_is_cleared_without_a_search(dataset):
    found = hunt(dataset, network_reading(dataset), SEX, budget=5)
    assert (found.tried, found.found, found.pairs) == (0, 0, ())
    assert np.isnan(found.rate.value)
    assert found.sentence == "Nothing can be found: neither the network nor its rule reads sex."


def test_the_solver_says_that_there_is_no_pair(dataset):
    nearly = network_reading(dataset, sex__male=0.1)
    found = hunt(dataset, nearly, SEX, budget=20, strategies=("solver", "uniform"), tries=200)
    assert found.found == 0
    assert "No pair exists" in found.excluded
    assert found.excluded in found.sentence


def test_the_breakdown_says_which_attribute_alone_suffices(dataset):
    # At a score of 5 the logit is -0.5 + 0.3 for men + 0.3 for race c: only men of race c get there.
    both = network_reading(dataset, sex__male=0.3, race__c=0.3)
    found = hunt(dataset, both, Freedom(("sex", "race")), budget=60, strategies=("uniform",), tries=4000)
    assert found.found == 2 * 3 * 4  # everybody with a score of 5
    # Sex alone matters for race c (2 sexes, 4 jobs), race alone for men (3 races, 4 jobs), neither for other women.
    assert {name: one.found for name, one in found.by_attribute.items()} == {"sex": 8, "race": 12}
    assert found.together == 8
    for name, differing in (("sex", 8), ("race", 12)):
        rate = found.by_attribute[name].rate
        assert rate.low <= differing / 264 <= rate.high


def test_a_pair_differs_in_as_few_columns_as_it_takes(dataset):
    both = network_reading(dataset, sex__male=0.3, race__c=0.3)
    found = hunt(dataset, both, Freedom(("sex", "race")), budget=60, strategies=("uniform",), tries=2000)
    for pair in found.pairs:
        woman_of_another_race = pair.this["sex"] == "female" and pair.this["race"] != "c"
        assert len(pair.differs) == (2 if woman_of_another_race else 1)


def test_a_window_lets_a_number_differ_by_so_much_and_no_more(dataset):
    plain = network_reading(dataset, sex__male=0.1)
    found = hunt(dataset, plain, Freedom((), {"score": 2}), budget=60, strategies=("uniform", "solver"), tries=3000)
    assert {pair.this["score"] for pair in found.pairs} == {4, 5, 6, 7}
    assert all(abs(pair.this["score"] - pair.other["score"]) <= 2 for pair in found.pairs)
    assert found.by_strategy["solver"].note.startswith("A pair after")


def test_a_rule_per_group_is_searched_as_it_decides(dataset):
    rule = DecisionRule("sex", {"female": ((1.0, 0.9),), "male": ((1.0, 0.1),)})
    ruled = with_rule(network_reading(dataset), rule)
    found = hunt(dataset, ruled, SEX, budget=60, tries=500)
    assert found.found > 0
    assert check_pairs(dataset, ruled, [p.pair for p in found.pairs]).differing == len(found.pairs)
    assert "rule" in found.by_strategy["solver"].note


def test_a_draw_of_the_rule_is_the_same_for_both_of_a_pair(dataset):
    mix = ((0.5, 0.1), (0.5, 0.9))
    drawn = with_rule(network_reading(dataset), DecisionRule("sex", {"female": mix, "male": mix}))
    assert hunt(dataset, drawn, SEX, budget=60, tries=1000).found == 0


def test_a_majority_vote_over_the_sexes_leaves_nobody_to_find(dataset, unfair):
    # The first two inputs are female and male; with two votes a tie goes to the mean score.
    vote = VoteRule(("sex",), (0, 1), ((1.0, 0.0), (0.0, 1.0)))
    found = hunt(dataset, with_rule(unfair, vote), SEX, budget=60, tries=500)
    assert found.found == 0


def test_progress_counts_live_and_can_cancel(dataset, unfair):
    told = []
    found = hunt(dataset, unfair, SEX, budget=60, tries=300, progress=told.append)
    assert [p.point["tried"] for p in told] == sorted(p.point["tried"] for p in told)
    assert told[-1].point["found"] <= found.found
    assert all(0 <= p.share <= 1 for p in told)

    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        hunt(dataset, unfair, SEX, progress=cancel)


def test_the_budget_ends_the_search(dataset, unfair):
    found = hunt(dataset, unfair, SEX, budget=0.2, tries=10**9, strategies=("uniform", "gradient"))
    assert found.seconds < 5


def test_an_unknown_strategy_is_refused(dataset, unfair):
    with pytest.raises(SettingError, match="Unknown strategy 'magic'"):
        hunt(dataset, unfair, SEX, strategies=("magic",))


def test_examined_individuals_agree_with_deciding_each_similar_one_alone():
    german = load_dataset("german")
    classifier = random_classifier(german)
    examiner = Examiner(german, classifier, Freedom(("sex", "age_group")))
    assert examiner.size() == 2 * (75 - 19 + 1)
    values = examiner.people.uniform(400, np.random.default_rng(0))
    found = examiner.examine(values, np.arange(400))
    differing, alike = (np.flatnonzero(found.different == wanted) for wanted in (True, False))
    assert len(differing) >= 3
    for row in (*differing[:3], *alike[:3]):
        base = examiner.people.raw(values[row])
        similar = [base | {"sex": sex, "age": age} for sex in ("female", "male") for age in range(19, 76)]
        scores, decided = decide_raw(german, classifier, similar, [row] * len(similar))
        assert found.different[row] == (len(set(decided.tolist())) > 1)
        assert found.low[row] == pytest.approx(np.log(scores.min() / (1 - scores.min())), abs=1e-5)
        assert found.high[row] == pytest.approx(np.log(scores.max() / (1 - scores.max())), abs=1e-5)


def test_on_real_data_the_gradient_finds_more_per_individual_than_chance():
    german = load_dataset("german")
    classifier = random_classifier(german)
    found = hunt(german, classifier, Freedom(("sex",)), budget=60, strategies=("uniform", "gradient"), tries=2000)
    by = found.by_strategy
    assert by["gradient"].found > 2 * by["uniform"].found
    assert check_pairs(german, classifier, [p.pair for p in found.pairs]).differing == len(found.pairs)


def random_classifier(dataset):
    """A network that nobody trained and that favours half of the rows: it depends on everything a little."""
    encoder = fit_encoder(dataset, np.arange(700), inputs=input_columns(dataset, include_protected=True))
    features = encode_frame(dataset.frame, encoder)
    layers = linear_layers(build_network((encoder.width, 16, 8, 1), seed=3))
    values = features
    for layer in layers:
        values = activate(layer.activation, values @ layer.weight.T + layer.bias)
    centred = replace(layers[-1], bias=layers[-1].bias - np.float32(np.median(values)))
    network = network_of([*layers[:-1], centred])
    record = ModelRecord(data=dataset.name, data_sha256=dataset.sha256, made_by="test")
    return Classifier(network, encoder, 0.5, record, profile(network, features))
