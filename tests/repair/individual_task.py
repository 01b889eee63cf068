"""A repair task for individuals that fits in the head: merit between 0 and 1, and a sex that the network reads."""

from __future__ import annotations

import numpy as np

from fairneuron_core.models import TrainingPlan, build_network, network_of, profile, train
from fairneuron_core.models.layers import LinearLayer
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, Column, EncodedColumn, Encoder, ModelRecord, Schema

LEVELS = ("F", "M")
ENCODER = Encoder((EncodedColumn("merit", "numeric"), EncodedColumn("sex", "category", levels=LEVELS)))
SCHEMA = Schema(
    (
        Column("sex", "protected", "category", levels=LEVELS),
        Column("merit", "feature", "numeric", low=0.0, high=1.0),
        Column("hired", "target", "category", levels=("no", "yes")),
    ),
    "yes",
    {"sex": "M"},
)


def people(merit: np.ndarray, sex: np.ndarray, labels: np.ndarray, *, first_row: int = 0) -> Batch:
    """Rows of (merit, F, M) with sex codes 0 = F, 1 = M."""
    features = np.stack([merit, sex == 0, sex == 1], 1).astype(np.float32)
    rows = np.arange(first_row, first_row + len(merit))
    return Batch(features, labels.astype(np.uint8), sex[:, None].astype(np.int16), ("sex",), (LEVELS,), rows)


def biased(n: int, *, seed: int, first_row: int = 0) -> Batch:
    """Merit decides, and a man needs 0.2 less of it."""
    generator = np.random.default_rng(seed)
    merit, sex = generator.random(n), np.arange(n) % 2
    labels = merit + 0.2 * sex + generator.normal(0, 0.05, n) > 0.6
    return people(merit, sex, labels, first_row=first_row)


def task_of(network, first: Batch, second: Batch, *, threshold: float = 0.5) -> RepairTask:
    record = ModelRecord("people", "ab" * 32, "train", protected=("sex",))
    classifier = Classifier(network, ENCODER, threshold, record, profile(network, first.features))
    return RepairTask(classifier, first, second, "sex", "M", seed=0, threads=1, schema=SCHEMA)


def biased_task(n: int = 600) -> RepairTask:
    """A trained 3-6-4-1 network that refuses women whom it would take as men."""
    first, second = biased(n, seed=1), biased(n // 2, seed=2, first_row=n)
    start = build_network((3, 6, 4, 1), seed=0)
    plan = TrainingPlan(
        start, first.features, first.labels, (second.features, second.labels), epochs=25, seed=0, learning_rate=0.02
    )
    return task_of(train([plan])[0].network, first, second)


def hand_network(*, merit: float = 1.0, man: float = 0.3, bias: float = -0.5):
    """logit = merit * merit + man * [sex is M] + bias, through two hidden neurons that pass both on."""
    first = LinearLayer(np.array([[1, 0, 0], [0, 0, 1]], np.float32), np.zeros(2, np.float32), "relu")
    last = LinearLayer(np.array([[merit, man]], np.float32), np.array([bias], np.float32), "identity")
    return network_of([first, last])


def turned(features: np.ndarray) -> np.ndarray:
    """The same rows with the other sex."""
    return features[:, [0, 2, 1]]
