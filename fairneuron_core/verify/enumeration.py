"""Trying every similar individual: exact, because in the end the deployed forward pass decides.

1. The first layer is split: z0 = (bias + fixed inputs) + (free inputs), the first part once per individual, the second
   once per combination of the free values (or per value of a window), so that a variant costs one addition per neuron.
2. The layers behind it run over blocks of variants that fit into the cache.
3. Where a logit comes within a tolerance of its cut (`forward.Parts.tolerance`), all variants of that individual are
   decided again by the deployed forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch

from fairneuron_core.errors import SettingError
from fairneuron_core.models import decide, layer_sizes, logits
from fairneuron_core.types import Classifier, Progress, ProgressCallback, VoteRule
from fairneuron_core.verify.certificate import PROVED, REFUTED
from fairneuron_core.verify.cuts import Cuts, same_cut
from fairneuron_core.verify.forward import Parts
from fairneuron_core.verify.similar import SimilarSpace

BLOCK_VALUES = 262_144
"""Values of the widest layer in one block: a megabyte of float32, which stays in a core's cache."""

MOST_VARIANTS = 200_000
RECHECK_VALUES = 4_000_000
T = TypeVar("T")
R = TypeVar("R")


def constant_rows(
    classifier: Classifier,
    space: SimilarSpace,
    features: np.ndarray,
    *,
    cuts: Cuts | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> np.ndarray:
    """Return PROVED or REFUTED (n,) int8 for every row of features (n, d): is the decision constant on S(x)?

    cuts    where the decision changes, per row and variant (default: the classifier's threshold)
    Raises SettingError when S(x) is endless or has more than MOST_VARIANTS points.
    """
    status = np.empty(len(features), np.int8)

    def settle(rows: slice, z: np.ndarray, cut: Cuts) -> None:
        one_way, other_way = (z >= cut.low).any(1), (z < cut.high).any(1)
        status[rows] = np.where(one_way & other_way, REFUTED, PROVED)

    _each_block(classifier, space, features, cuts, settle, device=device, threads=threads, progress=progress)
    return status


def variant_decisions(
    classifier: Classifier,
    space: SimilarSpace,
    features: np.ndarray,
    *,
    cuts: Cuts | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> np.ndarray:
    """Return the decision (n, m) uint8 on every point of S(x), in the order of `space.points`, as deployed.

    Where a variant meets several thresholds, because its group is free and not read, the least one counts.
    """
    found = np.empty((len(features), space.size), np.uint8)

    def settle(rows: slice, z: np.ndarray, cut: Cuts) -> None:
        found[rows] = z >= cut.low

    _each_block(classifier, space, features, cuts, settle, device=device, threads=threads, progress=progress)
    return found


def _each_block(
    classifier: Classifier,
    space: SimilarSpace,
    features: np.ndarray,
    cuts: Cuts | None,
    settle: Callable[[slice, np.ndarray, Cuts], None],
    *,
    device: str,
    threads: int | None,
    progress: ProgressCallback | None,
) -> None:
    if not space.finite or space.size > MOST_VARIANTS:
        counted = f"{space.size:,}" if space.finite else "endlessly many"
        raise SettingError(
            f"Every individual has {counted} similar ones, more than {MOST_VARIANTS:,} to try: free fewer columns."
        )
    cut = same_cut(np.array([[classifier.threshold]])) if cuts is None else cuts
    work: RowBlocks | Votes
    features = np.ascontiguousarray(features, np.float32)
    if isinstance(classifier.rule, VoteRule):
        # A vote has no logit of its own: 1 and -1 stand for its decisions.
        work, cut = Votes(classifier, space), Cuts(np.zeros((1, 1)), np.zeros((1, 1)))
    else:
        work = RowBlocks(classifier, space, device)
    tolerance = work.tolerance(features)
    step = max(1, BLOCK_VALUES // (work.widest * space.size))
    blocks = [slice(at, min(at + step, len(features))) for at in range(0, len(features), step)]

    def run(rows: slice) -> int:
        here = cut.of(rows)
        z = settled(work, features[rows], here, tolerance)
        settle(rows, z, here)
        return rows.stop - rows.start

    done = 0
    with one_torch_thread():
        for rows in in_threads(run, blocks, threads=threads):
            done += rows
            if progress:
                progress(
                    Progress(done / len(features), f"Trying every possibility: {done:,} of {len(features):,} rows")
                )


def settled(work: RowBlocks | Votes, features: np.ndarray, cut: Cuts, tolerance: float) -> np.ndarray:
    """Return the logits (n, m) of all variants of some rows; those near their cut come from the deployed network."""
    z = work.logits(features)
    near = (np.abs(z - cut.low) <= tolerance).any(1)
    if not cut.alike:
        near |= (np.abs(z - cut.high) <= tolerance).any(1)
    # Not a number or infinite: the deployed network says what that means.
    near |= ~np.isfinite(z).all(1)
    again = np.flatnonzero(near) if isinstance(work, RowBlocks) else ()
    step = max(1, RECHECK_VALUES // (work.space.size * features.shape[1]))
    for at in range(0, len(again), step):
        rows = again[at : at + step]
        points = work.space.points(features[rows])
        z[rows] = logits(work.classifier, points.reshape(-1, points.shape[2])).reshape(len(rows), -1)
    return z


class Votes:
    """The decisions of a vote on all variants of some rows, as 1 and -1."""

    def __init__(self, classifier: Classifier, space: SimilarSpace) -> None:
        self.classifier, self.space = classifier, space
        assert isinstance(classifier.rule, VoteRule)
        self.widest = max(layer_sizes(classifier.network)) * len(classifier.rule.combinations)

    def tolerance(self, features: np.ndarray) -> float:
        """Return 0: the deployed decision itself is taken."""
        return 0.0

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return 1 (favourable) or -1 (n, m) for every variant of features (n, d)."""
        points = self.space.points(features)
        decided = decide(self.classifier, points.reshape(-1, points.shape[2]))
        return decided.reshape(len(features), -1) * 2.0 - 1.0


class RowBlocks:
    """The logits of all variants of some rows, by a first layer that is split into fixed and free inputs."""

    def __init__(self, classifier: Classifier, space: SimilarSpace, device: str = "cpu") -> None:
        self.classifier, self.space, self.parts = classifier, space, Parts(classifier, device)
        self.widest = self.parts.widest
        weight = self.parts.weights[0].clone()
        weight[:, torch.from_numpy(space.positions).to(weight.device)] = 0
        self.fixed = weight
        # Columns whose values are the same for every row share one table; windows differ from row to row.
        self.table = None if space.windowed else self._on_neurons(space.combinations()[None], space.positions)[0]

    def _on_neurons(self, inputs: np.ndarray, positions: np.ndarray) -> torch.Tensor:
        at = torch.from_numpy(np.asarray(positions)).to(self.parts.device)
        return torch.from_numpy(np.ascontiguousarray(inputs)).to(self.parts.device) @ self.parts.weights[0][:, at].T

    def tolerance(self, features: np.ndarray) -> float:
        """Return how near to its cut a logit must be asked again, for variants of these encoded rows."""
        low, high = np.zeros(self.space.encoder.width), np.ones(self.space.encoder.width)
        start = 0
        for column in self.space.encoder.columns:
            if column.kind != "category" and len(features):
                low[start], high[start] = features[:, start].min(), features[:, start].max()
            start += column.width
        for free in self.space.columns:
            inputs, at = free.inputs(features), slice(free.start, free.start + free.width)
            if inputs.size:
                low[at] = np.minimum(low[at], inputs.min(axis=(0, 1)))
                high[at] = np.maximum(high[at], inputs.max(axis=(0, 1)))
        return self.parts.tolerance(low, high)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits (n, m) float32 of every variant of features (n, d), up to rounding."""
        with torch.inference_mode():
            rows = torch.from_numpy(features).to(self.parts.device)
            z = torch.addmm(self.parts.biases[0], rows, self.fixed.T)[:, None]  # (n, 1, h)
            if self.table is not None:
                z = z + self.table
            else:
                for column in self.space.columns:
                    at = np.arange(column.start, column.start + column.width)
                    step = self._on_neurons(column.inputs(features), at)  # (n or 1, v, h)
                    z = (z[:, :, None] + step[:, None]).reshape(len(features), -1, z.shape[2])
            found = self.parts.finish(z.reshape(-1, z.shape[2]))
            return found.reshape(len(features), -1).cpu().numpy()


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Keep torch to one thread of its own: the workers are the threads here, and blocks are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_threads(run: Callable[[T], R], tasks: Iterable[T], *, threads: int | None) -> Iterator[R]:
    """Yield run(task) of every task in order, on so many workers; what has not begun is dropped when one raises."""
    workers = 1 if threads is None else threads
    if workers < 1:
        raise SettingError(f"threads = {threads}: choose at least 1.")
    if workers == 1:
        yield from map(run, tasks)
        return
    waiting = []
    with ThreadPoolExecutor(workers, thread_name_prefix="enumeration") as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(run, task))
                if len(waiting) >= 4 * workers:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()
