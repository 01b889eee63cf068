"""Networks of other libraries, through the door: the library's own predictions, mapped, checked, kept, used."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from sklearn.compose import ColumnTransformer
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

import fairneuron_core
from fairneuron_core.data import encode, labels_of, load_dataset
from fairneuron_core.data.mapping import InputMapping, MappedColumn
from fairneuron_core.errors import DataError, ModelError, NotFoundError, SettingError
from fairneuron_core.formats.network_file import NetworkFile, Question, RefusedFile
from fairneuron_core.jobs import JOBS, JobContext, find_classifier, store_classifier
from fairneuron_core.jobs.fit_check import auc_of, check_fit
from fairneuron_core.jobs.foreign_network import bring_network, load_network, open_file, settled
from fairneuron_core.jobs.mapping_suggestion import favourable_class, suggest_mapping
from fairneuron_core.jobs.saved_mappings import forget_mapping, save_mapping, saved_mapping
from fairneuron_core.models import build_network, linear_layers, profile, scores
from fairneuron_core.models.files.export import export_model
from fairneuron_core.types import LinearLayer
from fairneuron_core.workspace import digest

GERMAN = load_dataset("german")
LABELS = labels_of(GERMAN)
ALL = np.arange(len(GERMAN.frame))


class Trained:
    """A scikit-learn network on German Credit, its preprocessing, and what it says itself."""

    def __init__(self, folder):
        table = GERMAN.frame.drop(columns=["credit", "age_group"])
        numbers = [c for c in table if pd.api.types.is_numeric_dtype(table[c])]
        words = [c for c in table if c not in numbers]
        before = ColumnTransformer([("num", StandardScaler(), numbers), ("cat", OneHotEncoder(), words)])
        self.inputs = np.asarray(before.fit_transform(table), np.float32)
        # A float64 copy of what the network gets: rounding the inputs is not what is tested.
        self.model = MLPClassifier((16, 8), max_iter=30, random_state=0).fit(self.inputs, LABELS)
        self.names = tuple(before.get_feature_names_out())
        self.numbers, self.words, self.folder = numbers, words, folder
        self.favourable = self.model.predict_proba(self.inputs)[:, 1]
        self.sizes = (self.inputs.shape[1], 16, 8, 1)

    @property
    def mapping(self):
        numbers = [MappedColumn(name, "number", scaling="standard") for name in self.numbers]
        # Standardised by all 1,000 rows, not by our training rows: stated as numbers.
        moments = GERMAN.frame[self.numbers]
        given = [
            replace(
                c, scaling="given", subtract=float(moments[c.name].mean()), divide=float(moments[c.name].std(ddof=0))
            )
            for c in numbers
        ]
        return InputMapping((*given, *(MappedColumn(name, "one_hot") for name in self.words)))

    def module(self):
        stack = nn.Sequential(
            nn.Linear(self.sizes[0], 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()
        )
        linear = [part for part in stack if isinstance(part, nn.Linear)]
        with torch.no_grad():
            for part, weight, bias in zip(linear, self.model.coefs_, self.model.intercepts_, strict=True):
                part.weight.copy_(torch.from_numpy(weight.T))
                part.bias.copy_(torch.from_numpy(bias))
        return stack

    def file(self, *, names=()):
        layers = [
            LinearLayer(weight.T.astype(np.float32), bias.astype(np.float32), "relu")
            for weight, bias in zip(self.model.coefs_, self.model.intercepts_, strict=True)
        ]
        return NetworkFile(
            "onnx", (*layers[:-1], replace(layers[-1], activation="identity")), "sigmoid", input_names=tuple(names)
        )

    def write(self, form):
        path = self.folder / {"onnx": "net.onnx", "state_dict": "net.pt", "safetensors": "net.safetensors"}[form]
        if form == "onnx":
            from skl2onnx import to_onnx

            path.write_bytes(to_onnx(self.model, self.inputs[:1], options={"zipmap": False}).SerializeToString())
        elif form == "state_dict":
            torch.save(self.module().state_dict(), path)
        else:
            save_file(self.module().state_dict(), path)
        return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 30 epochs are enough here
        return Trained(tmp_path_factory.mktemp("networks"))


def said_by(classifier):
    return scores(classifier, encode(GERMAN, ALL, classifier.encoder).features)


def bring(trained, mapping=None, **changes):
    mapping = replace(mapping or trained.mapping, **changes)
    return bring_network(trained.file(), mapping, GERMAN, name="net.onnx", content_sha256="0" * 64)


@pytest.mark.parametrize("form", ["onnx", "state_dict", "safetensors"])
def test_a_file_of_another_library_gives_its_own_predictions(trained, form, empty_workspace):
    answers = {} if form == "onnx" else {"activation": "relu"}
    found = load_network(trained.write(form), data="german", mapping=trained.mapping, answers=answers)
    assert np.abs(said_by(found) - trained.favourable).max() < 1e-5
    assert found.record.made_by == f"uploaded {'torch' if form == 'state_dict' else form} file"
    assert found.record.recipe["file_sha256"] == digest(trained.write(form).read_bytes())
    assert (found.record.data, found.record.data_sha256, found.record.protected) == ("german", GERMAN.sha256, ("sex",))


def test_a_torch_module_gives_its_own_predictions(trained, empty_workspace):
    found = fairneuron_core.load_network(trained.module(), data=GERMAN, mapping=trained.mapping)
    assert np.abs(said_by(found) - trained.favourable).max() < 1e-5
    assert found.record.made_by == "uploaded torch_module file"


def test_the_training_profile_is_measured_on_the_training_rows(trained):
    from fairneuron_core.data import split_rows

    found = bring(trained)
    rows = split_rows(GERMAN, seed=0).train
    expected = profile(found.network, encode(GERMAN, rows, found.encoder).features)
    assert [mean.shape for mean in found.means] == [(size,) for size in trained.sizes[:-1]]
    assert all(np.array_equal(a, b) for a, b in zip(found.means, expected, strict=True))


@pytest.mark.parametrize("named", [True, False])
def test_scaling_and_order_are_found_with_and_without_names(trained, named):
    mapping, why = suggest_mapping(trained.file(names=trained.names if named else ()), GERMAN)
    assert [c.name for c in mapping.columns] == [*trained.numbers, *trained.words]
    assert {c.scaling for c in mapping.columns if c.how == "number"} == {"standard"}
    assert why.endswith("this one tells the labels apart best: numbers standardised.")
    assert ("as the file names its inputs" in why) == named


def test_a_network_that_knows_nothing_is_mapped_with_a_word_of_doubt(trained):
    layers = linear_layers(build_network((trained.sizes[0], 4, 1), seed=5))
    nothing = replace(layers[-1], weight=layers[-1].weight * 0)
    mapping, why = suggest_mapping(NetworkFile("onnx", (*layers[:-1], nothing), "logits"), GERMAN)
    assert mapping is not None
    assert "None of 15 ways" in why


@pytest.mark.parametrize(
    ("classes", "expected"), [((), 1), (("bad", "good"), 1), (("good", "bad"), 0), (("0", "1"), 1), (("0.0", "1.0"), 1)]
)
def test_the_labels_in_a_file_say_which_class_is_favourable(trained, classes, expected):
    assert GERMAN.schema.favourable == "good"
    assert favourable_class(replace(trained.file(), classes=classes), GERMAN) == expected


def test_a_good_fit_says_what_the_library_says_and_warns_of_nothing(trained):
    report = check_fit(GERMAN, bring(trained))
    assert report.warnings == ()
    assert report.rows == 1000
    assert report.accuracy == pytest.approx(trained.model.score(trained.inputs, LABELS))
    assert report.auc == pytest.approx(roc_auc_score(LABELS, trained.favourable), abs=1e-4)
    assert report.majority == pytest.approx(0.7)
    assert report.favourable == pytest.approx(trained.model.predict(trained.inputs).mean())
    assert report.first_rows.shape == (5, len(report.features)) == (5, trained.sizes[0])
    assert report.features[len(trained.numbers)].startswith(f"{trained.words[0]}=")
    assert np.allclose(report.first_rows, trained.inputs[:5], atol=1e-6)


def test_auc_is_that_of_scikit_learn_also_with_ties():
    generator = np.random.default_rng(0)
    scored, labels = generator.integers(0, 9, 200) / 8, generator.integers(0, 2, 200)
    assert auc_of(scored, labels) == pytest.approx(roc_auc_score(labels, scored))
    assert np.isnan(auc_of(scored, np.ones(200)))


def shuffled(mapping):
    """Return the mapping with the one-hot columns in another order."""
    numbers = [c for c in mapping.columns if c.how == "number"]
    return replace(mapping, columns=(*numbers[::-1], *[c for c in mapping.columns if c.how != "number"][::-1]))


def unscaled(mapping):
    return replace(
        mapping, columns=tuple(replace(c, scaling="none", divide=1.0, subtract=0.0) for c in mapping.columns)
    )


def test_warnings_name_what_is_probably_wrong(trained):
    cases = {
        "another order": bring(trained, shuffled(trained.mapping)),
        "classes are probably swapped": bring(trained, favourable_class=0),
        "scaled in another way": bring(trained, unscaled(trained.mapping)),
        "threshold or the scaling": bring(trained, threshold=0.9),
        "All 1,000 decisions are favourable": bring(trained, threshold=0.0),
    }
    for words, classifier in cases.items():
        assert any(words in said for said in check_fit(GERMAN, classifier).warnings), words


def test_swapped_classes_are_put_right_by_class_0(trained):
    layers = list(trained.file().layers)
    swapped = replace(layers[-1], weight=-layers[-1].weight, bias=-layers[-1].bias)
    file = replace(trained.file(), layers=(*layers[:-1], swapped))
    mapping = replace(trained.mapping, favourable_class=0)
    found = bring_network(file, mapping, GERMAN, name="x", content_sha256="0" * 64)
    assert np.abs(said_by(found) - trained.favourable).max() < 1e-5


def test_levels_that_the_network_does_not_know_are_named_but_one_may_be_dropped(trained):
    *others, last = trained.mapping.columns
    levels = GERMAN.schema.column(last.name).levels
    network = build_network((trained.sizes[0] - 1, 8, 1), seed=0)
    file = NetworkFile("onnx", tuple(linear_layers(network)), "logits")
    dropped = InputMapping((*others, replace(last, levels=levels[1:])))
    told = check_fit(GERMAN, bring_network(file, dropped, GERMAN, name="x", content_sha256="")).warnings
    assert not any("unknown to the network" in said for said in told)
    coded = InputMapping((MappedColumn("purpose", "codes", levels=("education", "business")),))
    tiny = NetworkFile("onnx", tuple(linear_layers(build_network((1, 1)))), "logits")
    told = check_fit(GERMAN, bring_network(tiny, coded, GERMAN, name="x", content_sha256="")).warnings
    assert any("8 values of 'purpose'" in said and "the code -1" in said for said in told)


def test_a_network_without_a_switching_neuron_is_told(trained):
    network = build_network((trained.sizes[0], 8, 1), seed=0)
    with torch.no_grad():
        network[0].bias -= 1000
    file = NetworkFile("onnx", tuple(linear_layers(network)), "logits")
    told = check_fit(GERMAN, bring_network(file, trained.mapping, GERMAN, name="x", content_sha256="")).warnings
    assert any("None of the 8 neurons of the first layer switches" in said for said in told)


def test_a_mapping_is_kept_for_the_same_content_and_can_be_forgotten(trained, empty_workspace):
    sha256 = digest(b"a file")
    assert saved_mapping(empty_workspace, sha256) is None
    save_mapping(empty_workspace, sha256, trained.mapping)
    assert saved_mapping(empty_workspace, sha256) == trained.mapping
    assert saved_mapping(empty_workspace, digest(b"another")) is None
    (empty_workspace.home / "mappings" / f"{sha256}.json").write_text("{")
    assert saved_mapping(empty_workspace, sha256) is None
    forget_mapping(empty_workspace, sha256)
    assert list((empty_workspace.home / "mappings").iterdir()) == []
    with pytest.raises(SettingError, match="no sha256"):
        saved_mapping(empty_workspace, "../../etc/passwd")


def test_a_foreign_file_is_audited_sliced_repaired_and_taken_along_again(trained, empty_workspace, tmp_path):
    path = trained.write("onnx")

    def run(kind, **params):
        job = JOBS[kind]
        given = {"data": "german", "model": str(path), "threads": 1, **params}
        given = given if kind != "audit" else {k: v for k, v in given.items() if k != "threads"}
        return dict(job.run(job.check(given), JobContext(empty_workspace)).results)

    audited = run("audit")
    save_mapping(empty_workspace, digest(path.read_bytes()), trained.mapping)
    assert run("audit")["metrics"]["accuracy"]["value"] == audited["metrics"]["accuracy"]["value"]
    assert run("paths", part="test")["samples"] == 200
    repaired = find_classifier(run("repair", method="reweighing", epochs=1, device="cpu")["model"], empty_workspace)
    assert [c.name for c in repaired.encoder.columns] == [*trained.numbers, *trained.words]
    for form, name in (("onnx", "r.onnx"), ("safetensors", "r.bin")):
        (tmp_path / name).write_bytes(export_model(repaired, form))
        again = find_classifier(str(tmp_path / name), empty_workspace, dataset=GERMAN)
        assert np.abs(said_by(again) - said_by(repaired)).max() < 1e-5
        assert again.encoder == repaired.encoder


def test_an_own_safetensors_file_comes_back_with_the_same_id(filled_workspace, tmp_path):
    own = find_classifier(filled_workspace.model, filled_workspace.workspace)
    path = tmp_path / "own.bin"
    path.write_bytes(export_model(own, "safetensors"))
    assert store_classifier(load_network(path, data="german"), filled_workspace.workspace, name="x") == (
        filled_workspace.model
    )


def test_what_cannot_be_brought_is_said_in_one_sentence(trained, empty_workspace, tmp_path):
    path = trained.write("state_dict")
    with pytest.raises(ModelError, match=r"question open: .* --answer activation=relu\|tanh\|sigmoid"):
        find_classifier(str(path), empty_workspace, dataset=GERMAN)
    with pytest.raises(ModelError, match="name its data set with --data"):
        find_classifier(str(trained.write("onnx")), empty_workspace)
    with pytest.raises(ModelError, match=r"No layout .*fairneuron model mapping"):
        load_network(nn.Sequential(nn.Linear(40, 1)), data="german")
    with pytest.raises(ModelError, match=r"guessed .* does not convince"):
        load_network(build_network((trained.sizes[0], 4, 1), seed=1), data="german")
    short = replace(trained.mapping, columns=trained.mapping.columns[1:])
    with pytest.raises(DataError, match=r"makes 62 inputs .* reads 63"):
        load_network(trained.write("onnx"), data="german", mapping=short)
    with pytest.raises(ModelError, match="does not say how columns become its 63 inputs"):
        bring_network(trained.file(), None, GERMAN, name="x", content_sha256="")
    with pytest.raises(NotFoundError, match="no model file"):
        open_file(tmp_path / "nothing.onnx")
    (tmp_path / "note.txt").write_text("Dear Sir or Madam,")
    with pytest.raises(RefusedFile):
        open_file(tmp_path / "note.txt")


def test_an_open_question_is_settled_by_an_answer_only(trained):
    file = replace(trained.file(), questions=(Question("head", "How does it end?", ("sigmoid", "logits")),))
    with pytest.raises(ModelError, match=r"'x.pt' leaves a question open: How does it end\? Answer it with"):
        settled(file, name="x.pt")
    answered = trained.file()
    assert settled(answered, name="x.pt") is answered


def test_the_package_alone_imports_neither_torch_nor_pandas():
    code = "import sys, fairneuron_core; print([m for m in ('torch', 'pandas', 'numpy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fairneuron_core.nothing  # noqa: B018
