"""The Experiment page through app.py: without a result, with a shipped one, with a run's, with a damaged one."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.experiments import stored
from fairneuron_core.store import claim_run, create_run, finish_run, list_runs, open_store
from fairneuron_core.workspace import Workspace
from tests.report.experiment_sample import damaged_experiment, sample_experiment

ROOT = Path(__file__).resolve().parents[2]


def open_page(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    # AppTest drops the address when it changes the page; the session then gives the choices back to it.
    app.switch_page("pages/experiment.py")
    for name, value in address.items():
        app.session_state[f"chosen.{name}"] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    parts = [*app.title, *app.subheader, *app.markdown, *app.warning, *app.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    """A folder of shipped results that this test fills."""
    folder = tmp_path / "stored"
    folder.mkdir()
    monkeypatch.setattr(stored, "FOLDER", folder)
    return folder


def finished(workspace: Workspace, results: dict) -> str:
    """Put a finished run with these results into the workspace."""
    store = open_store(workspace)
    params = {"data": results["spec"]["data"], "methods": "all", "seeds": "3"}
    run = create_run(store, kind="experiment", params=params, title="Experiment")
    assert claim_run(store, run.id)
    assert finish_run(store, run.id, results=results, artefacts={})
    return run.id


def test_without_a_result_the_page_says_so_and_offers_the_form(empty_workspace, shipped):
    app = open_page()
    assert app.title[0].value == r"Which method repairs best, and how sure is that?"
    assert "There is no result of an experiment yet" in words(app)
    assert any(b.label == "Start the experiment" for b in app.button)
    assert "Always measured, not removable" in words(app)


def test_a_shipped_result_is_opened_with_its_answer(empty_workspace, shipped):
    stored.write_stored(sample_experiment(), shipped)
    app = open_page(data="census")
    shown = words(app)
    assert "Conflict repair lowers the demographic parity difference by 13.6 [12.4, 14.8] points" in shown
    assert "3 seeds" in shown
    assert "Test rows: n = 9,000 per seed" in shown
    assert app.selectbox(key="experiment.result").value == "stored:census"
    assert app.code[0].value.startswith("fairneuron experiment")
    assert "--data census" in app.code[0].value


def test_every_method_stands_in_the_table_with_words(empty_workspace, shipped):
    stored.write_stored(sample_experiment(), shipped)
    table = next(frame.value for frame in open_page(data="census").dataframe if "Remarks" in frame.value)
    assert {"No repair", "Plain retraining", "Matched threshold", "Conflict repair"} <= set(table["Method"])
    assert set(table["List"]) == {"One rule for all groups", "A rule per group of sex", "Controls"}
    assert table.set_index("Method").loc["Conflict repair", "Demographic parity difference"].endswith("▲ improved")


def test_the_budget_chooses_anew_and_stands_in_the_address(empty_workspace, shipped):
    stored.write_stored(sample_experiment(), shipped)
    app = open_page(data="census")
    app.slider(key="experiment.budget").set_value(0.0).run()
    assert not app.exception
    assert "cannot be said to lower" in words(app)
    assert open_page(data="census", budget="0.0").slider(key="experiment.budget").value == 0.0
    assert open_page(data="census", budget="plenty").slider(key="experiment.budget").value == 1.0


def test_another_gap_asks_another_question(empty_workspace, shipped):
    stored.write_stored(sample_experiment(), shipped)
    app = open_page(data="census", gap="equal_opportunity_difference")
    assert "the equal opportunity difference" in words(app)


def test_a_data_set_without_a_result_is_not_answered_with_another_one(empty_workspace, shipped):
    stored.write_stored(sample_experiment(), shipped)
    app = open_page(data="german")
    assert "There is no experiment on 'German Credit" in words(app)
    app.selectbox(key="experiment.result").select("stored:census").run()
    assert "Conflict repair lowers" in words(app)


def test_a_finished_run_is_shown_and_chosen_by_the_address(empty_workspace, shipped):
    run = finished(empty_workspace, sample_experiment(data="german", failing="reweighing"))
    app = open_page(data="german", run=run)
    assert app.selectbox(key="experiment.result").value == run
    assert "Reweighing: Degenerate or failed on 1 of 3 seeds, not ranked" in words(app)
    assert "Not measured: exponentiated gradient" in words(app)


def test_a_damaged_result_is_one_sentence_and_the_form_stays(empty_workspace, shipped):
    run = finished(empty_workspace, damaged_experiment())
    app = open_page(run=run)
    assert "damaged or not complete: run the experiment again" in words(app)
    assert any(b.label == "Start the experiment" for b in app.button)


def test_the_paper_stands_beside_what_was_measured(empty_workspace, shipped):
    stored.write_stored(sample_experiment(), shipped)
    app = open_page(data="census")
    table = next(frame.value for frame in app.dataframe if "Paper says" in frame.value)
    assert set(table["Table"]) == {4, 5}
    assert (table["Measured here"] != "not measured").all()
    app.toggle(key="experiment.paper.all").set_value(True).run()
    every = next(frame.value for frame in app.dataframe if "Paper says" in frame.value)
    assert len(every) > len(table)


def test_starting_an_experiment_queues_a_run_with_the_form_s_settings(empty_workspace, shipped):
    app = open_page(data="german")
    app.multiselect(key="experiment.form.methods").set_value(["reweighing"])
    app.text_input(key="experiment.form.seeds").set_value("2")
    next(b for b in app.button if b.label == "Start the experiment").click().run()
    assert not app.exception
    run = list_runs(open_store(empty_workspace), kind="experiment")[0]
    assert (run.state, run.params["data"], run.params["seeds"]) == ("queued", "german", "2")
    assert run.params["methods"] == "reweighing"
    assert any(b.label == "Cancel" for b in app.button)


def test_wrong_seeds_are_one_sentence(empty_workspace, shipped):
    app = open_page(data="german")
    app.text_input(key="experiment.form.seeds").set_value("many")
    next(b for b in app.button if b.label == "Start the experiment").click().run()
    assert not app.exception
    assert "The seeds are 'many'" in words(app)


def test_the_chosen_point_is_made_as_a_repair_of_a_network(filled_workspace, shipped):
    run = finished(filled_workspace.workspace, sample_experiment(data="german"))
    app = open_page(data="german", run=run)
    app.selectbox(key="experiment.method").select("reweighing").run()
    app.button(key="experiment.make").click().run()
    assert not app.exception
    made = list_runs(open_store(filled_workspace.workspace), kind="repair")[0]
    assert (made.params["method"], made.params["model"], made.params["epochs"]) == (
        "reweighing",
        filled_workspace.model,
        10,
    )
