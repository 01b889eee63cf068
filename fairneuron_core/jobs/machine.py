"""The machine under a job: how many threads its numerics use."""

from __future__ import annotations

import torch

ONE_NETWORK = 1
"""Threads for training ONE small network: a second one only waits (0.49 s an epoch of Census on 1 thread, 0.52 s on 2),
and on a busy machine everybody waits for it. Slicing and trainings of many networks together do use all threads."""


def use_threads(threads: int | None) -> None:
    """Let torch use that many CPU threads from here on; None leaves it alone.

    Sums depend on the number of threads in their last bits, so it is part of every spec.
    """
    if threads is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
