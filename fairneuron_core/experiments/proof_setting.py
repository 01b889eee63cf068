"""One setting with a proof on one seed: a network, its repairs, and what each is worth on rows and on the whole space.

1. The label-encoded table is split and one network trained; every method starts from it.
2. Discriminatory individuals (rows whose decision is not constant on S(x)) are counted, every possibility tried with
   the deployed network: on all rows of the table as the literature does, on the test rows, at uniform points of the
   space with Clopper-Pearson's interval, and in every cell where the space is small.
3. A network to which nothing that may differ can get through is proved for every input; there is nothing to try.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from fairneuron_core.data import encode_frame
from fairneuron_core.errors import Cancelled, FairNeuronError
from fairneuron_core.experiments.proof_network import TrainedSetting, trained_setting
from fairneuron_core.experiments.proof_spec import GIVEN, PUBLISHED_METHOD, ProofSetting, ProofsParams, proof_methods
from fairneuron_core.metrics import group_counts
from fairneuron_core.metrics.degenerate import degenerate_words
from fairneuron_core.metrics.intervals import clopper_pearson
from fairneuron_core.metrics.row import AuditView
from fairneuron_core.models import decisions
from fairneuron_core.repair import repair, repair_row
from fairneuron_core.repair.gates import gate_facts
from fairneuron_core.repair.individual import cannot_see
from fairneuron_core.types import Batch, Classifier, Progress, ProgressCallback, VoteRule, part_of
from fairneuron_core.verify import REFUTED, Freedom, SimilarSpace, similar_space
from fairneuron_core.verify.domains import limits
from fairneuron_core.verify.enumeration import constant_rows
from fairneuron_core.verify.exhaustive import count_cells
from fairneuron_core.verify.slices import cell_space

MOST_POINTS = 2_000_000
"""Cells times similar individuals up to which the whole space is enumerated for every method of every seed."""

MOST_TRIED = 10_000_000
"""Uniform points times similar individuals; fewer points are drawn where there would be more."""

_BENIGN = {"german": 100}
"""Benign rows of ProF where the published set-up has not 500."""

_MANY = 16
"""With more similar individuals than this, `spread`, which tries them all at every step, takes fewer steps on Adult."""

_NETWORK_SHARE = 0.2


@dataclass(frozen=True)
class Count:
    """How many were refuted of how many, with the exact interval where they are a sample."""

    refuted: int
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ProofRow:
    """One method in one setting on one seed, as plain as its JSON; None = not measured, because the method `failed`.

    data, test     rows of the whole table (training rows among them) and rows that nothing was fitted to
    space, cells   uniform points of the space, and all its cells where they were enumerated
    proof          what proves it for EVERY input: "wiring" (nothing that may differ is read), "vote", "every cell"
                   (all tried), or None
    proved         test rows whose decision is proved constant
    flips          test decisions that turned: to_favourable, to_unfavourable
    degenerate     why it must not count as a repair: one decision for (nearly) everybody, or no better than that
    gates          sentences of the gates it fails, on validation rows
    seconds        of one core, for the repair
    """

    setting: str
    seed: int
    method: str
    failed: str | None = None
    accuracy: Mapping[str, float] | None = None
    selection_rate: float | None = None
    data: Mapping[str, Any] | None = None
    test: Mapping[str, Any] | None = None
    space: Mapping[str, Any] | None = None
    cells: Mapping[str, Any] | None = None
    proof: str | None = None
    proved: int | None = None
    flips: Mapping[str, int] | None = None
    degenerate: str | None = None
    gates: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "gates": list(self.gates)}


def one_setting(
    setting: ProofSetting,
    seed: int,
    params: ProofsParams,
    *,
    trained: TrainedSetting | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[ProofRow, ...]:
    """Return the rows of the given network and of every method; `trained` when the network is known already."""
    material = trained or trained_setting(
        setting.data, seed, epochs=params.base_epochs, progress=part_of(progress, 0.0, _NETWORK_SHARE)
    )
    measure = Measure.of(setting, material, points=params.points)
    rows = [measure.row(GIVEN, material.classifier, seconds=0.0)]
    methods = proof_methods(params.methods)
    step = (1 - _NETWORK_SHARE) / len(methods)
    for position, name in enumerate(methods):
        low = _NETWORK_SHARE + position * step
        rows.append(_repaired(name, measure, params, part_of(progress, low, low + step)))
    return tuple(rows)


def method_settings(name: str, setting: ProofSetting, params: ProofsParams, *, size: int) -> Any:
    """Return the method's settings: its defaults, with what must not matter, and what it may take for |S(x)| = size."""
    kind: Any = repair_row(name).Params
    given: dict[str, Any] = {"attributes": ",".join(setting.attributes)}
    if setting.within:
        given["within"] = ",".join(f"{column}={reach:g}" for column, reach in setting.within.items())
    if "seconds" in kind.__dataclass_fields__:
        given["seconds"] = params.seconds
    if name == "spread" and setting.data == "adult":
        given |= {"batch_size": 512} | ({"epochs": 4, "rounds": 2} if size > _MANY else {})
    if name == PUBLISHED_METHOD and setting.data in _BENIGN:
        given["benign"] = _BENIGN[setting.data]
    return kind(**given)


