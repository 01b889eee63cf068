"""Predictions from a file: the audit counts what is in the file, and what needs a network says so."""

import numpy as np
import pandas as pd
import pytest

from fairneuron_core.data import labels_of, load_dataset, make_dataset, schema_of
from fairneuron_core.errors import DataError, SettingError
from fairneuron_core.jobs import JOBS, JobContext, find_classifier, find_dataset, gather, store_dataset
from fairneuron_core.jobs.predictions import COLUMN, LEAST, bring_predictions, log_odds, without_network
from fairneuron_core.metrics import threshold_table
from fairneuron_core.models import decisions, scores
from fairneuron_core.models.files.export import export_model

N = 40


def people():
    """40 people with a number of their own; every second one is hired."""
    frame = pd.DataFrame(
        {
            "number": [f"P{1000 + 7 * i}" for i in range(N)],
            "sex": ["f", "m"] * (N // 2),
            "merit": np.arange(N) % 10,
            "hired": ["no", "yes", "yes", "no"] * (N // 4),
        }
    )
    schema = schema_of(frame, target="hired", favourable="yes", protected=("sex",), left_out=("number",))
    return make_dataset(frame, schema, name="people", title="People")


@pytest.fixture
def stored(empty_workspace):
    return store_dataset(people(), empty_workspace), empty_workspace


def written(values, *, header="score", delimiter=",", **columns):
    table = pd.DataFrame({**columns, header: values})
    return table.to_csv(index=False, sep=delimiter).encode()


def brought(stored, content, **settings):
    data, workspace = stored
    found = bring_predictions(content, data, workspace, name="scores.csv", **settings)
    return found, gather(found.data, found.model, workspace)


def everybody(material):
    return material.encoded(np.arange(len(material.dataset.frame)), "test")


SCORES = (np.arange(N) * 13 % N + 0.5) / N


def test_the_audit_counts_what_the_file_says(stored):
    found, _ = brought(stored, written(SCORES), threshold=0.3)
    job = JOBS["audit"]
    context = JobContext(stored[1])
    params = {"data": found.data, "model": found.model, "part": "test", "min_group": 0}
    results = job.run(job.check(params), context).results
    material = gather(found.data, found.model, stored[1])
    rows = material.rows("test")
    table = people().frame
    for group in results["groups"]:
        here = [row for row in rows if table["sex"][row] == group["group"]]
        selected = [row for row in here if SCORES[row] >= 0.3]
        assert (group["n"], group["selected"]) == (len(here), len(selected))
        good = [row for row in here if table["hired"][row] == "yes"]
        if good:
            rate = sum(SCORES[row] >= 0.3 for row in good) / len(good)
            assert group["rates"]["tpr"]["value"] == pytest.approx(rate)
    right = [(SCORES[row] >= 0.3) == (table["hired"][row] == "yes") for row in rows]
    assert results["metrics"]["accuracy"]["value"] == pytest.approx(np.mean(right))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_scores_come_back_as_they_were_given_from_one_column_or_several(stored, delimiter):
    for content in (
        written(SCORES, delimiter=delimiter),
        written(SCORES, delimiter=delimiter, person=range(N), header="probability"),
    ):
        found, material = brought(stored, content)
        assert (found.rows, found.kind) == (N, "scores")
        assert np.abs(scores(material.classifier, everybody(material).features) - SCORES).max() < 1e-7


def test_a_score_on_the_threshold_is_favourable_for_every_threshold():
    every = np.arange(1, 1000) / 1000
    shown = 1 / (1 + np.exp(-log_odds(every)))
    assert (shown >= every).all()
    assert np.abs(shown - every).max() < 1e-6


def test_scores_at_the_ends_are_kept_finite_and_decide_alike(stored):
    ends = np.where(np.arange(N) % 4 == 0, 0.0, np.where(np.arange(N) % 4 == 1, 1.0, 0.25))
    for threshold, expected in ((0.0, ends >= 0), (1.0, ends >= 1), (0.25, ends >= 0.25)):
        _, material = brought(stored, written(ends), threshold=threshold)
        batch = everybody(material)
        assert decisions(material.classifier, batch).tolist() == expected.astype(int).tolist()
        found = scores(material.classifier, batch.features)
        assert (found.min(), found.max()) == pytest.approx((LEAST, 1 - LEAST))


@pytest.mark.parametrize(
    "values",
    [np.arange(N) % 3 == 0, np.where(np.arange(N) % 3 == 0, "yes", "no"), np.where(np.arange(N) % 3 == 0, 1.0, 0.0)],
    ids=["numbers", "labels", "floats"],
)
def test_decisions_may_be_numbers_or_the_two_values_of_the_target(stored, values):
    values = values.astype(int) if values.dtype == bool else values
    found, material = brought(stored, written(values, header="decision"))
    assert found.kind == "decisions"
    assert decisions(material.classifier, everybody(material)).tolist() == (np.arange(N) % 3 == 0).astype(int).tolist()


def test_where_the_target_is_written_0_and_1_decisions_are_its_values(empty_workspace):
    compas = load_dataset("compas")
    assert compas.schema.favourable == "0"
    perfect = compas.frame["two_year_recid"]
    found = bring_predictions(written(perfect), "compas", empty_workspace, name="d.csv")
    material = gather(found.data, found.model, empty_workspace)
    assert (decisions(material.classifier, everybody(material)) == labels_of(compas)).all()


def test_a_key_column_joins_rows_in_any_order(stored):
    order = np.random.default_rng(0).permutation(N)
    numbers = people().frame["number"]
    content = written(SCORES[order], number=numbers.iloc[order].tolist())
    _, material = brought(stored, content, key="number")
    assert np.abs(scores(material.classifier, everybody(material).features) - SCORES).max() < 1e-7


def test_the_new_data_set_is_the_old_one_with_a_column_that_no_network_reads(stored):
    found, material = brought(stored, written(SCORES))
    dataset = material.dataset
    assert dataset.title == "People with predictions of scores.csv"
    assert dataset.schema.column(COLUMN).role == "left_out"
    assert dataset.schema.target.name == "hired"
    old = people().frame
    assert dataset.frame[list(old.columns)].equals(old[list(old.columns)])
    record = material.classifier.record
    assert (record.made_by, record.data, record.data_sha256) == ("predictions", found.data, dataset.sha256)
    assert (record.protected, record.recipe["column"], record.recipe["kind"]) == (("sex",), "score", "scores")
    assert find_dataset(stored[0], stored[1]).schema.names == people().schema.names
    with pytest.raises(DataError, match="holds predictions already"):
        brought((found.data, stored[1]), written(SCORES))


def test_the_threshold_table_works_with_predictions(stored):
    _, material = brought(stored, written(SCORES))
    batch = everybody(material)
    scored = scores(material.classifier, batch.features)
    counts = threshold_table(scored, batch.labels, batch.codes("sex"), levels=batch.levels("sex")).counts(0.3)
    table = people().frame
    for group, code in (("f", 0), ("m", 1)):
        for label, word in enumerate(("no", "yes")):
            here = ((table["sex"] == group) & (table["hired"] == word)).to_numpy()
            assert counts[code, label].tolist() == [(SCORES[here] < 0.3).sum(), (SCORES[here] >= 0.3).sum()]


JOBS_ON_NETWORKS = ("paths", "neurons", "repair", "search", "certify", "hunt")


@pytest.mark.parametrize("kind", JOBS_ON_NETWORKS)
def test_work_on_a_network_refuses_predictions_in_one_sentence(stored, kind):
    found, _ = brought(stored, written(SCORES))
    job = JOBS[kind]
    params = job.check({"data": found.data, "model": found.model} | ({"method": "prof"} if kind == "repair" else {}))
    with pytest.raises(SettingError, match="These are predictions from a file, not a network"):
        job.run(params, JobContext(stored[1]))


def test_a_network_is_no_prediction_and_predictions_stay_predictions_in_a_file(stored, trained_german, tmp_path):
    own = find_classifier(trained_german.model, trained_german.workspace)
    assert without_network(own) is None
    _, material = brought(stored, written(SCORES))
    path = tmp_path / "p.safetensors"
    path.write_bytes(export_model(material.classifier, "safetensors"))
    assert without_network(find_classifier(str(path), stored[1])) is not None


@pytest.mark.parametrize(
    ("content", "settings", "error", "sentence"),
    [
        (written(SCORES[:-1]), {}, DataError, "has 39 rows and 'People' has 40"),
        (written(SCORES * 2), {}, DataError, "from 0.025 to 1.975: scores must lie between 0 and 1"),
        (written(["maybe"] * N), {}, DataError, "holds 'maybe', which is no score and no value of 'hired'"),
        (written([*SCORES[:-1], None], person=range(N)), {}, DataError, "1 predictions in .* are missing"),
        (written(SCORES, person=range(N), header="a"), {}, SettingError, "2 columns that may hold the predictions"),
        (written(SCORES, person=range(N)), {"column": "b"}, SettingError, "no column 'b' in 'scores.csv'"),
        (written(SCORES, person=range(N)), {"key": "nr"}, SettingError, "no column 'nr' in 'scores.csv'"),
        (written(SCORES, person=range(N)), {"key": "person"}, SettingError, "no column 'person' in 'People'"),
        (written(SCORES, number=["P1000"] * N), {"key": "number"}, DataError, "'P1000' twice in 'scores.csv'"),
        (written(SCORES, number=list(range(N))), {"key": "number"}, DataError, "no prediction for 40 of 40"),
        (written(SCORES), {"threshold": 1.5}, SettingError, "choose a number from 0 to 1"),
        (b"", {}, DataError, "empty"),
        (b"\x80\x04cposix\nsystem\n", {}, DataError, "looks like"),
    ],
)  # fmt: skip
def test_predictions_that_cannot_be_are_refused_in_one_sentence(stored, content, settings, error, sentence):
    with pytest.raises(error, match=sentence):
        brought(stored, content, **settings)
