"""A small table of people, and S(x) spelt out in plain Python from raw values: the source that verify is tested by."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from fairneuron_core.data import encode, encode_frame, fit_encoder, make_dataset, schema_of
from fairneuron_core.data.columns import BinnedColumn, bin_values, binned_column
from fairneuron_core.models import build_network, decisions
from fairneuron_core.types import Classifier, ModelRecord

AGES, SCORES = range(20, 26), range(4)
JOBS = ("clerk", "cook", "nurse")
INPUTS = ("sex", "age", "job", "score")


def people(*, pay=False):
    """Return 36 people; `pay` is a real-valued column."""
    rows = [(s, a, JOBS[(a + i) % 3], i % 4) for i, (s, a) in enumerate(itertools.product(("f", "m"), AGES))] * 3
    frame = pd.DataFrame(rows, columns=["sex", "age", "job", "score"])
    frame["score"] = np.arange(len(frame)) % 4
    if pay:
        frame["pay"] = np.linspace(1.0, 2.0, len(frame))
    frame["hired"] = np.where(frame["score"] > 1, "yes", "no")
    schema = schema_of(
        frame,
        target="hired",
        favourable="yes",
        protected=("sex", "age_group"),
        binned=[binned_column("age_group", frame["age"], edges=[23])],
    )
    return make_dataset(frame, schema, name="people", title="People", include_protected=True)


def network_on(dataset, *, inputs=INPUTS, hidden=(4,), seed=0, scale=3.0, threshold=0.5, activation="relu", outputs=1):
    """Return a classifier with random weights that decides both ways."""
    encoder = fit_encoder(dataset, np.arange(len(dataset.frame)), inputs=inputs)
    network = build_network((encoder.width, *hidden, outputs), seed=seed, activation=activation)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(scale)
        features = torch.from_numpy(encode_frame(dataset.frame, encoder))
        # Beside the median: nobody's logit lies on the cut itself, where the last bit depends on the batch.
        network[-1].bias -= network(features).median(0).values + 0.01
    return Classifier(network, encoder, threshold, ModelRecord("people", "ab" * 32, "train"), ())


def similar_people(dataset, person, protected, within=()):
    """Return every similar individual of one person (column -> raw value), column by column."""
    choices = {}
    for name in protected:
        column = dataset.schema.column(name)
        source = dataset.schema.column(column.derived_from or name)
        choices[source.name] = list(source.levels) or list(range(int(source.low), int(source.high) + 1))
    for name, reach in dict(within).items():
        column, own = dataset.schema.column(name), int(person[name])
        choices[name] = [v for v in range(own - reach, own + reach + 1) if column.low <= v <= column.high]
    return [{**person, **dict(zip(choices, values, strict=True))} for values in itertools.product(*choices.values())]


def as_frame(dataset, persons):
    """Return people as a table, groups cut anew from what they are cut from."""
    frame = pd.DataFrame(persons)
    derived = [c for c in dataset.schema.columns if isinstance(c, BinnedColumn)]
    return frame.assign(**{c.name: bin_values(frame[c.derived_from], c) for c in derived})


def similar_frame(dataset, row, protected, within=()):
    """Return every similar individual of one row as a table of raw values."""
    return as_frame(dataset, similar_people(dataset, dict(dataset.frame.iloc[row]), protected, within))


def plain_decisions(dataset, classifier, frame, row):
    """Return what the deployed classifier decides about a table of people who all have the draw of one row."""
    batch = encode(dataset, np.arange(len(frame)), classifier.encoder, frame=frame)
    return decisions(classifier, replace(batch, rows=np.full(len(frame), row)))