def _repaired(name: str, measure: Measure, params: ProofsParams, progress: ProgressCallback | None) -> ProofRow:
    """Repair and measure; a method that refuses gives a row that says why."""
    setting, began = measure.setting, time.process_time()
    if progress:
        progress(Progress(0.0, name))
    try:
        task = measure.material.task(setting.attributes[0], progress=_named(part_of(progress, 0.0, 0.6), name))
        found = repair(task, repair_row(name), method_settings(name, setting, params, size=measure.space.size))
    except Cancelled:
        raise
    except FairNeuronError as error:
        return ProofRow(setting.name, measure.material.split.seed, name, failed=str(error))
    return measure.row(name, found.classifier, seconds=time.process_time() - began)


def _named(progress: ProgressCallback | None, name: str) -> ProgressCallback | None:
    return progress and (lambda now: progress(replace(now, message=f"{name}: {now.message}", point=None)))


@dataclass(frozen=True, eq=False)
class Measure:
    """What all methods of one setting and seed are measured on."""

    setting: ProofSetting
    material: TrainedSetting
    space: SimilarSpace
    everyone: np.ndarray
    uniform: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, setting: ProofSetting, material: TrainedSetting, *, points: int) -> Measure:
        """Encode all rows and draw the points, the same for every method of the seed."""
        dataset, encoder = material.table.dataset, material.table.encoder
        space = similar_space(dataset.schema, material.classifier, Freedom(setting.attributes, setting.within))
        everyone = encode_frame(dataset.frame, encoder, name=dataset.name)
        domains = [limits(dataset.schema.column(column.name), column) for column in encoder.columns]
        generator = np.random.default_rng([material.split.seed, 8])
        n = min(points, max(100, MOST_TRIED // space.size))
        uniform = np.stack([generator.integers(int(low), int(high), n, endpoint=True) for low, high in domains], axis=1)
        before = decisions(material.classifier, material.test)
        return cls(setting, material, space, everyone, uniform.astype(np.float32), before)

    def row(self, method: str, after: Classifier, *, seconds: float) -> ProofRow:
        """Return all figures of one classifier."""
        test, validation = self.material.test, self.material.validation
        decided = decisions(after, test)
        data, held_out = self.refuted(after, self.everyone), self.refuted(after, test.features)
        cells = self.cells(after)
        turned = decided.astype(np.int8) - self.before
        task = self.material.task(self.setting.attributes[0])
        return ProofRow(
            setting=self.setting.name,
            seed=self.material.split.seed,
            method=method,
            accuracy={"validation": _accuracy(after, validation), "test": _share(decided == test.labels)},
            selection_rate=_share(decided),
            data=asdict(Count(data, len(self.everyone))),
            test=asdict(_sampled(held_out, len(decided))),
            space=asdict(_sampled(self.refuted(after, self.uniform), len(self.uniform))),
            cells=None if cells is None else asdict(cells),
            proof=self.proof(after, cells),
            proved=len(decided) - held_out,
            flips={"to_favourable": int((turned == 1).sum()), "to_unfavourable": int((turned == -1).sum())},
            degenerate=self.degenerate(after),
            gates=() if method == GIVEN else tuple(gate_facts(task, after, _gates(method))["reasons"]),
            seconds=round(seconds, 3),
        )

    def refuted(self, after: Classifier, features: np.ndarray) -> int:
        """Count the rows (n, d) whose decision is not constant on S(x), every possibility tried."""
        if cannot_see(after, self.space):
            return 0
        return int((constant_rows(after, self.space_of(after), features) == REFUTED).sum())

    def space_of(self, after: Classifier) -> SimilarSpace:
        return similar_space(self.space.schema, after, self.space.freedom)

    def cells(self, after: Classifier) -> Count | None:
        """Decide every cell of the space, where there are few; None otherwise."""
        found = cell_space(self.space.schema, replace(self.material.classifier, rule=None), self.space)
        if not found.finite or found.cells * self.space.size > MOST_POINTS:
            return None
        if cannot_see(after, self.space):
            return Count(0, found.cells)
        counts = count_cells(cell_space(self.space.schema, after, self.space_of(after)), most=0)
        # A network that stopped reading a column has fewer cells, each standing for several.
        whole = found.cells // (counts.proved + counts.refuted)
        return Count(counts.refuted * whole, found.cells)

    def proof(self, after: Classifier, cells: Count | None) -> str | None:
        """Say what proves the classifier for every input, if something does."""
        if cannot_see(after, self.space):
            return "vote" if isinstance(after.rule, VoteRule) else "wiring"
        return "every cell" if cells is not None and not cells.refuted else None

    def degenerate(self, after: Classifier) -> str | None:
        """Judge all training and validation rows as one group; the test rows have no say in it."""
        parts = (self.material.train, self.material.validation)
        labels = np.concatenate([part.labels for part in parts])
        decided = np.concatenate([decisions(after, part) for part in parts])
        counts = group_counts(labels, decided, np.zeros(len(labels), np.int64), 1)
        return degenerate_words(AuditView(counts, ("all rows",), "all rows"))


def _gates(method: str) -> Any:
    return repair_row(method).Params()


def _accuracy(classifier: Classifier, rows: Batch) -> float:
    return _share(decisions(classifier, rows) == rows.labels)


def _share(flags: np.ndarray) -> float:
    return round(float(flags.mean()), 6)


def _sampled(refuted: int, n: int) -> Count:
    low, high = clopper_pearson(refuted, n)
    return Count(refuted, n, round(float(low), 8), round(float(high), 8))
