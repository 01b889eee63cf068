"""The machine under a job: how many threads its numerics use."""

from __future__ import annotations

import torch


def use_threads(threads: int | None) -> None:
    """Let torch use that many CPU threads from here on; None leaves it alone.

    Sums depend on the number of threads in their last bits, so it is part of every spec.
    """
    if threads is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
