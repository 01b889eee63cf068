"""Comparisons over many trainings: the hyper-parameter search."""

from fairneuron_core.experiments.search import SearchParams, SearchResult, Trial, search

__all__ = ["SearchParams", "SearchResult", "Trial", "search"]
