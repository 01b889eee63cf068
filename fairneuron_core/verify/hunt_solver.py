"""Let a solver name one pair of the whole space, or show that there is none."""

from __future__ import annotations

import math

import numpy as np

from fairneuron_core.errors import ModelError
from fairneuron_core.verify.bounds import layers64
from fairneuron_core.verify.columns import InputColumn
from fairneuron_core.verify.cuts import logit_cuts
from fairneuron_core.verify.examine import Examined, Examiner
from fairneuron_core.verify.individuals import Individuals, Trait
from fairneuron_core.verify.milp import find_pair


class Solver:
    """One call of the pair program; its individual is examined by the deployed forward pass like every other."""

    def __init__(self, examiner: Examiner, rows: np.ndarray, generator: np.random.Generator) -> None:
        self._examiner = examiner
        self.note = ""
        self.none = False
        self._asked = False

    def propose(self, n: int, seconds: float) -> np.ndarray:
        people = self._examiner.people
        nobody = np.empty((0, len(people.traits)))
        if self._asked:
            return nobody
        self._asked = True
        if reason := self._unable():
            self.note = reason
            return nobody
        try:
            layers = layers64(self._examiner.classifier.network)
        except ModelError as error:
            self.note = str(error)
            return nobody
        cut = float(logit_cuts(np.array([self._examiner.classifier.threshold]))[0])
        answer = find_pair(layers, input_columns(self._examiner), cut=cut, budget=max(seconds, 1.0))
        self.none = answer.status == "none"
        self.note = {
            "found": f"A pair after {answer.seconds:.1f} s.",
            "none": f"No pair exists whose logits are both at least {answer.margin:g} away from the cut "
            f"(solver, {answer.seconds:.1f} s).",
            "time-out": f"No answer within {answer.seconds:.1f} s.",
        }.get(answer.status, "The solver's pair did not stand the check by the deployed network.")
        if answer.this is None or answer.other is None:
            return nobody
        return np.stack([decoded(people, point) for point in (answer.this, answer.other)])

    def _unable(self) -> str:
        if self._examiner.classifier.rule is not None:
            return "The solver reads one threshold for all; this classifier decides by a rule."
        if any(cut.table is not None for cut in self._examiner.people.cuts):
            return "The network reads groups that are cut from a number, which the solver does not tie to it."
        cut = logit_cuts(np.array([self._examiner.classifier.threshold]))[0]
        return "" if math.isfinite(cut) else "The threshold decides about everybody alike."

    def learn(self, examined: Examined) -> None:
        """Keep nothing; say so where the deployed arithmetic disagrees with the solver's."""
        if not examined.different.any():
            self.note = "The solver's pair did not stand the check by the deployed network."


def input_columns(examiner: Examiner) -> list[InputColumn]:
    """Return the columns behind the network's inputs, with their domains and what may differ, for the solver."""
    varied = {one.position: one for one in examiner.varied}
    found = []
    for position, trait in enumerate(examiner.people.traits):
        if trait.encoded is None:
            continue
        one = varied.get(position)
        reach = None if one is None or one.reach is None else _reach(trait, one.reach)
        kind, values = _domain(trait)
        found.append(InputColumn(trait.start, trait.width, kind, values, free=one is not None, reach=reach))
    return found


def _domain(trait: Trait):
    if trait.kind == "levels":
        return "levels", trait.inputs(np.arange(trait.low, trait.high + 1))
    if trait.kind == "integers":
        values = trait.inputs(np.arange(trait.low, trait.high + 1))
        return ("integers" if trait.linear else "levels"), values
    return "reals", trait.inputs(np.array([trait.low, trait.high]))


def _reach(trait: Trait, reach: float) -> float:
    if trait.kind == "integers":
        return float(math.floor(reach))
    assert trait.encoded is not None
    span = trait.encoded.high - trait.encoded.low
    return reach / (span if span > 0 else 1.0)


def decoded(people: Individuals, features: np.ndarray) -> np.ndarray:
    """Return the individual (columns,) whose inputs lie nearest to `features` (d,)."""
    found = np.array([trait.low for trait in people.traits])
    for position, trait in enumerate(people.traits):
        if trait.encoded is None:
            continue
        inputs = features[trait.start : trait.start + trait.width]
        if not trait.linear:
            values = np.arange(trait.low, trait.high + 1)
            found[position] = values[np.abs(trait.inputs(values) - inputs).sum(axis=1).argmin()]
        else:
            span = trait.encoded.high - trait.encoded.low
            number = float(inputs[0]) * (span if span > 0 else 1.0) + trait.encoded.low
            found[position] = trait.inside(np.array([number]))[0]
    return found
