"""Jobs: the same settings give the same numbers, and a model remembers where it comes from."""

import json

import numpy as np
import pytest

from fairneuron_core.errors import Cancelled, DataError, FairNeuronError, NotFoundError, SettingError
from fairneuron_core.jobs import JOBS, JobContext, Material, compare_part, gather, stored_reference
from fairneuron_core.models import Checkpoint, scores


def run(kind, workspace, **params):
    job = JOBS[kind]
    return dict(job.run(job.check(params), JobContext(workspace)).results)


def without_time(results):
    return json.dumps({k: v for k, v in results.items() if k != "seconds"}, sort_keys=True, allow_nan=False)


def test_training_twice_gives_identical_metrics_json_and_one_model(filled_workspace):
    again = run("train", filled_workspace.workspace, data="german", seed=0, epochs=25, device="cpu", threads=1)
    assert without_time(again) == without_time(filled_workspace.train_results)


def test_repairing_twice_gives_identical_metrics_json(filled_workspace):
    again = run(
        "repair",
        filled_workspace.workspace,
        data="german",
        model=filled_workspace.model,
        method="fairneuron",
        epochs=3,
        device="cpu",
        threads=1,
    )
    assert without_time(again) == without_time(filled_workspace.repair_results)


@pytest.mark.parametrize("kind", ["train", "repair", "search"])
def test_a_killed_run_goes_on_where_it_stood_with_the_same_figures(kind, filled_workspace, monkeypatch):
    workspace, own = filled_workspace.workspace, {"train": {"seed": 5}}
    own |= {"repair": {"model": filled_workspace.model, "method": "plain_retraining"}}
    own |= {"search": {"model": filled_workspace.model, "thetas": [1e-3], "gammas": [0.5], "first_layer": 4}}
    job = JOBS[kind]
    params = job.check({"data": "german", "threads": 1, "device": "cpu", "epochs": 6} | own[kind])
    monkeypatch.setattr(Checkpoint, "due", lambda _: True)
    expected = without_time(job.run(params, JobContext(workspace)).results)

    def killed(report):
        if report.point and report.point["epoch"] == 4:
            raise Cancelled

    epochs = []
    with pytest.raises(Cancelled):
        job.run(params, JobContext(workspace, killed))
    told = JobContext(workspace, lambda report: epochs.append(report.point["epoch"]) if report.point else None)
    assert without_time(job.run(params, told).results) == expected
    assert epochs == [5, 6]
    assert not list((workspace.home / "checkpoints").iterdir())


def test_the_audit_counts_what_a_plain_loop_counts(filled_workspace):
    found = run("audit", filled_workspace.workspace, data="german", model=filled_workspace.model)
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    batch = material.batch("test")
    selected = {}
    for score, code in zip(scores(material.classifier, batch.features), batch.codes("sex"), strict=True):
        selected.setdefault(batch.levels("sex")[code], []).append(score >= 0.5)
    rates = {group: np.mean(decisions) for group, decisions in selected.items()}
    for group in found["groups"]:
        assert group["rates"]["selection_rate"]["value"] == pytest.approx(rates[group["group"]])
        assert group["n"] == len(selected[group["group"]])
    gap = found["metrics"]["demographic_parity_difference"]
    assert gap["value"] == pytest.approx(max(rates.values()) - min(rates.values()))
    assert gap["low"] <= gap["value"] <= gap["high"]
    assert gap["n"] == len(batch.labels) == 200


def test_the_audit_has_the_promised_keys(filled_workspace):
    found = run("audit", filled_workspace.workspace, data="german", model=filled_workspace.model)
    for name in (
        "accuracy",
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equal_opportunity_difference",
        "equalized_odds_difference",
    ):
        assert {"value", "low", "high", "n"} <= set(found["metrics"][name])


def test_the_paths_job_counts_every_training_row_once(filled_workspace):
    found = run(
        "paths", filled_workspace.workspace, data="german", model=filled_workspace.model, coverage=0.3, rarity=0.1
    )
    assert found["samples"] == 700 == sum(group["n"] for group in found["by_group"])
    assert found["conflict_samples"] == sum(group["conflict"] for group in found["by_group"])
    assert found["threshold_count"] == int(0.1 * found["most_frequent"])
    assert {"unique_paths", "rare_paths", "seconds"} <= set(found)


