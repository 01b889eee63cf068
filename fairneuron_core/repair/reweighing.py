"""Reweighing: weight every training row so that label and protected group become independent, then retrain.

Source: Kamiran and Calders, "Data preprocessing techniques for classification without discrimination", 2012.

1. weight(s, y) = P(s) P(y) / P(s, y), from the training rows
2. retrain with the weighted loss
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairneuron_core.repair.fine_tuning import TrainingSettings, one_training, plan_for
from fairneuron_core.repair.task import Prepared, RepairRow, RepairTask


@dataclass(frozen=True)
class ReweighingParams(TrainingSettings):
    """Reweighing has no setting of its own besides the training's."""


def reweighing_weights(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return weight(s, y) = P(s) P(y) / P(s, y) per row (n,); their mean is 1 where every cell has rows.

    >>> reweighing_weights(np.array([1, 1, 0, 1]), np.array([0, 0, 0, 1])).tolist()
    [1.125, 1.125, 0.75, 0.75]
    """
    n = len(labels)
    cells = groups.astype(np.int64) * 2 + labels
    cell_share = np.bincount(cells)[cells] / n
    return (np.bincount(groups)[groups] / n) * (np.bincount(labels)[labels] / n) / cell_share


def prepare_reweighing(task: RepairTask, params: ReweighingParams, strengths: Sequence[float]) -> Prepared:
    """Ask for one training with the weights of the task's protected attribute."""
    codes = task.train.codes(task.attribute)
    weights = reweighing_weights(task.train.labels, codes)
    levels = task.train.levels(task.attribute)
    table = {
        f"{levels[group]}, {('other', 'favourable')[label]}": float(
            weights[(codes == group) & (task.train.labels == label)][0]
        )
        for group in np.unique(codes)
        for label in (0, 1)
        if ((codes == group) & (task.train.labels == label)).any()
    }
    plan = plan_for(task, params, row_weights=weights)
    return one_training(task, plan, method="reweighing", params=params, facts={"weights": table})


REWEIGHING = RepairRow(
    name="reweighing",
    title="Reweighing",
    sentence="Trains on with row weights that make label and protected group independent.",
    changes="training (row weights)",
    needs_protected=False,
    cannot="It balances the labels it is given; it cannot promise a gap on new rows, and proxies stay.",
    source="Kamiran and Calders, 2012",
    Params=ReweighingParams,
    prepare=prepare_reweighing,
)
