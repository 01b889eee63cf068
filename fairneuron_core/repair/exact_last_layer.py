"""Exact last layer: the smallest change of the last layer after which refuted training rows have one decision.

1. refuted training rows: S(x) enumerated; `rows` of them are drawn
2. mixed-integer programme over the hidden activations of every point of their S(x): minimal L1 change, decision of each
   row free, and decisions of `benign` rows that are proved already kept by slacks in the objective
3. all training rows are tried again with the deployed network; rows that are refuted now are added, and 2. is repeated

The answer with the fewest refuted training rows is kept, of those that pass the gates: a constant refutes nobody. Where
the programme times out or has no answer, the network stays as the rounds before left it, and the facts say so. The
hidden layers do not move: where they mix the attribute with everything else, no last layer repairs all rows.

Source: the last-layer programme of ProF ("Provable Fairness Repair for Deep Neural Networks", ASE 2025) with its bounds
replaced by the points themselves; the benign slacks and the rounds are ours.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fairneuron_core.errors import SettingError
from fairneuron_core.models import Trained
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.fine_tuning import repaired
from fairneuron_core.repair.gates import gate_facts
from fairneuron_core.repair.individual import IndividualSettings, individual_facts, proved_rows, space_of
from fairneuron_core.repair.last_layer import LastLayer, last_layer_of
from fairneuron_core.repair.last_layer_milp import Answer, Forms, Problem, solve
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import Progress
from fairneuron_core.verify import MARGIN, SimilarSpace

BOX = 3.0
_MOST_FORMS = 200_000


@dataclass(frozen=True)
class ExactLastLayerParams(IndividualSettings):
    """How many rows are repaired at once, what their repair may cost others, and how long it may take."""

    rows: int = setting(50, label="Rows added a round", help="Refuted training rows.", low=1, high=2000, unit="rows")
    benign: int = setting(
        500, label="Benign rows", help="Proved training rows whose decision is to stay.", low=0, high=5000, unit="rows"
    )
    keep: float = setting(
        100.0,
        label="Weight of the benign rows",
        help="Weight of their mean slack against the size of the change.",
        low=0.0,
        high=10_000.0,
    )
    rounds: int = setting(3, label="Rounds at most", help="Each adds the rows that are refuted now.", low=1, high=50)
    seconds: float = setting(30.0, label="Time limit of a round", low=0.1, high=3600.0, unit="s")


@dataclass
class Search:
    """The work so far: rows in the programme, the best change with its count of refuted training rows, the rounds."""

    refuted: np.ndarray
    fewest: int
    best: np.ndarray | None = None
    chosen: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    rounds: list[dict[str, Any]] = field(default_factory=list)


def prepare_exact_last_layer(task: RepairTask, params: ExactLastLayerParams, strengths: Sequence[float]) -> Prepared:
    """Solve round after round; no training is asked for."""
    began, space, layer = time.perf_counter(), space_of(task, params), last_layer_of(task.classifier)
    plain = replace(task.classifier, rule=None)
    proved = proved_rows(plain, space, task.train.features)
    if proved is None:
        raise SettingError(
            "The exact repair needs similar individuals that can be listed, but a column is real-valued: "
            "free columns of levels or whole numbers only, or repair by blindness."
        )
    generator = np.random.default_rng([task.seed, 6])
    search = Search(~proved, int((~proved).sum()))
    benign = _draw(generator, np.flatnonzero(proved), params.benign)
    for number in range(params.rounds):
        if not search.refuted.any() or not _one_round(task, params, (space, layer), search, benign, generator):
            break
        if task.progress:
            task.progress(Progress((number + 1) / params.rounds, f"Round {number + 1} of {params.rounds}"))
    return without_training(_result(task, params, space, layer, search, time.perf_counter() - began))


def _one_round(
    task: RepairTask,
    params: ExactLastLayerParams,
    of: tuple[SimilarSpace, LastLayer],
    search: Search,
    benign: np.ndarray,
    generator: np.random.Generator,
) -> bool:
    """Add refuted rows, solve, try all training rows; say whether there was an answer."""
    space, layer = of
    left = np.setdiff1d(np.flatnonzero(search.refuted), search.chosen)
    search.chosen = np.concatenate([search.chosen, _draw(generator, left, params.rows)])
    answer = solve(exact_problem(task, params, of, search.chosen, benign), seconds=params.seconds)
    note = {"round": len(search.rounds) + 1, "rows": len(search.chosen), **_told(answer)}
    search.rounds.append(note)
    if answer.change is None:
        return False
    candidate = replace(task.classifier, network=layer.network(answer.change), rule=None)
    found = proved_rows(candidate, space, task.train.features)
    assert found is not None
    search.refuted = ~found
    note["refuted_training_rows"] = count = int(search.refuted.sum())
    note["gates_passed"] = gate_facts(task, candidate, params)["passed"]
    if count < search.fewest and note["gates_passed"]:
        search.fewest, search.best = count, answer.change
    return True


def _told(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "change": answer.norm, "seconds": round(answer.seconds, 3)}


def exact_problem(
    task: RepairTask,
    params: ExactLastLayerParams,
    of: tuple[SimilarSpace, LastLayer],
    chosen: np.ndarray,
    benign: np.ndarray,
) -> Problem:
    """Return the programme over all points of S(x) of the training rows `chosen`, with the rows `benign` kept.

    The variables are the change of (weight, bias) itself.
    """
    space, layer = of
    if space.size * len(chosen) > _MOST_FORMS:
        raise SettingError(
            f"{len(chosen)} rows with {space.size:,} similar individuals each are too many for one programme: "
            "choose fewer rows, or repair by blindness or spread."
        )
    forms = _forms(layer, space.points(task.train.features[chosen]))
    kept = _forms(layer, _extremes(layer, space.points(task.train.features[benign])))
    h = len(layer.weight) + 1
    return Problem(
        low=forms,
        high=forms,
        lower=np.full(h, -BOX),
        upper=np.full(h, BOX),
        transform=np.eye(h),
        start=np.zeros(h),
        box=BOX,
        margin=MARGIN,
        benign=replace(kept, sign=np.where(kept.constants >= 0, 1.0, -1.0)),
        keep=params.keep,
    )


def _forms(layer: LastLayer, points: np.ndarray) -> Forms:
    """Return one form per distinct point: h . change + (logit - cut); points (n, m, d)."""
    hidden = layer.activations(points)  # (n, m, h)
    rows, owner = [], []
    for position, values in enumerate(hidden):
        rows.append(np.unique(values, axis=0))
        owner.append(np.full(len(rows[-1]), position))
    every = np.concatenate(rows) if rows else np.zeros((0, len(layer.weight)))
    constants = every @ layer.weight + layer.bias - layer.cut
    slopes = np.concatenate([every, np.ones((len(every), 1))], axis=1)
    return Forms(slopes, constants, np.concatenate(owner) if owner else np.zeros(0, np.int64))


def _extremes(layer: LastLayer, points: np.ndarray) -> np.ndarray:
    """Return the points (n, 2, d) of each row with the lowest and the highest logit: the first that could turn."""
    if not len(points):
        return points
    logits = layer.activations(points) @ layer.weight  # (n, m)
    rows = np.arange(len(points))
    return np.stack([points[rows, logits.argmin(1)], points[rows, logits.argmax(1)]], axis=1)


def _draw(generator: np.random.Generator, rows: np.ndarray, most: int) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(generator.choice(rows, most, replace=False))


def _result(
    task: RepairTask, params: ExactLastLayerParams, space: SimilarSpace, layer: LastLayer, search: Search, spent: float
) -> RepairResult:
    recipe = {"method": "exact_last_layer", **params_json(params)}
    given = task.classifier.network
    network = given if search.best is None else layer.network(search.best)
    classifier = repaired(task, Trained(network, (), 0), made_by="repair exact_last_layer", recipe=recipe)
    facts = {"rounds": search.rounds, "changed": search.best is not None}
    facts |= individual_facts(
        task, space, classifier, params, drawn=np.sort(search.chosen), seconds={"solving": spent}, words=_words(search)
    )
    return RepairResult(classifier, facts=facts)


def _words(search: Search) -> str:
    if not search.rounds:
        return "No training row is refuted: the network stays as it was."
    last = search.rounds[-1]
    ended = "" if last["status"] == "optimal" else f" The last round ended without an answer ({last['status']})."
    if search.best is None:
        barred = any(not one.get("gates_passed", True) for one in search.rounds)
        why = " that does not fail a gate" if barred else ""
        return f"The network stays as it was: no round{why} left fewer training rows refuted.{ended}"
    norm = min(
        one["change"]
        for one in search.rounds
        if one.get("gates_passed") and one["refuted_training_rows"] == search.fewest
    )
    return f"The last layer moved by {norm:.3g} in all; {search.fewest:,} training rows are still refuted.{ended}"


EXACT_LAST_LAYER = RepairRow(
    name="exact_last_layer",
    title="Exact last layer",
    sentence="Solves for the smallest change of the last layer that gives refuted training rows one decision.",
    changes="weights of the last layer (a solver)",
    needs_protected=False,
    cannot="It cannot repair what the hidden layers mix up: on many networks rows stay refuted, and a change that "
    "repairs the rows it was given may refute others.",
    source="After the last-layer step of ProF (ASE 2025), with exact points",
    Params=ExactLastLayerParams,
    prepare=prepare_exact_last_layer,
    individual=True,
)
