"""The Model page: which network is judged, training, files in and out."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fairneuron_core.jobs import find_classifier
from fairneuron_core.models import from_safetensors, to_safetensors
from fairneuron_core.store import get_model, list_models, list_runs, open_store

ROOT = Path(__file__).resolve().parents[2]


def open_page(stem: str, **choice: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    # AppTest drops the address when it changes the page; the session then gives the choices back to it.
    at.switch_page(f"pages/{stem}.py")
    for name, value in choice.items():
        at.session_state[f"chosen.{name}"] = value
    at.run()
    assert not at.exception
    return at


def address(at: AppTest, name: str) -> str:
    value = at.query_params[name]
    return value if isinstance(value, str) else value[0]


def words(at: AppTest) -> str:
    shown = [*at.markdown, *at.title, *at.error, *at.warning, *at.metric]
    return " ".join(str(getattr(part, "value", "")) for part in shown).replace("\\", "")


def test_without_a_network_the_page_offers_to_train_one(empty_workspace):
    at = open_page("model", data="german")
    assert "There is no network for German Credit yet" in words(at)
    assert [b.label for b in at.button if b.label == "Start training"]


def test_starting_a_training_makes_a_run_with_the_settings_of_the_form(empty_workspace):
    at = open_page("model", data="german")
    at.number_input(key="model.train.epochs").set_value(3)
    next(b for b in at.button if b.label == "Start training").click().run()
    assert not at.exception
    (run,) = list_runs(open_store(empty_workspace))
    assert run.kind == "train"
    assert run.params["data"] == "german"
    assert run.params["epochs"] == 3
    assert address(at, "run") == run.id


def test_a_setting_that_cannot_be_is_one_sentence_and_starts_nothing(empty_workspace):
    at = open_page("model", data="german")
    at.text_input(key="model.train.hidden").set_value("32, many")
    next(b for b in at.button if b.label == "Start training").click().run()
    assert not at.exception
    assert ["must be a whole number" in e.value for e in at.error] == [True]
    assert list_runs(open_store(empty_workspace)) == []


def test_the_page_says_what_the_network_reads_and_how_it_was_made(filled_workspace):
    at = open_page("model", data="german", model=filled_workspace.model)
    assert "it reads sex and age_group." in words(at)
    assert "Split: 7:1:2 with seed 0" in words(at)
    assert "63-32-32-32-1" in [m.value for m in at.metric]


def test_a_repaired_network_names_its_parent(filled_workspace):
    at = open_page("model", data="german", model=filled_workspace.fairneuron)
    assert f"From: german network, seed 0 ({filled_workspace.model[:6]})" in words(at)


def test_a_deleted_network_in_the_address_is_said_and_replaced(filled_workspace):
    at = open_page("model", data="german", model="0123456789ab")
    assert "'0123456789ab' is not in this list any more" in words(at)
    assert address(at, "model") == filled_workspace.model


def test_renaming_shows_the_new_name_everywhere(filled_workspace):
    at = open_page("model", data="german", model=filled_workspace.model)
    at.text_input(key=f"model.name.{filled_workspace.model}").set_value("first [try]").run()
    at.button(key="model.rename").click().run()
    assert not at.exception
    assert get_model(open_store(filled_workspace.workspace), filled_workspace.model).name == "first [try]"
    assert "“first [try]” decides from" in words(at)


def test_deleting_a_network_falls_back_to_another_one(filled_workspace):
    at = open_page("model", data="german", model=filled_workspace.reweighing)
    at.button(key="model.delete").click().run()
    assert not at.exception
    left = {row.id for row in list_models(open_store(filled_workspace.workspace))}
    assert filled_workspace.reweighing not in left
    assert address(at, "model") == filled_workspace.model


def changed(filled, **column) -> bytes:
    """The file of the trained network with another name, or other levels, of its first column with categories."""
    classifier = find_classifier(filled.model, filled.workspace)
    columns = list(classifier.encoder.columns)
    place = next(i for i, c in enumerate(columns) if c.kind == "category")
    columns[place] = replace(columns[place], **column)
    return to_safetensors(replace(classifier, encoder=replace(classifier.encoder, columns=tuple(columns))))


def upload(filled, content: bytes, name: str = "other.safetensors") -> AppTest:
    at = open_page("model", data="german", model=filled.model)
    at.file_uploader(key="model.upload").set_value((name, content, "application/octet-stream")).run()
    assert not at.exception
    return at


def test_an_uploaded_network_is_stored_and_opened(filled_workspace):
    classifier = find_classifier(filled_workspace.model, filled_workspace.workspace)
    at = upload(filled_workspace, to_safetensors(replace(classifier, threshold=0.25)), "quarter.safetensors")
    at.button(key="model.add").click().run()
    assert not at.exception
    row = get_model(open_store(filled_workspace.workspace), address(at, "model"))
    assert (row.name, row.data) == ("quarter", "german")
    assert from_safetensors(filled_workspace.workspace.get(row.sha256)).threshold == 0.25


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"name": "shoe_size"}, "does not have ('shoe_size')"),
        ({"levels": ("x", "y", "z", "w")}, "The model knows none of the values"),
    ],
)
def test_a_model_for_other_columns_is_one_sentence(filled_workspace, column, said):
    classifier = find_classifier(filled_workspace.model, filled_workspace.workspace)
    width = next(c.width for c in classifier.encoder.columns if c.kind == "category")
    if "levels" in column:
        column = {"levels": tuple(f"unknown {i}" for i in range(width))}
    at = upload(filled_workspace, changed(filled_workspace, **column))
    (error,) = at.error
    assert said in error.value.replace("\\", "")
    assert "model.add" not in [b.key for b in at.button]


def test_a_pickle_is_refused_whatever_its_name(filled_workspace):
    at = upload(filled_workspace, b"\x80\x04N.", "net.safetensors")
    (error,) = at.error
    assert "is a bare Python pickle" in error.value
