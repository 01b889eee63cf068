"""Small files of every format, written by the libraries that own them: what fuzzing and truncation start from."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

INPUTS = 5


def torch_examples() -> dict[str, bytes]:
    """state_dict and nn.Sequential in both forms, a checkpoint, and safetensors files: ours and a foreign one."""
    import torch
    from safetensors.torch import save
    from torch import nn

    from fairneuron_core.models import build_network, profile, to_safetensors
    from fairneuron_core.types import Classifier, EncodedColumn, Encoder, ModelRecord

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(INPUTS, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.1), nn.Linear(4, 1), nn.Sigmoid()
    ).eval()
    own = build_network((INPUTS, 4, 1), seed=0)
    encoder = Encoder(tuple(EncodedColumn(name, "numeric") for name in "abcde"))
    record = ModelRecord("german", "ab" * 32, "train")
    means = profile(own, np.eye(INPUTS, dtype=np.float32))
    return {
        "torch.state": torch_bytes(network.state_dict()),
        "torch.network": torch_bytes(network),
        "torch.checkpoint": torch_bytes({"model_state_dict": network.state_dict(), "epoch": 3}),
        "torch.old": torch_bytes(network.state_dict(), _use_new_zipfile_serialization=False),
        "torch.old_network": torch_bytes(network, _use_new_zipfile_serialization=False),
        "safetensors.own": to_safetensors(Classifier(own, encoder, 0.5, record, means)),
        "safetensors.foreign": save(nn.Sequential(nn.Linear(INPUTS, 4), nn.Tanh(), nn.Linear(4, 2)).state_dict()),
    }


def torch_bytes(value: object, **how: object) -> bytes:
    """Return what torch.save writes."""
    import torch

    stream = io.BytesIO()
    torch.save(value, stream, **how)
    return stream.getvalue()


def scikit_learn_examples() -> dict[str, bytes]:
    """An MLPClassifier behind a scaler, as skl2onnx and as skops write it."""
    import skops.io
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.random.default_rng(0).random((60, INPUTS)).astype(np.float32)
    network = MLPClassifier((4,), max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(rows, rows[:, 0] > rows[:, 1])
        scaled = make_pipeline(StandardScaler(), network).fit(rows, (rows[:, 0] > rows[:, 1]).astype(int))
        exported = to_onnx(scaled, rows[:1], options={"zipmap": False}).SerializeToString()
    return {
        "onnx.pipeline": exported,
        "skops.network": skops.io.dumps(network),
        "skops.pipeline": skops.io.dumps(scaled),
    }


def keras_examples() -> dict[str, bytes]:
    """A small dense network as Keras writes it, .h5 and .keras."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import keras

        network = keras.Sequential(
            [
                keras.Input((INPUTS,)),
                keras.layers.Dense(4, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        network.save(Path(folder) / "network.h5")
        network.save(Path(folder) / "network.keras")
        return {
            "keras_h5.network": (Path(folder) / "network.h5").read_bytes(),
            "keras.network": (Path(folder) / "network.keras").read_bytes(),
        }


def all_examples() -> dict[str, bytes]:
    """Return every example as FORMAT.WHAT: content."""
    return torch_examples() | scikit_learn_examples() | keras_examples()


def written(examples: Mapping[str, bytes], folder: Path) -> Path:
    """Write the examples into the folder, one file each, and return it."""
    folder.mkdir(exist_ok=True)
    for name, content in examples.items():
        (folder / name).write_bytes(content)
    return folder


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    written(all_examples(), Path(sys.argv[1]))
