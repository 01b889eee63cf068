"""The optional extra that holds the peers' packages."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_PACKAGES = ("fairlearn", "sklearn")


def peers_missing() -> str | None:
    """Return None, or the sentence that says how to install what this method needs."""
    if all(importlib.util.find_spec(name) for name in _PACKAGES):
        return None
    return "This method needs fairlearn, which is not installed: install it with `pip install 'fairneuron[peers]'`."


@contextmanager
def fairlearn_at_work() -> Iterator[None]:
    """Keep to ourselves what fairlearn's code does in ways that pandas or scikit-learn will drop some day."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=category, module=r"(fairlearn|sklearn)\b")
        yield
