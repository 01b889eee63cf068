"""What the sections of the Audit page compute once: curves of the scores, and counts of combined groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.ui import cache

if TYPE_CHECKING:
    from fairneuron_core.metrics import CalibrationCurve, RocCurve


def roc_curves(data: str, model: str, attribute: str, part: str) -> tuple[RocCurve, ...]:
    """Return the ROC curve of every group."""
    return _roc_curves(data, model, attribute, part, str(cache.workspace().home))


# `home` is part of the key: another workspace may hold another data set under the same reference.
@st.cache_resource(max_entries=24, show_spinner="Tracing the ROC curves")
def _roc_curves(data: str, model: str, attribute: str, part: str, home: str) -> tuple[RocCurve, ...]:
    from fairneuron_core.metrics import roc_by_group

    rows = cache.batch(data, model, part)
    given = cache.scores(data, model, part), rows.labels, rows.codes(attribute)
    return roc_by_group(*given, levels=rows.levels(attribute))


def calibration(data: str, model: str, attribute: str, part: str) -> tuple[CalibrationCurve, ...]:
    """Return the calibration curve of every group."""
    return _calibration(data, model, attribute, part, str(cache.workspace().home))


@st.cache_resource(max_entries=24, show_spinner="Comparing scores with outcomes")
def _calibration(data: str, model: str, attribute: str, part: str, home: str) -> tuple[CalibrationCurve, ...]:
    from fairneuron_core.metrics import calibration_by_group

    rows = cache.batch(data, model, part)
    given = cache.scores(data, model, part), rows.labels, rows.codes(attribute)
    return calibration_by_group(*given, levels=rows.levels(attribute))


def intersection_counts(
    data: str, model: str, part: str, attributes: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return counts (groups, label, decision) and names of the combined groups, by the model's own decisions."""
    return _intersections(data, model, part, attributes, str(cache.workspace().home))


@st.cache_data(max_entries=50, show_spinner="Counting the combined groups")
def _intersections(
    data: str, model: str, part: str, attributes: tuple[str, ...], home: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    from fairneuron_core.metrics import group_counts, intersections

    rows = cache.batch(data, model, part)
    columns = np.stack([rows.codes(name) for name in attributes], axis=1)
    codes, names = intersections(columns, [rows.levels(name) for name in attributes])
    return group_counts(rows.labels, cache.decisions(data, model, part), codes, len(names)), names
