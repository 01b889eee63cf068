"""Rates of refuted individuals with their intervals: at uniform points of the space, and on held-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fairneuron_core.data import BinnedColumn, encode_frame
from fairneuron_core.data.columns import bin_values
from fairneuron_core.metrics.intervals import clopper_pearson
from fairneuron_core.types import Classifier, Dataset, Estimate
from fairneuron_core.verify.certificate import PROVED, REFUTED, Counterexample
from fairneuron_core.verify.counterexamples import pair_of, row_counterexamples
from fairneuron_core.verify.cuts import row_cuts
from fairneuron_core.verify.enumeration import MOST_VARIANTS, constant_rows
from fairneuron_core.verify.individuals import individuals
from fairneuron_core.verify.similar import SimilarSpace

POINTS, VARIANTS = 20_000, 4_000_000


def rate(refuted: int, n: int, *, confidence: float = 0.95) -> Estimate:
    """Return refuted / n with Clopper and Pearson's exact interval.

    >>> found = rate(0, 100)
    >>> found.value, round(found.high, 4)
    (0.0, 0.0362)
    """
    low, high = clopper_pearson(refuted, n, confidence=confidence)
    return Estimate(refuted / n if n else math.nan, float(low), float(high), n, confidence)


def table_status(
    dataset: Dataset,
    classifier: Classifier,
    space: SimilarSpace,
    frame: pd.DataFrame,
    rows: np.ndarray,
    *,
    device: str = "cpu",
    threads: int | None = None,
) -> np.ndarray:
    """Return PROVED or REFUTED (n,) for the individuals of a table, all tried; rows: positions for a rule's draw."""
    if space.nothing_read:
        return np.full(len(frame), PROVED, np.int8)
    features = encode_frame(frame, classifier.encoder, name=dataset.name)
    cuts = row_cuts(dataset, classifier, space, features=features, frame=frame, rows=rows)
    return constant_rows(classifier, space, features, cuts=cuts, device=device, threads=threads)


def held_out_rate(
    dataset: Dataset,
    classifier: Classifier,
    space: SimilarSpace,
    rows: np.ndarray,
    *,
    device: str = "cpu",
    threads: int | None = None,
) -> Estimate | None:
    """Return the rate of refuted individuals among rows of the data set (None where S(x) cannot be tried)."""
    if not space.finite or space.size > MOST_VARIANTS:
        return None
    frame = dataset.frame.iloc[rows]
    status = table_status(dataset, classifier, space, frame, rows, device=device, threads=threads)
    return rate(int((status == REFUTED).sum()), len(frame))


def uniform_table(dataset: Dataset, classifier: Classifier, n: int, *, seed: int) -> pd.DataFrame:
    """Return n individuals as a table of raw values, every column uniform over its domain, groups cut from numbers."""
    people = individuals(dataset, classifier.encoder)
    values = people.uniform(n, np.random.default_rng(seed))
    found = {}
    for trait, drawn in zip(people.traits, values.T, strict=True):
        column = trait.column
        found[column.name] = np.array(column.levels)[drawn.astype(int)] if trait.kind == "levels" else drawn
    table = pd.DataFrame(found)
    derived = [c for c in dataset.schema.columns if isinstance(c, BinnedColumn) and c.derived_from in table]
    return table.assign(**{c.name: bin_values(table[c.derived_from], c) for c in derived})


@dataclass(frozen=True, eq=False)
class Sampled:
    """Individuals drawn uniformly from the space: their rate of refuted ones, and some refuted pairs."""

    rate: Estimate
    counterexamples: tuple[Counterexample, ...]


def sample_space(
    dataset: Dataset,
    classifier: Classifier,
    space: SimilarSpace,
    *,
    seed: int = 0,
    most: int = 20,
    device: str = "cpu",
    threads: int | None = None,
) -> Sampled | None:
    """Try points drawn uniformly from the space and all their similar individuals (None: these cannot be tried)."""
    if not space.finite or space.size > MOST_VARIANTS:
        return None
    n = max(100, min(POINTS, VARIANTS // max(1, space.size)))
    table, rows = uniform_table(dataset, classifier, n, seed=seed), np.arange(n)
    status = table_status(dataset, classifier, space, table, rows, device=device, threads=threads)
    found = np.flatnonzero(status == REFUTED)
    drawn, kept = replace(dataset, frame=table), found[:most]
    features = encode_frame(table.iloc[kept], classifier.encoder, name=dataset.name)
    cuts = row_cuts(dataset, classifier, space, features=features, frame=table.iloc[kept], rows=kept)
    pairs = row_counterexamples(drawn, classifier, space, rows=kept, features=features, cuts=cuts)
    # These people have no position in the data set: a rule's draw is that of position 0, so they are decided again.
    again = (pair_of(dataset, classifier, space, None, pair.this, pair.other) for pair in pairs if pair)
    return Sampled(rate(len(found), n), tuple(pair for pair in again if pair is not None))
