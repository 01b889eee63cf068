"""ProF: bounds of the hidden layer are tightened by training, then the last layer is solved for.

Source: "Provable Fairness Repair for Deep Neural Networks" (ProF), ASE 2025. Written from its formulas.

1. benign rows X_n and repair rows X_r are drawn from the training part (the published method takes any rows as X_r,
   not only discriminated ones)
2. all layers are trained, full batch, Adam, to lower
       cross-entropy(X_n) + mean over X_r of  sum_j (h_j^U - h_j^L) / the same sum before
   where h^L, h^U are the bounds of the last hidden layer over S(x) as a box (CROWN, intersected with interval bounds)
3. a mixed-integer programme finds the smallest change of the last layer for which the linear bounds prove one decision
   on all of S(x), for every repair row at once (`prof_milp.py`)

What 3. proves are the repair rows; the facts count them by themselves. Nothing here keeps the accuracy: the gates say
whether the result still decides anything. Unlike the published code the bounds and the programme are worked out in
float64 with a margin of 1e-4, and every repair row is tried again with the deployed network where that is possible.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from fairneuron_core.models import Trained, network_of
from fairneuron_core.models.layers import LinearLayer
from fairneuron_core.params import params_json, setting
from fairneuron_core.repair.fine_tuning import gap_watch, repaired
from fairneuron_core.repair.individual import IndividualSettings, individual_facts, proved_rows, space_of
from fairneuron_core.repair.last_layer import last_layer_of
from fairneuron_core.repair.last_layer_milp import Answer, solve
from fairneuron_core.repair.prof_milp import corners_of, vertex_problem
from fairneuron_core.repair.task import Prepared, RepairResult, RepairRow, RepairTask, without_training
from fairneuron_core.types import Classifier, Progress
from fairneuron_core.verify import SimilarSpace
from fairneuron_core.verify.bounds import Layer64, forward, layers64
from fairneuron_core.verify.crown import linear_bounds


@dataclass(frozen=True)
class ProfParams(IndividualSettings):
    """How many rows, how long the bounds are tightened, and how long the solver may take."""

    rows: int = setting(100, label="Repair rows", help="Drawn from training.", low=1, high=2000, unit="rows")
    benign: int = setting(
        500, label="Benign rows", help="Drawn from training; the training of step 1 fits them.", low=1, high=100_000
    )
    epochs: int = setting(200, label="Epochs of step 1", help="Full-batch steps; 0 = step 2 only.", low=0, high=5000)
    learning_rate: float = setting(1e-3, label="Learning rate", help="Step size of Adam.", low=1e-6, high=1.0)
    seconds: float = setting(60.0, label="Time limit of step 2", low=0.1, high=3600.0, unit="s")


def prepare_prof(task: RepairTask, params: ProfParams, strengths: Sequence[float]) -> Prepared:
    """Tighten and solve; the training of step 1 looks at bounds, which no plan can describe, so all is done here."""
    began, space = time.perf_counter(), space_of(task, params)
    benign, drawn = drawn_rows(task, params)
    tight, trace = tightened(task, params, space, benign, drawn)
    middle = time.perf_counter()
    between = replace(task.classifier, network=tight, rule=None)
    answer, network = smallest_change(between, space, task.train.features[drawn], seconds=params.seconds)
    recipe = {"method": "prof", **params_json(params)}
    classifier = repaired(task, Trained(network, trace, len(trace)), made_by="repair prof", recipe=recipe)
    seconds = {"tightening": middle - began, "solving": time.perf_counter() - middle}
    facts = {"solver": _told(answer), "repair_rows": _stages(task, space, between, classifier, drawn)}
    facts |= individual_facts(
        task, space, classifier, params, drawn=np.sort(drawn), seconds=seconds, words=facts["solver"]["words"]
    )
    return without_training(RepairResult(classifier, trace, facts))


def drawn_rows(task: RepairTask, params: ProfParams) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the benign and of the repair rows in the training part, each without replacement."""
    generator, n = np.random.default_rng([task.seed, 7]), len(task.train.labels)
    benign = generator.choice(n, min(params.benign, n), replace=False)
    return benign, generator.choice(n, min(params.rows, n), replace=False)


