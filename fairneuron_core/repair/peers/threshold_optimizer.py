"""fairlearn's ThresholdOptimizer on the network's scores: the best thresholds per group under a fairness constraint.

Source: Hardt, Price, Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016; fairlearn's
postprocessing.ThresholdOptimizer (https://fairlearn.org), which this file calls.

1. scores of the given network on the rows it is fitted on; groups that lack one of the labels keep their threshold
2. fairlearn looks for the most accurate mix of two thresholds per group that meets the constraint. Strength s allows
   the groups' rates to differ by tol = (1 - s) times their difference before
3. its answer becomes a rule per group: (p0, threshold 0), (p1, threshold 1) and, for equalized odds, the share
   p_ignore of rows that get a constant prediction: threshold "always" or "never"

Equalized odds knows no tolerance; there, strength s takes the optimiser's rule with probability s and the network's own
threshold otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.models import ALWAYS, NEVER, scores
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.deciding import deciding
from fairneuron_core.repair.peers.extra import peers_missing
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import DecisionRule

Mix = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ThresholdOptimizerParams:
    """The constraint, how strictly it is meant, and the rows that the thresholds are fitted on."""

    constraint: Literal["demographic_parity", "true_positive_rate_parity", "equalized_odds"] = setting(
        "demographic_parity",
        label="Constraint",
        help="What must be equal between the groups: selection rates, true-positive rates, or these and the "
        "false-positive rates.",
        choices=("demographic_parity", "true_positive_rate_parity", "equalized_odds"),
    )
    strength: float = setting(
        1.0,
        label="Strength",
        help="1 = equal rates on the fitted rows; 0 = as different as the given network's.",
        low=0.0,
        high=1.0,
    )
    rows: Literal["train", "validation"] = setting(
        "train",
        label="Fitted on",
        help="Rows whose scores and labels fix the thresholds.",
        choices=("train", "validation"),
        expert=True,
    )
    grid: int = setting(
        1000,
        label="Grid",
        help="In how many steps fairlearn tries the groups' common rate.",
        low=10,
        high=100_000,
        expert=True,
    )


@dataclass(frozen=True)
class FittedRows:
    """What the thresholds are fitted on: scores, labels and group codes (n,), of the groups that have both labels."""

    scored: np.ndarray
    labels: np.ndarray
    codes: np.ndarray


def prepare_threshold_optimizer(
    task: RepairTask, params: ThresholdOptimizerParams, strengths: Sequence[float]
) -> Prepared:
    """Give one rule per strength; no network is trained."""
    rows = fitted_rows(task, params)
    return without_training(*(_result(task, replace(params, strength=s), rows) for s in strengths))


def fitted_rows(task: RepairTask, params: ThresholdOptimizerParams) -> FittedRows:
    """Return the rows of the groups that have both labels (SettingError when there are fewer than two of them)."""
    batch = task.train if params.rows == "train" else task.validation
    codes = batch.codes(task.attribute)
    whole = [code for code in np.unique(codes) if len(np.unique(batch.labels[codes == code])) == 2]
    if len(whole) < 2:
        raise SettingError(
            f"Of the groups of '{task.attribute}' only {len(whole)} have both labels among the {params.rows} rows: "
            "fitting a threshold per group needs 2 such groups."
        )
    kept = np.isin(codes, whole)
    return FittedRows(scores(task.classifier, batch.features[kept]), batch.labels[kept], codes[kept])


def fit_optimizer(rows: FittedRows, *, constraint: str, tolerance: float | None, grid: int = 1000) -> Any:
    """Return fairlearn's fitted ThresholdOptimizer; its X is the scores (n, 1), its groups are the codes."""
    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.base import BaseEstimator

    class ScoreItself(BaseEstimator):  # type: ignore[misc]
        """The estimator whose scores are its only input."""

        def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> ScoreItself:
            return self

        def predict(self, X: Any) -> np.ndarray:
            return np.asarray(X, float)[:, 0]

        def __sklearn_is_fitted__(self) -> bool:
            return True

    optimizer = ThresholdOptimizer(
        estimator=ScoreItself(),
        constraints=constraint,
        prefit=True,
        predict_method="predict",
        # Selecting those BELOW a threshold cannot be told to anybody, and no rule of ours can express it.
        flip=False,
        grid_size=grid,
        tol=tolerance or None,
    )
    return optimizer.fit(rows.scored[:, None], rows.labels, sensitive_features=rows.codes)


