"""Optuna names the points of a search, batch by batch; nothing here trains unless it has to."""

import builtins
import dataclasses
import math

import numpy as np
import pytest

from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.experiments import SearchParams, search
from fairneuron_core.experiments.optuna_search import ask_and_tell
from fairneuron_core.experiments.trials import Tried, as_trials
from fairneuron_core.models import Trained
from fairneuron_core.models.layers import linear_layers, network_of

optuna = pytest.importorskip("optuna")
SMALL = SearchParams(engine="optuna", trials=6, batch=4, epochs=1, gammas=(0.4, 0.8), thetas=(0.1, 1e-3))


def tried(training: str, accuracy: float, gap: float, *, ineligible: str | None = None) -> Tried:
    metrics = {
        "accuracy": accuracy,
        "demographic_parity_difference": gap,
        "demographic_parity_ratio": 1 - gap,
        "equal_opportunity_difference": gap,
    }
    score = math.nan if ineligible else gap
    return Tried(training, 3, metrics, score, ineligible, Trained(None, (), 1))


class Recorder:
    """An evaluation that is a formula: high dropout is fair; layer 1 decides nothing; layer 2 is undefined."""

    def __init__(self) -> None:
        self.batches, self.told = [], []

    def __call__(self, points, progress):
        self.batches.append(list(points))
        found = []
        for point in points:
            gap = math.nan if point.first_layer == 2 else 0.5 - point.dropout / 2
            reason = {1: "gives nearly everybody the favourable decision", 2: "a rate is undefined"}
            found.append(tried(repr(point), 0.8, gap, ineligible=reason.get(point.first_layer)))
        self.told += found
        return found


def run(params: SearchParams, *, seed: int = 0) -> Recorder:
    recorder = Recorder()
    points, found = ask_and_tell(params, layers=4, seed=seed, run=recorder)
    assert points == [point for batch in recorder.batches for point in batch]
    assert found == recorder.told
    return recorder


def test_batches_are_asked_whole_and_the_last_one_has_the_rest():
    recorder = run(SearchParams(engine="optuna", trials=30, batch=12))
    assert [len(batch) for batch in recorder.batches] == [12, 12, 6]


def test_the_same_seed_asks_for_the_same_points_and_another_for_others():
    params = SearchParams(engine="optuna", trials=40, batch=12)
    assert run(params).batches == run(params).batches
    assert run(params).batches[0] != run(params, seed=1).batches[0]


def test_points_lie_inside_their_ranges():
    params = SearchParams(engine="optuna", trials=200, batch=100, dropouts=(0.1, 0.2), learning_rates=(1e-3, 1e-2))
    points = [point for batch in run(params).batches for point in batch]
    assert {point.first_layer for point in points} == {1, 2, 3, 4}
    for name, low, high in (
        ("theta", 1e-4, 0.1),
        ("gamma", 0.6, 0.95),
        ("dropout", 0.1, 0.2),
        ("learning_rate", 1e-3, 1e-2),
    ):
        values = [getattr(point, name) for point in points]
        assert low <= min(values) < max(values) <= high
    # Drawn on a logarithmic scale, about half lie below the geometric mean.
    assert 0.3 < np.mean([point.theta < np.sqrt(1e-5) for point in points]) < 0.7


def test_a_given_first_layer_is_kept_and_the_released_reading_starts_at_the_second():
    given = run(SearchParams(engine="optuna", trials=20, batch=20, first_layer=3))
    assert {point.first_layer for point in given.batches[0]} == {3}
    released = run(SearchParams(engine="optuna", trials=40, batch=40, reading="released"))
    assert {point.first_layer for point in released.batches[0]} == {2, 3, 4}


def test_results_are_told_in_order_and_the_sampler_learns_from_them(monkeypatch):
    studies = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **more: studies.append(create(**more)) or studies[-1])
    params = SearchParams(engine="optuna", trials=60, batch=12)
    recorder = run(params)
    points = [point for batch in recorder.batches for point in batch]
    for trial, point, found in zip(studies[0].trials, points, recorder.told, strict=True):
        assert trial.params["dropout"] == point.dropout
        if point.first_layer == 2:
            assert trial.state == optuna.trial.TrialState.FAIL
        else:
            assert trial.values == [0.8, *(found.metrics[name] for name in params.gaps)]
    late = [point.dropout for point in points[-24:]]
    assert np.mean(late) > np.mean([point.dropout for point in points[:12]])
    # Degenerate trials break a constraint, so they are not among the study's best even where their gaps are lowest.
    assert all(trial.params["first_layer"] in (3, 4) for trial in studies[0].best_trials)


def test_the_pareto_set_is_that_of_optuna(monkeypatch):
    studies = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **more: studies.append(create(**more)) or studies[-1])
    params = SearchParams(engine="optuna", trials=30, batch=10)
    generator = np.random.default_rng(3)

    def draw(points, progress):
        found = [tried(repr(p), *generator.integers(1, 9, 2) / 10) for p in points]
        refused = [point.dropout > 0.5 for point in points]
        return [
            dataclasses.replace(t, ineligible="degenerate") if r else t for t, r in zip(found, refused, strict=True)
        ]

    points, found = ask_and_tell(params, layers=2, seed=0, run=draw)
    marked = [i for i, trial in enumerate(as_trials(points, found, params)) if trial.pareto]
    assert marked == sorted(trial.number for trial in studies[0].best_trials)


def test_a_search_gives_the_same_trials_again_and_chooses_the_lowest_score(task):
    found, again = search(task, SMALL), search(task, SMALL)
    assert found.trials == again.trials or str(found.trials) == str(again.trials)
    assert len(found.trials) == 6
    eligible = [t.score for t in found.trials if t.ineligible is None]
    assert found.trials[found.chosen].score == min(eligible)
    assert found.first_layer is None
    assert found.classifier.record.recipe["dropout"] == found.trials[found.chosen].dropout


def test_degenerate_trials_cannot_win(task):
    *hidden, last = linear_layers(task.classifier.network)
    constant = network_of([*hidden, dataclasses.replace(last, bias=np.array([1e4], np.float32))])
    always = dataclasses.replace(task, classifier=dataclasses.replace(task.classifier, network=constant))
    found = search(always, dataclasses.replace(SMALL, learning_rates=(1e-6, 1e-5)))
    assert found.chosen is None
    assert all("favourable decision" in t.ineligible for t in found.trials)
    assert not any(t.pareto for t in found.trials)


def test_progress_rises_to_the_end_over_all_batches_and_can_cancel(task):
    seen = []
    search(dataclasses.replace(task, progress=lambda p: seen.append(p.share)), SMALL)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        search(dataclasses.replace(task, progress=cancel), SMALL)


def test_theta_cannot_be_drawn_from_zero_on():
    with pytest.raises(SettingError, match="'thetas'"):
        run(SearchParams(engine="optuna", thetas=(0.0, 0.1)))


def test_without_optuna_the_sentence_says_what_to_install(task, monkeypatch):
    found = builtins.__import__

    def no_optuna(name, *others, **more):
        if name == "optuna":
            raise ImportError(name)
        return found(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", no_optuna)
    with pytest.raises(SettingError, match="pip install optuna"):
        search(task, SMALL)