def tightened(
    task: RepairTask, params: ProfParams, space: SimilarSpace, benign: np.ndarray, drawn: np.ndarray
) -> tuple[nn.Sequential, tuple[dict[str, Any], ...]]:
    """Return the network of step 1 and its trace."""
    given = task.classifier.network
    layers = [(w.clone().requires_grad_(True), b.clone().requires_grad_(True)) for w, b in layers64(given)]
    box = space.box(task.train.features[drawn])
    rows = torch.from_numpy(task.train.features[benign]).double()
    labels = torch.from_numpy(task.train.labels[benign].astype(np.float64))
    with torch.no_grad():
        before = widths(layers, box)
    vary = before > 0
    optimiser = torch.optim.Adam([part for layer in layers for part in layer], lr=params.learning_rate)
    trace, watch = [], gap_watch(task)
    for epoch in range(1, params.epochs + 1):
        loss = F.binary_cross_entropy_with_logits(forward(layers, rows), labels)
        ratio = (widths(layers, box)[vary] / before[vary]).mean() if vary.any() else torch.zeros(())
        optimiser.zero_grad()
        (loss + ratio).backward()
        optimiser.step()
        trace.append({"epoch": epoch, "train_loss": loss.item(), "width": ratio.item(), **_seen(task, layers, watch)})
        if task.progress:
            task.progress(Progress(epoch / params.epochs, f"Epoch {epoch} of {params.epochs}", trace[-1]))
    return as_network(layers), tuple(trace)


def widths(layers: Sequence[Layer64], box: tuple[np.ndarray, np.ndarray]) -> torch.Tensor:
    """Return sum_j (h_j^U - h_j^L) (n,) of the last hidden layer over boxes (n, d)."""
    found = linear_bounds(layers, *box)
    return (found.high - found.low).sum(1)


def as_network(layers: Sequence[Layer64]) -> nn.Sequential:
    """Return the float32 network of (weight, bias) tensors with ReLU between them."""
    kinds = ["relu"] * (len(layers) - 1) + ["identity"]
    parts = ((weight.detach().float().numpy(), bias.detach().float().numpy()) for weight, bias in layers)
    return network_of([LinearLayer(weight, bias, kind) for (weight, bias), kind in zip(parts, kinds, strict=True)])


def _seen(task: RepairTask, layers: Sequence[Layer64], watch: Any) -> dict[str, float]:
    """Loss, accuracy and gaps on the validation rows."""
    rows = task.validation
    with torch.no_grad():
        logits = forward(layers, rows.features)
        loss = F.binary_cross_entropy_with_logits(logits, torch.from_numpy(rows.labels.astype(np.float64)))
    scored = torch.sigmoid(logits).numpy()
    accuracy = float(((scored >= task.classifier.threshold) == rows.labels).mean())
    return {"validation_loss": loss.item(), "validation_accuracy": accuracy, **watch(scored)}


def smallest_change(
    classifier: Classifier, space: SimilarSpace, features: np.ndarray, *, seconds: float
) -> tuple[Answer, nn.Sequential]:
    """Return the answer of step 2 for rows (k, d) and the network with it; without an answer, the network as it was."""
    layer = last_layer_of(classifier)
    with torch.no_grad():
        bounds = linear_bounds(layers64(classifier.network), *space.box(features))
    answer = solve(vertex_problem(layer, bounds, corners_of(space, features)), seconds=seconds)
    return answer, classifier.network if answer.change is None else layer.network(answer.change)


def _told(answer: Answer) -> dict[str, Any]:
    words = {
        "optimal": "Step 2 found the smallest change for which the bounds prove every repair row.",
        "infeasible": "Step 2 has no answer for these rows: the network is that of step 1.",
        "time-out": "Step 2 ran out of time: the network is that of step 1.",
        "failed": "Step 2 failed in the solver: the network is that of step 1.",
    }
    return {"status": answer.status, "change": answer.norm, "words": words[answer.status]}


def _stages(
    task: RepairTask, space: SimilarSpace, between: Classifier, after: Classifier, drawn: np.ndarray
) -> dict[str, Any]:
    """Count the refuted repair rows before, after step 1 and after step 2; None where they cannot be tried."""
    counts: dict[str, Any] = {"rows": len(drawn)}
    named = {"before": replace(task.classifier, rule=None), "after_step_1": between, "after_step_2": after}
    for name, classifier in named.items():
        proved = proved_rows(classifier, space, task.train.features[drawn])
        counts[name] = None if proved is None else int((~proved).sum())
    return counts


PROF = RepairRow(
    name="prof",
    title="ProF (bounds and solver)",
    sentence="Trains until bounds over similar individuals are narrow, then solves for the last layer on drawn rows.",
    changes="training (bounds), then the last layer (a solver)",
    needs_protected=False,
    cannot="It proves the rows it was given, a hundred by default, and keeps no accuracy: it can end in a network that "
    "decides the same for everybody. It needs a ReLU network.",
    source="ProF, ASE 2025",
    Params=ProfParams,
    prepare=prepare_prof,
    individual=True,
)
