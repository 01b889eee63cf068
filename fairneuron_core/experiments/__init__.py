"""Comparisons over many trainings: the hyper-parameter search, and the experiment over methods and seeds."""

from fairneuron_core.experiments.as_json import (
    experiment_json,
    finished_json,
    finished_of,
    rows_csv,
    spec_json,
    without_timing,
)
from fairneuron_core.experiments.protocol import Finished, Memory, SeedMaterial, carry_out
from fairneuron_core.experiments.search import search
from fairneuron_core.experiments.search_settings import SearchParams
from fairneuron_core.experiments.spec import BUDGETS, GAPS, GIVEN, ExperimentParams, budget_words, methods_of, seeds_of
from fairneuron_core.experiments.stored import load_stored, stored_gaps, stored_names, write_stored
from fairneuron_core.experiments.trials import SearchResult, Trial

__all__ = [
    "BUDGETS",
    "GAPS",
    "GIVEN",
    "ExperimentParams",
    "Finished",
    "Memory",
    "SearchParams",
    "SearchResult",
    "SeedMaterial",
    "Trial",
    "budget_words",
    "carry_out",
    "experiment_json",
    "finished_json",
    "finished_of",
    "load_stored",
    "methods_of",
    "rows_csv",
    "search",
    "seeds_of",
    "spec_json",
    "stored_gaps",
    "stored_names",
    "without_timing",
    "write_stored",
]
