"""Control: one decision threshold for all, moved so that a given share of the validation rows is selected.

What it controls for: most repairs change HOW MANY people get the favourable outcome, and gaps between groups shrink by
that alone (who selects nobody has no gap). Set beside a repair, this control selects as many people as the repaired
network does, from the scores of the network as it was: what the repair achieves beyond it is due to WHOM it selects.
An experiment gives it the rate of each repaired network (`matched_threshold_result`); on its own it takes the share of
favourable labels in training, the rate at which a network selects as many people as the labels do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fairneuron_core.models import scores
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.deciding import deciding
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training


@dataclass(frozen=True)
class MatchedThresholdParams:
    """How many people are selected."""

    rate: float | None = setting(
        None,
        label="Selection rate",
        help="Share of the validation rows that gets the favourable outcome; empty = the share of favourable labels.",
        low=0.0,
        high=1.0,
        empty="share of favourable labels",
    )


def prepare_matched_threshold(task: RepairTask, params: MatchedThresholdParams, strengths: Sequence[float]) -> Prepared:
    """Give the network with its threshold moved; nothing is trained."""
    return without_training(matched_threshold_result(task, params.rate))


def matched_threshold_result(task: RepairTask, rate: float | None = None) -> RepairResult:
    """Return the task's network with the threshold at which it selects `rate` of the validation rows.

    rate   None = the share of favourable labels in training. To match a repaired network, give the share of the
           validation rows that IT selects.
    """
    wanted = float(task.train.labels.mean()) if rate is None else rate
    scored = scores(task.classifier, task.validation.features)
    threshold = matching_threshold(scored, wanted)
    recipe = params_json(replace(MatchedThresholdParams(), rate=wanted))
    classifier = deciding(task, method="matched_threshold", recipe=recipe, threshold=threshold)
    facts = {"rate": wanted, "threshold": threshold, "reached": float((scored >= threshold).mean())}
    return RepairResult(classifier, facts=facts)


def matching_threshold(scored: np.ndarray, rate: float) -> float:
    """Return the threshold in [0, 1] that selects the share of scores nearest to `rate`; halfway between two scores.

    >>> matching_threshold(np.array([0.2, 0.4, 0.6, 0.8]), 0.25)
    0.7
    >>> matching_threshold(np.array([0.5, 0.5, 0.5, 0.9]), 0.7)
    0.25
    """
    distinct, counts = np.unique(scored, return_counts=True)  # ascending
    selected = np.concatenate([np.cumsum(counts[::-1])[::-1], [0]]) / len(scored)  # by the threshold below each score
    edges = np.concatenate([[0.0], distinct, [1.0]])
    middles = (edges[:-1] + edges[1:]) / 2
    # Between two neighbouring floating point numbers there is no middle: take the upper one.
    middles = np.where(middles > edges[:-1], middles, edges[1:])
    middles[-1] = 1.0
    return float(middles[int(np.abs(selected - rate).argmin())])


MATCHED_THRESHOLD = RepairRow(
    name="matched_threshold",
    title="Matched threshold",
    sentence="Control: the network as it is, with one threshold for all that selects a given share of people.",
    changes="decisions (one threshold)",
    needs_protected=False,
    cannot="It repairs nothing: it shows how far a gap moves by selecting more or fewer people alone.",
    source="A control of this dashboard",
    Params=MatchedThresholdParams,
    prepare=prepare_matched_threshold,
    kind="control",
)
