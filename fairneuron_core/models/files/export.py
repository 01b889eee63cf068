"""Networks out: written, read back by the parser that reads strangers' files, and compared before anybody gets them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fairneuron_core.errors import ModelError, SettingError
from fairneuron_core.formats.catalogue import NETWORK_FORMATS
from fairneuron_core.formats.network_file import NetworkFile
from fairneuron_core.models.classify import scores
from fairneuron_core.models.files.catalogue import MODEL_FORMATS, ModelFormat
from fairneuron_core.models.files.safetensors_file import description_of
from fairneuron_core.models.layers import linear_layers, network_of
from fairneuron_core.types import Classifier, LinearLayer

_ROWS = 1000
_NEAR = 1e-5


def export_model(classifier: Classifier, form: str) -> bytes:
    """Return the classifier as a file of that format: a key of MODEL_FORMATS.

    The bytes are read back, and their network must give the scores of the classifier within 1e-5 on 1,000 random rows.

    Raises SettingError for an unknown format, ModelError when the file would not say the same as the classifier.
    """
    if form not in MODEL_FORMATS:
        raise SettingError(f"Unknown model format '{form}': choose one of {', '.join(MODEL_FORMATS)}.")
    row = MODEL_FORMATS[form]
    content = row.write(classifier)
    verify(classifier, content, row)
    return content


def verify(classifier: Classifier, content: bytes, row: ModelFormat) -> None:
    """Raise ModelError unless the written file says what the classifier says."""
    try:
        file = NETWORK_FORMATS[row.parsed_as].parse(content, {})
        again = replace(classifier, network=network_of(_read_layers(file, classifier, row)))
    except (ModelError, ValueError) as error:
        raise ModelError(f"The network cannot be written as {row.title}: reading it back failed ({error})") from error
    rows = _random_rows(classifier)
    difference = float(np.abs(scores(again, rows) - scores(classifier, rows)).max())
    if not difference <= _NEAR:
        raise ModelError(
            f"The network cannot be written as {row.title}: read back, its scores differ by up to {difference:.2g}, "
            f"more than {_NEAR:g}."
        )
    if row.describes and file.described != description_of(classifier):
        raise ModelError(f"The network cannot be written as {row.title}: its description did not come back.")


def _read_layers(file: NetworkFile, classifier: Classifier, row: ModelFormat) -> list[LinearLayer]:
    """The layers of the file; one of weights alone gets the activations that its reader has to know."""
    if row.describes:
        return list(file.layers)
    own = linear_layers(classifier.network)
    return [replace(layer, activation=known.activation) for layer, known in zip(file.layers, own, strict=True)]


def _random_rows(classifier: Classifier) -> np.ndarray:
    """Rows (1000, d) in the box of the inputs: 0 to 1, wider where the training profile says that inputs are."""
    width = classifier.encoder.width
    middle = 2 * classifier.means[0].astype(np.float64) if classifier.means else np.zeros(width)
    drawn = np.random.default_rng(0).random((_ROWS, width))
    low, high = np.minimum(0, middle), np.maximum(1, middle)
    return (low + drawn * (high - low)).astype(np.float32)
