"""Audit and comparison of classifiers on one part of the data: the same call for page, command line and export."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairneuron_core.data import group_sizes
from fairneuron_core.errors import DataError
from fairneuron_core.jobs.material import Material, Part
from fairneuron_core.metrics import audit, compare
from fairneuron_core.metrics.intervals import wilson
from fairneuron_core.models import decisions
from fairneuron_core.types import Audit, Dataset, PairedAudit

MIN_GROUP = 30


def audit_part(material: Material, part: Part, *, threshold: float | None = None, min_group: int = MIN_GROUP) -> Audit:
    """Audit the classifier's decisions on one part; `threshold` replaces the classifier's own, or its rule."""
    batch = material.batch(part)
    return audit(
        batch.labels,
        decisions(material.classifier, batch, threshold=threshold),
        batch.codes(material.attribute),
        levels=batch.levels(material.attribute),
        attribute=material.attribute,
        reference=material.reference,
        favourable_words=material.dataset.schema.favourable_words,
        min_group=min_group,
    )


def compare_part(before: Material, after: Material, part: Part, *, min_group: int = MIN_GROUP) -> PairedAudit:
    """Compare two classifiers on the same rows of one part.

    Where the two were trained on different splits, only rows that are in this part of BOTH count, so that neither is
    judged on rows it was trained on. Raises DataError when the data differ or no row is left.
    """
    if before.dataset.sha256 != after.dataset.sha256:
        raise DataError("The two models were audited on different data: compare models of one data set.")
    rows = np.intersect1d(before.rows(part), after.rows(part))
    if not len(rows):
        raise DataError(f"The two models share no row of the {part} part: train them with the same seed.")
    first, second = before.encoded(rows, part), after.encoded(rows, part)
    return compare(
        first.labels,
        decisions(before.classifier, first),
        decisions(after.classifier, second),
        first.codes(before.attribute),
        levels=first.levels(before.attribute),
        attribute=before.attribute,
        reference=before.reference,
        favourable_words=before.dataset.schema.favourable_words,
        min_group=min_group,
    )


def base_rate_table(dataset: Dataset) -> pd.DataFrame:
    """Return the groups of every protected attribute: attribute, group, n, share, favourable, base_rate, low, high.

    low and high are Wilson's 95 % interval of the base rate, NaN where the group has no rows.
    """
    table = group_sizes(dataset)
    low, high = wilson(table["favourable"].to_numpy(), table["n"].to_numpy())
    return table.assign(low=low, high=high)
