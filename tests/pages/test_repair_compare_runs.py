"""Repair, Compare and Runs through app.py, empty and full, with a real run carried out by the worker's own code."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.runs import execute, submit
from fairneuron_core.store import delete_model, get_run, open_store
from fairneuron_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def open_page(stem: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    # AppTest drops the address when it changes the page; the session then gives the choices back to it.
    app.switch_page(f"pages/{stem}.py")
    for name, value in address.items():
        app.session_state[f"chosen.{name}"] = value
    app.run()
    assert not app.exception
    return app


def address(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def words(app: AppTest) -> str:
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def work(workspace: Workspace, kind: str, **params: object) -> str:
    """Submit a run and carry it out here, as the worker does."""
    run = submit(workspace, kind, {"data": "german", "device": "cpu", "threads": 1, **params}, reuse=False)
    assert execute(workspace, run.id)
    found = get_run(open_store(workspace), run.id)
    assert found.state == "done", found.error
    return run.id


@pytest.mark.parametrize("stem", ["repair", "compare"])
def test_without_a_network_the_page_says_what_to_do(empty_workspace, stem):
    app = open_page(stem, data="german")
    assert "no network" in words(app).lower() or "train" in words(app).lower()
    assert app.button


def test_runs_is_empty_in_a_fresh_workspace(empty_workspace):
    app = open_page("runs")
    assert "Nothing was started yet" in words(app)
    assert "Everybody who can open this page sees the same list" in words(app)


def test_starting_a_repair_queues_a_run_with_the_form_s_settings(filled_workspace):
    app = open_page("repair", data="german", model=filled_workspace.model)
    app.radio(key="repair.method.method").set_value("fairneuron").run()
    app.number_input(key=next(w.key for w in app.number_input if w.key.endswith(".epochs"))).set_value(7)
    app.button(key=next(b.key for b in app.button if b.label == "Start the repair")).click().run()
    assert not app.exception
    run = get_run(open_store(filled_workspace.workspace), address(app, "run"))
    assert (run.kind, run.state) == ("repair", "queued")
    assert run.params["epochs"] == 7
    assert run.params["model"] == filled_workspace.model
    assert run.params["coverage"] is None
    assert "Waiting for the worker" in str(app.get("progress")) or run.active


def test_a_finished_repair_shows_the_numbers_of_its_results(filled_workspace):
    run_id = work(filled_workspace.workspace, "repair", model=filled_workspace.model, method="reweighing", epochs=2)
    app = open_page("repair", data="german", model=filled_workspace.model, run=run_id)
    results = get_run(open_store(filled_workspace.workspace), run_id).results
    verdict = results["paired"]["metrics"]["demographic_parity_difference"]["verdict"]
    assert verdict in words(app)
    assert "Demographic parity" in words(app)
    assert any(b.label == "Open in Compare" for b in app.button)


def test_a_finished_search_names_its_choice_and_lists_all_trials(filled_workspace):
    run_id = work(
        filled_workspace.workspace, "search", model=filled_workspace.model, epochs=1, thetas=[0.1, 0.01], gammas=[0.5]
    )
    app = open_page("repair", data="german", model=filled_workspace.model, run=run_id)
    results = get_run(open_store(filled_workspace.workspace), run_id).results
    assert results["reason"][:30] in words(app)
    table = next(frame.value for frame in app.dataframe if len(frame.value) == 2 and "standing" in frame.value)
    assert (table["standing"] == "chosen").sum() == 1
    assert f"First layer that counts: {results['first_layer']}, the suggested one" in words(app)
    assert "theta" in table


def test_a_finished_optuna_search_shows_what_every_setting_did(filled_workspace):
    run_id = work(
        filled_workspace.workspace, "search", model=filled_workspace.model, epochs=1, engine="optuna", trials=5, batch=3
    )
    app = open_page("repair", data="german", model=filled_workspace.model, run=run_id)
    assert "each trial has its own" in words(app)
    shown = [element.proto.id for element in app.get("plotly_chart")]
    for setting in ("theta", "gamma", "dropout", "learning_rate"):
        assert any(f"effect.{setting}" in key for key in shown)


def test_starting_a_search_by_optuna_queues_a_run_with_its_settings(filled_workspace):
    app = open_page("repair", data="german", model=filled_workspace.model)
    app.radio(key="repair.search.engine").set_value("optuna").run()
    app.number_input(key="repair.search.optuna.trials").set_value(24)
    next(b for b in app.button if b.label == "Start the search").click().run()
    assert not app.exception
    run = get_run(open_store(filled_workspace.workspace), address(app, "run"))
    assert (run.kind, run.params["engine"], run.params["trials"]) == ("search", "optuna", 24)
    assert run.title == "Search of theta and gamma by Optuna on german"


def test_compare_shows_verdicts_levelling_and_flips(filled_workspace):
    app = open_page("compare", data="german", model=filled_workspace.model, after=filled_workspace.fairneuron)
    shown = words(app)
    paired = filled_workspace.repair_results["paired"]
    changed = sum(row["to_favourable"] + row["to_unfavourable"] for row in paired["flips"])
    assert f"{changed:,} of 200 people get another decision." in shown
    assert "Selection rate:" in shown
    assert paired["metrics"]["accuracy"]["verdict"] in shown


def test_compare_of_a_network_with_a_model_that_is_gone_falls_back(filled_workspace):
    app = open_page("compare", data="german", model=filled_workspace.model, after="0123456789ab")
    assert "does not exist any more" in words(app)


def test_an_address_cannot_read_files_of_the_server(filled_workspace, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    app = open_page("compare", data=str(secret))
    assert app.warning or app.error
    assert not any("secret" in str(frame.value) for frame in app.dataframe)


def test_runs_lists_a_run_and_its_manifest(filled_workspace):
    run_id = work(filled_workspace.workspace, "repair", model=filled_workspace.model, method="reweighing", epochs=1)
    app = open_page("runs", run=run_id)
    assert "1 run: 0 under way, 1 done, 0 ended early." in words(app)
    shown = json.loads(app.json[0].value)
    assert shown["spec"]["params"]["method"] == "reweighing"
    assert shown["command"].startswith("fairneuron repair reweighing")


def test_a_run_is_renamed_and_deleted_from_the_page(filled_workspace):
    run_id = work(filled_workspace.workspace, "repair", model=filled_workspace.model, method="reweighing", epochs=1)
    app = open_page("runs", run=run_id)
    app.text_input(key=f"runs.name.{run_id}").set_value("For *the* board").run()
    app.button(key="runs.rename").click().run()
    assert get_run(open_store(filled_workspace.workspace), run_id).title == "For *the* board"
    assert r"\*the\*" in "\n".join(str(s.value) for s in app.subheader)
    app.button(key="runs.delete").click().run()
    assert not app.exception
    assert "Nothing was started yet" in words(app)


def test_a_failed_run_is_shown_with_its_sentence_and_can_be_started_again(filled_workspace):
    workspace = filled_workspace.workspace
    run = submit(workspace, "repair", {"data": "german", "model": "ffffffffffff", "method": "reweighing"})
    execute(workspace, run.id)
    app = open_page("runs", run=run.id)
    assert "no model" in words(app)
    next(b for b in app.button if b.label == "Start it again").click().run()
    again = get_run(open_store(workspace), address(app, "run"))
    assert again.retry_of == run.id


@pytest.mark.parametrize("stem", ["repair", "runs"])
def test_a_run_whose_network_was_deleted_keeps_its_page(filled_workspace, stem):
    workspace = filled_workspace.workspace
    run_id = work(workspace, "repair", model=filled_workspace.model, method="reweighing", epochs=1)
    delete_model(open_store(workspace), get_run(open_store(workspace), run_id).results["model"])
    app = open_page(stem, data="german", model=filled_workspace.model, run=run_id)
    assert "no model" in words(app)
    assert any(b.label in ("Start the repair", "Run again") for b in app.button)
