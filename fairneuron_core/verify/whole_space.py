"""What holds for every possible individual: by wiring, by enumeration of all cells, or by brackets; and statistics.

1. Nothing that may differ is read: proved for everybody, by inspection.
2. All columns are levels or whole numbers and there are at most MOST_CELLS cells: every one is decided (`exhaustive`).
3. Otherwise branch and bound gives shares of the space that are proved, refuted and unknown (`branch`).
4. Beside the shares, and never merged with them, stand the rates of refuted individuals at uniform points of the space
   and on held-out rows, with Clopper-Pearson intervals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairneuron_core.errors import ModelError
from fairneuron_core.models import logits
from fairneuron_core.types import Classifier, Dataset, ProgressCallback, VoteRule, part_of
from fairneuron_core.verify.cell_counterexamples import cell_counterexample, point_counterexample
from fairneuron_core.verify.certificate import Counterexample, SpaceCertificate
from fairneuron_core.verify.cuts import logit_cuts
from fairneuron_core.verify.exhaustive import count_cells
from fairneuron_core.verify.sampling import held_out_rate, sample_space
from fairneuron_core.verify.sentence import space_sentence
from fairneuron_core.verify.similar import SimilarSpace, group_rule
from fairneuron_core.verify.slices import CellSpace, cell_space
from fairneuron_core.verify.solver_columns import all_columns

MOST_CELLS = 100_000_000
MOST_POINTS = 5_000_000_000
"""Cells, and cells times similar individuals, up to which a space is enumerated."""

TIME_ENDED = "the time ended before they were settled"
_WITNESSES = 20


@dataclass(frozen=True)
class Settled:
    """What a method says of the space: shares, and exact counts of cells (proved, refuted) where it counts."""

    method: str
    proved: float
    refuted: float
    unknown: float
    counts: tuple[int, int] | None = None
    counterexamples: tuple[Counterexample, ...] = ()
    reason: str | None = None


def settle_space(
    dataset: Dataset,
    classifier: Classifier,
    space: SimilarSpace,
    *,
    budget: float,
    held_out_rows: np.ndarray | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
    most: int = 200,
    most_cells: int = MOST_CELLS,
    seed: int = 0,
) -> SpaceCertificate:
    """Return the certificate of the whole space; see `certify.certify_space`."""
    start = time.perf_counter()
    cells = cell_space(dataset.schema, classifier, space)
    task = SpaceTask(dataset, classifier, space, cells, budget, device, threads, min(most, _WITNESSES))
    small = cells.finite and cells.cells <= most_cells and cells.cells * space.size <= MOST_POINTS
    if space.nothing_read:
        found = Settled("syntactic", 1.0, 0.0, 0.0)
    elif isinstance(classifier.rule, VoteRule):
        found = Settled("none", 0.0, 0.0, 1.0, reason="a vote cannot be bounded over a whole space")
    elif small:
        found = task.enumerated(progress)
    else:
        found = task.bracketed(part_of(progress, 0.0, 0.9))
    shared: Any = {"device": device, "threads": threads}
    rows = None if held_out_rows is None else np.asarray(held_out_rows, np.int64)
    held_out = None if rows is None else held_out_rate(dataset, classifier, space, rows, **shared)
    # Where every cell is counted, a sample of them says nothing more.
    drawn = sample_space(dataset, classifier, space, seed=seed, most=task.most, **shared) if found.unknown > 0 else None
    reason = found.reason if found.unknown > 0 else None
    return SpaceCertificate(
        cells=cells.cells if cells.finite else None,
        proved=found.proved,
        refuted=found.refuted,
        unknown=found.unknown,
        method=found.method,
        uniform=drawn.rate if drawn else None,
        held_out=held_out,
        counterexamples=found.counterexamples or (drawn.counterexamples if drawn else ()),
        seconds=time.perf_counter() - start,
        sentence=space_sentence(
            space,
            classifier,
            cells=cells.cells if cells.finite else None,
            shares=(found.proved, found.refuted, found.unknown),
            counts=found.counts,
            reason=reason,
        ),
        proved_cells=found.counts[0] if found.counts else None,
        refuted_cells=found.counts[1] if found.counts else None,
        reason=reason,
        unread=space.unread,
    )


@dataclass(frozen=True, eq=False)
class SpaceTask:
    """One question about a whole space and what may be spent on it."""

    dataset: Dataset
    classifier: Classifier
    space: SimilarSpace
    cells: CellSpace
    budget: float
    device: str
    threads: int | None
    most: int

    def enumerated(self, progress: ProgressCallback | None) -> Settled:
        """Decide every cell, or as many as the budget allows."""
        counts = count_cells(
            self.cells,
            most=self.most,
            device=self.device,
            threads=self.threads,
            deadline=time.monotonic() + self.budget,
            progress=progress,
        )
        pairs = (cell_counterexample(self.dataset, self.cells, piece, cell) for piece, cell in counts.witnesses)
        total = self.cells.cells
        return Settled(
            "exhaustive",
            counts.proved / total,
            counts.refuted / total,
            (total - counts.proved - counts.refuted) / total,
            (counts.proved, counts.refuted),
            tuple(pair for pair in pairs if pair is not None),
            TIME_ENDED if counts.proved + counts.refuted < total else None,
        )

    def bracketed(self, progress: ProgressCallback | None) -> Settled:
        """Bound the space by branch and bound; then look for one pair by a solver where no box gave one."""
        if group_rule(self.classifier) is not None:
            return Settled(
                "none", 0.0, 0.0, 1.0, reason="thresholds differ between groups and the space is too large to list"
            )
        cut = float(logit_cuts(np.array(self.classifier.threshold)))
        if not np.isfinite(cut):
            return Settled("syntactic", 1.0, 0.0, 0.0)
        try:
            return self._bracketed(cut, progress)
        except ModelError as error:
            return Settled("none", 0.0, 0.0, 1.0, reason=str(error))

    def _bracketed(self, cut: float, progress: ProgressCallback | None) -> Settled:
        from fairneuron_core.verify.bounds import layers64
        from fairneuron_core.verify.branch import bracket
        from fairneuron_core.verify.milp import find_pair

        def decide(points: np.ndarray) -> np.ndarray:
            return np.asarray(logits(self.classifier, points) >= cut)

        layers = layers64(self.classifier.network)
        columns = all_columns(self.dataset.schema, self.classifier, self.space)
        found = bracket(
            layers, columns, cut=cut, budget=0.8 * self.budget, decide=decide, most=self.most, progress=progress
        )
        witnesses, proved = list(found.witnesses), found.proved
        if not witnesses and found.unknown > 0:
            answer = find_pair(layers, columns, cut=cut, budget=0.2 * self.budget, decide=decide)
            if answer.this is not None and answer.other is not None:
                witnesses.append((answer.this, answer.other))
        pairs = (
            point_counterexample(self.dataset, self.classifier, self.space, this, other) for this, other in witnesses
        )
        return Settled(
            "branch and bound",
            proved,
            found.refuted,
            found.unknown,
            counterexamples=tuple(pair for pair in pairs if pair is not None),
            reason=TIME_ENDED,
        )
