"""fairlearn's ExponentiatedGradient with our network as its learner: a random mix of networks that meets a constraint.

Source: Agarwal, Beygelzimer, Dudik, Langford, Wallach, "A reductions approach to fair classification", ICML 2018;
fairlearn's reductions.ExponentiatedGradient (https://fairlearn.org), which this file calls.

1. The reduction asks its learner again and again: with these weights and labels of the rows, what is the best network?
   Our learner fine-tunes the given network on them.
2. It weighs the networks so that the mix meets the constraint: no group's rate differs from the rate of all rows by
   more than a bound. Strength s sets the bound to (1 - s) times the given network's largest difference.
3. Every row draws one of the networks by these weights, always the same one, and that network decides at 0.5 (the
   weights and labels already hold the cost of a decision, so the learner's threshold is the even one).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from fairneuron_core.models import ALWAYS, NEVER, Trained, decide, draws, pick, scores, train
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.fine_tuning import TrainingSettings, plan_for, repaired
from fairneuron_core.repair.peers.extra import fairlearn_at_work, peers_missing
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import Batch, Classifier, Progress

_EVEN = 0.5
_SMALLEST_SHARE = 1e-9
_CALLS_AN_ITERATION = 3
_STEPS = 45


@dataclass(frozen=True)
class ExponentiatedGradientParams:
    """The constraint, how strictly it is meant, and how the learner and the reduction work."""

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
        help="1 = equal rates on the training rows; 0.5 = half the given network's difference.",
        low=0.0,
        high=1.0,
    )
    epochs: int | None = setting(
        None,
        label="Epochs",
        help="Passes over the training rows in each call of the learner; empty = as many as make 45 steps.",
        low=1,
        high=500,
        empty="45 steps",
    )
    learning_rate: float = setting(
        1e-3, label="Learning rate", help="Step size of Adam at the start.", low=1e-6, high=1.0
    )
    batch_size: int = setting(
        512, label="Batch size", help="Rows per step.", low=1, high=8192, unit="rows", expert=True
    )
    iterations: int = setting(
        12,
        label="Iterations",
        help="How often the reduction changes its weights; each takes about three trainings.",
        low=1,
        high=500,
        expert=True,
    )
    eps: float = setting(
        0.01,
        label="eps",
        help="The multipliers of the constraints add up to at most 1 / eps.",
        low=1e-4,
        high=1.0,
        expert=True,
    )


@dataclass(frozen=True)
class RandomMix:
    """Decides by a random mix of networks: every row draws its network by `shares`, always the same one."""

    members: tuple[Classifier, ...]
    shares: tuple[float, ...]
    seed: int

    def __call__(self, batch: Batch) -> np.ndarray:
        """Return the decisions (n,) uint8."""
        drawn = pick(self.shares, draws(batch.rows, self.seed))
        found = np.zeros(len(drawn), np.uint8)
        for position, member in enumerate(self.members):
            rows = np.flatnonzero(drawn == position)
            found[rows] = decide(member, batch.features[rows])
        return found

    def probabilities(self, batch: Batch) -> np.ndarray:
        """Return each row's probability (n,) of the favourable decision over the draw."""
        return np.array(self.shares) @ np.array([decide(member, batch.features) for member in self.members])


class FineTuned:
    """The learner that the reduction calls: fine-tunes the task's network with the weights and labels it is given.

    Its X is only the positions of the training rows, so that nothing is copied; always all rows, in order.
    """

    def __init__(self, task: RepairTask, params: ExponentiatedGradientParams, tick: Callable[[], None]) -> None:
        self.task, self.params, self.tick = task, params, tick
        self.trained: Trained | None = None

    def __sklearn_clone__(self) -> FineTuned:
        return FineTuned(self.task, self.params, self.tick)

    def fit(self, X: Any, y: Any, sample_weight: Any) -> FineTuned:
        self.tick()
        batch_size = self.params.batch_size
        epochs = self.params.epochs or epochs_for(_STEPS, rows=len(self.task.train.labels), batch_size=batch_size)
        settings = TrainingSettings(epochs, self.params.learning_rate, batch_size=batch_size)
        plan = plan_for(
            self.task,
            settings,
            labels=np.asarray(y, np.uint8),
            row_weights=np.asarray(sample_weight, float),
            # The validation loss speaks of the true labels, which are not what this training is for.
            keep="last",
            watch=None,
        )
        (self.trained,) = train([plan], device=self.task.device)
        self.decided = decide(self.member(), self.task.train.features)
        return self

    def predict(self, X: Any) -> np.ndarray:
        return self.decided.astype(int)

    def member(self) -> Classifier:
        assert self.trained is not None
        return replace(self.task.classifier, network=self.trained.network, threshold=_EVEN, rule=None)


