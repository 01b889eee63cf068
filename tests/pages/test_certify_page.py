"""The Certify page: its numbers are those of the command line, its choices stand in the address, nothing is vacuous."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.jobs import JOBS, JobContext, gather
from fairneuron_core.models import linear_layers
from fairneuron_core.runs import execute, submit
from fairneuron_core.store import get_run, open_store

ROOT = Path(__file__).resolve().parents[2]


def open_certify(filled=None, *, model=None, run=None, **fields: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.switch_page("pages/certify.py")
    at.session_state["chosen.data"] = "german"
    at.session_state["chosen.protected"] = "sex"
    at.session_state["kept.certify.fields"] = fields
    if filled:
        at.session_state["chosen.model"] = model or filled.model
    if run:
        at.session_state["chosen.run"] = run
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    parts = [*at.title, *at.subheader, *at.markdown, *at.warning, *at.error, *at.info]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def certified(filled, **settings) -> dict:
    settings = {"data": "german", "model": filled.model, "protected": ["sex"], "threads": 1, **settings}
    return dict(JOBS["certify"].run(JOBS["certify"].check(settings), JobContext(filled.workspace)).results)


def work(filled, kind: str, **settings) -> dict:
    run = submit(filled.workspace, kind, {"data": "german", "threads": 1, **settings}, reuse=False)
    assert execute(filled.workspace, run.id)
    found = get_run(open_store(filled.workspace), run.id)
    assert found.state == "done", found.error
    return {"id": run.id, **found.results}


def button(at: AppTest, key: str):
    return next((b for b in at.button if b.key == key), None)


def picture(at: AppTest) -> dict:
    protos = [element.proto for element in at.get("bidi_component")]
    (found,) = [proto for proto in protos if proto.component_name.endswith("fairneuron_network")]
    return json.loads(found.json)


def test_without_a_network_the_page_says_what_to_do(empty_workspace):
    assert "There is no network for this data set yet" in words(open_certify())


def test_the_answer_and_the_counts_are_those_of_the_command_line(filled_workspace):
    at, found = open_certify(filled_workspace), certified(filled_workspace)
    assert f"Yes: {found['refuted']} of 200 test rows" in words(at)
    assert [metric.value for metric in at.metric][:3] == [str(found[k]) for k in ("proved", "refuted", "unknown")]
    assert "the gaps between groups stay" in words(at)


def test_it_opens_with_the_first_refuted_person_as_a_pair(filled_workspace):
    at, found = open_certify(filled_workspace), certified(filled_workspace)
    first = found["counterexamples"][0]
    assert f"Row {first['row']} (sex = {first['this']['sex']}) has score {first['scores'][0]:.3f}" in words(at)
    assert f"With sex = {first['other']['sex']} and everything else unchanged" in words(at)
    people = next(table.value for table in at.dataframe if "the same person" in table.value)
    assert people.iloc[0].tolist()[1:] == [first["this"]["sex"], first["other"]["sex"]]


def test_the_picture_lights_what_leaves_the_changed_inputs(filled_workspace):
    at = open_certify(filled_workspace)
    names = gather("german", filled_workspace.model, filled_workspace.workspace).classifier.encoder.feature_names
    lit = {edge[1] for edge in picture(at)["path"] if edge[0] == 0}
    assert lit
    assert all(names[unit].startswith("sex=") for unit in lit)


def test_the_address_names_the_person_who_is_shown(filled_workspace):
    last = certified(filled_workspace)["counterexamples"][-1]
    at = open_certify(filled_workspace, person=str(last["row"]))
    assert f"Row {last['row']} (sex" in words(at)
    assert at.query_params["person"] in (str(last["row"]), [str(last["row"])])


def test_a_tolerance_and_a_second_attribute_stand_in_the_question_and_in_the_address(filled_workspace):
    at = open_certify(filled_workspace, also="age_group", within="duration_months=1")
    found = certified(filled_workspace, protected=["sex", "age_group"], within=["duration_months=1"], budget=20)
    assert "if only sex or age_group (and duration_months by at most 1) changed?" in at.title[0].value.replace("\\", "")
    assert f"{found['refuted']} of 200 test rows" in words(at)
    given = {name: at.query_params[name] for name in ("also", "within")}
    assert [v if isinstance(v, str) else v[0] for v in given.values()] == ["age_group", "duration_months=1"]


def test_nonsense_in_the_address_is_left_out(filled_workspace):
    at = open_certify(
        filled_workspace, also="shoe_size", within="purpose=3,duration_months=x", part="moon", person="-1"
    )
    assert "200 test rows" in words(at)
    assert "by at most" not in words(at)


def test_an_attribute_that_is_not_read_is_no_achievement_and_a_network_that_reads_it_is_offered(filled_workspace):
    unread = work(filled_workspace, "train", include_protected=False, epochs=1, device="cpu")["model"]
    at = open_certify(filled_workspace, model=unread)
    assert "does not read sex, so no decision can depend on it" in words(at)
    assert "says nothing about this network" in words(at)
    assert not at.metric
    button(at, "certify.other").click().run()
    assert not at.exception
    assert "Yes: " in words(at)


def test_where_no_network_reads_it_a_training_is_started(empty_workspace):
    settings = {"data": "german", "include_protected": False, "epochs": 1, "device": "cpu", "threads": 1}
    model = JOBS["train"].run(settings, JobContext(empty_workspace)).results["model"]
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.switch_page("pages/certify.py")
    at.session_state["chosen.data"], at.session_state["chosen.model"] = "german", model
    at.run()
    button(at, "certify.train").click().run()
    assert not at.exception
    started = get_run(open_store(empty_workspace), at.session_state["chosen.run"])
    # German's published set-up reads sex, so the usual training is the one that is meant.
    assert (started.kind, started.params["include_protected"]) == ("train", None)


def test_the_whole_space_is_a_run_whose_brackets_are_shown(filled_workspace):
    at = open_certify(filled_workspace)
    button(at, "certify.space").click().run()
    assert not at.exception
    queued = get_run(open_store(filled_workspace.workspace), at.session_state["chosen.run"])
    assert (queued.kind, queued.state, queued.params["scope"]) == ("certify", "queued", "space")
    assert f"Run {queued.id}" in words(at)
    assert "Yes: " in words(at), "the rows are answered while the space is worked on"


def test_a_finished_run_is_found_again_without_its_address(filled_workspace):
    given = {"model": filled_workspace.model, "protected": ["sex"], "scope": "space", "budget": 2}
    found = work(filled_workspace, "certify", **given)
    at = open_certify(filled_workspace)
    assert found["space"]["sentence"][1:] in words(at)
    assert "its rate is not the rate in the population" in words(at)


def test_repair_opens_with_the_blind_method_and_forgets_it_then(filled_workspace):
    from fairneuron_core.repair import REPAIRS

    at = open_certify(filled_workspace)
    button(at, "certify.repair").click().run()
    assert not at.exception
    assert not at.warning
    assert at.title[0].value.startswith("What does a repair change")
    assert at.radio(key="repair.method.method").value == ("blind" if "blind" in REPAIRS else "conflict")
    at.switch_page("pages/repair.py").run()
    at.radio(key="repair.method.method").set_value("reweighing").run()
    assert at.radio(key="repair.method.method").value == "reweighing"


def test_a_network_made_blind_is_proved_for_everybody_because_its_weights_are_zero(filled_workspace):
    repaired = work(filled_workspace, "repair", model=filled_workspace.model, method="blind", device="cpu")["model"]
    at = open_certify(filled_workspace, model=repaired)
    material = gather("german", repaired, filled_workspace.workspace)
    first = linear_layers(material.classifier.network)[0].weight
    names = material.classifier.encoder.feature_names
    assert not first[:, [i for i, name in enumerate(names) if name.startswith("sex=")]].any()
    assert "All weights from sex are 0" in words(at)
    assert not button(at, "certify.repair")


@pytest.mark.parametrize("part", ["validation", "all"])
def test_other_rows_can_be_asked_about(filled_workspace, part):
    at = open_certify(filled_workspace, part=part)
    assert {"validation": "of 100 validation rows", "all": "of 1,000 rows"}[part] in words(at)


def test_a_run_opens_on_this_page_with_all_that_it_was_asked_about(filled_workspace):
    given = {"model": filled_workspace.model, "protected": ["sex", "age_group"], "within": ["duration_months=2"]}
    run = work(filled_workspace, "certify", **given, part="validation")["id"]
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.session_state["chosen.run"] = run
    at.switch_page("pages/runs.py").run()
    button(at, "runs.certify").click().run()
    assert not at.exception
    chosen = {name: at.session_state[f"chosen.{name}"] for name in ("data", "model", "protected", "run")}
    assert chosen == {"data": "german", "model": filled_workspace.model, "protected": "sex", "run": run}
    kept = at.session_state["kept.certify.fields"]
    assert (kept["also"], kept["within"], kept["part"]) == ("age_group", "duration_months=2", "validation")
    assert "Would anybody" in words(at)