def test_a_repaired_model_remembers_parent_data_and_method(filled_workspace):
    classifier = gather("german", filled_workspace.reweighing, filled_workspace.workspace).classifier
    assert classifier.record.parent == filled_workspace.model
    assert classifier.record.data == "german"
    assert classifier.record.recipe["method"] == "reweighing"


def test_a_model_compared_with_itself_changes_exactly_nothing(filled_workspace):
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    paired = compare_part(material, material, "test")
    for change in paired.changes.values():
        assert (change.difference.value, change.difference.low, change.difference.high) == (0, 0, 0)


def test_models_of_two_splits_are_compared_on_rows_neither_was_trained_on(filled_workspace):
    other = run("train", filled_workspace.workspace, data="german", seed=1, epochs=2, device="cpu")
    first, second = (gather("german", m, filled_workspace.workspace) for m in (filled_workspace.model, other["model"]))
    paired = compare_part(first, second, "test")
    assert paired.counts.sum() == len(np.intersect1d(first.split.test, second.split.test)) < 200


def test_models_of_two_data_sets_cannot_be_compared(filled_workspace):
    material = gather("german", filled_workspace.model, filled_workspace.workspace)
    other = Material(
        gather("german", filled_workspace.model, filled_workspace.workspace).dataset, material.classifier, "sex"
    )
    import dataclasses

    foreign = dataclasses.replace(other, dataset=dataclasses.replace(other.dataset, sha256="0" * 64))
    with pytest.raises(DataError, match="different data"):
        compare_part(material, foreign, "test")


def test_leaving_the_protected_attribute_out_changes_what_the_network_reads(empty_workspace):
    reads = {
        include: run("train", empty_workspace, data="german", epochs=1, include_protected=include)["reads"]
        for include in (True, False)
    }
    assert "sex" in reads[True]
    assert set(reads[True]) - set(reads[False]) == {"sex"}


def test_an_own_table_is_stored_once_and_found_by_its_id(empty_workspace, tmp_path):
    rows = ["age,sex,hired", *(f"{20 + i % 40},{'FM'[i % 2]},{'yes' if i % 3 else 'no'}" for i in range(200))]
    path = tmp_path / "own.csv"
    path.write_text("\n".join(rows))
    ref = stored_reference(str(path), empty_workspace)
    assert stored_reference(str(path), empty_workspace) == ref
    found = run("train", empty_workspace, data=ref, epochs=1)
    assert found["protected"] == "sex"
    assert sum(group["n"] for group in found["test"]["groups"]) == 40


def test_a_network_trained_on_a_file_remembers_the_stored_table(empty_workspace, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "\n".join(["sex,x,hired", *(f"{'FM'[i % 2]},{i % 7},{'yes' if i % 3 else 'no'}" for i in range(90))])
    )
    found = run("train", empty_workspace, data=str(path), epochs=1)
    path.unlink()
    audited = run("audit", empty_workspace, data=found["data"], model=found["model"])
    assert audited["metrics"] == found["test"]["metrics"]


def test_an_alias_gives_the_same_spec_as_the_name():
    assert JOBS["train"].check({"data": "adult"}) == JOBS["train"].check({"data": "census"})


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        ("train", {"data": "nowhere"}, "no data set 'nowhere'"),
        ("train", {"data": "german", "protected": "shoe size"}, "not a protected attribute"),
        ("audit", {"data": "german", "model": "ffffffffffff"}, "no model"),
        ("repair", {"data": "german", "model": "ffffffffffff", "method": "magic"}, "magic"),
        ("repair", {"data": "german", "model": "x", "method": "reweighing", "coverage": 1}, "Unknown setting"),
    ],
)
def test_bad_settings_end_in_one_sentence(empty_workspace, kind, params, words):
    with pytest.raises(FairNeuronError, match=words) as raised:
        run(kind, empty_workspace, **params)
    assert isinstance(raised.value, NotFoundError | SettingError)
    assert "\n" not in str(raised.value)


def test_the_tour_does_the_whole_job_and_labels_its_stages(empty_workspace):
    reports = []
    job = JOBS["tour"]
    results = job.run(job.check({"data": "german", "threads": 1}), JobContext(empty_workspace, reports.append)).results
    assert set(results["repairs"]) == {"fairneuron", "reweighing"}
    stages = list(dict.fromkeys(p.message.split(":")[0] for p in reports))
    assert stages == ["Training", "Paths", "Repair by fairneuron", "Repair by reweighing"]
    shares = [p.share for p in reports]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
