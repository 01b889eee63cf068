"""The Model page with files of other tools: brought, mapped, tried, added, refused; predictions only; files out."""

import os
import pickle
import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier
from streamlit.testing.v1 import AppTest

from fairneuron_core.data import encode, labels_of, load_dataset
from fairneuron_core.data.mapping import InputMapping, MappedColumn, levels_in
from fairneuron_core.data.mapping_json import mapping_to_json
from fairneuron_core.formats.door import open_network
from fairneuron_core.jobs import find_classifier, store_classifier
from fairneuron_core.jobs.foreign_network import bring_network
from fairneuron_core.jobs.mapping_suggestion import suggest_mapping
from fairneuron_core.jobs.saved_mappings import save_mapping, saved_mapping
from fairneuron_core.models import scores
from fairneuron_core.models.files import MODEL_FORMATS, export_model
from fairneuron_core.store import get_model, list_datasets, list_models, open_store
from fairneuron_core.workspace import digest
from pages.ui import mapping_table as table

ROOT = Path(__file__).resolve().parents[2]
GERMAN = load_dataset("german")
LOOKING_INSIDE = ("paths", "threshold", "repair", "certify")


class Trained:
    """A scikit-learn network on German Credit as pandas.get_dummies writes it: numbers first, in [0, 1]."""

    def __init__(self):
        frame = GERMAN.frame.drop(columns=["credit", "age_group"])
        dummies = pd.get_dummies(frame, dtype=float)
        numbers = [c for c in dummies if c in frame]
        low, high = dummies[numbers].min(), dummies[numbers].max()
        dummies[numbers] = (dummies[numbers] - low) / (high - low)
        self.inputs = dummies.to_numpy(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 40 epochs are enough here
            self.model = MLPClassifier((8,), max_iter=40, random_state=0).fit(self.inputs, labels_of(GERMAN))
        self.favourable = self.model.predict_proba(self.inputs)[:, 1]

    def onnx(self) -> bytes:
        return to_onnx(self.model, self.inputs[:1], options={"zipmap": False}).SerializeToString()

    def state_dict(self) -> bytes:
        tensors = {}
        for place, (weight, bias) in enumerate(zip(self.model.coefs_, self.model.intercepts_, strict=True)):
            tensors[f"{2 * place}.weight"] = torch.tensor(weight.T, dtype=torch.float32)
            tensors[f"{2 * place}.bias"] = torch.tensor(bias, dtype=torch.float32)
        out = BytesIO()
        torch.save(tensors, out)
        return out.getvalue()


@pytest.fixture(scope="module")
def trained() -> Trained:
    return Trained()


@pytest.fixture(scope="module")
def guessed(trained) -> InputMapping:
    mapping, _ = suggest_mapping(open_network(trained.onnx(), name="credit.onnx"), GERMAN)
    assert mapping is not None
    return mapping


def open_page(stem: str, **choice: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page(f"pages/{stem}.py")
    for name, value in choice.items():
        at.session_state[f"chosen.{name}"] = value
    at.run()
    assert not at.exception
    return at


def bring(at: AppTest, content: bytes, name: str, *, key: str = "model.upload") -> AppTest:
    uploader = next(one for one in at.file_uploader if one.key.startswith(key))
    uploader.set_value((name, content, "application/octet-stream")).run()
    assert not at.exception
    return at


def click(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    shown = [*at.markdown, *at.title, *at.error, *at.warning, *at.info, *at.metric]
    return " ".join(str(getattr(part, "value", "")) for part in shown).replace("\\", "")


def address(at: AppTest, name: str) -> str:
    value = at.query_params[name]
    return value if isinstance(value, str) else value[0]


def keyed(parts, start: str):
    return next(part for part in parts if (part.key or "").startswith(start))


def test_what_is_read_and_promised_is_said_before_an_upload(empty_workspace):
    said = words(open_page("model", data="german"))
    for part in ("safetensors", "state_dict", "ONNX", "Keras", "scikit-learn", "Up to 200 MB", "runs no code"):
        assert part in said, part


def test_an_onnx_file_of_scikit_learn_is_added_with_the_library_s_own_scores(trained, empty_workspace):
    content = trained.onnx()
    at = bring(open_page("model", data="german"), content, "credit.onnx")
    said = words(at)
    assert "63-8-1" in said
    assert "63 inputs, as the network expects" in said
    assert not at.error
    click(at, "model.add")
    row = get_model(open_store(empty_workspace), address(at, "model"))
    assert (row.name, row.data, row.made_by) == ("credit", "german", "uploaded onnx file")
    classifier = find_classifier(row.id, empty_workspace)
    found = scores(classifier, encode(GERMAN, np.arange(1000), classifier.encoder).features)
    assert np.abs(found - trained.favourable).max() < 1e-5
    assert "credit was added and is chosen" in words(at).replace("*", "")
    assert [b.label for b in at.button if b.key == "model.audit"] == ["Audit it"]


def test_weights_alone_ask_for_the_activation_and_every_answer_is_tried(trained, empty_workspace):
    at = bring(open_page("model", data="german"), trained.state_dict(), "weights.pt")
    answer = keyed(at.button_group, "model.answer.")
    assert answer.value == "relu"
    with_relu = next(m.value for m in at.metric if m.label == "Accuracy")
    answer.set_value("sigmoid").run()
    assert not at.exception
    assert "1 hidden layer, sigmoid" in words(at)
    assert next(m.value for m in at.metric if m.label == "Accuracy") != with_relu


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("name", ["net.pt", "net.onnx", "net.safetensors"])
def test_a_file_that_wants_to_run_code_is_one_sentence_and_nothing_of_it_stays(empty_workspace, tmp_path, name):
    marker = tmp_path / "marker"
    at = bring(open_page("model", data="german"), pickle.dumps(Hostile(marker)), name)
    (error,) = at.error
    assert "ONNX" in error.value
    assert not marker.exists()
    assert "model.add" not in [b.key for b in at.button]
    assert "kept.model.brought" not in at.session_state
    assert list_models(open_store(empty_workspace)) == []


def test_a_file_survives_a_look_at_another_page(trained, empty_workspace):
    at = bring(open_page("model", data="german"), trained.onnx(), "credit.onnx")
    at.switch_page("pages/data.py").run()
    at.switch_page("pages/model.py").run()
    assert not at.exception
    assert "credit.onnx" in words(at)
    assert "model.add" in [b.key for b in at.button]
    click(at, "model.put_away")
    assert "model.add" not in [b.key for b in at.button]


def test_the_same_file_is_offered_with_the_mapping_it_had_and_another_one_can_be_given(
    trained, guessed, empty_workspace
):
    content = trained.onnx()
    save_mapping(empty_workspace, digest(content), replace(guessed, threshold=0.4))
    at = bring(open_page("model", data="german"), content, "renamed.bin")
    assert "stated when this file was brought before" in words(at)
    assert keyed(at.number_input, "model.threshold.").value == 0.4
    swapped = replace(guessed, favourable_class=0)
    bring(at, mapping_to_json(swapped).encode(), "mapping.json", key="model.mapping_file.")
    assert "under the columns as they are stated above" in words(at)
    assert any("classes are probably swapped" in w.value for w in at.warning)
    bring(at, b"{}", "mapping.json", key="model.mapping_file.")
    assert any("does not call itself" in e.value for e in at.error)
    bring(at, mapping_to_json(swapped).encode(), "mapping.json", key="model.mapping_file.")
    click(at, "model.add")
    assert saved_mapping(empty_workspace, digest(content)) == swapped


def test_widths_that_do_not_add_up_are_counted(trained, empty_workspace):
    small = MLPClassifier((4,), max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small.fit(trained.inputs[:, :50], labels_of(GERMAN))
    content = to_onnx(small, trained.inputs[:1, :50], options={"zipmap": False}).SerializeToString()
    at = bring(open_page("model", data="german"), content, "narrow.onnx")
    assert "63 of 50 inputs: 13 too many" in words(at)
    assert any("makes 50 inputs" in w.value for w in at.warning)
    assert "model.add" not in [b.key for b in at.button]


def test_every_format_out_is_offered_and_an_onnx_file_of_ours_needs_no_mapping(trained, guessed, empty_workspace):
    file = open_network(trained.onnx(), name="credit.onnx")
    classifier = bring_network(file, guessed, GERMAN, name="credit.onnx", content_sha256="0" * 64)
    model = store_classifier(classifier, empty_workspace, name="credit")
    at = open_page("model", data="german", model=model)
    offered = [b.proto.label for b in at.get("download_button")]
    assert {f"Download as {form.title}" for form in MODEL_FORMATS.values()} <= set(offered)
    bring(at, export_model(classifier, "onnx"), "x.bin")
    assert "The file is one of ours" in words(at)
    assert "How columns become inputs" not in [e.label for e in at.expander]
    click(at, "model.add")
    again = find_classifier(address(at, "model"), empty_workspace)
    assert (again.threshold, again.encoder) == (classifier.threshold, classifier.encoder)


def test_scores_without_a_network_are_audited_and_pages_that_look_inside_say_why_not(trained, empty_workspace):
    content = pd.DataFrame({"score": trained.favourable}).to_csv(index=False).encode()
    at = bring(open_page("model", data="german"), content, "scores.csv", key="model.predictions")
    assert "1,000 rows; the data set has 1,000 rows" in words(at)
    click(at, "model.predict")
    data, model = address(at, "data"), address(at, "model")
    (record,) = list_datasets(open_store(empty_workspace))
    assert (record.id, record.rows) == (data, 1000)
    assert "scores in column 'score' of 'scores.csv'" in words(at)
    right = (trained.favourable >= 0.5) == (labels_of(GERMAN) == 1)
    audited = open_page("audit", data=data, model=model)
    shown = next(m.value for m in audited.metric if m.label == "Accuracy")
    assert abs(float(shown.split()[0]) / 100 - right.mean()) < 0.1
    for stem in LOOKING_INSIDE:
        page = open_page(stem, data=data, model=model)
        assert "These are predictions from a file, not a network" in words(page), stem
        assert f"{stem}.predictions.start" in [b.key for b in page.button]


def test_predictions_for_another_number_of_rows_are_one_sentence(empty_workspace):
    at = bring(open_page("model", data="german"), b"score\n0.5\n0.7\n", "two.csv", key="model.predictions")
    click(at, "model.predict")
    assert any("'two.csv' has 2 rows" in e.value.replace("\\", "") for e in at.error)
    assert list_datasets(open_store(empty_workspace)) == []


def mapped(*columns: MappedColumn) -> tuple[pd.DataFrame, InputMapping]:
    mapping = InputMapping(columns)
    return table.mapping_table(mapping, GERMAN), mapping


AGE = MappedColumn("age", "number", scaling="given", subtract=20.0, divide=10.0)
SEX = MappedColumn("sex", "one_hot", levels=("male", "female"))
JOB = MappedColumn("job", "codes", scaling="min_max")


def test_a_table_that_nobody_edited_states_the_mapping_it_came_from():
    begun, mapping = mapped(AGE, SEX, JOB)
    assert table.mapping_of(begun, begun) == mapping
    assert len(begun) == len(GERMAN.schema.columns) - 1


@pytest.mark.parametrize(
    ("row", "place", "names"),
    [(2, 1.0, ["job", "age", "sex"]), (0, 3.0, ["sex", "job", "age"]), (0, 2.0, ["sex", "age", "job"])],
)
def test_whoever_writes_a_place_gets_it(row, place, names):
    begun, _ = mapped(AGE, SEX, JOB)
    stated = table.edited(begun, {row: {table.PLACE: place}})
    assert [column.name for column in table.mapping_of(stated, begun).columns] == names


def test_edited_cells_are_read_and_empty_ones_mean_the_usual():
    begun, _ = mapped(AGE, SEX, JOB)
    changes = {
        0: {table.SUBTRACT: None, table.DIVIDE: 2.5},
        1: {table.LEVELS: "female"},
        2: {table.READ: False},
        3: {table.READ: True},
    }
    stated = table.mapping_of(table.edited(begun, changes), begun).columns
    assert stated[0] == MappedColumn("age", "number", scaling="given", subtract=0.0, divide=2.5)
    assert stated[1] == MappedColumn("sex", "one_hot", levels=("female",))
    assert stated[2].name == begun[table.NAME][3]
    shown = table.with_inputs(begun, table.edited(begun, changes), lambda name: len(levels_in(GERMAN, name)))
    assert shown[table.INPUTS][:3].tolist() == [1, 1, 0]


def test_levels_with_a_bar_or_a_backslash_come_back():
    levels = ("a|b", "c\\d", "e", "\\")
    assert table.levels_of(table.levels_text(levels)) == levels