def prepare_exponentiated_gradient(
    task: RepairTask, params: ExponentiatedGradientParams, strengths: Sequence[float]
) -> Prepared:
    """Carry out one reduction per strength; it trains while it looks, so all is done here."""
    results = []
    for position, strength in enumerate(strengths):
        tick = _ticker(task, params, position, len(strengths))
        results.append(_result(task, replace(params, strength=strength), tick))
    return without_training(*results)


def epochs_for(steps: int, *, rows: int, batch_size: int) -> int:
    """Return the passes over the rows that make at least so many steps: a small data set needs more of them.

    >>> epochs_for(45, rows=22_792, batch_size=512), epochs_for(45, rows=700, batch_size=512)
    (1, 23)
    """
    return -(-steps // -(-rows // batch_size))


def _ticker(task: RepairTask, params: ExponentiatedGradientParams, position: int, strengths: int) -> Callable[[], None]:
    calls = 0

    def tick() -> None:
        nonlocal calls
        calls += 1
        done = position + min(calls / (_CALLS_AN_ITERATION * params.iterations + 1), 1.0)
        if task.progress:
            task.progress(Progress(done / strengths, f"Training {calls} of strength {position + 1} of {strengths}"))

    return tick


def _result(task: RepairTask, params: ExponentiatedGradientParams, tick: Callable[[], None]) -> RepairResult:
    reduction, before, bound = fit_reduction(task, params, tick)
    mix, heaviest = _mix(task, reduction)
    recipe = {"method": "exponentiated_gradient", **params_json(params)}
    classifier = repaired(task, heaviest, made_by="repair exponentiated_gradient", recipe=recipe)
    facts = {
        "networks": len(mix.members),
        "shares": list(mix.shares),
        "difference_before": before,
        "bound": bound,
        "trainings": int(reduction.n_oracle_calls_),
        "iterations": int(reduction.last_iter_) + 1,
    }
    return RepairResult(replace(classifier, threshold=_EVEN), heaviest.trace, facts, mix)


def fit_reduction(
    task: RepairTask, params: ExponentiatedGradientParams, tick: Callable[[], None] = lambda: None
) -> tuple[Any, float, float]:
    """Return fairlearn's fitted reduction, the given network's largest difference from the overall rate, the bound."""
    from fairlearn.reductions import DemographicParity, EqualizedOdds, ExponentiatedGradient, TruePositiveRateParity

    kind = {
        "demographic_parity": DemographicParity,
        "true_positive_rate_parity": TruePositiveRateParity,
        "equalized_odds": EqualizedOdds,
    }[params.constraint]
    rows, codes = np.arange(len(task.train.labels))[:, None], task.train.codes(task.attribute)
    given = (scores(task.classifier, task.train.features) >= task.classifier.threshold).astype(int)
    moment = kind(difference_bound=0.0)
    with fairlearn_at_work():
        moment.load_data(rows, task.train.labels, sensitive_features=codes)
        before = float(moment.gamma(lambda _: given).max())
        bound = before * (1 - params.strength)
        reduction = ExponentiatedGradient(
            FineTuned(task, params, tick),
            kind(difference_bound=bound),
            eps=params.eps,
            max_iter=params.iterations,
        )
        reduction.fit(rows, task.train.labels, sensitive_features=codes)
    return reduction, before, bound


def _mix(task: RepairTask, reduction: Any) -> tuple[RandomMix, Trained]:
    """Return the mix of networks, and the training of the heaviest one."""
    weighed = sorted(reduction.weights_.items(), key=lambda item: -item[1])
    kept = [(reduction.predictors_[index], float(w)) for index, w in weighed if w > _SMALLEST_SHARE]
    total = sum(weight for _, weight in kept)
    mix = RandomMix(
        tuple(_member(task, learner) for learner, _ in kept), tuple(weight / total for _, weight in kept), task.seed
    )
    learners = [reduction.predictors_[index] for index, _ in weighed]
    return mix, next(learner.trained for learner in learners if isinstance(learner, FineTuned))


def _member(task: RepairTask, learner: Any) -> Classifier:
    if isinstance(learner, FineTuned):
        return learner.member()
    # Where every row got one label, fairlearn puts a constant in the learner's place.
    constant = int(learner.predict(np.zeros((1, 1)))[0])
    return replace(task.classifier, threshold=ALWAYS if constant else NEVER, rule=None)


EXPONENTIATED_GRADIENT = RepairRow(
    name="exponentiated_gradient",
    title="Exponentiated gradient (fairlearn)",
    sentence="Fine-tunes the network many times with changing row weights and decides by a random mix of the results.",
    changes="training (row weights and labels), decisions (a random mix of networks)",
    needs_protected=False,
    cannot="Two equal persons may get different decisions by chance, and the mix is no single network: a model file "
    "holds its heaviest member only.",
    source="Agarwal et al., ICML 2018; fairlearn",
    Params=ExponentiatedGradientParams,
    prepare=prepare_exponentiated_gradient,
    kind="peer",
    strengths=(0.25, 0.5, 0.75, 0.9, 1.0),
    one_network=False,
    missing=peers_missing,
)
