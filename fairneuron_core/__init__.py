"""Audit and repair the fairness of neural networks: data, models, metrics, paths, repair, runs."""

__version__ = "0.1.0"
