"""FAD: fine-tune against an adversary that reads the protected group from the last hidden layer.

Source: Adel, Valera, Ghahramani, Weller, "One-Network Adversarial Fairness", AAAI 2019.

    L = L_CE - alpha * L_A      L_A = cross-entropy with which the adversary tells the protected group

alpha is the strength; at 0 the adversary learns and the network does not hear of it. `adversary.py` says how both
sides learn from one gradient. Unlike the paper, the network is fine-tuned and not grown: it keeps its layers, and the
adversary reads the last hidden one. The learning rate falls to 0 and the last epoch is kept, since the epoch with the
lowest validation loss would be the one in which the adversary had achieved least.

`align` is the step that Gao et al. (ICSE 2022) describe after it: thresholds per group (Hardt, Price, Srebro, 2016).
Here each group gets the highest threshold at which its true positive rate on the validation rows reaches that of all
rows together. It reads the attribute at every decision, so it is off by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fairneuron_core.models import Trained, scores
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.adversary import Adversary
from fairneuron_core.repair.fine_tuning import TrainingSettings, plan_for, repaired
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask
from fairneuron_core.types import Classifier, DecisionRule


@dataclass(frozen=True)
class FadParams(TrainingSettings):
    """How hard the network works against the adversary, and whether thresholds are aligned afterwards."""

    strength: float = setting(
        1.0,
        label="Strength (alpha)",
        help="Weight of the adversary's loss against the cross-entropy; 0 = no adversary.",
        low=0.0,
        high=1000.0,
    )
    align: bool = setting(
        False,
        label="A threshold per group",
        help="Gives each group the threshold with the true positive rate of all; reads the attribute at decisions.",
    )
    keep: Literal["best", "last"] = setting(
        "last",
        label="Keep the epoch",
        help="last = the final epoch; best = lowest validation loss, which is seldom the fairest epoch.",
        choices=("best", "last"),
        expert=True,
    )


def prepare_fad(task: RepairTask, params: FadParams, strengths: Sequence[float]) -> Prepared:
    """Ask for one adversarial training per strength."""
    codes, levels = task.train.codes(task.attribute), task.train.levels(task.attribute)
    plans = tuple(
        plan_for(task, params, penalty=Adversary(codes, len(levels), strength), schedule="cosine")
        for strength in strengths
    )

    def finish(trained: Sequence[Trained]) -> tuple[RepairResult, ...]:
        asked = (replace(params, strength=strength) for strength in strengths)
        return tuple(_result(task, own, one) for own, one in zip(asked, trained, strict=True))

    return Prepared(plans, finish)


def _result(task: RepairTask, params: FadParams, trained: Trained) -> RepairResult:
    recipe = {"method": "fad", **params_json(params)}
    classifier = repaired(task, trained, made_by="repair fad", recipe=recipe)
    if not params.align:
        return RepairResult(classifier, trained.trace)
    rule = aligned_rule(task, classifier)
    return RepairResult(
        replace(classifier, rule=rule),
        trained.trace,
        {"thresholds": {level: mix[0][1] for level, mix in rule.groups.items()}},
    )


def aligned_rule(task: RepairTask, classifier: Classifier) -> DecisionRule:
    """Return one threshold per group, so that all have the true positive rate of all rows (validation part).

    A group without a favourable label keeps the classifier's own threshold.
    """
    batch = task.validation
    scored, codes = scores(classifier, batch.features), batch.codes(task.attribute)
    positive = batch.labels == 1
    if not positive.any():
        return DecisionRule(task.attribute, {}, seed=task.seed)
    wanted = float((scored[positive] >= classifier.threshold).mean())
    groups = {}
    for code, level in enumerate(batch.levels(task.attribute)):
        own = scored[positive & (codes == code)]
        if len(own):
            groups[level] = ((1.0, threshold_for_rate(own, wanted)),)
    return DecisionRule(task.attribute, groups, seed=task.seed)


def threshold_for_rate(scored: np.ndarray, rate: float) -> float:
    """Return the highest threshold that at least `rate` of the scores reach; just above all of them for rate 0.

    >>> threshold_for_rate(np.array([0.2, 0.4, 0.6, 0.8]), 0.5)
    0.6
    """
    count = int(np.ceil(rate * len(scored) - 1e-9))
    return float(np.sort(scored)[-count]) if count else float(np.nextafter(scored.max(), 2.0))


FAD = RepairRow(
    name="fad",
    title="FAD (adversary)",
    sentence="Trains on against an adversary that tries to read the protected group from the last hidden layer.",
    changes="training (adversary)",
    needs_protected=False,
    cannot="It promises no gap: the group is hidden from one small adversary only, large strengths can swing or cost "
    "much accuracy, and with a threshold per group switched on it reads the attribute when it decides.",
    source="Adel et al., AAAI 2019",
    Params=FadParams,
    prepare=prepare_fad,
    strengths=(0.0, 0.1, 0.3, 1.0, 3.0, 10.0),
)
