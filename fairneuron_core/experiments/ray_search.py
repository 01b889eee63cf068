"""Trials of a search on all machines of a Ray cluster: the points and the best one of a search on one machine.

1. The points are cut into as many consecutive shares as the cluster has processors. Points of a grid come gamma by
   gamma, so a share slices few gammas.
2. One task per share, one processor each: slice, train the share's points as one batched program, score them.
3. Shares are put together in order; a training that two shares have done counts once, as the first of them did it.

Every training has its own seed, so a share gives its points what all points together give, up to the rounding of sums
that the number of threads brings. Every machine needs fairneuron in the same version.

Plain tasks, not Ray Tune: a trial of Tune is one training in a process of its own, which would give up the batched
program that makes a search fast; Tune also needs further packages beside Ray and writes folders of results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from fairneuron_core.experiments.search_settings import SearchParams
from fairneuron_core.experiments.trials import Evaluate, Point, Tried, Workbench
from fairneuron_core.paths.ray_cluster import connected, processors, tasks_of
from fairneuron_core.repair.task import RepairTask
from fairneuron_core.types import Progress, ProgressCallback

FAILURE = "A share of the trials failed on the Ray cluster"


@contextmanager
def on_ray(task: RepairTask, params: SearchParams) -> Iterator[Evaluate]:
    """Give the function that tries points on the cluster at `params.address` (None = a Ray of its own, ended after).

    Raises SettingError (no Ray, no cluster there), the error of a share, and what progress raises: then pending tasks
    are cancelled.
    """
    with connected(params.address, cpus=task.threads) as ray:
        # The GPU, if there is one, is this machine's; progress is told from here.
        kept = ray.put((replace(task, progress=None, checkpoint=None, device="cpu", threads=1), params))
        run = ray.remote(num_cpus=1)(_try_share)
        known: dict[str, Tried] = {}

        def evaluate(points: Sequence[Point], progress: ProgressCallback | None) -> list[Tried]:
            return [known.setdefault(found.training, found) for found in _gathered(ray, run, kept, points, progress)]

        yield evaluate


def _gathered(ray: Any, run: Any, kept: Any, points: Sequence[Point], progress: ProgressCallback | None) -> list[Tried]:
    """Return what the points came to, in their order; progress counts the points of finished shares."""
    done = 0

    def beat() -> None:
        if progress:
            progress(Progress(done / len(points), f"Trying {len(points)} points on Ray"))

    cuts = np.array_split(np.arange(len(points)), min(processors(ray), len(points)))
    shares: list[list[Tried]] = [[] for _ in cuts]
    with tasks_of(ray, beat, failure=FAILURE) as tasks:
        for number, cut in enumerate(cuts):
            tasks.add(run.remote(kept, [points[i] for i in cut]), number)
        while len(tasks):
            number, shares[number] = tasks.next()
            done += len(shares[number])
            beat()
    return [tried for share in shares for tried in share]


def _try_share(kept: tuple[RepairTask, SearchParams], points: list[Point]) -> list[Tried]:
    import torch

    torch.set_num_threads(1)
    return Workbench(*kept).try_points(points)
