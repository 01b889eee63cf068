"""Several seeds at a time: processes with one thread each take one seed after the other.

The first process alone keeps rows and reports progress; it ends the others when it is cancelled, and they end by
themselves when it has gone.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Sequence
from typing import Any

from fairneuron_core.errors import FairNeuronError
from fairneuron_core.experiments.protocol import Finished, MakeBase, SeedWork, one_seed
from fairneuron_core.types import Progress, ProgressCallback

_LOOK_S = 0.2
_REPORT_STEP = 0.002


def several_seeds(
    works: Sequence[SeedWork],
    base: MakeBase,
    *,
    seeds: Sequence[int],
    keep: Callable[[Finished], None],
    progress: ProgressCallback | None,
    at_once: int,
) -> None:
    """Carry out the seeds, `at_once` at a time; an error or `Cancelled` of one ends all."""
    context = multiprocessing.get_context("spawn")
    asked, said = context.Queue(), context.Queue()
    for work in works:
        asked.put(work)
    processes = [
        context.Process(target=_take_seeds, args=(asked, said, base, os.getpid()), daemon=True)
        for _ in range(min(at_once, len(works)))
    ]
    for process in processes:
        process.start()
    try:
        _listen(works, seeds, said, processes, keep=keep, progress=progress)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _listen(
    works: Sequence[SeedWork],
    seeds: Sequence[int],
    said: Any,
    processes: Sequence[Any],
    *,
    keep: Callable[[Finished], None],
    progress: ProgressCallback | None,
) -> None:
    """Keep and report what the processes say until every seed is done."""
    shares = dict.fromkeys(seeds, 1.0) | dict.fromkeys((work.seed for work in works), 0.0)
    left, message = {work.seed for work in works}, "starting"
    while left:
        seed, value = _next(said, processes)
        if isinstance(value, FairNeuronError):
            raise value
        if isinstance(value, Finished):
            keep(value)
        elif isinstance(value, Progress):
            shares[seed] = value.share
            message = f"seed {seeds.index(seed) + 1} of {len(seeds)}: {value.message}"
        elif seed in left:
            left.remove(seed)
            shares[seed] = 1.0
        if progress:
            progress(Progress(sum(shares.values()) / len(seeds), message))


def _next(said: Any, processes: Sequence[Any]) -> tuple[int, Any]:
    """Return the next message, or an empty one after a moment, so that the user's wish to stop is heard."""
    try:
        return said.get(timeout=_LOOK_S)
    except queue.Empty:
        status = next((process.exitcode for process in processes if process.exitcode is not None), None)
    if status is None:
        return -1, None
    # It was killed from outside, or an unexpected error ended it: nothing more comes from it.
    return -1, FairNeuronError(
        f"A process of this experiment has ended without a word (status {status}): start the experiment again, it goes "
        "on where it stood; with fewer threads it needs less memory."
    )


def _take_seeds(asked: Any, said: Any, base: MakeBase, parent: int) -> None:
    """Work on seeds until this process is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's business, which then ends this one
    while os.getppid() == parent:
        try:
            work = asked.get(timeout=_LOOK_S)
        except queue.Empty:
            continue
        try:
            one_seed(work, base, keep=_keeper(said, work.seed), progress=_reporter(said, work.seed, parent))
            said.put((work.seed, None))
        except FairNeuronError as error:
            said.put((work.seed, error))


def _keeper(said: Any, seed: int) -> Callable[[Finished], None]:
    return lambda one: said.put((seed, one))


def _reporter(said: Any, seed: int, parent: int) -> ProgressCallback:
    last = -1.0

    def report(now: Progress) -> None:
        nonlocal last
        if os.getppid() != parent:
            os._exit(1)  # the first process has gone: nobody listens any more
        if now.share >= last + _REPORT_STEP:
            last = now.share
            said.put((seed, now))

    return report
