import json
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairneuron_core.errors import ModelError
from fairneuron_core.models import build_network, logits, profile, read_model, to_safetensors
from fairneuron_core.types import Classifier, EncodedColumn, Encoder, ModelRecord

ENCODER = Encoder(
    (EncodedColumn("age", "numeric", low=17, high=90), EncodedColumn("sex", "category", levels=("F", "M")))
)


def make_classifier() -> Classifier:
    network = build_network((3, 4, 1), seed=0)
    record = ModelRecord("german", "ab" * 32, "train", {"epochs": 3}, None, ("sex",), 5, "0.1.0")
    return Classifier(network, ENCODER, 0.4, record, profile(network, np.eye(3, dtype=np.float32)))


def test_a_written_file_reads_back_as_the_same_classifier():
    classifier = make_classifier()
    content = to_safetensors(classifier)
    again = read_model(content)
    rows = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    assert np.array_equal(logits(again, rows), logits(classifier, rows))
    assert (again.encoder, again.threshold, again.record) == (ENCODER, 0.4, classifier.record)
    assert all(np.array_equal(a, b) for a, b in zip(again.means, classifier.means, strict=True))
    assert to_safetensors(again) == content


@pytest.mark.parametrize("cut", range(0, 20))
def test_a_truncated_file_ends_in_one_sentence(cut):
    content = to_safetensors(make_classifier())
    with pytest.raises(ModelError):
        read_model(content[: len(content) * cut // 20])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_with_changed_bytes_is_refused_or_still_a_classifier(data):
    content = bytearray(to_safetensors(make_classifier()))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = read_model(bytes(content))
    except ModelError:
        return
    assert logits(read, np.zeros((1, read.encoder.width), np.float32)).shape == (1,)


def test_a_pickle_in_disguise_is_refused_and_never_loaded(tmp_path):
    marker = tmp_path / "ran"

    class Hostile:
        def __reduce__(self):
            return open, (str(marker), "w")

    with pytest.raises(ModelError, match="pickle"):
        read_model(pickle.dumps(Hostile()), name="model.safetensors")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "empty"), (b"PK\x03\x04rest", "zip"), (b"hello world", "known format")]
)
def test_other_files_are_named_for_what_they_look_like(content, words):
    with pytest.raises(ModelError, match=words):
        read_model(content, name="model.safetensors")


def test_a_foreign_safetensors_file_is_refused_with_the_reason():
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    with pytest.raises(ModelError, match="no architecture"):
        read_model(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")


def test_rows_of_another_width_are_refused():
    with pytest.raises(ModelError, match="3 inputs"):
        logits(make_classifier(), np.zeros((2, 5), np.float32))
