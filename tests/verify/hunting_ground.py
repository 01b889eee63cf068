"""A small data set whose every individual can be listed, and networks with a planted dependence."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd

from fairneuron_core.data import fit_encoder, make_dataset, schema_of
from fairneuron_core.data.encoding import encode_frame
from fairneuron_core.models import network_of, profile
from fairneuron_core.models.layers import LinearLayer
from fairneuron_core.types import Classifier, ModelRecord

SEXES, RACES, JOBS = ("female", "male"), ("a", "b", "c"), ("clerk", "cook", "nurse", "smith")
SCORES = range(11)


def people():
    """2 * 3 * 4 * 11 = 264 individuals, each once."""
    rows = list(itertools.product(SEXES, RACES, JOBS, SCORES))
    frame = pd.DataFrame(rows, columns=["sex", "race", "job", "score"])
    frame["hired"] = np.where(frame["score"] > 5, "yes", "no")
    return frame


def small_dataset():
    frame = people()
    schema = schema_of(frame, target="hired", favourable="yes", protected=("sex", "race"))
    return make_dataset(frame, schema, name="small", title="Small", include_protected=True)


def network_reading(dataset, **weights):
    """logit = relu(score - 5.5 + sum of the weights of the named inputs) - relu(-the same): linear in all of them."""
    encoder = fit_encoder(dataset, np.arange(len(dataset.frame)), inputs=("sex", "race", "job", "score"))
    named = dict(zip(encoder.feature_names, range(encoder.width), strict=True))
    row = np.zeros(encoder.width, np.float32)
    row[named["score"]] = 10.0
    for name, weight in weights.items():
        row[named[name.replace("__", "=")]] = weight
    first = LinearLayer(np.stack([row, -row]), np.array([-5.5, 5.5], np.float32), "relu")
    last = LinearLayer(np.array([[1.0, -1.0]], np.float32), np.zeros(1, np.float32), "identity")
    network = network_of([first, last])
    features = encode_frame(dataset.frame, encoder)
    record = ModelRecord(data=dataset.name, data_sha256=dataset.sha256, made_by="test", protected=("sex",))
    return Classifier(network, encoder, 0.5, record, profile(network, features))


def with_rule(classifier, rule):
    return replace(classifier, rule=rule)
