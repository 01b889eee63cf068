"""One setting on one seed: what is counted agrees with plain Python, and a proof is only said where there is one."""

from dataclasses import replace

import numpy as np
import pytest

from fairneuron_core.errors import Cancelled, SettingError
from fairneuron_core.experiments.proof_network import trained_setting
from fairneuron_core.experiments.proof_setting import Measure, method_settings, one_setting
from fairneuron_core.experiments.proof_spec import (
    METHODS,
    SETTINGS,
    ProofSetting,
    ProofsParams,
    proof_methods,
    settings_of,
)
from fairneuron_core.models import decide

SETTING = SETTINGS["compas-race"]
PARAMS = ProofsParams(methods="blind,majority_vote", points=500, seconds=1.0)


@pytest.fixture(scope="module")
def trained():
    return trained_setting("compas", 0, epochs=8)


@pytest.fixture(scope="module")
def rows(trained):
    return {row.method: row for row in one_setting(SETTING, 0, PARAMS, trained=trained)}


def flipped(features: np.ndarray, column: int) -> np.ndarray:
    other = features.copy()
    other[:, column] = 1 - other[:, column]
    return other


def test_there_are_nine_settings_with_one_attribute_seven_with_two_and_six_with_a_tolerance():
    kinds = [one.kind for one in SETTINGS.values()]
    assert [kinds.count(kind) for kind in ("one attribute", "two attributes", "tolerance")] == [9, 7, 6]
    assert "german-age+amount" in SETTINGS


def test_the_count_of_discriminatory_rows_is_that_of_trying_the_other_race(trained, rows):
    test, given = trained.test.features, trained.classifier
    here = [column.name for column in trained.table.encoder.columns].index("race_code")
    changed = decide(given, test) != decide(given, flipped(test, here))
    assert rows["given"].test["refuted"] == changed.sum()
    assert rows["given"].proved == len(test) - changed.sum()


def test_every_cell_of_the_space_is_decided(trained, rows):
    columns = [trained.table.dataset.schema.column(c.name) for c in trained.table.encoder.columns]
    here = [column.name for column in columns].index("race_code")
    sizes = [1 if at == here else int(c.high - c.low) + 1 for at, c in enumerate(columns)]
    every = np.indices(sizes).reshape(len(sizes), -1).T.astype(np.float32)
    changed = decide(trained.classifier, every) != decide(trained.classifier, flipped(every, here))
    assert rows["given"].cells == {"refuted": changed.sum(), "n": 624, "low": None, "high": None}
    assert rows["given"].space["low"] <= changed.mean() <= rows["given"].space["high"]


def test_a_blind_network_and_a_vote_are_proved_for_every_input(rows):
    assert (rows["blind"].proof, rows["majority_vote"].proof, rows["given"].proof) == ("wiring", "vote", None)
    for name in ("blind", "majority_vote"):
        assert [getattr(rows[name], part)["refuted"] for part in ("data", "test", "space", "cells")] == [0, 0, 0, 0]


def test_flips_and_accuracy_are_those_of_the_test_rows(rows):
    given, vote = rows["given"], rows["majority_vote"]
    turned = sum(vote.flips.values())
    assert given.flips == {"to_favourable": 0, "to_unfavourable": 0}
    assert turned > 0
    assert abs(vote.accuracy["test"] - given.accuracy["test"]) <= turned / given.test["n"] + 1e-6


def test_a_constant_network_is_marked_however_fair_it_is(trained):
    from fairneuron_core.models import linear_layers, network_of

    first, *rest = linear_layers(trained.classifier.network)
    last = replace(rest[-1], weight=np.zeros_like(rest[-1].weight), bias=np.ones_like(rest[-1].bias))
    constant = replace(trained.classifier, network=network_of([first, *rest[:-1], last]))
    row = Measure.of(SETTING, trained, points=100).row("given", constant, seconds=0.0)
    assert row.data["refuted"] == 0
    assert "All 4,938 rows get the favourable decision" in row.degenerate


def test_a_method_that_refuses_says_why():
    setting = ProofSetting("german", ("sex",), {"credit_amount": 1.0})
    params = replace(PARAMS, methods="majority_vote", base_epochs=1, points=100)
    row = one_setting(setting, 0, params)[-1]
    assert "cannot be listed once for all rows" in row.failed
    assert (row.accuracy, row.data, row.proof) == (None, None, None)


def test_a_cancel_ends_the_work(trained):
    def cancel(now):
        raise Cancelled

    with pytest.raises(Cancelled):
        one_setting(SETTING, 0, PARAMS, trained=trained, progress=cancel)


def test_methods_get_what_must_not_matter_and_the_published_numbers_of_rows():
    german = method_settings("prof", SETTINGS["german-sex+amount"], PARAMS, size=402)
    assert (german.attributes, german.within, german.benign, german.seconds) == ("sex", "credit_amount=100", 100, 1.0)
    assert method_settings("prof", SETTINGS["adult-sex-age"], PARAMS, size=182).benign == 500
    assert method_settings("prof", SETTINGS["adult-sex-age"], PARAMS, size=182).attributes == "sex,age_group"


def test_settings_and_methods_are_read_and_wrong_ones_refused():
    assert [one.name for one in settings_of("compas-sex, adult-sex")] == ["adult-sex", "compas-sex"]
    assert len(settings_of("one")) == 9
    assert proof_methods("all") == METHODS
    with pytest.raises(SettingError, match="no setting 'adult-income'"):
        settings_of("adult-income")
    with pytest.raises(SettingError, match="no method 'magic'"):
        proof_methods("magic")
