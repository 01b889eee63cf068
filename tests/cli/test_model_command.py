"""`fairneuron model`: what it prints, what it keeps, and exit status 2 for a file that is refused."""

import json
import os
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from fairneuron_core.cli import main
from fairneuron_core.data import labels_of, load_dataset
from fairneuron_core.data.mapping_json import mapping_from_json

GERMAN = load_dataset("german")


def call(capsys, *words):
    status = main(list(map(str, words)))
    out, err = capsys.readouterr()
    return status, out, err


def call_json(capsys, *words, status=0):
    found, out, err = call(capsys, *words, "--json")
    assert found == status, err
    return json.loads(out)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A torch network trained by scikit-learn on the numbers of German Credit, whole and as weights only."""
    folder = tmp_path_factory.mktemp("networks")
    numbers = [c.name for c in GERMAN.schema.columns if c.kind == "numeric"]
    inputs = GERMAN.frame[numbers].to_numpy(dtype=float)
    inputs = (inputs - inputs.min(0)) / np.ptp(inputs, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((8,), max_iter=150, learning_rate_init=0.02, random_state=0).fit(
            inputs, labels_of(GERMAN)
        )
    stack = nn.Sequential(nn.Linear(len(numbers), 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
    with torch.no_grad():
        for part, weight, bias in zip((stack[0], stack[2]), model.coefs_, model.intercepts_, strict=True):
            part.weight.copy_(torch.from_numpy(weight.T))
            part.bias.copy_(torch.from_numpy(bias))
    torch.save(stack, folder / "whole.pt")
    torch.save(stack.state_dict(), folder / "weights.pt")
    columns = [{"name": name, "how": "number", "scaling": "min_max"} for name in numbers]
    told = {"format": "fairneuron input mapping", "version": 1, "columns": columns}
    (folder / "mapping.json").write_text(json.dumps(told))
    return folder


class Hostile:
    """Unpickled, it would make a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_check_says_what_a_file_holds(networks, empty_workspace, capsys):
    found = call_json(capsys, "model", "check", networks / "whole.pt")
    assert {"accepted", "format", "layers", "parameters", "inputs", "warnings", "questions", "reason"} <= set(found)
    assert (found["accepted"], found["format"], found["reason"], found["questions"]) == (True, "torch", None, [])
    assert found["layers"] == [
        {"inputs": 7, "outputs": 8, "activation": "relu"},
        {"inputs": 8, "outputs": 1, "activation": "identity"},
    ]
    assert (found["inputs"], found["parameters"]) == (7, 7 * 8 + 8 + 8 + 1)
    asked = call_json(capsys, "model", "check", networks / "weights.pt")["questions"]
    assert [(q["name"], "tanh" in q["choices"]) for q in asked] == [("activation", True)]
    answered = call_json(capsys, "model", "check", networks / "weights.pt", "--activation", "tanh")
    assert (answered["questions"], answered["layers"][0]["activation"]) == ([], "tanh")


def test_check_with_data_says_how_well_it_fits(networks, empty_workspace, capsys):
    words = ("model", "check", networks / "whole.pt", "--data", "german")
    fit = call_json(capsys, *words, "--mapping", networks / "mapping.json")["fit"]
    assert {"accuracy", "majority", "auc", "mapping", "warnings"} <= set(fit)
    assert fit["accuracy"] > fit["majority"] == 0.7
    assert fit["mapping"]["columns"][0]["name"] == "duration_months"
    nothing = call_json(capsys, *words)["fit"]
    assert (nothing["accuracy"], nothing["mapping"]) == (None, None)
    assert "makes 7 inputs" in nothing["warnings"][0]
    status, out, _ = call(capsys, *words, "--mapping", networks / "mapping.json")
    assert status == 0
    assert "A network of format torch: 7 inputs, 73 parameters." in out
    assert "of the decisions are right" in out


def test_a_refused_file_ends_with_2_and_its_reason(tmp_path, empty_workspace, capsys):
    path = tmp_path / "model.onnx"
    path.write_bytes(pickle.dumps(Hostile(tmp_path / "marker")))
    found = call_json(capsys, "model", "check", path, status=2)
    assert (found["accepted"], found["format"]) == (False, None)
    assert "model.onnx" in found["reason"]
    status, out, _ = call(capsys, "model", "check", path)
    assert status == 2
    assert out.startswith("Refused: ")
    assert call(capsys, "audit", "--data", "german", "--model", path)[0] == 2
    assert call(capsys, "model", "import", path, "--data", "german")[0] == 2
    assert not (tmp_path / "marker").exists()


