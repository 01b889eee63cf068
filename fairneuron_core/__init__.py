"""Audit and repair the fairness of neural networks: data, models, metrics, paths, repair, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairneuron_core.jobs.foreign_network import load_network

__version__ = "0.1.0"
__all__ = ["__version__", "load_network"]


def __getattr__(name: str) -> Any:
    # Found when it is asked for: importing the package alone imports neither torch nor pandas.
    if name == "load_network":
        from fairneuron_core.jobs.foreign_network import load_network

        return load_network
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
