"""The search on the Certify page through app.py: started from its form, shown when done, its pairs as a file."""

import json

from fairneuron_core.runs import execute, submit
from fairneuron_core.store import get_run, open_store
from fairneuron_core.verify.pairs import pairs_from_bytes
from tests.pages.test_repair_compare_runs import address, open_page, words


def test_a_search_is_started_with_what_the_page_asks(filled_workspace):
    app = open_page("certify", data="german", model=filled_workspace.model)
    assert "Search for such people" in words(app)
    app.number_input(key="certify.hunt.seed").set_value(3).run()
    app.button(key="certify.hunt").click().run()
    assert not app.exception
    run = get_run(open_store(filled_workspace.workspace), address(app, "run"))
    assert (run.kind, run.state) == ("hunt", "queued")
    assert (run.params["protected"], run.params["budget"], run.params["seed"]) == (["sex"], 20.0, 3)


def test_a_finished_search_shows_its_rate_its_pairs_and_their_file(filled_workspace):
    workspace = filled_workspace.workspace
    settings = {"data": "german", "model": filled_workspace.model, "protected": ["sex"]}
    run = submit(workspace, "hunt", {**settings, "tries": 300, "strategies": ["uniform", "gradient"]})
    assert execute(workspace, run.id)
    found = get_run(open_store(workspace), run.id).results
    app = open_page("certify", data="german", model=filled_workspace.model)
    shown = words(app)
    assert found["sentence"] in shown
    assert "fairneuron audit --pairs" in shown
    table = next(frame.value for frame in app.dataframe if "found by" in frame.value)
    assert len(table) == len(found["pairs"])
    assert any(b.label == "Search again" for b in app.button)


def test_the_pairs_of_a_run_make_a_file_that_can_be_read(filled_workspace):
    from fairneuron_core.data import load_dataset
    from fairneuron_core.jobs.hunt import pairs_file_text

    workspace = filled_workspace.workspace
    settings = {"data": "german", "model": filled_workspace.model, "tries": 300, "strategies": ["uniform"]}
    run = submit(workspace, "hunt", settings)
    assert execute(workspace, run.id)
    found = json.loads(json.dumps(get_run(open_store(workspace), run.id).results))
    kept = pairs_from_bytes(pairs_file_text(found, load_dataset("german")).encode())
    assert len(kept.pairs) == len(found["pairs"])


def test_where_nothing_is_read_no_search_is_offered(filled_workspace):
    from fairneuron_core.jobs import JOBS, JobContext

    settings = {"data": "german", "epochs": 2, "include_protected": False, "device": "cpu", "threads": 1}
    job = JOBS["train"]
    blind = job.run(job.check(settings), JobContext(filled_workspace.workspace)).results["model"]
    app = open_page("certify", data="german", model=str(blind))
    assert "Search for such people" not in words(app)