def test_mapping_prints_json_to_edit_and_import_keeps_it_for_the_same_file(networks, empty_workspace, capsys, tmp_path):
    status, out, err = call(capsys, "model", "mapping", networks / "whole.pt", "--data", "german")
    assert status == 0
    assert "does not fit yet" in err
    assert len(mapping_from_json(out).columns) == 21
    status, _, err = call(capsys, "audit", "--data", "german", "--model", networks / "whole.pt")
    assert status == 2
    assert "fairneuron model mapping" in err
    words = ("--data", "german", "--mapping", networks / "mapping.json", "--name", "credit net")
    kept = call_json(capsys, "model", "import", networks / "whole.pt", *words)
    assert kept["accuracy"] > 0.7
    audited = call_json(capsys, "audit", "--data", "german", "--model", kept["model"])
    by_path = call_json(capsys, "audit", "--data", "german", "--model", networks / "whole.pt")
    assert by_path["metrics"] == audited["metrics"]
    status, again, _ = call(capsys, "model", "mapping", networks / "whole.pt", "--data", "german")
    assert mapping_from_json(again) == mapping_from_json((networks / "mapping.json").read_text())
    out = tmp_path / "again.json"
    status, said, _ = call(capsys, "model", "mapping", networks / "whole.pt", "--data", "german", "--out", out)
    assert (status, said.strip(), out.read_text()) == (0, str(out), again)


@pytest.mark.parametrize("form", ["onnx", "safetensors", "state_dict"])
def test_export_writes_a_file_that_is_accepted_again(filled_workspace, tmp_path, capsys, form):
    out = tmp_path / "net"
    told = call_json(capsys, "model", "export", filled_workspace.model, "--format", form, "--out", out)
    assert told == {"action": "export", "format": form, "out": str(out), "bytes": out.stat().st_size}
    checked = call_json(capsys, "model", "check", out)
    assert (checked["accepted"], checked["inputs"]) == (True, 63)
    if form == "onnx":
        fit = call_json(capsys, "model", "check", out, "--data", "german")["fit"]
        assert fit["mapping_reason"] == "The file carries its own encoder."
        status, _, err = call(capsys, "model", "mapping", out, "--data", "german")
        assert status == 2
        assert "needs no mapping" in err


def test_predictions_are_audited_like_a_network(empty_workspace, tmp_path, capsys):
    path = tmp_path / "scores.csv"
    pd.DataFrame({"score": np.where(GERMAN.frame["sex"] == "male", 0.9, 0.2)}).to_csv(path, index=False)
    found = call_json(capsys, "model", "predictions", path, "--data", "german")
    assert (found["rows"], found["kind"], found["column"]) == (1000, "scores", "score")
    audited = call_json(capsys, "audit", "--data", found["data"], "--model", found["model"])
    assert audited["metrics"]["demographic_parity_difference"]["value"] == 1.0
    status, _, err = call(capsys, "paths", "--data", found["data"], "--model", found["model"])
    assert status == 2
    assert "not a network" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("check", "nowhere.onnx"), "no model file 'nowhere.onnx'"),
        (("check", "whole.pt", "--data", "nowhere"), "no data set 'nowhere'"),
        (("check", "whole.pt", "--answer", "activation"), "has no '='"),
        (("mapping", "whole.pt"), "name it with --data"),
        (("import", "weights.pt", "--data", "german"), "leaves a question open"),
        (("import", "whole.pt", "--data", "german"), "makes 7 inputs"),
        (("import", "whole.pt", "--data", "german", "--mapping", "nowhere.json"), "cannot be read"),
        (("import", "whole.pt", "--data", "german", "--mapping", "whole.pt"), "cannot be read"),
        (("import", "whole.pt", "--data", "german", "--mapping", "mapping.json", "--threshold", "x"), "from 0 to 1"),
        (("export", "whole.pt"), "needs --format"),
        (("predictions", "nowhere.csv", "--data", "german"), "no file"),
        (("fly", "whole.pt"), "Invalid choice|invalid choice"),
    ],
)
def test_wrong_words_end_in_one_sentence(networks, empty_workspace, capsys, monkeypatch, words, sentence):
    monkeypatch.chdir(networks)
    status, out, err = call(capsys, "model", *words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert any(part in err for part in sentence.split("|"))
