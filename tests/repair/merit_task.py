"""A repair task small enough to think through: merit and noise decide, and one group's merit is shifted down."""

import numpy as np

from fairneuron_core.models import TrainingPlan, build_network, profile, train
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Batch, Classifier, EncodedColumn, Encoder, ModelRecord

LEVELS = ("F", "M")


def merit_batch(n: int, *, seed: int, first_row: int = 0, levels: tuple[str, ...] = LEVELS) -> Batch:
    """Rows with merit and a blurred sign of the group; each group has 0.15 more merit than the one before it."""
    generator = np.random.default_rng(seed)
    groups = np.arange(n) % len(levels)
    merit = generator.random(n) * 0.7 + 0.15 * groups
    labels = (merit + generator.normal(0, 0.12, n) > 0.5).astype(np.uint8)
    features = np.stack([merit, groups / 2 + generator.random(n) / 2], 1).astype(np.float32)
    rows = np.arange(first_row, first_row + n)
    return Batch(features, labels, groups[:, None].astype(np.int16), ("sex",), (levels,), rows)


def merit_task(*, levels: tuple[str, ...] = LEVELS, threshold: float = 0.5, n: int = 600) -> RepairTask:
    """A trained network with 600 training and 300 validation rows; the second group is selected more often."""
    first, second = merit_batch(n, seed=1, levels=levels), merit_batch(n // 2, seed=2, first_row=n, levels=levels)
    start = build_network((2, 6, 1), seed=0)
    plan = TrainingPlan(
        start, first.features, first.labels, (second.features, second.labels), epochs=12, seed=0, learning_rate=0.02
    )
    network = train([plan])[0].network
    encoder = Encoder((EncodedColumn("merit", "numeric"), EncodedColumn("hours", "numeric")))
    record = ModelRecord("merit", "ab" * 32, "train", protected=("sex",))
    classifier = Classifier(network, encoder, threshold, record, profile(network, first.features))
    return RepairTask(classifier, first, second, "sex", levels[-1], seed=0, threads=1)


def gap(batch: Batch, decided: np.ndarray) -> float:
    """The largest difference of selection rates, counted by hand."""
    rates = [decided[batch.codes("sex") == code].mean() for code in range(len(batch.levels("sex")))]
    return float(max(rates) - min(rates))


def accuracy(batch: Batch, decided: np.ndarray) -> float:
    return float((decided == batch.labels).mean())
