"""The job that certifies: its counts against a loop over raw rows, its file against the re-check."""

import copy
import json

import numpy as np
import pytest

from fairneuron_core.data import encode
from fairneuron_core.errors import SettingError
from fairneuron_core.jobs import JOBS, JobContext, gather
from fairneuron_core.jobs.parting import parting
from fairneuron_core.jobs.recheck import read_certificate, recheck
from fairneuron_core.jobs.varied import Varied
from fairneuron_core.models import decisions, logits


def certify(filled, **settings):
    settings = {"data": "german", "model": filled.model, "threads": 1, "device": "cpu", **settings}
    return dict(JOBS["certify"].run(JOBS["certify"].check(settings), JobContext(filled.workspace)).results)


def brute_force(filled, attribute, part="test"):
    """Decide every row with every level put into the raw table: which rows change?"""
    material = gather("german", filled.model, filled.workspace)
    rows = np.sort(material.rows(part))
    decided = []
    for level in material.dataset.schema.column(attribute).levels:
        frame = material.dataset.frame.iloc[rows].assign(**{attribute: level})
        batch = encode(material.dataset, np.arange(len(rows)), material.classifier.encoder, frame=frame)
        decided.append(decisions(material.classifier, batch))
    return rows, np.min(decided, axis=0) != np.max(decided, axis=0)


@pytest.fixture(scope="module")
def certificate(trained_german):
    return certify(trained_german, protected=["sex"])


def test_the_counts_are_those_of_a_loop_over_the_raw_table(trained_german, certificate):
    rows, changes = brute_force(trained_german, "sex")
    assert (certificate["n"], certificate["refuted"], certificate["unknown"]) == (200, int(changes.sum()), 0)
    assert certificate["proved"] == 200 - certificate["refuted"]
    assert [one["row"] for one in certificate["counterexamples"]] == rows[changes].tolist()
    assert certificate["recheck"]["rows"] == rows.tolist()


def test_counterexamples_differ_in_the_protected_attribute_alone_and_are_decided_differently(certificate):
    assert certificate["counterexamples"]
    for one in certificate["counterexamples"]:
        assert one["differs"] == ["sex"]
        assert one["this"]["sex"] != one["other"]["sex"]
        assert {k: v for k, v in one["this"].items() if k != "sex"} == {
            k: v for k, v in one["other"].items() if k != "sex"
        }
        assert sorted(one["decisions"]) == [0, 1]
        assert [score >= 0.5 for score in one["scores"]] == [bool(d) for d in one["decisions"]]


def test_the_group_gaps_stand_beside_it_and_are_those_of_the_audit(trained_german, certificate):
    audit = JOBS["audit"].run({"data": "german", "model": trained_german.model}, JobContext(trained_german.workspace))
    assert certificate["groups"]["metrics"] == audit.results["metrics"]
    assert certificate["groups_of_others"] == []


def test_it_is_json_and_survives_the_store(certificate):
    assert json.loads(json.dumps(certificate, allow_nan=False)) == certificate


def test_two_attributes_and_a_tolerance_are_free_together(trained_german, certificate):
    both = certify(trained_german, protected="sex,age_group", within="duration_months=1")
    assert both["refuted"] >= certificate["refuted"]
    assert both["within"] == {"duration_months": 1.0}
    assert [one["attribute"] for one in (both["groups"], *both["groups_of_others"])] == ["sex", "age_group"]


def test_all_rows_can_be_certified(trained_german):
    assert certify(trained_german, part="all")["n"] == 1000


def test_a_network_that_does_not_read_the_attribute_is_said_to_not_read_it(filled_workspace):
    settings = {"data": "german", "include_protected": False, "epochs": 2, "device": "cpu", "threads": 1}
    trained = JOBS["train"].run(settings, JobContext(filled_workspace.workspace)).results
    found = certify(filled_workspace, model=trained["model"], protected="sex")
    assert found["unread"] == ["sex"]
    assert found["cut_off"] == []
    assert found["method"] == {"syntactic": 200}
    assert (found["proved"], found["refuted"]) == (200, 0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"protected": "purpose"}, "not a protected attribute"),
        ({"within": "purpose=1"}, "category"),
        ({"within": "duration_months"}, "write column=amount"),
        ({"within": "duration_months=many"}, "write column=amount"),
        ({"budget": 0}, "outside"),
        ({"part": "holdout"}, "choose from test"),
    ],
)
def test_wrong_settings_are_one_sentence(filled_workspace, settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        certify(filled_workspace, **settings)


def test_a_certificate_holds_when_it_is_checked_again(trained_german, certificate):
    found = recheck(certificate, trained_german.workspace)
    assert found["holds"], found["failures"]
    assert found["checked"] == {
        "counterexamples": len(certificate["counterexamples"]),
        "proved": certificate["proved"],
        "drawn": 0,
    }


def test_a_row_that_is_claimed_proved_and_is_not_is_found(trained_german, certificate):
    forged = copy.deepcopy(certificate)
    place = forged["recheck"]["status"].index(-1)
    forged["recheck"]["status"][place] = 1
    forged["proved"], forged["refuted"] = forged["proved"] + 1, forged["refuted"] - 1
    found = recheck(forged, trained_german.workspace)
    row = forged["recheck"]["rows"][place]
    assert found["failures"] == [f"Row {row} counts as proved, but its decision changes."]


def test_counts_that_are_not_those_of_the_rows_are_found(trained_german, certificate):
    found = recheck(certificate | {"proved": 200, "refuted": 0}, trained_german.workspace)
    assert not found["holds"]
    assert "It says that 200 rows are proved" in found["sentence"]


def change_pair(certificate, change):
    forged = copy.deepcopy(certificate)
    change(forged["counterexamples"][0])
    return forged


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one["other"].update(one["this"]), "both people are decided alike"),
        (lambda one: one["other"].update(duration_months=72), "'duration_months' differs, and it may not"),
        (lambda one: one["other"].update(sex="robot"), "'sex' may not be robot"),
        (
            lambda one: (one["this"].update(duration_months=5), one["other"].update(duration_months=5)),
            "is not what row",
        ),
        (lambda one: one["this"].pop("purpose"), "'purpose' is missing"),
    ],
)
def test_a_counterexample_that_is_none_is_found(trained_german, certificate, change, said):
    found = recheck(change_pair(certificate, change), trained_german.workspace)
    assert not found["holds"]
    assert any(said in failure for failure in found["failures"])


