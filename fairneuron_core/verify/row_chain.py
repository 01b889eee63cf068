"""The methods that settle rows, cheapest sound one first: enumeration, bounds, search, halving, integer programming.

Where S(x) is finite and small, trying every similar individual is exact and ends the chain. Real-valued windows and
large spaces go on: CROWN intersected with interval bounds proves rows, tried points refute rows, boxes that are halved
and alpha-CROWN prove more, and a solver decides what is left, row by row, while the budget lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fairneuron_core.errors import ModelError
from fairneuron_core.models import decide, logits
from fairneuron_core.types import Classifier, Progress, ProgressCallback, VoteRule, part_of
from fairneuron_core.verify.certificate import MARGIN, PROVED, REFUTED, UNKNOWN
from fairneuron_core.verify.cuts import Cuts
from fairneuron_core.verify.domains import decode_number, encode_values
from fairneuron_core.verify.enumeration import constant_rows
from fairneuron_core.verify.similar import SimilarSpace
from fairneuron_core.verify.solver_columns import free_columns

ENUMERATED = 20_000
"""Up to so many similar individuals each row is settled by trying them all."""

TRIED, TRIED_AT_ONCE = 256, 2_000_000
ALPHA_STEPS = 20
SPLIT_SHARE = 0.25
"""Of the time that is left: halving cannot settle rows that are refuted by whole numbers only."""


@dataclass
class Settling:
    """Rows on their way through the chain: status (n,), the method that settled each, found points, and the reason."""

    classifier: Classifier
    space: SimilarSpace
    features: np.ndarray
    cuts: Cuts
    end: float
    status: np.ndarray
    method: np.ndarray
    points: dict[int, np.ndarray] = field(default_factory=dict)
    reason: str | None = None

    @property
    def open(self) -> np.ndarray:
        return np.flatnonzero(self.status == UNKNOWN)

    def settle(self, rows: np.ndarray, status: int, method: str) -> None:
        self.status[rows], self.method[rows] = status, method

    @property
    def left(self) -> float:
        return self.end - time.monotonic()


def settle_rows(
    classifier: Classifier,
    space: SimilarSpace,
    features: np.ndarray,
    cuts: Cuts,
    *,
    budget: float,
    device: str = "cpu",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> Settling:
    """Return what the chain finds about the rows features (n, d), judged by `cuts`."""
    n = len(features)
    found = Settling(
        classifier, space, np.ascontiguousarray(features, np.float32), cuts, time.monotonic() + budget,
        np.zeros(n, np.int8), np.full(n, "", dtype=object),
    )  # fmt: skip
    if space.nothing_read:
        found.settle(np.arange(n), PROVED, "syntactic")
    elif space.finite and space.size <= ENUMERATED:
        found.status[:] = constant_rows(
            classifier, space, features, cuts=cuts, device=device, threads=threads, progress=progress
        )
        found.method[:] = "enumeration"
    elif isinstance(classifier.rule, VoteRule):
        try_points(found)
        found.reason = "a vote over so many similar individuals cannot be bounded"
    else:
        _bound_and_solve(found, progress)
    return found


def _bound_and_solve(found: Settling, progress: ProgressCallback | None) -> None:
    try_points(found)
    try:
        _by_bounds(found, steps=0, method="crown")
        if progress:
            progress(Progress(0.3, "Bounds (CROWN) are done"))
        if len(found.open) and found.left > 0:
            _by_halving(found)
        if len(found.open) and found.left > 0:
            _by_bounds(found, steps=ALPHA_STEPS, method="alpha_crown")
        if len(found.open):
            _by_solver(found, part_of(progress, 0.5, 1.0))
    except ModelError as error:
        found.reason = str(error)


def try_points(found: Settling) -> None:
    """Refute rows by similar individuals drawn at random and from the ends of every range, which proves nothing."""
    rows = found.open
    step = max(1, TRIED_AT_ONCE // (TRIED * found.features.shape[1]))
    for at in range(0, len(rows), step):
        part = rows[at : at + step]
        points = draw_points(found.space, found.features[part], TRIED, seed=0)
        flat = points.reshape(-1, points.shape[2])
        if isinstance(found.classifier.rule, VoteRule):
            one, other = (decide(found.classifier, flat) == v for v in (1, 0))
            one, other = one.reshape(len(part), -1), other.reshape(len(part), -1)
        else:
            z, cut = logits(found.classifier, flat).reshape(len(part), -1), found.cuts.of(part)
            # A variant's own cut is known for finite spaces only; between the extremes nothing is said.
            one = z >= cut.low.max(1, keepdims=True) + MARGIN
            other = z < cut.high.min(1, keepdims=True) - MARGIN
        refuted = one.any(1) & other.any(1)
        found.settle(part[refuted], REFUTED, "search")
        for i in np.flatnonzero(refuted):
            found.points[int(part[i])] = np.stack([points[i, one[i].argmax()], points[i, other[i].argmax()]])


def draw_points(space: SimilarSpace, features: np.ndarray, m: int, *, seed: int) -> np.ndarray:
    """Return m similar individuals (n, m, d) float32 of every row: half of them at the ends of ranges."""
    generator = np.random.default_rng(seed)
    found = np.repeat(features[:, None], m, axis=1)
    for column in space.columns:
        at = slice(column.start, column.start + column.width)
        if column.finite:
            inputs = np.broadcast_to(column.inputs(features), (len(features), len(column.values), column.width))
            chosen = generator.integers(inputs.shape[1], size=m)
            chosen[: m // 2] = generator.choice([0, inputs.shape[1] - 1], m // 2)
            found[:, :, at] = inputs[:, chosen]
            continue
        share = generator.random(m)
        share[: m // 2] = generator.integers(2, size=m // 2)
        if column.windowed:
            raw = decode_number(column.encoded, features[:, column.start])[:, None] + column.values.reshape(-1)
            low, high = raw.clip(column.low, column.high).T
        else:
            low, high = (np.full(len(features), end) for end in (column.low, column.high))
        raw = low[:, None] + (high - low)[:, None] * share
        whole = space.schema.column(column.name).integer if column.name in space.schema.names else False
        raw = np.rint(raw) if whole else raw
        found[:, :, at] = encode_values(column.encoded, raw.reshape(-1)).reshape(*raw.shape, 1)
    return found


def _by_bounds(found: Settling, *, steps: int, method: str) -> None:
    from fairneuron_core.verify.bounds import layers64, rounding
    from fairneuron_core.verify.crown import crown

    layers, rows = layers64(found.classifier.network), found.open
    low, high = found.space.box(found.features[rows])
    cut, single = found.cuts.of(rows), _single_cut(found, rows)
    least, most = cut.low.min(1), cut.high.max(1)  # (n or 1,)
    margin = np.maximum(MARGIN, rounding(layers, low, high).numpy())
    bounds = crown(layers, low, high, alpha_steps=steps, cut=single, margin=float(margin.max(initial=MARGIN)))
    proved = (bounds.low.detach().numpy() >= most + margin) | (bounds.high.detach().numpy() < least - margin)
    found.settle(rows[proved], PROVED, method)


def _single_cut(found: Settling, rows: np.ndarray) -> float | None:
    """Return the one logit at which all these rows and their similar individuals are decided, if there is one."""
    cut = found.cuts.of(rows)
    levels = np.unique([cut.low.min(1), cut.high.max(1)])
    return float(levels[0]) if len(levels) == 1 and np.isfinite(levels[0]) else None


def _by_halving(found: Settling) -> None:
    """Prove rows by halving their boxes; a box may hold points between whole numbers, so nothing is refuted by it."""
    from fairneuron_core.verify.bounds import layers64
    from fairneuron_core.verify.split import split_boxes

    rows = found.open
    cut = _single_cut(found, rows)
    if cut is None:
        return
    low, high = found.space.box(found.features[rows])
    layers, budget = layers64(found.classifier.network), SPLIT_SHARE * found.left
    answer = split_boxes(layers, low, high, cut=cut, budget=budget, refute=False)
    found.settle(rows[answer.status == PROVED], PROVED, "split")


def _by_solver(found: Settling, progress: ProgressCallback | None) -> None:
    from fairneuron_core.verify.bounds import layers64
    from fairneuron_core.verify.milp import find_pair

    layers, columns, rows = layers64(found.classifier.network), free_columns(found.space), found.open
    reasons: list[str] = []
    for done, row in enumerate(rows):
        cut = found.cuts.of(np.array([row]))
        if found.left <= 0:
            reasons.append("the time ended before they were settled")
            break
        if not cut.alike or cut.low.min() != cut.low.max() or not np.isfinite(cut.low.min()):
            reasons.append("their thresholds differ between similar individuals")
            continue
        level = float(cut.low.min())
        answer = find_pair(
            layers,
            columns,
            cut=level,
            budget=found.left,
            base=found.features[row],
            decide=_decider(found.classifier, level),
        )
        if answer.status == "none":
            found.settle(np.array([row]), PROVED, "milp")
        elif answer.status == "found" and answer.this is not None and answer.other is not None:
            found.settle(np.array([row]), REFUTED, "milp")
            found.points[int(row)] = np.stack([answer.this, answer.other])
        else:
            ended = answer.status == "time-out"
            reasons.append("the time ended before they were settled" if ended else "they lie too near to the threshold")
        if progress:
            progress(Progress((done + 1) / len(rows), f"Solving row by row: {done + 1:,} of {len(rows):,}"))
    found.reason = common(reasons)


def _decider(classifier: Classifier, cut: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: logits(classifier, points) >= cut


def common(reasons: Sequence[str]) -> str | None:
    """Return the most frequent reason, or None."""
    return pd.Series(reasons).mode().iloc[0] if len(reasons) else None
