"""Search along the gradient, in the manner of ADF and EIDIG, for columns of levels, whole numbers and reals alike.

An individual is decided differently exactly when its slack is positive:

    slack(x) = min(max over S(x) of the logit - cut, cut - min over S(x) of the logit)

1. Global: start at rows of the data. The gradients at the two extreme similar individuals predict, for every value of
   every column that similar individuals share, how far each extreme would move, and so the slack. One column is changed
   at a time, drawn with odds that grow with the predicted slack; where a number may take many values, the step is the
   one that brings the cut between the extremes (a Newton step). After MOST_STEPS steps another row takes the place.
2. Local: around individuals that were found, change one column at a time, preferring those that matter least
   (EIDIG's inverse gradients): near a discriminatory individual there are mostly more.

Sources: Zhang et al., "White-box fairness testing through adversarial sampling", ICSE 2020 (ADF: two phases, the
gradient at an individual and at its most different similar one); Zhang, Zhang, Zhang, "Efficient white-box fairness
testing through gradient search", ISSTA 2021 (EIDIG: gradient of the output, local choice by inverse gradients).
"""

from __future__ import annotations

import numpy as np
import torch

from fairneuron_core.types import Classifier
from fairneuron_core.verify.examine import Examined, Examiner
from fairneuron_core.verify.individuals import Trait

MOST_STEPS = 10
POPULATION = 256
MOST_FOUND = 20_000
_SMALL_STEP = 0.01
"""Of the range of a real number."""
_COLD = 0.25
"""Odds of a candidate: exp(slack / (this much of the candidates' standard deviation))."""


