"""Metric names as people read them, and the unit and direction in which each is shown."""

from __future__ import annotations

from collections.abc import Iterable

from fairneuron_core.metrics import METRICS, RATES
from fairneuron_core.report.words import Unit

_UNITS: dict[str, Unit] = {"performance": "percent", "gap": "points", "ratio": "ratio"}
_SHORT = {"demographic_parity_ratio_paper": "Demographic parity ratio (paper)"}


def metric_label(name: str) -> str:
    """Return the full name of a metric or rate in words; an unknown name is spelled out.

    >>> metric_label("tpr"), metric_label("demographic_parity_difference")
    ('True-positive rate', 'Demographic parity difference')
    """
    row = METRICS.get(name) or RATES.get(name)
    return row.label if row else name.replace("_", " ").capitalize()


def short_label(name: str) -> str:
    """Return the name without what stands in brackets, for rows of a chart.

    >>> short_label("demographic_parity_ratio")
    'Demographic parity ratio'
    """
    return _SHORT.get(name) or metric_label(name).split(" (")[0]


def in_sentence(label: str) -> str:
    """Return a label as it stands inside a sentence: small first letter, unless it is an abbreviation.

    >>> in_sentence("Equal opportunity difference"), in_sentence("ROC")
    ('equal opportunity difference', 'ROC')
    """
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def metric_unit(name: str) -> Unit:
    """Return the unit in which a metric is printed: gaps in points, ratios plain, shares in percent."""
    return _UNITS[METRICS[name].kind] if name in METRICS else "percent"


def gap_names(names: Iterable[str]) -> list[str]:
    """Return those names that compare groups: differences and ratios."""
    return [name for name in names if name in METRICS and METRICS[name].kind != "performance"]
