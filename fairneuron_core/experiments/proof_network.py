"""The networks of the settings with a proof: small ones that read unscaled whole numbers, trained here."""

from __future__ import annotations

from dataclasses import dataclass

from fairneuron_core import __version__
from fairneuron_core.data import encode, split_rows
from fairneuron_core.experiments.label_encoded import LabelEncoded, label_encoded
from fairneuron_core.models import TrainingPlan, build_network, profile, train
from fairneuron_core.repair import RepairTask
from fairneuron_core.types import Batch, Classifier, ModelRecord, ProgressCallback, Split


@dataclass(frozen=True)
class Recipe:
    """How the network of one table is trained: Adam with 1e-3, halted by the validation loss."""

    epochs: int = 60
    batch_size: int = 128
    stop_patience: int = 10
    plateau_patience: int = 4


RECIPES = {"german": Recipe(epochs=300, batch_size=32, stop_patience=40, plateau_patience=15)}
"""Recipes of small tables, which need more epochs; all others have the usual one."""


@dataclass(frozen=True, eq=False)
class TrainedSetting:
    """A table with its split, the trained classifier and the three encoded parts."""

    table: LabelEncoded
    split: Split
    classifier: Classifier
    train: Batch
    validation: Batch
    test: Batch

    def task(self, attribute: str, *, progress: ProgressCallback | None = None) -> RepairTask:
        """Return what a repair may look at: never the test part."""
        schema = self.table.dataset.schema
        return RepairTask(
            classifier=self.classifier,
            train=self.train,
            validation=self.validation,
            attribute=attribute,
            reference=schema.reference[attribute],
            seed=self.split.seed,
            threads=1,
            progress=progress,
            schema=schema,
        )


def trained_setting(
    data: str, seed: int, *, epochs: int | None = None, progress: ProgressCallback | None = None
) -> TrainedSetting:
    """Split the table and train its network with this seed; equal arguments give equal networks."""
    table, recipe = label_encoded(data), RECIPES.get(data, Recipe())
    dataset, encoder = table.dataset, table.encoder
    split = split_rows(dataset, seed=seed)
    rows, validation, test = (encode(dataset, part, encoder) for part in (split.train, split.validation, split.test))
    plan = TrainingPlan(
        start=build_network((encoder.width, *dataset.hidden, 1), seed=seed),
        features=rows.features,
        labels=rows.labels,
        validation=(validation.features, validation.labels),
        epochs=epochs or recipe.epochs,
        seed=seed,
        batch_size=recipe.batch_size,
        stop_patience=recipe.stop_patience,
        plateau_patience=recipe.plateau_patience,
    )
    trained = train([plan], progress=progress)[0]
    record = ModelRecord(
        data=dataset.name,
        data_sha256=dataset.sha256,
        made_by="train",
        recipe={"epochs": plan.epochs, "best_epoch": trained.best_epoch, "hidden": list(dataset.hidden)},
        protected=dataset.schema.protected[:1],
        split_seed=seed,
        version=__version__,
    )
    classifier = Classifier(trained.network, encoder, 0.5, record, profile(trained.network, rows.features))
    return TrainedSetting(table, split, classifier, rows, validation, test)