def rule_of(optimizer: Any, levels: Sequence[str]) -> dict[str, Mix]:
    """Return a fitted optimizer's decisions as a mix of thresholds per group, the same to the last score."""
    found = optimizer.interpolated_thresholder_.interpolation_dict
    return {levels[int(code)]: _mix(parts) for code, parts in found.items()}


def _mix(parts: Mapping[str, Any]) -> Mix:
    ignored, constant = float(parts.get("p_ignore", 0.0)), float(parts.get("prediction_constant", 0.0))
    shares = [
        ((1 - ignored) * float(parts["p0"]), _cut(parts["operation0"])),
        ((1 - ignored) * float(parts["p1"]), _cut(parts["operation1"])),
        (ignored * constant, ALWAYS),
        (ignored * (1 - constant), NEVER),
    ]
    return mixed((1.0, tuple(shares)))


def _cut(operation: Any) -> float:
    """fairlearn selects scores ABOVE its threshold, we select those from ours on: ours is the next number up."""
    return float(np.clip(np.nextafter(operation.threshold, np.inf), ALWAYS, NEVER))


def mixed(*parts: tuple[float, Mix]) -> Mix:
    """Return the mix that takes each of several mixes with its weight; equal thresholds are put together.

    >>> mixed((0.5, ((1.0, 0.4),)), (0.5, ((0.5, 0.4), (0.5, 0.6))))
    ((0.75, 0.4), (0.25, 0.6))
    """
    found: dict[float, float] = {}
    for weight, mix in parts:
        for share, cut in mix:
            found[cut] = found.get(cut, 0.0) + weight * max(share, 0.0)
    total = sum(found.values())
    return tuple((share / total, cut) for cut, share in sorted(found.items()) if share > 0)


def _result(task: RepairTask, params: ThresholdOptimizerParams, rows: FittedRows) -> RepairResult:
    own, levels = task.classifier.threshold, task.train.levels(task.attribute)
    before = _difference(rows, rows.scored >= own, params.constraint)
    relaxed = params.constraint != "equalized_odds"
    tolerance = before * (1 - params.strength) if relaxed else None
    optimizer = fit_optimizer(rows, constraint=params.constraint, tolerance=tolerance, grid=params.grid)
    groups = rule_of(optimizer, levels)
    if not relaxed:
        s = params.strength
        groups = {level: mixed((s, mix), (1 - s, ((1.0, own),))) for level, mix in groups.items()}
    classifier = deciding(
        task,
        method="threshold_optimizer",
        recipe=params_json(params),
        threshold=own,
        rule=DecisionRule(task.attribute, groups, seed=task.seed),
    )
    facts = {"rule": {level: [list(part) for part in mix] for level, mix in groups.items()}, "tolerance": tolerance}
    return RepairResult(classifier, facts=facts)


def _difference(rows: FittedRows, decided: np.ndarray, constraint: str) -> float:
    """Return how far the groups' selection rates (or true-positive rates) lie apart."""
    counted = np.ones(len(decided), bool) if constraint == "demographic_parity" else rows.labels == 1
    rates = [decided[counted & (rows.codes == code)].mean() for code in np.unique(rows.codes)]
    return float(max(rates) - min(rates))


THRESHOLD_OPTIMIZER = RepairRow(
    name="threshold_optimizer",
    title="Threshold optimizer (fairlearn)",
    sentence="Finds the most accurate thresholds per group that make the chosen rates equal; some draw by chance.",
    changes="decisions (thresholds per group)",
    needs_protected=True,
    cannot="It treats equal scores of two groups differently on purpose, draws by chance for some people, and cannot "
    "decide about a person whose group is not known.",
    source="Hardt, Price, Srebro, NeurIPS 2016; fairlearn",
    Params=ThresholdOptimizerParams,
    prepare=prepare_threshold_optimizer,
    kind="peer",
    strengths=(0.0, 0.25, 0.5, 0.75, 0.9, 1.0),
    missing=peers_missing,
)