def test_another_network_is_refused(trained_german, certificate):
    found = recheck(certificate, trained_german.workspace, model=trained_german.reweighing)
    assert "The network is another one" in found["sentence"]
    assert found["checked"] == {"counterexamples": 0, "proved": 0, "drawn": 0}


def test_the_hash_of_a_network_is_the_same_in_the_store_and_in_a_file(trained_german, certificate, tmp_path):
    from fairneuron_core.models import to_safetensors

    path = tmp_path / "m.safetensors"
    path.write_bytes(to_safetensors(gather("german", trained_german.model, trained_german.workspace).classifier))
    assert recheck(certificate, trained_german.workspace, model=str(path))["holds"]


def test_where_numbers_vary_continuously_random_people_are_tried(trained_german, certificate):
    """German has no real-valued column, so a wide window stands in: too many people to try them all."""
    wide = certify(trained_german, protected="sex", within="duration_months=30,credit_amount=9000", budget=5)
    found = recheck(wide, trained_german.workspace)
    assert found["holds"], found["failures"]
    assert found["checked"]["drawn"] == wide["proved"]
    assert "which can refute but not prove" in found["sentence"] or not wide["proved"]


@pytest.mark.parametrize(
    ("column", "this", "other", "allowed"),
    [
        (Varied("sex", ("F", "M")), "F", "M", True),
        (Varied("sex", ("F", "M")), "F", "X", False),
        (Varied("age", None, 18, 90), 30, 90, True),
        (Varied("age", None, 18, 90), 30, 91, False),
        (Varied("hours", (-1.0, 0.0, 1.0), 1, 99, 1.0), 40, 41, True),
        (Varied("hours", (-1.0, 0.0, 1.0), 1, 99, 1.0), 40, 42, False),
        (Varied("hours", (-1.0, 0.0, 1.0), 1, 99, 1.0), 99, 100, False),
        (Varied("hours", (-1.0, 0.0, 1.0), 1, 99, 1.0), None, None, True),
        (Varied("age", (1.0, 2.0)), 1, None, False),
    ],
)
def test_what_a_column_may_become(column, this, other, allowed):
    assert column.allows(this, other) is allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [("nonsense", "is no JSON"), ("{}", "lacks 'data'"), ("[1]", "lacks 'data'")],
)
def test_a_file_that_is_no_certificate_is_one_sentence(tmp_path, text, said):
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(SettingError, match=said):
        read_certificate(str(path))


def test_the_parting_is_the_difference_of_two_forward_passes(trained_german, certificate):
    one, classifier = certificate["counterexamples"][0], None
    classifier = gather("german", trained_german.model, trained_german.workspace).classifier
    found = parting(classifier, one["this"], one["other"])
    both = np.stack([level_pair[0] for level_pair in (found.this, found.other)])
    assert found.logits == pytest.approx(logits(classifier, both.astype(np.float32)).tolist(), abs=1e-5)
    changed = np.flatnonzero(found.this[0] != found.other[0])
    names = [classifier.encoder.feature_names[i] for i in changed]
    assert all(name.startswith("sex=") for name in names)
    last = [n for n in found.neurons if n.into_logit is not None]
    assert sum(n.into_logit for n in last) == pytest.approx(found.logits[1] - found.logits[0], abs=1e-5)
    assert [abs(n.change) for n in found.neurons] == sorted((abs(n.change) for n in found.neurons), reverse=True)
    assert {edge[1] for edge in found.edges() if edge[0] == 0} == set(changed.tolist())


def test_random_people_stay_inside_the_domain_and_the_tolerance():
    import pandas as pd

    generator = np.random.default_rng(0)
    table = pd.DataFrame({"rate": [0.0, 0.5, 1.0] * 20})
    free, near = Varied("rate", None, 0.0, 1.0), Varied("rate", None, 0.0, 1.0, 0.25)
    for corner in (True, False):
        assert set(free.draw(60, generator, corner=True)) == {0.0, 1.0}
        moved = near.put(table, near.draw(60, generator, corner=corner))
        assert moved.between(0, 1).all()
        assert (moved - table["rate"]).abs().max() <= 0.25