class Gradient:
    """Ascends the slack from rows of the data, then walks around what it found."""

    note = ""

    def __init__(self, examiner: Examiner, rows: np.ndarray, generator: np.random.Generator) -> None:
        self._examiner, self._generator, self._rows = examiner, generator, rows
        self._people, self._cut = examiner.people, float(np.clip(examiner.cut, -36, 36))
        self._fixed = [i for i in examiner.fixed if self._people.traits[i].encoded]
        self._current = self._start(min(POPULATION, examiner.at_once))
        self._steps = np.zeros(len(self._current), np.int64)
        self._found = np.empty((0, self._current.shape[1]))
        self._around = np.empty((0, len(self._fixed)))
        self._local = False

    def _start(self, n: int) -> np.ndarray:
        return self._rows[self._generator.integers(len(self._rows), size=n)]

    def propose(self, n: int, seconds: float) -> np.ndarray:
        self._local = bool(len(self._found)) and bool(self._fixed) and not self._local
        if not self._local:
            return self._current
        parents = self._generator.integers(len(self._found), size=min(n, 4 * POPULATION))
        return self._children(self._found[parents], self._around[parents])

    def _children(self, values: np.ndarray, importance: np.ndarray) -> np.ndarray:
        odds = 1 / (importance + importance.mean(axis=1, keepdims=True) * 0.1 + 1e-12)
        chosen = (odds.cumsum(axis=1) / odds.sum(axis=1, keepdims=True) < self._generator.random((len(values), 1))).sum(
            axis=1
        )
        children = values.copy()
        for order, position in enumerate(self._fixed):
            here = np.flatnonzero(chosen == order)
            children[here, position] = self._neighbour(self._people.traits[position], values[here, position])
        return children

    def _neighbour(self, trait: Trait, own: np.ndarray) -> np.ndarray:
        if trait.kind == "levels":
            return trait.draw(len(own), self._generator)
        step = 1.0 if trait.kind == "integers" else _SMALL_STEP * (trait.high - trait.low)
        return trait.inside(own + step * self._generator.choice([-1.0, 1.0], len(own)))

    def learn(self, examined: Examined) -> None:
        """Keep what was found for the local walk, and move the population one step up the slack."""
        down, up = (self._gradient(at) for at in (examined.at_low, examined.at_high))
        self._keep(examined, down, up)
        if self._local or not self._fixed:
            self._current = self._current if self._fixed else self._start(len(self._current))
            return
        moved = self._step(examined, down, up)
        # The last turn may examine fewer than were proposed.
        self._steps = self._steps[: len(moved)] + 1
        done = examined.different | (self._steps >= MOST_STEPS)
        moved[done], self._steps[done] = self._start(int(done.sum())), 0
        self._current = moved

    def _gradient(self, features: np.ndarray) -> np.ndarray:
        return logit_gradient(self._examiner.classifier, features)

    def _keep(self, examined: Examined, down: np.ndarray, up: np.ndarray) -> None:
        new = examined.different
        if not new.any() or not self._fixed:
            return
        mean = np.abs(down[new] + up[new]) / 2
        spans = [self._people.traits[i] for i in self._fixed]
        around = np.stack([mean[:, t.start : t.start + t.width].max(axis=1) for t in spans], axis=1)
        self._found = np.concatenate([examined.values[new], self._found])[:MOST_FOUND]
        self._around = np.concatenate([around, self._around])[:MOST_FOUND]

    def _step(self, examined: Examined, down: np.ndarray, up: np.ndarray) -> np.ndarray:
        """Return every individual (n, columns) with one column changed, drawn by the predicted slack."""
        values = examined.values
        owners, options, slacks = [], [], []
        for position in self._fixed:
            option, gain_low, gain_high = self._options(position, examined, down, up)
            predicted = np.minimum(
                examined.high[:, None] + gain_high - self._cut, self._cut - examined.low[:, None] - gain_low
            )
            options.append(option)
            slacks.append(np.where(option == values[:, [position]], -np.inf, predicted))
            owners += [position] * option.shape[1]
        option, slack = np.concatenate(options, axis=1), np.concatenate(slacks, axis=1)
        # Adding Gumbel noise to log odds and taking the largest draws with these odds.
        scale = np.where(np.isfinite(slack), slack, np.nan)
        spread = np.nan_to_num(np.nanstd(scale, axis=1, keepdims=True)) if np.isfinite(slack).any(axis=1).all() else 1.0
        chosen = (slack / (_COLD * spread + 1e-9) + self._generator.gumbel(size=slack.shape)).argmax(axis=1)
        rows, moved = np.arange(len(values)), values.copy()
        moved[rows, np.array(owners)[chosen]] = option[rows, chosen]
        return moved

    def _options(
        self, position: int, examined: Examined, down: np.ndarray, up: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return values (n, k) that a column could take, and how the smallest and largest logit would move."""
        trait, own = self._people.traits[position], examined.values[:, position]
        at = slice(trait.start, trait.start + trait.width)
        if not trait.linear:
            levels = np.arange(trait.low, trait.high + 1)
            if trait.kind != "levels":
                levels = trait.draw(8, self._generator)
            table = trait.inputs(levels)  # (k, width)
            here = trait.inputs(own)
            gains = [side[:, at] @ table.T - (side[:, at] * here).sum(axis=1, keepdims=True) for side in (down, up)]
            return np.broadcast_to(levels, (len(own), len(levels))), gains[0], gains[1]
        encoded = trait.encoded
        assert encoded is not None
        span = encoded.high - encoded.low
        slopes = [side[:, trait.start] / (span if span > 0 else 1.0) for side in (down, up)]
        both = slopes[0] + slopes[1]
        newton = (2 * self._cut - examined.low - examined.high) / np.where(both == 0, np.inf, both)
        small = 1.0 if trait.kind == "integers" else _SMALL_STEP * (trait.high - trait.low)
        candidates = np.stack([own + newton, own - small, own + small, trait.draw(len(own), self._generator)], axis=1)
        option = trait.inside(candidates)
        steps = option - own[:, None]
        return option, slopes[0][:, None] * steps, slopes[1][:, None] * steps


def logit_gradient(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Return the gradient (n, d) float32 of the logit with respect to the inputs; weights are left without one."""
    inputs = torch.from_numpy(np.ascontiguousarray(features)).requires_grad_(True)
    with torch.enable_grad():
        outputs = classifier.network(inputs)
        logit = outputs[:, 0] if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]
        return torch.autograd.grad(logit.sum(), inputs)[0].numpy()
