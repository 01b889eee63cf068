"""The Threshold page: its numbers are those of the paths job; theta moves them without slicing again."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from fairneuron_core.jobs import JOBS, JobContext
from fairneuron_core.report.words import count

ROOT = Path(__file__).resolve().parents[2]


def open_threshold(filled=None, **fields: object) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page("pages/threshold.py")
    at.session_state["chosen.data"] = "german"
    at.session_state["chosen.protected"] = "sex"
    at.session_state["kept.threshold.fields"] = fields
    if filled:
        at.session_state["chosen.model"] = filled.model
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    return " ".join(str(part.value) for part in [*at.markdown, *at.warning, *at.error]).replace("\\", "")


def job_results(filled, **params) -> dict:
    job = JOBS["paths"]
    given = {"data": "german", "model": filled.model, "threads": 1, **params}
    return dict(job.run(job.check(given), JobContext(filled.workspace)).results)


def cards(at: AppTest) -> list[str]:
    return [metric.value for metric in at.metric]


def test_without_a_network_the_page_says_what_to_do(empty_workspace):
    at = open_threshold()
    assert "There is no network for this data set yet" in words(at)


def test_it_opens_with_the_suggested_setting_and_the_numbers_of_the_job(filled_workspace):
    at, found = open_threshold(filled_workspace), job_results(filled_workspace)
    assert "This is the suggested setting." in words(at)
    assert found["setting"] in words(at)
    wanted = [f"≤ {found['threshold_count']}", count(found["rare_paths"]), count(found["conflict_samples"])]
    assert cards(at)[:3] == wanted
    assert f"{found['conflict_samples']} of 700 training samples" in words(at)


def test_moving_theta_moves_the_counts_and_slices_nothing_again(filled_workspace, monkeypatch):
    at = open_threshold(filled_workspace)
    before, found = cards(at), job_results(filled_workspace, rarity=0.3)

    def fail(*_args, **_kwargs):
        raise AssertionError("sliced again")

    monkeypatch.setattr("fairneuron_core.paths.slice_paths", fail)
    at.select_slider(key="threshold.theta").set_value(0.3).run()
    assert not at.exception
    assert cards(at) != before
    assert cards(at)[:3] == [
        f"≤ {found['threshold_count']}",
        count(found["rare_paths"]),
        count(found["conflict_samples"]),
    ]
    assert at.query_params["theta"] == "0.3"
    next(b for b in at.button if b.key == "threshold.suggested").click().run()
    assert cards(at) == before


def test_it_says_when_paths_are_not_shared(filled_workspace):
    at = open_threshold(filled_workspace, coverage=0.9, first_layer=1)
    assert "samples have a path of their own: theta cannot separate anything" in words(at)
    assert "lower the coverage or look at the upper layers only" in words(at)


def test_it_says_when_there_are_no_conflict_samples(filled_workspace):
    at = open_threshold(filled_workspace, coverage=0.0, first_layer=4, theta=1e-4)
    assert "No conflict samples" in words(at)
    assert "this equals plain retraining" in words(at)
    assert not [b for b in at.button if b.key == "threshold.look"]


def test_the_setting_is_handed_to_the_repair_page(filled_workspace):
    at = open_threshold(filled_workspace, coverage=0.3, first_layer=3, theta=0.1)
    next(b for b in at.button if b.key == "threshold.repair").click().run()
    assert not at.exception
    assert at.session_state["kept.repair.setting"] == {
        "coverage": 0.3,
        "first_layer": 3,
        "reading": "delta",
        "granularity": "synapses",
        "rarity": 0.1,
    }
    assert at.title[0].value.startswith("What does a repair change")


def test_a_conflict_sample_is_opened_on_the_paths_page(filled_workspace):
    at = open_threshold(filled_workspace)
    next(b for b in at.button if b.key == "threshold.look").click().run()
    assert not at.exception
    assert at.title[0].value.startswith("Which neurons decide")
    assert at.select_slider(key="paths.coverage").value > 0
