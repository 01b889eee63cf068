"""Progress of long work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """How far a long piece of work is: `share` in [0, 1], what it does now, and optionally one point of its trace."""

    share: float
    message: str
    point: Mapping[str, Any] | None = None


ProgressCallback = Callable[[Progress], None]
"""Called often (every chunk or minibatch); it may raise `Cancelled`, which the work must let through."""


def part_of(progress: ProgressCallback | None, low: float, high: float) -> ProgressCallback | None:
    """Return a callback for one stage of a longer work: its 0..1 becomes low..high of the whole."""
    return progress and (lambda p: progress(Progress(low + (high - low) * p.share, p.message, p.point)))
